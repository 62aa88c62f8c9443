//! What the bot has seen.
//!
//! # The cache
//!
//! Guilds, channels, roles, members, groups, users and messages are remembered as events and REST answers bring them, within bounds for
//! each kind. A read gives an `Arc`, never a lock; an event that changes something tells what was there before.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use qqbot::cache::Cache;
//! use qqbot::prelude::*;
//!
//! # fn build(token: Token) -> Result<(), BotError> {
//! let cache = Cache::builder()
//!     .members(|members| members.capacity(10_000).idle_time(Duration::from_secs(3600)))
//!     .build();
//! let client = Client::builder(token, Intents::default()).cache(cache).build()?;
//! # Ok(()) }
//! ```
//!
//! READY brings no guilds on this platform. [`wait_for_guilds`](crate::ClientBuilder::wait_for_guilds) fetches them before the bot goes
//! online.
//!
//! # Managers
//!
//! `ctx.guilds()`, `channels()`, `members()`, `roles()`, `groups()`, `users()`, `messages()`, each with the same words: `get` looks into the
//! cache, `fetch` asks the platform, `resolve` does the first and then the second. Many callers at a time make one call, and what the platform says
//! does not exist is not asked for again for a while. What the platform cannot do has no method.
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn greet(ctx: Context, message: Message) -> Result<(), BotError> {
//! let guild = ctx.guilds().resolve(message.guild_id.clone()).await?;
//! ctx.reply(format!("Welcome to {}!", guild.name)).await?;
//! # Ok(()) }
//! ```
//!
//! # Quotes
//!
//! [`Context::quoted`](crate::Context::quoted) finds what a message quotes: in the cache, the bot's own messages included by whatever call they
//! were sent, in what the message itself tells of it, or by asking the platform. With a
//! [`quote_store`](crate::ClientBuilder::quote_store) it finds what was said before a restart, too.
//!
//! # Files that users send
//!
//! Attachments are addresses, and nothing is downloaded unless asked for. The download accepts the platform's hosts only, follows no redirect
//! to a private address and stops at the size that is given:
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn read(ctx: Context, message: C2CMessage) -> Result<(), BotError> {
//! for file in ChatMessage::attachments(&message) {
//!     if let Some(url) = file.url.as_deref() {
//!         let file = ctx.api.download(url).max_bytes(5 * 1024 * 1024).await?;
//!         println!("{} bytes of {:?}", file.bytes.len(), file.content_type);
//!     }
//! }
//! # Ok(()) }
//! ```
