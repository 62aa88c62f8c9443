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

use qq_emulator::Emulator;
use qqbot::model::credentials::{APP_ID_VARIABLE, SECRET_VARIABLE};
use qqbot::model::environment::BASE_URL_VARIABLE;
use qqbot::prelude::*;

/// Where the emulator's chat page usually is.
const PORT: u16 = 8787;

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
    let (token, environment, _emulator) = platform().await?;
    let intents = Intents::default()
        .with_group_and_c2c()
        .with_direct_message();
    let client = Client::builder(token, intents)
        .environment(environment)
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

/// Who the bot is and where it lives; an emulator of its own lives as long as what is returned.
async fn platform() -> Result<(Token, Environment, Option<Emulator>), Box<dyn std::error::Error>> {
    let has_credentials = is_set(APP_ID_VARIABLE) || is_set(SECRET_VARIABLE);
    if has_credentials {
        return Ok((Token::from_env()?, Environment::from_env()?, None));
    }
    let token = Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET);
    if is_set(BASE_URL_VARIABLE) {
        return Ok((token, Environment::from_env()?, None));
    }
    let emulator = match Emulator::builder().port(PORT).start().await {
        Ok(emulator) => emulator,
        // Somebody else has the port: any other will do.
        Err(_) => Emulator::builder().port(0).start().await?,
    };
    println!(
        "No credentials are set ({APP_ID_VARIABLE}, {SECRET_VARIABLE}): the bot runs on the emulator."
    );
    println!("Talk to it at {}/", emulator.base_url());
    Ok((
        token,
        Environment::custom(emulator.base_url())?,
        Some(emulator),
    ))
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// The error with all its causes in one line.
fn describe(error: &BotError) -> String {
    format!("{error:?}")
}
