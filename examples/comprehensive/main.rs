//! A bot with commands, statistics, uptime and logging, in guild channels and wherever else it is spoken to.
//!
//! `!ping`, `!uptime`, `!stats`, `!help`. Without credentials it starts the emulator beside itself; the log says where
//! its chat page is. With `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform.

#![forbid(unsafe_code)]

mod bot;

use std::io::IsTerminal;

use qqbot::prelude::*;
use qqbot_examples::Platform;
use tracing::info;

use crate::bot::ComprehensiveBot;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Initialize logging
    tracing_subscriber::fmt()
        .with_env_filter("qqbot=info,qq_client=info,comprehensive=info")
        .with_ansi(std::io::stdout().is_terminal())
        .init();

    // Load configuration
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        info!("{hint}");
    }

    // Configure intents
    let intents = Intents::default()
        .with_public_guild_messages()
        .with_direct_message()
        .with_group_and_c2c()
        .with_guilds();

    // Create and start bot
    let client = Client::builder(platform.token.clone(), intents)
        .environment(platform.environment.clone())
        .handler(ComprehensiveBot::new())
        .build()?;

    info!("🚀 Starting comprehensive bot...");
    client.run_until_ctrl_c().await?;
    Ok(())
}
