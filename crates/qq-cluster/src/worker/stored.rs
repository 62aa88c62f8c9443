//! What tells an event from every other in a stream.

use std::fmt;

use async_nats::datetime::DateTime;
use async_nats::jetstream::message::Info;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};

/// The number of an event, and when it was stored. The number alone would not do: a server of 2.9 that is killed just when it has
/// emptied a stream may count anew from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StoredId {
    pub(super) sequence: u64,
    at: DateTime,
}

impl StoredId {
    pub(super) const fn of(info: &Info<'_>) -> Self {
        Self {
            sequence: info.stream_sequence,
            at: info.published,
        }
    }

    /// Whether the event is in the stream no more: an acknowledgement of it arrived. False when NATS does not answer.
    pub(super) async fn is_gone(&self, stream: &Stream) -> bool {
        match stream.get_raw_message(self.sequence).await {
            Ok(found) => found.time != self.at,
            Err(error) => error.kind() == RawMessageErrorKind::NoMessageFound,
        }
    }
}

impl fmt::Display for StoredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.sequence, self.at)
    }
}
