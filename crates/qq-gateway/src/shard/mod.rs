//! One shard: the machine with a clock, a socket and a consumer.

mod builder;
mod config;
mod decode;
mod drive;
mod frame;
mod intake;
mod link;
mod outbox;
mod raw;
mod read;
mod sender;
#[cfg(any(test, feature = "simd-json"))]
mod simd;
mod socket;
mod throttle;

pub use self::builder::ShardBuilder;
pub use self::raw::{RawDispatch, RawShard};
pub use self::sender::{SendError, ShardSender};

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_core::Stream;
use qq_model::gateway::ShardId;
use qq_model::{AccessToken, BearerToken, Dispatch, EventKinds, Intents, Timestamp};
use tokio::time::Sleep;

use self::config::Config;
use self::decode::Decoder;
use self::link::Link;
use self::outbox::Outbox;
use self::sender::Requests;
use self::throttle::Throttle;
use crate::error::Source;
use crate::machine::{Machine, State};
use crate::timeouts::Phase;
use crate::{CloseMode, IdentifyTurn, Session, ShardError, ShardStats, ShardStatus};

/// One session of the gateway, as a stream of events.
///
/// It connects when it is first polled, keeps the connection alive while it is polled, and reconnects by
/// itself. What goes wrong on the way comes as an `Err` item: unless [`ShardError::is_fatal`], the shard goes
/// on when it is polled again. After a fatal error, and after [`close`](Self::close), the stream ends.
///
/// Nothing is spawned: a shard that is not polled sends no heartbeats, and the gateway closes its connection
/// after about two heartbeat intervals. A consumer that has no room for another event waits with
/// [`keep_alive`](Self::keep_alive).
///
/// # Cancel safety
///
/// [`next`](Self::next), [`keep_alive`](Self::keep_alive) and [`close`](Self::close) can be dropped at any
/// point: no event is lost, and the next call goes on.
///
/// # Panics
///
/// Polling it outside a Tokio runtime with a timer panics, as with everything that uses `tokio::time`.
///
/// # Examples
///
/// ```no_run
/// use qq_gateway::Shard;
/// use qq_model::{BearerToken, Intents};
///
/// # async fn run(url: String) -> Result<(), qq_gateway::ShardError> {
/// let token = BearerToken::new("an access token");
/// let mut shard = Shard::builder(url, token, Intents::default()).build()?;
/// while let Some(item) = shard.next().await {
///     match item {
///         Ok(dispatch) => println!("{}", dispatch.event.name()),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Shard {
    config: Arc<Config>,
    machine: Machine,
    link: Link,
    outbox: Outbox,
    decoder: Decoder,
    /// The right to IDENTIFY, until it is used.
    turn: Option<IdentifyTurn>,
    /// The token of this connection.
    bearer: Option<BearerToken>,
    /// The error behind the next report.
    source: Option<Source>,
    errors: VecDeque<ShardError>,
    sender: ShardSender,
    requests: Requests,
    timer: Option<Pin<Box<Sleep>>>,
    throttle: Throttle,
    /// Since when nobody waits for a frame; `None` while somebody does.
    held_up: Option<Instant>,
    stats: ShardStats,
}

impl Shard {
    /// Starts to describe a shard. `url` is what `GET /gateway` returned.
    ///
    /// The token is sent to that address, which therefore must be `wss://`, or on this machine.
    pub fn builder(
        url: impl Into<String>,
        token: impl AccessToken + 'static,
        intents: Intents,
    ) -> ShardBuilder {
        ShardBuilder::new(url.into(), Arc::new(token), intents)
    }

