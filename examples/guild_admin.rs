//! A bot that looks after a guild: it welcomes new members, and administrators of the guild mention it with
//! `!role <role> @member`, `!unrole <role> @member`, `!mute @member <minutes>`, `!unmute @member` and `!roles`.
//!
//! Without credentials it starts the emulator beside itself and prints the address of its chat page. With
//! `QQ_BOT_APP_ID` and `QQ_BOT_SECRET` it connects to the real platform, with `QQ_BOT_BASE_URL` to that server.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
use std::time::Duration;

use qqbot::model::channel::ChannelType;
use qqbot::model::guild::GuildMemberEvent;
use qqbot::model::mute::Mute;
use qqbot::prelude::*;
use qqbot_examples::Platform;

/// The roles that every guild has: administrators and the owner.
const ADMINS: [&str; 2] = ["2", "4"];
const LONGEST_MUTE: u64 = 24 * 60;
/// What administrators may say, with somebody's mention.
const COMMANDS: [&str; 4] = ["!role", "!unrole", "!mute", "!unmute"];

pub(crate) struct GuildAdmin;

impl GuildAdmin {
    async fn welcome(ctx: &Context, member: &GuildMemberEvent) -> Result<(), BotError> {
        let guild = ctx.guilds().resolve(member.guild_id.clone()).await?;
        let channels = match ctx.cache().guild_channels(&member.guild_id) {
            known if known.is_empty() => ctx.channels().fetch_all(member.guild_id.clone()).await?,
            known => known,
        };
        let Some(channel) = channels
            .iter()
            .find(|channel| channel.kind == ChannelType::Text)
        else {
            return Ok(());
        };
        let text = format!("Welcome to {}, {}!", guild.name, member.user.username);
        ctx.channels().send(channel.id.clone(), text).await?;
        Ok(())
    }

    /// What a command did, in words for the channel.
    async fn obey(ctx: &Context, message: &Message) -> Result<Option<String>, BotError> {
        let text = message.text();
        let mut words = text.split_whitespace();
        let Some(command) = words.next().filter(|word| word.starts_with('!')) else {
            return Ok(None);
        };
        let words: Vec<_> = words.collect();
        let guild = &message.guild_id;
        if command == "!roles" {
            let roles = ctx.roles().fetch_all(guild.clone()).await?;
            let names: Vec<_> = roles.iter().map(|role| &*role.name).collect();
            return Ok(Some(format!("Roles: {}", names.join(", "))));
        }
        if !COMMANDS.contains(&command) {
            let commands = COMMANDS.join(" ");
            return Ok(Some(format!(
                "I know !roles and, from administrators, {commands} with a mention."
            )));
        }
        if !is_admin(ctx, message).await? {
            return Ok(Some("Only administrators may tell me that.".to_owned()));
        }
        let Some(user) = words.iter().find_map(|word| mentioned(word)) else {
            return Ok(Some(format!("Whom? Mention somebody after {command}.")));
        };
        let name = ctx
            .members()
            .resolve(guild.clone(), user.clone())
            .await?
            .user
            .as_ref()
            .map(|user| user.username.clone())
            .unwrap_or_default();
        let member = ctx.api.guild(guild.clone()).member(user);
        let done = match command {
            "!role" | "!unrole" => {
                let wanted = words.iter().find(|word| mentioned(word).is_none());
                let roles = ctx.roles().fetch_all(guild.clone()).await?;
                let Some(role) = roles.iter().find(|role| Some(&&*role.name) == wanted) else {
                    return Ok(Some("There is no such role. !roles lists them.".to_owned()));
                };
                if command == "!role" {
                    member.add_role(role.id.clone()).await?;
                    format!("{name} is now {}.", role.name)
                } else {
                    member.remove_role(role.id.clone()).await?;
                    format!("{name} is no longer {}.", role.name)
                }
            }
            "!mute" => {
                let minutes = words.iter().find_map(|word| word.parse::<u64>().ok());
                let minutes = minutes.unwrap_or(10).clamp(1, LONGEST_MUTE);
                member
                    .mute(&Mute::lasting(Duration::from_secs(minutes * 60)))
                    .await?;
                format!("{name} is silent for {minutes} minutes.")
            }
            _ => {
                member.mute(&Mute::lift()).await?;
                format!("{name} may speak again.")
            }
        };
        Ok(Some(done))
    }
}

/// Whether the sender administers the guild; the platform decides again about what the bot may do.
async fn is_admin(ctx: &Context, message: &Message) -> Result<bool, BotError> {
    let member = ctx
        .members()
        .fetch(message.guild_id.clone(), message.author.id.clone())
        .await?;
    Ok(member
        .roles
        .iter()
        .any(|role| ADMINS.contains(&&*role.text())))
}

/// The user of a mention, `<@!123>` or `<@123>`.
fn mentioned(word: &str) -> Option<UserId> {
    let id = word.strip_prefix("<@")?.strip_suffix('>')?;
    Some(UserId::new(id.strip_prefix('!').unwrap_or(id)))
}

impl EventHandler for GuildAdmin {
    async fn ready(&self, ctx: Context, ready: Ready) {
        let guilds = ctx.cache().stats().guilds.entries;
        println!(
            "Status: online as {}, in {guilds} guilds",
            ready.user.username
        );
    }

    async fn guild_member_add(&self, ctx: Context, member: GuildMemberEvent) {
        if let Err(error) = Self::welcome(&ctx, &member).await {
            eprintln!("not welcomed: {error:?}");
        }
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        if message.is_from_bot() {
            return;
        }
        let answer = match Self::obey(&ctx, &message).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return,
            Err(error) => {
                eprintln!("{error:?}");
                "The platform did not let me.".to_owned()
            }
        };
        if let Err(error) = ctx.reply(answer).await {
            eprintln!("not answered: {error:?}");
        }
    }

    async fn error(&self, error: BotError) {
        eprintln!("Status: {error:?}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()))
        .with_writer(std::io::stderr)
        .init();
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let client = Client::builder(platform.token.clone(), Intents::default())
        .environment(platform.environment.clone())
        .wait_for_channels(Duration::from_secs(10))
        .handler(GuildAdmin)
        .build()?;
    println!("Mention the bot in a channel: !roles, !mute @member 10. Ctrl-C stops it.");
    client.run_until_ctrl_c().await?;
    Ok(())
}
