//! A bot to talk to: it answers `!ping` and `!help`, and echoes everything else.
//!
//! Without credentials it starts the emulator beside itself and prints the address of its chat page. With
//! `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform. With `QQ_BOT_BASE_URL` it connects to that
//! server, such as a separately started emulator.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
use std::io::IsTerminal;
use std::process::ExitCode;

use qqbot::prelude::*;
use qqbot_examples::Platform;

struct PingBot;

impl PingBot {
    async fn answer(&self, ctx: &Context, text: &str) {
        let answer = match text {
            "!ping" => "Pong!".to_owned(),
            "!help" => {
                "!ping: I answer Pong!\n!help: this text\nanything else: I say it back".to_owned()
            }
            "" => "I can only read text.".to_owned(),
            text => format!("You said: {text}"),
        };
        if let Err(error) = ctx.reply(answer).await {
            eprintln!("not answered: {error:?}");
        }
    }
}

impl EventHandler for PingBot {
    async fn ready(&self, _ctx: Context, ready: Ready) {
        println!("Status: online as {}", ready.user.username);
    }

    async fn resumed(&self, _ctx: Context, _resumed: Resumed) {
        println!("Status: back online, nothing was missed");
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        if !message.is_from_bot() {
            self.answer(&ctx, &message.text()).await;
        }
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        if !message.is_from_bot() {
            self.answer(&ctx, &message.text()).await;
        }
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("Status: {error:?}");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run().await {
        Ok(()) => {
            println!("Status: stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The bot ended: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let intents = Intents::default()
        .with_group_and_c2c()
        .with_direct_message();
    let client = Client::builder(platform.token.clone(), intents)
        .environment(platform.environment.clone())
        .handler(PingBot)
        .build()
        .map_err(|error| describe(&error))?;
    println!("Status: connecting. Ctrl-C stops the bot.");
    client
        .run_until_ctrl_c()
        .await
        .map_err(|error| describe(&error))?;
    Ok(())
}

/// The error with all its causes in one line.
fn describe(error: &BotError) -> String {
    format!("{error:?}")
}
