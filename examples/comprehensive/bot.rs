//! What the bot does.

use std::collections::HashMap;
use std::sync::Arc;

use qqbot::model::guild::Guild;
use qqbot::prelude::*;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::RwLock;
use tracing::{error, info, warn};

#[derive(Clone)]
struct UserStats {
    message_count: u64,
    last_active: OffsetDateTime,
}

pub(crate) struct ComprehensiveBot {
    stats: Arc<RwLock<HashMap<UserId, UserStats>>>,
    start_time: OffsetDateTime,
}

impl ComprehensiveBot {
    pub(crate) fn new() -> Self {
        Self {
            stats: Arc::default(),
            start_time: OffsetDateTime::now_utc(),
        }
    }

    async fn update_user_stats(&self, user: &UserId) {
        let now = OffsetDateTime::now_utc();
        let mut stats = self.stats.write().await;
        let entry = stats.entry(user.clone()).or_insert(UserStats {
            message_count: 0,
            last_active: now,
        });
        entry.message_count += 1;
        entry.last_active = now;
    }

    async fn handle_command(
        &self,
        message: &Message,
        command: &str,
        _args: &[&str],
    ) -> Result<String, time::error::Format> {
        match command {
            "ping" => Ok("Pong! 🏓".to_owned()),
            "uptime" => {
                let uptime = OffsetDateTime::now_utc() - self.start_time;
                Ok(format!("Bot uptime: {} seconds", uptime.whole_seconds()))
            }
            "stats" => {
                let user = message.author_id();
                if user.is_empty() {
                    return Ok("Could not identify user".to_owned());
                }
                let Some(stats) = self.stats.read().await.get(user).cloned() else {
                    return Ok("No stats available".to_owned());
                };
                let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
                Ok(format!(
                    "Messages sent: {}, Last active: {}",
                    stats.message_count,
                    stats.last_active.format(format)?
                ))
            }
            "help" => Ok("Available commands: !ping, !uptime, !stats, !help".to_owned()),
            _ => Ok(format!(
                "Unknown command: {command}. Type !help for available commands."
            )),
        }
    }
}

impl EventHandler for ComprehensiveBot {
    async fn ready(&self, ctx: Context, ready: Ready) {
        info!("🤖 Bot is ready! Logged in as: {}", ready.user.username);
        // READY brings no guilds on this platform.
        match ctx.api.guilds().await {
            Ok(guilds) => info!("📊 Connected to {} guilds", guilds.len()),
            Err(error) => warn!("Failed to list guilds: {error}"),
        }
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        // Skip bot messages
        if message.is_from_bot() {
            return;
        }

        // Update user statistics
        if !message.author_id().is_empty() {
            self.update_user_stats(message.author_id()).await;
        }

        // Process commands
        let text = message.text();
        let Some(command_text) = text.strip_prefix('!') else {
            return;
        };
        let parts: Vec<&str> = command_text.split_whitespace().collect();
        let Some((command, args)) = parts.split_first() else {
            return;
        };
        match self.handle_command(&message, command, args).await {
            Ok(response) => {
                if let Err(error) = message.reply(&ctx, response).await {
                    warn!("Failed to send reply: {error:?}");
                }
            }
            Err(failure) => {
                error!("Error handling command '{command}': {failure}");
                let _ = message.reply(&ctx, "Sorry, something went wrong!").await;
            }
        }
    }

    async fn guild_create(&self, _ctx: Context, guild: Guild) {
        info!("📥 Joined guild: {}", guild.name);
    }

    async fn guild_delete(&self, _ctx: Context, guild: Guild) {
        info!("📤 Left guild: {}", guild.name);
    }

    async fn error(&self, error: BotError) {
        match error.kind() {
            ErrorKind::Network => warn!("🌐 Network error: {error:?}"),
            ErrorKind::RateLimited => {
                let wait = error.retry_after().unwrap_or_default();
                warn!("⏰ Rate limited for {} seconds", wait.as_secs());
            }
            ErrorKind::Authentication => error!("🔐 Authentication error: {error:?}"),
            _ => error!("❌ Unexpected error: {error:?}"),
        }
    }
}
