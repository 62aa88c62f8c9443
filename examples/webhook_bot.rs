//! A whole bot by webhook, standing alone: the same callbacks as by gateway.
//!
//! It wants `QQ_BOT_APP_ID` and `QQ_BOT_SECRET`, and listens on 127.0.0.1:8080 for a proxy that speaks HTTPS with the
//! platform. The callback address in the console ends in `/qqbot`. With `QQ_BOT_BASE_URL` its answers go to that server,
//! such as the emulator.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use qqbot::prelude::*;

/// Where the proxy finds the bot.
const ADDRESS: &str = "127.0.0.1:8080";

struct PingBot;

impl PingBot {
    async fn answer(&self, ctx: Context, text: &str) {
        if text == "!ping"
            && let Err(error) = ctx.reply("Pong!").await
        {
            eprintln!("not answered: {error:?}");
        }
    }
}

impl EventHandler for PingBot {
    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("{error:?}");
    }
}

#[tokio::main]
async fn main() -> Result<(), BotError> {
    // Intents are for the gateway; by webhook the console says which events come.
    let client = Client::builder(Token::from_env()?, Intents::default())
        .environment(Environment::from_env()?)
        .webhook(ADDRESS, "/qqbot")
        .handler(PingBot)
        .build()?;
    println!("Listening on {ADDRESS}. Ctrl-C stops the bot.");
    client.run_until_ctrl_c().await
}
