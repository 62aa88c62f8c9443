//! What RESUME needs, as data.

use qq_model::gateway::ShardId;
use qq_model::id::SessionId;
use qq_model::{Intents, Timestamp};
use serde::{Deserialize, Serialize};

/// A gateway session: enough for this or another process to RESUME it.
///
/// How long the platform keeps a session is undocumented; seconds to a few minutes work. A session that is
/// gone costs one refused RESUME, then the shard identifies anew.
///
/// ```
/// let text = r#"{"id":"082ee18c-0be3-491b-9d8b-fbd95c51673a","sequence":42,"shard":[0,1],
///     "intents":513,"saved_at":"2026-05-23T10:00:00+08:00"}"#;
/// let session: qq_gateway::Session = serde_json::from_str(text)?;
/// assert_eq!(session.sequence, 42);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What RESUME names.
    pub id: SessionId,
    /// The newest event that needs no replay; see [`AckMode`].
    pub sequence: u64,
    /// The shard that the session belongs to.
    pub shard: ShardId,
    /// The intents it was opened with.
    pub intents: Intents,
    /// When this was written.
    pub saved_at: Timestamp,
}

/// What moves [`Session::sequence`], the position that RESUME replays from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckMode {
    /// An event counts as done when the stream yields it.
    #[default]
    Automatic,
    /// An event counts as done when [`Shard::acknowledge`](crate::Shard::acknowledge) names it, so that a
    /// process that takes up the session after a crash is sent what the crashed one had not finished.
    Manual,
}

/// How a shard is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseMode {
    /// The session ends as well (close code 1000).
    Finish,
    /// The session stays, to be resumed by this or another process (close code 4000).
    KeepSession,
}
