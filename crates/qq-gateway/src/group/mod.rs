//! Many shards as one stream.

mod ready;
mod reshard;
mod slot;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use qq_model::gateway::ShardId;

use self::ready::ReadyQueue;
use self::slot::{Role, Slot};
use crate::shard::now;
use crate::{CloseMode, Session, Shard, ShardError, ShardSender, ShardStats, ShardStatus};

/// A stream that runs a [`Shard`]: the shard itself, or an adaptor that owns one and yields something else.
pub trait ShardStream:
    Stream<Item = Result<Self::Event, ShardError>> + AsRef<Shard> + AsMut<Shard> + Unpin
{
    /// What it yields.
    type Event;
}

impl<S, T> ShardStream for S
where
    S: Stream<Item = Result<T, ShardError>> + AsRef<Shard> + AsMut<Shard> + Unpin,
{
    type Event = T;
}

/// Many shards as one stream of `(ShardId, Result<Dispatch, ShardError>)`.
///
/// The shards take turns: one that always has an event ready delays another's by one event each. Only shards
/// that were woken are polled, so an item costs the same among a thousand shards as among two. Nothing is
/// spawned and nothing is queued: what is not read stays with the gateway, shard by shard.
///
/// A shard that has ended, fatally or because it was closed, stays in the group until it is
/// [removed](Self::remove), so that its status and session can be asked for. The stream ends when every shard
/// has; shards that are inserted later make it go on.
///
/// Shards of one bot must share one [`IdentifyQueue`](crate::IdentifyQueue), and should share one
/// [`Tls`](qq_transport::Tls). Events of one guild come from one shard, in order; between shards there is no
/// order.
///
/// # Cancel safety
///
/// [`next`](Self::next), [`keep_alive`](Self::keep_alive) and [`close`](Self::close) can be dropped at any
/// point: no event is lost, and the next call goes on.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
///
/// use qq_gateway::{InMemoryIdentifyQueue, Shard, ShardGroup, ShardPlan};
/// use qq_model::gateway::GatewayBot;
/// use qq_model::{BearerToken, Intents};
///
/// // `answer` is what `GET /gateway/bot` returned.
/// # async fn run(answer: GatewayBot, token: BearerToken) -> Result<(), Box<dyn std::error::Error>> {
/// let plan = ShardPlan::recommended(&answer);
/// let queue = InMemoryIdentifyQueue::new(&answer.session_start_limit);
/// queue.check(plan.len())?; // not enough sessions left today: the error says when there are
/// let queue = Arc::new(queue);
/// let mut shards = ShardGroup::from_plan(&plan, |id| {
///     Shard::builder(&*answer.url, token.clone(), Intents::default())
///         .shard(id)
///         .identify_queue(queue.clone())
///         .build()
/// })?;
/// while let Some((shard, item)) = shards.next().await {
///     match item {
///         Ok(dispatch) => println!("{shard}: {}", dispatch.event.name()),
///         Err(error) => eprintln!("{shard}: {error}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct ShardGroup<S = Shard> {
    slots: BTreeMap<Key, Box<Slot<S>>>,
    /// How many shards have not ended.
    running: usize,
    ready: Arc<ReadyQueue>,
    /// Woken while nothing was read: to be read when reading goes on.
    deferred: Vec<ShardId>,
    /// Since when nobody waits for an event; `None` while somebody does.
    held_up: Option<Instant>,
    /// How long nobody waited for an event, in all.
    unread: Duration,
}

/// What a group yields.
type Item<S> = (ShardId, Result<<S as ShardStream>::Event, ShardError>);

/// Count and index: the order of shards.
type Key = (u32, u32);

const fn key(id: ShardId) -> Key {
    (id.count(), id.index())
}

