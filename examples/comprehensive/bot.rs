//! What the bot does.

use std::collections::HashMap;
use std::sync::Arc;

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
    stats: Arc<RwLock<HashMap<ChatUserId, UserStats>>>,
    start_time: OffsetDateTime,
}

impl ComprehensiveBot {
    pub(crate) fn new() -> Self {
        Self {
            stats: Arc::default(),
            start_time: OffsetDateTime::now_utc(),
        }
    }

    async fn update_user_stats(&self, user: ChatUserId) {
        let now = OffsetDateTime::now_utc();
        let mut stats = self.stats.write().await;
        let entry = stats.entry(user).or_insert(UserStats {
            message_count: 0,
            last_active: now,
        });
        entry.message_count += 1;
        entry.last_active = now;
    }

    async fn handle_command(
        &self,
        user: &ChatUserId,
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

    async fn handle_message(&self, ctx: Context, message: &dyn ChatMessage) {
        // Skip bot messages
        if message.is_from_bot() {
            return;
        }

        // Update user statistics
        let user = message.author_id();
        self.update_user_stats(user.clone()).await;

        // Process commands
        let text = message.text();
        let Some(command_text) = text.strip_prefix('!') else {
            return;
        };
        let parts: Vec<&str> = command_text.split_whitespace().collect();
        let Some((command, args)) = parts.split_first() else {
            return;
        };
        match self.handle_command(&user, command, args).await {
            Ok(response) => {
                if let Err(error) = ctx.reply(response).await {
                    warn!("Failed to send reply: {error:?}");
                }
            }
            Err(failure) => {
                error!("Error handling command '{command}': {failure}");
                let _ = ctx.reply("Sorry, something went wrong!").await;
            }
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
        self.handle_message(ctx, &message).await;
    }

    async fn direct_message_create(&self, ctx: Context, message: DirectMessage) {
        self.handle_message(ctx, &message).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.handle_message(ctx, &message).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.handle_message(ctx, &message).await;
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