    /// The next event, or what went wrong; `None` after the end. See [`Shard`] for which is which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Result<Dispatch, ShardError>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// The next event as it came, or what went wrong; `None` after the end. It is [`next`](Self::next) without
    /// decoding, for those who pass events on, or decode few of them; calls of both can be mixed. As a stream:
    /// [`into_raw`](Self::into_raw).
    ///
    /// ```no_run
    /// # async fn run(shard: &mut qq_gateway::Shard) -> Result<(), qq_gateway::ShardError> {
    /// while let Some(item) = shard.next_raw().await {
    ///     let raw = item?;
    ///     println!("{} {}", raw.name(), raw.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next_raw(&mut self) -> Option<Result<RawDispatch, ShardError>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// The next event, if it was read from the connection together with the last one, and is of one of these kinds;
    /// otherwise `None`, and nothing has happened: [`next`](Self::next) tells what is next. It neither reads nor waits.
    ///
    /// Who is told of an event while the one before it is still to be handled can ask for what handling it will need.
    ///
    /// ```no_run
    /// # async fn run(shard: &mut qq_gateway::Shard) -> Result<(), qq_gateway::ShardError> {
    /// use qq_model::EventKinds;
    ///
    /// while let Some(item) = shard.next().await {
    ///     let mut dispatch = item?;
    ///     while let Some(next) = shard.next_read(EventKinds::all()) {
    ///         println!("{}, and then {}", dispatch.event.name(), next.event.name());
    ///         dispatch = next;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn next_read(&mut self, kinds: EventKinds) -> Option<Dispatch> {
        self.read_ahead(kinds)
    }

    /// The same shard as a stream of events that are not decoded.
    #[must_use]
    pub const fn into_raw(self) -> RawShard {
        RawShard::new(self)
    }

    /// Keeps the connection alive while the consumer has no room for another event.
    ///
    /// Heartbeats are written on time, and nothing is read: the gateway is held back by TCP. ACKs cannot be
    /// seen meanwhile, so none is missed; their supervision goes on with [`next`](Self::next).
    ///
    /// Resolves when the connection breaks or a [`ShardSender`] closes the shard; [`next`](Self::next) then
    /// says what happened. Otherwise it never resolves: neither while the connection is fine, nor while there
    /// is none, for it does not reconnect. It is a branch of a `select!`:
    ///
    /// ```no_run
    /// # async fn wait(shard: &mut qq_gateway::Shard, queue: tokio::sync::mpsc::Sender<qq_model::Dispatch>) {
    /// let permit = tokio::select! {
    ///     permit = queue.reserve() => permit,
    ///     () = shard.keep_alive() => queue.reserve().await,
    /// };
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any point.
    pub async fn keep_alive(&mut self) {
        poll_fn(|cx| self.poll_keep_alive(cx)).await;
    }

    /// Closes the connection with a closing handshake, within
    /// [`Timeouts::close`](crate::Timeouts::close). Events that have not been yielded are dropped;
    /// with [`CloseMode::KeepSession`] RESUME brings them back, and the session for it is returned.
    ///
    /// # Cancel safety
    ///
    /// The shard stays closing when the future is dropped; [`next`](Self::next) or another call finishes it.
    pub async fn close(&mut self, mode: CloseMode) -> Option<Session> {
        self.start_close(mode);
        // What is still reported belongs to a connection that nobody needs any more.
        while self.next_raw().await.is_some() {}
        self.session()
    }

    /// The session, for RESUME by this or another process; `None` when there is none.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        let (id, sequence) = self.machine.session()?;
        Some(Session {
            id: id.clone(),
            sequence,
            shard: self.config.shard,
            intents: self.config.intents,
            saved_at: Timestamp::from(SystemTime::now()),
        })
    }

    /// Says that every event up to this [`Dispatch::sequence`] was handled; see
    /// [`AckMode::Manual`](crate::AckMode::Manual).
    ///
    /// The numbers belong to a session: after READY, those of earlier events mean nothing any more.
    pub fn acknowledge(&mut self, sequence: u64) {
        self.machine.acknowledge(sequence);
    }

    /// A sender for other tasks.
    #[must_use]
    pub fn sender(&self) -> ShardSender {
        self.sender.clone()
    }

    /// From the next event on, [`next`](Self::next) leaves the text of these kinds in [`Dispatch::text`]; of no kind
    /// unless told. It is a part of what was read at a time, up to 128 KiB, which stays in memory as long as the text:
    /// [`JsonText::detached`](qq_model::JsonText::detached) makes a copy for those who keep it.
    pub const fn keep_text(&mut self, kinds: EventKinds) {
        self.decoder.keep_text = kinds;
    }

    /// When the item came that was yielded last, by the clock of the runtime; `None` while the next one is waited for.
    #[must_use]
    pub const fn yielded_at(&self) -> Option<Instant> {
        self.held_up
    }

    /// Which shard this is.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.config.shard
    }

    /// What the shard is doing.
    #[must_use]
    pub fn status(&self) -> ShardStatus {
        match self.machine.state() {
            State::Idle => ShardStatus::Connecting {
                phase: Phase::Queue,
            },
            State::Opening { phase, .. } => ShardStatus::Connecting { phase },
            State::Hello { .. } => ShardStatus::Connecting {
                phase: Phase::Hello,
            },
            State::Identifying { .. } => ShardStatus::Identifying,
            State::Resuming { .. } => ShardStatus::Resuming,
            State::Ready { since } => ShardStatus::Ready { since },
            State::Waiting { until, cause } => ShardStatus::Waiting {
                until,
                cause: cause.kind(),
            },
            State::Closing { .. } => ShardStatus::Closing,
            State::Closed => ShardStatus::Closed,
        }
    }

    /// What the shard has done so far.
    #[must_use]
    pub fn stats(&self) -> ShardStats {
        ShardStats {
            round_trip: self.machine.round_trip(),
            ..self.stats
        }
    }
}

impl Shard {
    /// Begins to close; polling finishes it.
    pub(crate) fn start_close(&mut self, mode: CloseMode) {
        self.machine.close(mode, now());
    }

    /// Nobody has read for so long, though nothing was kept from being yielded: what is late in that time is
    /// not the gateway's fault.
    pub(crate) fn was_not_read_for(&mut self, missed: Duration) {
        if missed.is_zero() {
            return;
        }
        if let Some(since) = now().checked_sub(missed) {
            self.held_up = Some(self.held_up.map_or(since, |known| known.min(since)));
        }
    }
}

impl AsRef<Self> for Shard {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for Shard {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl Stream for Shard {
    type Item = Result<Dispatch, ShardError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("id", &self.config.shard)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// The runtime's time, which tests can stop and move.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

const _: () = {
    const fn send<T: Send + Unpin>() {}
    const fn shared<T: Clone + Send + Sync>() {}
    send::<Shard>();
    send::<RawShard>();
    send::<RawDispatch>();
    shared::<ShardSender>();
};
