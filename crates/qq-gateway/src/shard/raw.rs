//! Events that are not decoded.

use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use qq_model::gateway::Envelope;
use qq_model::{Dispatch, EventKind};
use tungstenite::Utf8Bytes;

use super::Shard;
use crate::ShardError;

/// An event as it came: its frame, and what its header says.
///
/// The frame is one JSON object, sound as far as its strings and brackets go; whether the payload can be read shows
/// when it is [decoded](Self::decode). Clones share the frame, which is all the memory that they keep.
///
/// ```no_run
/// # async fn run(shard: &mut qq_gateway::Shard) -> Option<()> {
/// use qq_model::EventKind;
///
/// let raw = shard.next_raw().await?.ok()?;
/// if raw.kind() == Some(EventKind::GroupAtMessageCreate) {
///     println!("{:?}", raw.decode().event);
/// } else {
///     println!("{} has {} bytes", raw.name(), raw.text().len());
/// }
/// # Some(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawDispatch {
    frame: Utf8Bytes,
    sequence: Option<u64>,
    kind: Option<EventKind>,
    name: Part,
    id: Option<Part>,
    data: Range<usize>,
}

/// A text of the header.
#[derive(Clone, PartialEq, Eq)]
enum Part {
    /// A part of the frame.
    In(Range<usize>),
    /// It has escapes in the frame.
    Unescaped(Box<str>),
}

impl Part {
    fn of(part: &str, frame: &str) -> Self {
        range(part, frame).map_or_else(|| Self::Unescaped(part.into()), Self::In)
    }

    fn get<'a>(&'a self, frame: &'a str) -> &'a str {
        match self {
            Self::In(range) => &frame[range.clone()],
            Self::Unescaped(text) => text,
        }
    }
}

/// Where in the frame this part of it stands; `None` when it is none.
fn range(part: &str, frame: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(frame.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= frame.len()).then_some(start..end)
}

impl RawDispatch {
    /// `None` when the frame carries no event.
    pub(super) fn new(frame: &str, envelope: &Envelope<'_>) -> Option<Self> {
        let name = envelope.name.as_deref()?;
        Some(Self {
            sequence: envelope.sequence,
            kind: name.parse().ok(),
            name: Part::of(name, frame),
            id: envelope
                .id
                .as_deref()
                .filter(|id| !id.is_empty())
                .map(|id| Part::of(id, frame)),
            data: range(envelope.data, frame).unwrap_or_default(),
            // What it was read into is used again, and much larger.
            frame: frame.into(),
        })
    }

    /// The number of the event in its session (`s`).
    #[must_use]
    pub const fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// Which event; `None` when this version does not know its name.
    #[must_use]
    pub const fn kind(&self) -> Option<EventKind> {
        self.kind
    }

    /// The name of the event (`t`).
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.get(&self.frame)
    }

    /// The outer id, which `event_id` of a reply takes; READY and RESUMED have none.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.get(&self.frame))
    }

    /// The JSON text of the payload (`d`); empty when the frame has none.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.frame[self.data.clone()]
    }

    /// The whole frame.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.frame
    }

    /// The whole frame, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.frame.into()
    }

    /// Reads the payload, as [`Shard::next`] would have. Never fails: what cannot be read comes as
    /// [`Event::Unknown`](qq_model::Event::Unknown) or [`Event::Undecodable`](qq_model::Event::Undecodable), with
    /// the text.
    #[must_use]
    pub fn decode(&self) -> Dispatch {
        let mut dispatch = Dispatch::new(qq_model::Event::decode(self.name(), self.data()));
        dispatch.sequence = self.sequence;
        dispatch.id = self.id().map(Into::into);
        dispatch
    }
}

impl From<RawDispatch> for Bytes {
    fn from(raw: RawDispatch) -> Self {
        raw.into_bytes()
    }
}

/// Without the payload, which is what people said.
impl fmt::Debug for RawDispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawDispatch")
            .field("name", &self.name())
            .field("sequence", &self.sequence)
            .field("id", &self.id())
            .field("bytes", &self.frame.len())
            .finish()
    }
}

/// A [`Shard`] as a stream of events that are not decoded; see [`Shard::into_raw`].
///
/// Sessions, heartbeats, errors and filters are those of the shard. What else a shard can do,
/// [`shard_mut`](Self::shard_mut) does.
///
/// ```no_run
/// use futures_util::StreamExt;
/// use qq_gateway::{CloseMode, Shard};
///
/// # async fn run(shard: Shard) {
/// let mut shard = shard.into_raw();
/// while let Some(item) = StreamExt::next(&mut shard).await {
///     match item {
///         Ok(raw) => println!("{}", raw.text()),
///         Err(error) => eprintln!("{error}"), // the shard reconnects by itself, unless error.is_fatal()
///     }
/// }
/// let session = shard.shard_mut().close(CloseMode::KeepSession).await;
/// # }
/// ```
#[derive(Debug)]
pub struct RawShard {
    shard: Shard,
}

impl RawShard {
    pub(super) const fn new(shard: Shard) -> Self {
        Self { shard }
    }

    /// The next event, or what went wrong; `None` after the end. The same as [`Shard::next_raw`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Result<RawDispatch, ShardError>> {
        poll_fn(|cx| self.shard.poll_item(cx)).await
    }

    /// The shard: its session, status, sender.
    #[must_use]
    pub const fn shard(&self) -> &Shard {
        &self.shard
    }

    /// The shard: to acknowledge, keep alive or close it.
    pub const fn shard_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }

    /// The shard, whose stream decodes.
    #[must_use]
    pub fn into_shard(self) -> Shard {
        self.shard
    }
}

/// So that a [`ShardGroup`](crate::ShardGroup) takes it.
impl AsRef<Shard> for RawShard {
    fn as_ref(&self) -> &Shard {
        &self.shard
    }
}

impl AsMut<Shard> for RawShard {
    fn as_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Stream for RawShard {
    type Item = Result<RawDispatch, ShardError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.shard.poll_item(cx)
    }
}
