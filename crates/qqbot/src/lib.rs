#![forbid(unsafe_code)]
//! Bots on QQ: guild channels, guild direct messages, QQ groups and one-to-one chats.
//!
//! ```no_run
//! use qqbot::prelude::*;
//!
//! struct PingBot;
//!
//! impl EventHandler for PingBot {
//!     async fn ready(&self, _ctx: Context, ready: Ready) {
//!         println!("online as {}", ready.user.username);
//!     }
//!
//!     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
//!         if message.text() == "!ping" {
//!             let _ = ctx.reply("Pong!").await;
//!         }
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), BotError> {
//!     let token = Token::from_env()?; // QQ_BOT_APP_ID, QQ_BOT_SECRET
//!     let intents = Intents::default().with_public_guild_messages().with_group_and_c2c();
//!     let client = Client::new(token, intents, PingBot, false)?;
//!     client.start().await
//! }
//! ```
//!
//! This crate composes smaller ones, each of use alone:
//!
//! | Feature | Crate | For |
//! |---|---|---|
//! | `client` (default) | `qq-client` ([`client`]) | the whole bot |
//! | `http` | `qq-http` ([`http`]) | REST only: scripts, own webhook servers |
//! | `gateway` | `qq-gateway` ([`gateway`]) | the raw shard stream: custom runtimes, brokers |
//! | `webhook` | `qq-webhook` (`webhook`) | signed callbacks as events |
//! | `cache` | `qq-cache` (`cache`) | what the bot has seen, in bounded memory |
//! | `cli` | the program `qqbot` | `qqbot doctor` finds out why a bot does not run |
//! | `cluster` | `qq-cluster` (`cluster`) | many processes as one bot, on NATS JetStream |
//! | always | `qq-model` ([`model`]) | the types |
//!
//! The [`guide`] shows how a bot is built with them, a chapter for each thing that a bot does.

#[cfg(feature = "client")]
pub mod guide;

pub use qq_model as model;

pub use qq_model::channel::Channel;
pub use qq_model::gateway::{Ready, Resumed};
pub use qq_model::guild::Guild;
pub use qq_model::interaction::Interaction;
pub use qq_model::message::{C2CMessage, ChatMessage, DirectMessage, GroupMessage, Message};
pub use qq_model::outgoing::MessageBody;
pub use qq_model::user::{Member, User};
pub use qq_model::{Environment, Event, EventKind, EventKinds, Intents, Timestamp, Token};

#[cfg(feature = "cache")]
pub use qq_cache as cache;
#[cfg(feature = "client")]
pub use qq_client as client;
#[cfg(feature = "client")]
pub use qq_client::{
    AudioSession, AuditSession, BotAccess, BotError, C2CReplySession, ChannelReplySession,
    ChannelSession, Client, ClientBuilder, ClientHandle, ConnectionSession, Context,
    DirectReplySession, DownloadMedia, DropReason, EndReason, ErrorKind, EventHandler, EventName,
    EventSource, FileStore, ForumSession, GroupReplySession, GuildSession, HandlerGuard, Health,
    HealthWatch, InteractionSession, ManageSession, Media, MemberSession, OpenForumSession,
    OverflowPolicy, RawEvent, ReactionSession, ReadySession, ReconnectCause, Registration, Reply,
    ReplyKind, ReplyRules, ResumedSession, SendKind, SendResult, SentReply, ShardHealth, Stats,
    Status, StopReport, UnknownEvent, UnknownEventSession, WhenClosed,
};
#[cfg(feature = "cluster")]
pub use qq_cluster as cluster;
#[cfg(feature = "gateway")]
pub use qq_gateway as gateway;
#[cfg(feature = "http")]
pub use qq_http as http;
#[cfg(feature = "http")]
pub use qq_http::{HttpClient, HttpClient as BotApi};
#[cfg(any(feature = "http", feature = "gateway"))]
pub use qq_transport as transport;
#[cfg(feature = "webhook")]
pub use qq_webhook as webhook;

/// What a bot's source usually needs: `use qqbot::prelude::*;`.
pub mod prelude {
    pub use qq_model::channel::Channel;
    pub use qq_model::gateway::{Ready, Resumed};
    pub use qq_model::guild::Guild;
    pub use qq_model::id::{
        ChannelId, GroupOpenid, GuildId, MemberOpenid, MessageId, UserId, UserOpenid,
    };
    pub use qq_model::interaction::Interaction;
    pub use qq_model::message::{
        C2CMessage, ChatMessage, ChatUserId, Conversation, DirectMessage, GroupMessage, Message,
        Scene,
    };
    pub use qq_model::outgoing::{MessageBody, MessageMarkdown};
    pub use qq_model::user::{Member, User};
    pub use qq_model::{Environment, Event, EventKind, Intents, Token};

    #[cfg(feature = "client")]
    pub use qq_client::{
        BotError, ButtonPress, C2CReplySession, ChannelReplySession, Client, ClientHandle,
        CollectedMessage, CollectedReaction, Context, DirectReplySession, DownloadMedia, EndReason,
        ErrorKind, EventHandler, FileStore, GroupReplySession, InteractionSession, Media,
        OverflowPolicy, RawEvent, ReadySession, Reply, ReplyKind, SentReply, Status, UnknownEvent,
        UnknownEventSession, WhenClosed,
    };
    #[cfg(feature = "http")]
    pub use qq_http::HttpClient;
}

/// The code of the README is compiled with the tests.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