impl<S: ShardStream> ShardGroup<S> {
    /// A group without shards.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: BTreeMap::new(),
            running: 0,
            ready: Arc::default(),
            deferred: Vec::new(),
            held_up: None,
            unread: Duration::ZERO,
        }
    }

    /// Adds a shard; the shard that had the same [`ShardId`] is given back.
    pub fn insert(&mut self, shard: S) -> Option<S> {
        self.put(shard, Role::Current)
    }

    /// Takes a shard out, as it is: connected, if it was. `None` when there is none with this id.
    pub fn remove(&mut self, id: ShardId) -> Option<S> {
        let slot = self.slots.remove(&key(id))?;
        slot.signal.silence();
        self.running -= usize::from(!slot.has_ended);
        self.retire_if_replaced();
        Some(slot.stream)
    }

    /// A shard of the group.
    #[must_use]
    pub fn get(&self, id: ShardId) -> Option<&S> {
        self.slots.get(&key(id)).map(|slot| &slot.stream)
    }

    /// A shard of the group, to be changed. It is polled again with the group.
    pub fn get_mut(&mut self, id: ShardId) -> Option<&mut S> {
        let slot = self.slots.get_mut(&key(id))?;
        slot.signal.raise();
        Some(&mut slot.stream)
    }

    /// The shards, in the order of their number; those of a smaller count first.
    pub fn iter(&self) -> impl Iterator<Item = (ShardId, &S)> {
        let shards = self.slots.values();
        shards.map(|slot| (slot.stream.as_ref().id(), &slot.stream))
    }

    /// How many shards there are, ended ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no shard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A sender for every shard, for other tasks.
    pub fn senders(&self) -> impl Iterator<Item = (ShardId, ShardSender)> {
        self.iter().map(|(id, shard)| (id, shard.as_ref().sender()))
    }

    /// What every shard is doing.
    pub fn statuses(&self) -> impl Iterator<Item = (ShardId, ShardStatus)> {
        self.iter().map(|(id, shard)| (id, shard.as_ref().status()))
    }

    /// What every shard has done so far.
    pub fn stats(&self) -> impl Iterator<Item = (ShardId, ShardStats)> {
        self.iter().map(|(id, shard)| (id, shard.as_ref().stats()))
    }

    /// The sessions that can be resumed by this or another process.
    pub fn sessions(&self) -> impl Iterator<Item = Session> {
        self.iter()
            .filter_map(|(_, shard)| shard.as_ref().session())
    }

    /// Says that every event of a shard up to this number was handled, see [`Shard::acknowledge`]; whether
    /// there is such a shard.
    pub fn acknowledge(&mut self, id: ShardId, sequence: u64) -> bool {
        let slot = self.slots.get_mut(&key(id));
        slot.map(|slot| slot.stream.as_mut().acknowledge(sequence))
            .is_some()
    }

    /// The next event of any shard, or what went wrong; `None` when every shard has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<(ShardId, Result<S::Event, ShardError>)> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// Keeps every connection alive while the consumer has no room for another event, and never resolves.
    ///
    /// Heartbeats are written on time and nothing is read: each gateway connection is held back by TCP, and
    /// shards without a connection wait. It is a branch of a `select!`; see [`Shard::keep_alive`].
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any point.
    pub async fn keep_alive(&mut self) -> Infallible {
        poll_fn(|cx| self.poll_keep_alive(cx)).await
    }

    /// Closes all connections at the same time, within the longest
    /// [`Timeouts::close`](crate::Timeouts::close) of the shards; the sessions that can be resumed. Events that
    /// have not been yielded are dropped; with [`CloseMode::KeepSession`] RESUME brings them back.
    ///
    /// # Cancel safety
    ///
    /// The shards stay closing when the future is dropped; [`next`](Self::next) or another call finishes it.
    pub async fn close(&mut self, mode: CloseMode) -> Vec<Session> {
        for slot in self.slots.values_mut() {
            slot.close(mode);
        }
        // What is still reported belongs to connections that nobody needs any more.
        while self.next().await.is_some() {}
        self.sessions().collect()
    }

    fn put(&mut self, shard: S, role: Role) -> Option<S> {
        let id = shard.as_ref().id();
        let slot = Box::new(Slot::new(shard, role, self.unread, &self.ready));
        self.running += 1;
        let before = self.slots.insert(key(id), slot)?;
        before.signal.silence();
        self.running -= usize::from(!before.has_ended);
        Some(before.stream)
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item<S>>> {
        self.read_on();
        // Each one once: those that wake themselves meanwhile wake this task, too.
        for _ in 0..self.ready.watch(cx.waker()) {
            let Some(id) = self.ready.pop() else { break };
            let Some(slot) = self.slots.get_mut(&key(id)) else {
                continue;
            };
            slot.signal.lower();
            if slot.has_ended {
                continue;
            }
            match slot.poll_next(self.unread) {
                Poll::Ready(Some(item)) => {
                    slot.signal.raise_quietly();
                    self.polled(id);
                    self.held_up = Some(now());
                    return Poll::Ready(Some((id, item)));
                }
                Poll::Ready(None) => {
                    slot.has_ended = true;
                    self.running -= 1;
                    self.polled(id);
                }
                Poll::Pending => self.polled(id),
            }
        }
        if self.running == 0 {
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Infallible> {
        self.held_up.get_or_insert_with(now);
        for _ in 0..self.ready.watch(cx.waker()) {
            let Some(id) = self.ready.pop() else { break };
            let Some(slot) = self.slots.get_mut(&key(id)) else {
                continue;
            };
            slot.signal.lower();
            if slot.has_ended {
                continue;
            }
            slot.keep_alive();
            if !std::mem::replace(&mut slot.is_deferred, true) {
                self.deferred.push(id);
            }
        }
        Poll::Pending
    }

    /// Somebody waits for an event again.
    fn read_on(&mut self) {
        if let Some(since) = self.held_up.take() {
            self.unread += now().saturating_duration_since(since);
        }
        for id in self.deferred.drain(..) {
            if let Some(slot) = self.slots.get_mut(&key(id)) {
                slot.is_deferred = false;
                slot.signal.raise();
            }
        }
    }
}

impl<S: ShardStream> Default for ShardGroup<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: ShardStream> Extend<S> for ShardGroup<S> {
    fn extend<T: IntoIterator<Item = S>>(&mut self, shards: T) {
        for shard in shards {
            self.insert(shard);
        }
    }
}

impl<S: ShardStream> FromIterator<S> for ShardGroup<S> {
    fn from_iter<T: IntoIterator<Item = S>>(shards: T) -> Self {
        let mut group = Self::new();
        group.extend(shards);
        group
    }
}

impl<S: ShardStream> Stream for ShardGroup<S> {
    type Item = Item<S>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<S> fmt::Debug for ShardGroup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardGroup")
            .field("shards", &self.slots.len())
            .finish_non_exhaustive()
    }
}
