//! Building a service.

use std::sync::Arc;
use std::time::Duration;

use super::read::Reader;
use super::{EventQueue, EventSink, Shared, WebhookEvents, WebhookService};
use crate::verifier::Verifier;

/// Builds a [`WebhookService`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct WebhookServiceBuilder {
    verifier: Verifier,
    body_limit: usize,
    body_deadline: Duration,
    body_memory: usize,
    accept_deadline: Duration,
    queue_events: usize,
    queue_bytes: usize,
}

impl WebhookServiceBuilder {
    pub(super) const fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            body_limit: 1 << 20,
            body_deadline: Duration::from_secs(5),
            body_memory: 32 << 20,
            accept_deadline: Duration::from_secs(3),
            queue_events: 1024,
            queue_bytes: 16 << 20,
        }
    }

    /// The largest body, in bytes; 1 MiB by default. Larger ones are answered with 413.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How long a body may take to come; 5 seconds by default. Slower ones are answered with 408.
    pub const fn body_deadline(mut self, deadline: Duration) -> Self {
        self.body_deadline = deadline;
        self
    }

    /// How many bytes of bodies may be in memory at once, over all requests that are not answered yet; 32 MiB by default.
    /// More are answered with 503.
    pub const fn body_memory(mut self, bytes: usize) -> Self {
        self.body_memory = bytes;
        self
    }

    /// How long the sink may take; 3 seconds by default. Then the answer is 503.
    pub const fn accept_deadline(mut self, deadline: Duration) -> Self {
        self.accept_deadline = deadline;
        self
    }

    /// The size of the queue: how many events wait at most, and how many bytes their bodies have together; 1,024 and
    /// 16 MiB by default. More are answered with 503 and sent again by the platform.
    pub const fn queue(mut self, events: usize, bytes: usize) -> Self {
        self.queue_events = events;
        self.queue_bytes = bytes;
        self
    }

    /// A service that puts events into a queue, and the queue's other end.
    #[must_use]
    pub fn build(self) -> (WebhookService, WebhookEvents) {
        let (queue, events) = EventQueue::new(self.queue_events, self.queue_bytes);
        (self.build_with_sink(queue), events)
    }

    /// A service that gives events to `sink`, and acknowledges each when the sink has taken it.
    #[must_use]
    pub fn build_with_sink(self, sink: impl EventSink) -> WebhookService {
        WebhookService {
            shared: Arc::new(Shared {
                verifier: self.verifier,
                reader: Reader {
                    limit: self.body_limit,
                    deadline: self.body_deadline,
                    limit_of_all: self.body_memory,
                    in_memory: Arc::default(),
                },
                sink: Arc::new(sink),
                accept_deadline: self.accept_deadline,
            }),
        }
    }
}
