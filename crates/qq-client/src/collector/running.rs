//! A collector that collects.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::end::EndReason;
use super::item::Collectable;
use super::lock::Std;
use super::slot::Slot;
use crate::shared::Shared;

/// The most that [`Collector::collect`] collects when no [`max`](crate::CollectorBuilder::max) is set.
const MOST: u64 = 10_000;

/// A collector that collects: a [`Stream`] of items, a future of the next one by `.await`, or
/// [`collect`](Self::collect) for all of them. Dropping it ends it, and nothing of it stays.
#[must_use = "a collector ends when it is dropped"]
pub struct Collector<T: Collectable> {
    shared: Arc<Shared>,
    slot: Arc<Slot<T, Std>>,
    id: u64,
    timer: Option<Pin<Box<Sleep>>>,
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Everything that was collected, and why no more was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collection<T> {
    /// In the order of arrival.
    pub items: Vec<T>,
    /// Why the collector ended.
    pub end: EndReason,
}

impl<T: Collectable> Collector<T> {
    pub(super) fn start(
        shared: Arc<Shared>,
        slot: Arc<Slot<T, Std>>,
        until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    ) -> Self {
        let id = T::registry(&shared.knowledge.collectors).insert(&slot);
        Self {
            shared,
            slot,
            id,
            timer: None,
            until,
        }
    }

    /// The next item; `None` after the end, whose reason [`end_reason`](Self::end_reason) tells.
    ///
    /// # Cancel safety
    ///
    /// No item is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|task| self.poll_item(task)).await
    }

    /// Everything until the collector ends: at most [`max`](crate::CollectorBuilder::max) items, or 10,000
    /// ([`EndReason::Limit`]) where that was not set.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the collector and what it has collected.
    pub async fn collect(mut self) -> Collection<T> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item);
            if items.len() as u64 >= self.slot.limits.max.unwrap_or(MOST) {
                self.slot.close(EndReason::Limit);
                break;
            }
        }
        Collection {
            items,
            end: self.ended(),
        }
    }

    /// Why it ended; `None` as long as it collects. What was collected by then can still be taken.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.slot.end_if_due(Instant::now())
    }

    /// A handle that can stop it or give it more time, from anywhere.
    #[must_use]
    pub fn handle(&self) -> CollectorHandle {
        CollectorHandle(Arc::clone(&self.slot) as Arc<dyn Control>)
    }

    /// Starts its time and idle time again.
    pub fn reset(&self) {
        self.slot.reset(Instant::now());
    }

    fn ended(&self) -> EndReason {
        // Asked for only after the end.
        self.slot.end().unwrap_or(EndReason::Stopped)
    }

    fn poll_item(&mut self, task: &mut Task<'_>) -> Poll<Option<T>> {
        loop {
            if let Poll::Ready(item) = self.slot.poll_take(task.waker()) {
                if item.is_none() {
                    self.remove();
                }
                return Poll::Ready(item);
            }
            if let Some(until) = &mut self.until
                && until.as_mut().poll(task).is_ready()
            {
                self.until = None;
                self.slot.close(EndReason::Until);
                continue;
            }
            let Some(deadline) = self.slot.deadline() else {
                return Poll::Pending;
            };
            let timer = match &mut self.timer {
                Some(timer) => {
                    if timer.deadline() != deadline {
                        timer.as_mut().reset(deadline);
                    }
                    timer
                }
                none => none.insert(Box::pin(sleep_until(deadline))),
            };
            if timer.as_mut().poll(task).is_pending() {
                return Poll::Pending;
            }
            self.slot.end_if_due(Instant::now());
        }
    }

    fn remove(&self) {
        T::registry(&self.shared.knowledge.collectors).remove(&self.slot, self.id);
    }
}

impl<T: Collectable> Drop for Collector<T> {
    fn drop(&mut self) {
        self.slot.close(EndReason::Stopped);
        self.remove();
    }
}

impl<T: Collectable> Stream for Collector<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_item(task)
    }
}

/// The next item, or why there was none; the collector ends with it.
impl<T: Collectable> IntoFuture for Collector<T> {
    type Output = Result<T, EndReason>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.next().await {
                Some(item) => Ok(item),
                None => Err(self.ended()),
            }
        })
    }
}

impl<T: Collectable> Unpin for Collector<T> {}

impl<T: Collectable> fmt::Debug for Collector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector")
            .field("scope", &self.slot.scope)
            .field("end", &self.slot.end())
            .finish_non_exhaustive()
    }
}

/// A handle on a collector. Cheap to clone; it does not keep the collector alive.
#[derive(Clone)]
pub struct CollectorHandle(Arc<dyn Control>);

trait Control: Send + Sync {
    fn close(&self, reason: EndReason);
    fn reset(&self, now: Instant);
    fn end(&self, now: Instant) -> Option<EndReason>;
    fn counts(&self) -> (u64, u64);
}

impl<T: Collectable> Control for Slot<T, Std> {
    fn close(&self, reason: EndReason) {
        Self::close(self, reason);
    }

    fn reset(&self, now: Instant) {
        Self::reset(self, now);
    }

    fn end(&self, now: Instant) -> Option<EndReason> {
        self.end_if_due(now)
    }

    fn counts(&self) -> (u64, u64) {
        Self::counts(self)
    }
}

impl CollectorHandle {
    /// Ends the collector ([`EndReason::Stopped`]), unless it has ended.
    pub fn stop(&self) {
        self.0.close(EndReason::Stopped);
    }

    /// Starts its time and idle time again.
    pub fn reset(&self) {
        self.0.reset(Instant::now());
    }

    /// Why it ended; `None` as long as it collects.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.end(Instant::now())
    }

    /// How many items it has collected.
    #[must_use]
    pub fn collected(&self) -> u64 {
        self.0.counts().1
    }

    /// How many items it has looked at.
    #[must_use]
    pub fn processed(&self) -> u64 {
        self.0.counts().0
    }
}

impl fmt::Debug for CollectorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorHandle")
            .field("collected", &self.collected())
            .field("end", &self.end_reason())
            .finish()
    }
}
