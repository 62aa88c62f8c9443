//! An assistant: in one-to-one chats its answer grows while it thinks, elsewhere it comes as one text.
//!
//! Without credentials it starts the emulator beside itself and prints the address of its chat page. With
//! `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::time::Duration;

use qqbot::prelude::*;
use qqbot_examples::Platform;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Where a real one would ask its model.
struct Model;

impl Model {
    /// The answer, piece by piece as it is thought of.
    fn answer(&self, question: &str) -> mpsc::Receiver<String> {
        let text = format!(
            "You said: {question}. That is {} characters, and this answer comes word by word, as a model would \
             give it.",
            question.chars().count()
        );
        let (pieces, answer) = mpsc::channel(16);
        tokio::spawn(async move {
            for word in text.split_inclusive(' ') {
                sleep(Duration::from_millis(20)).await;
                // Whoever asked may have gone.
                if pieces.send(word.to_owned()).await.is_err() {
                    return;
                }
            }
        });
        answer
    }
}

pub(crate) struct Assistant {
    model: Model,
}

impl Assistant {
    pub(crate) const fn new() -> Self {
        Self { model: Model }
    }

    /// One-to-one chats: the user sees the answer grow.
    async fn stream(&self, ctx: &Context, question: &str) -> Result<(), BotError> {
        let mut pieces = self.model.answer(question);
        let mut answer = ctx.stream().fallback().await?;
        while let Some(piece) = pieces.recv().await {
            answer.push(&piece).await?;
        }
        answer.finish().await?;
        Ok(())
    }

    /// Elsewhere nothing grows: the whole text at once.
    async fn text(&self, ctx: &Context, question: &str) -> Result<(), BotError> {
        let mut pieces = self.model.answer(question);
        let mut whole = String::new();
        while let Some(piece) = pieces.recv().await {
            whole.push_str(&piece);
        }
        ctx.reply(whole).await?;
        Ok(())
    }

    fn told(outcome: Result<(), BotError>) {
        if let Err(error) = outcome {
            eprintln!("not answered: {error:?}");
        }
    }
}

impl EventHandler for Assistant {
    async fn ready(&self, _ctx: Context, ready: Ready) {
        println!("Status: online as {}", ready.user.username);
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        Self::told(self.stream(&ctx, &message.text()).await);
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        if !message.is_from_bot() {
            Self::told(self.text(&ctx, &message.text()).await);
        }
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        if !message.is_from_bot() {
            Self::told(self.text(&ctx, &message.text()).await);
        }
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        Self::told(self.text(&ctx, &message.text()).await);
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
        .handler(Assistant::new())
        .build()?;
    client.run_until_ctrl_c().await?;
    Ok(())
}
