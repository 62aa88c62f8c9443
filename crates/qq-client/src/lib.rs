#![forbid(unsafe_code)]
//! A whole bot: it connects, keeps its sessions alive, calls an [`EventHandler`] and answers.
//!
//! * [`Client`] starts and stops; [`ClientHandle`] does the same from a handler or another task.
//! * [`EventHandler`] has a callback for every event, each with a [`Context`].
//! * [`Context::reply`] answers the event at hand, with the right route and number.
//! * With the feature `webhook`, events come by signed callbacks, too: `ClientBuilder::webhook`.
//! * [`BotError`] says what failed and what to do about it.

mod client;
mod collector;
mod context;
mod dispatch;
mod doctor;
mod error;
mod handler;
mod handlers;
mod health;
mod knowledge;
mod manager;
mod media;
mod reply;
mod shard;
mod shared;
mod source;
mod stats;
mod status;
mod stop;
mod store;
mod trouble;
mod wanted;
#[cfg(feature = "webhook")]
mod webhook;
mod witness;

pub use self::client::{Client, ClientBuilder, ClientHandle, StopReport};
pub use self::collector::{
    ButtonPress, Collectable, CollectedMessage, CollectedReaction, Collection, Collector,
    CollectorBuilder, CollectorHandle, EndReason,
};
pub use self::context::{
    AudioSession, AuditSession, BotAccess, C2CReplySession, ChannelReplySession, ChannelSession,
    Context, DirectReplySession, ForumSession, GroupReplySession, GuildSession, InteractionSession,
    ManageSession, MemberSession, OpenForumSession, QuotedMessage, ReactionSession, ReadySession,
    ReplyStream, ReplyStreamBuilder, ResumedSession, Typing, UnknownEventSession,
};
pub use self::dispatch::{DropReason, Outcome, OverflowPolicy};
pub use self::doctor::{Cause, Checkup, Doctor, Finding, Language, Step, StepOutcome};
pub use self::error::{BotError, ErrorKind};
pub use self::handler::{EventHandler, UnknownEvent};
pub use self::handlers::{EventName, HandlerGuard, RawEvent, Registration};
pub use self::health::{Health, HealthWatch, ShardHealth};
pub use self::manager::{
    ChannelManager, GroupManager, GuildManager, MemberManager, MessageManager, RoleManager,
    UserManager,
};
pub use self::media::DownloadMedia;
pub use self::reply::{
    Answered, BotFuture, Closed, InMemoryReplyStore, Media, Reply, ReplyCall, ReplyKind, ReplyRule,
    ReplyRules, ReplySave, ReplyStore, SentReply, StoredReply, WhenClosed,
};
pub use self::source::{Acknowledgement, EventSource, SourceContext, SourceEvent, SourceItem};
pub use self::stats::{ReconnectCause, SendKind, SendResult, Stats};
pub use self::status::{ConnectionSession, Status};
pub use self::store::{
    Begun, DedupeStore, FileStore, FileStoreError, InMemoryDedupeStore, InMemoryQuoteStore,
    InMemorySessionStore, QuoteStore, SessionKey, SessionSave, SessionStore, StoreError,
    StoreFuture, StoredSession,
};
