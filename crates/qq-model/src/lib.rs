#![forbid(unsafe_code)]
//! The QQ bot platform as types: what is said on the wire, and nothing that says it.
//!
//! No I/O and no async runtime: this crate serves bots, brokers, tools and WebAssembly alike.
//!
//! * [`id`]: typed ids that never mix. [`Timestamp`]: points in time in every form of the platform.
//! * [`event`]: one table of events, and [`Event`], [`EventKind`] and [`EventKinds`] from it.
//! * [`gateway`]: frames, opcodes, close codes, shards. [`webhook`]: what webhooks say beside events.
//! * [`message`]: received messages of the four scenes, and [`ChatMessage`](message::ChatMessage), which they share.
//! * [`outgoing`]: messages to send, buttons, streams, uploads. [`text`]: mentions, escaping, splitting.
//! * [`guild`], [`channel`], [`role`], [`permission`], [`mute`], [`announce`], [`pin`], [`reaction`], [`schedule`],
//!   [`audio`], [`forum`], [`dms`], [`message_setting`], [`api_permission`]: guilds.
//! * [`group`], [`friend`], [`subscribe`], [`menu`], [`panel`], [`share_link`]: groups and one-to-one chats.
//! * [`interaction`], [`audit`]: buttons, menus, audits.
//! * [`request`]: what bodies have in common. [`error_code`]: what refusals mean, and what to do.
//! * [`Token`], [`AccessToken`], [`Environment`], [`Intents`]: who the bot is, and where it lives.
//!
//! What the platform sends is read leniently ([`wire`]): one odd member never costs the whole event, unknown
//! members, enum values and event names survive.

#[macro_use]
pub mod wire;

pub mod access_token;
pub mod announce;
pub mod api_error;
pub mod api_permission;
pub mod app_access_token;
pub mod audio;
pub mod audit;
mod base64;
pub mod channel;
pub mod credentials;
#[doc(hidden)]
pub mod describe;
pub mod dms;
pub mod environment;
pub mod error_code;
pub mod event;
pub mod forum;
pub mod friend;
pub mod gateway;
pub mod group;
pub mod guild;
pub mod id;
pub mod intents;
pub mod interaction;
mod lane;
pub mod menu;
pub mod message;
pub mod message_setting;
pub mod mute;
pub mod outgoing;
pub mod panel;
pub mod permission;
pub mod pin;
pub mod reaction;
pub mod request;
pub mod role;
pub mod schedule;
pub mod share_link;
pub mod subscribe;
pub mod text;
pub mod timestamp;
pub mod user;
pub mod webhook;

pub use self::access_token::{AccessToken, AccessTokenError, BearerToken};
pub use self::api_error::ApiError;
pub use self::credentials::{InvalidToken, Secret, Token};
pub use self::environment::Environment;
pub use self::error_code::{Advice, ErrorCode};
pub use self::event::{Dispatch, Event, EventKind, EventKinds, JsonText};
pub use self::intents::Intents;
pub use self::request::{BodyError, RequestBody};
pub use self::timestamp::Timestamp;
