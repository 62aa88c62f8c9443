//! The queue between requests and whoever works on their events.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::sink::{AcceptFuture, EventSink};
use crate::error::{Error, ErrorKind};
use crate::event::{RawEvent, WebhookEvent};

/// A bounded queue in memory: the default [`EventSink`].
///
/// When it is full, further events are refused with [`ErrorKind::QueueFull`], and the platform sends them again; nothing
/// that was acknowledged is dropped. Events wait as text and are decoded where they are taken out.
pub struct EventQueue {
    shared: Arc<Shared>,
}

/// The events that came in by webhook, in the order in which they came. Ends when the service that
/// fills it is gone and nothing is left. A [`Stream`], too.
pub struct WebhookEvents {
    shared: Arc<Shared>,
}

struct Shared {
    events: usize,
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<RawEvent>,
    /// The sum of the bodies that wait.
    bytes: usize,
    no_more_come: bool,
    nobody_takes: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    /// A queue for at most this many events (at least 1), whose bodies together have at most this many bytes. A body that is
    /// larger than all of that is taken when the queue is empty.
    #[must_use]
    pub fn new(events: usize, bytes: usize) -> (Self, WebhookEvents) {
        let shared = Arc::new(Shared {
            events: events.max(1),
            bytes,
            state: Mutex::default(),
        });
        let queue = Self {
            shared: Arc::clone(&shared),
        };
        (queue, WebhookEvents { shared })
    }

    /// Puts an event at the end, at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QueueFull`], or [`ErrorKind::QueueClosed`] when the [`WebhookEvents`] are gone.
    pub fn push(&self, event: RawEvent) -> Result<(), Error> {
        let waker = {
            let mut state = self.shared.lock();
            if state.nobody_takes {
                return Err(ErrorKind::QueueClosed.into());
            }
            let bytes = state.bytes.saturating_add(event.body().len());
            let is_full = state.waiting.len() >= self.shared.events || bytes > self.shared.bytes;
            if is_full && !state.waiting.is_empty() {
                return Err(ErrorKind::QueueFull.into());
            }
            state.bytes = bytes;
            state.waiting.push_back(event);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl EventSink for EventQueue {
    fn accept(&self, event: RawEvent) -> AcceptFuture<'_> {
        Box::pin(std::future::ready(self.push(event)))
    }
}

impl Drop for EventQueue {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.shared.lock();
            state.no_more_come = true;
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl WebhookEvents {
    /// The next event; `None` when there will be no more.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<WebhookEvent> {
        std::future::poll_fn(|context| self.poll(context))
            .await
            .map(|event| event.decode())
    }

    /// The next event as it came, for whoever passes it on; otherwise like [`next`](Self::next).
    pub async fn next_raw(&mut self) -> Option<RawEvent> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Whether no event waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<RawEvent>> {
        let mut state = self.shared.lock();
        if let Some(event) = state.waiting.pop_front() {
            state.bytes = state.bytes.saturating_sub(event.body().len());
            return Poll::Ready(Some(event));
        }
        if state.no_more_come {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Stream for WebhookEvents {
    type Item = WebhookEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<WebhookEvent>> {
        self.get_mut()
            .poll(context)
            .map(|event| event.map(|event| event.decode()))
    }
}

impl Drop for WebhookEvents {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.nobody_takes = true;
        state.waiting = VecDeque::new();
        state.bytes = 0;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue").finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEvents")
            .field("waiting", &self.len())
            .finish()
    }
}
