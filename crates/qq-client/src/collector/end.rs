//! Why a collector ended.

use std::error::Error;
use std::fmt;

/// Why a collector ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// It collected as many as it should ([`max`](crate::CollectorBuilder::max)).
    Limit,
    /// It looked at as many as it should ([`max_processed`](crate::CollectorBuilder::max_processed)).
    ProcessedLimit,
    /// Its time was over ([`time`](crate::CollectorBuilder::time)).
    Time,
    /// Nothing was collected for too long ([`idle`](crate::CollectorBuilder::idle)).
    Idle,
    /// What it waited for came about ([`until`](crate::CollectorBuilder::until)).
    Until,
    /// Somebody stopped it ([`CollectorHandle::stop`](crate::CollectorHandle::stop)).
    Stopped,
    /// The bot was removed from the group, the friendship ended, or the channel or guild was deleted.
    ConversationGone,
    /// The message whose reactions or buttons were collected was deleted.
    MessageDeleted,
    /// The event at hand can be answered no longer
    /// ([`within_reply_window`](crate::CollectorBuilder::within_reply_window)).
    ReplyWindowOver,
    /// The client stops.
    Shutdown,
    /// Items came faster than they were taken, and more of them waited than
    /// [`buffer`](crate::CollectorBuilder::buffer) allows.
    Lagged,
    /// The filter panicked.
    FilterPanicked,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Limit => "as many were collected as asked for",
            Self::ProcessedLimit => "as many were looked at as asked for",
            Self::Time => "the time for collecting is over",
            Self::Idle => "nothing was collected for too long",
            Self::Until => "what the collector should wait for came about",
            Self::Stopped => "the collector was stopped",
            Self::ConversationGone => "the bot is in this chat no longer",
            Self::MessageDeleted => "the message was deleted",
            Self::ReplyWindowOver => "the event can be answered no longer",
            Self::Shutdown => "the client stops",
            Self::Lagged => "more waited to be taken from the collector than its buffer holds",
            Self::FilterPanicked => "the filter of the collector panicked",
        })
    }
}

impl Error for EndReason {}
