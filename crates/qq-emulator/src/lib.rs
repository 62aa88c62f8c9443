//! A local emulator of the QQ bot platform: REST, gateway and a chat page on 127.0.0.1.
//!
//! It lets a bot, written with any SDK in any language, run without an account, an approval or a
//! network: it serves the token endpoint, the REST API and the WebSocket gateway on one port, with
//! a small world of users, a group and a guild, and it shows what the bot answers. It is strict:
//! it checks every frame and every body against the platform's documents, answers with the
//! platform's own error codes, and keeps a list of [violations](Violation).
//!
//! In a test, start it in-process ([`Emulator`]). On the command line, `qq-emulator` serves a chat
//! page at `http://127.0.0.1:8787/`. Other tools drive it over HTTP: the control API lives under
//! `/emulator/v1/`, see `README.md` of this crate.
//!
//! The crate depends on no SDK: what it demands comes from its own copy of the protocol tables, so
//! that a mistake of an SDK cannot hide in a mistake of its judge.

#![forbid(unsafe_code)]

mod acts;
mod builder;
mod clock;
mod control;
mod data;
mod emulator;
mod faults;
mod feed;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod gateway;
mod ids;
mod json_error;
mod page;
mod person;
mod platform;
mod proxy;
mod recording;
mod reply;
mod rest;
mod ring;
mod server;
mod settings;
mod speech;
mod tables;
mod views;
mod violations;
mod webhook;
mod world;

pub use acts::Done;
pub use builder::{EmulatorBuilder, StartError};
pub use emulator::Emulator;
pub use faults::{Fault, FaultView};
pub use json_error::JsonError;
pub use person::{Participant, Person};
pub use proxy::{Proxy, ProxyBuilder};
pub use recording::replay::{ReplaySpeed, ReplayView};
pub use recording::{Recording, RecordingError};
pub use reply::NoReply;
pub use settings::{
    BotStanding, DuplicateShard, ErrorBody, IdentifyPace, MentionDelivery, MessageAudit,
    RetryTimestamp, Settings, UngrantedIntents, WebhookDelivery,
};
pub use speech::Say;
pub use views::{Author, OutboxEntry, RequestEntry, Said, SessionView, TimelineItem};
pub use violations::{Level, Violation};
pub use webhook::{Corrupt, WebhookView};
pub use world::messages::Scene;
pub use world::{
    Bot, Channel, Direct, Group, GroupMember, Guild, GuildMember, JoinRequest, Role, User, World,
};

/// The app id of the default world's bot.
pub const DEFAULT_APP_ID: &str = "102000001";
/// The secret of the default world's bot. It opens nothing but the emulator.
pub const DEFAULT_SECRET: &str = "emulator-secret";
/// The seed of the default world's ids.
pub const DEFAULT_SEED: u64 = 2026;

/// Does to a whole emulator what the bytes say, and panics when it breaks a promise. For the fuzz target alone: it
/// exists in builds by cargo-fuzz only.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    fuzzing::run(bytes);
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
