//! Pictures in, pictures out: send one, and it comes back with what the bot saw; `!picture` draws one.
//!
//! Without credentials it starts the emulator beside itself and prints the address of its chat page. With
//! `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use qqbot::model::message::ChatMessage;
use qqbot::model::outgoing::FileType;
use qqbot::prelude::*;
use qqbot_examples::Platform;

/// The most that is read of a picture.
const LARGEST: u64 = 10 * 1024 * 1024;
/// A red dot, 1 by 1 pixel: what a bot with a drawing library would draw.
const RED_DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00,
    0x00, 0x03, 0x01, 0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

pub(crate) struct PictureBot;

impl PictureBot {
    async fn handle(&self, ctx: &Context, message: &impl ChatMessage) {
        if message.is_from_bot() {
            return;
        }
        if let Err(error) = Self::answer(ctx, message).await {
            eprintln!("not answered: {error:?}");
            let _ = ctx.reply("Sorry, that did not work.").await;
        }
    }

    async fn answer(ctx: &Context, message: &impl ChatMessage) -> Result<(), BotError> {
        let media = message.attachments();
        let picture = media
            .iter()
            .find(|media| media.content_type.starts_with("image"));
        match (
            picture.and_then(|picture| picture.url.as_deref()),
            &*message.text(),
        ) {
            (Some(url), _) => {
                let picture = ctx.api.download(url).max_bytes(LARGEST).await?;
                let caption = format!(
                    "{} bytes of {}",
                    picture.bytes.len(),
                    picture.content_type.as_deref().unwrap_or("something")
                );
                ctx.send_media(Media::bytes(picture.bytes))
                    .kind(FileType::Image)
                    .caption(caption)
                    .await?;
            }
            (None, "!picture") => {
                ctx.send_media(Media::bytes(RED_DOT))
                    .kind(FileType::Image)
                    .caption("A red dot")
                    .await?;
            }
            (None, _) => {
                ctx.reply("Send me a picture, or say !picture.").await?;
            }
        }
        Ok(())
    }
}

impl EventHandler for PictureBot {
    async fn ready(&self, _ctx: Context, ready: Ready) {
        println!("Status: online as {}", ready.user.username);
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        self.handle(&ctx, &message).await;
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.handle(&ctx, &message).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.handle(&ctx, &message).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.handle(&ctx, &message).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("Status: {error:?}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let intents = Intents::default()
        .with_group_and_c2c()
        .with_direct_message();
    let client = Client::builder(platform.token.clone(), intents)
        .environment(platform.environment.clone())
        .handler(PictureBot)
        .build()?;
    client.run_until_ctrl_c().await?;
    Ok(())
}
