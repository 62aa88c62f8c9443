//! Where events come from, beside gateway and webhook.

mod runner;

pub(crate) use self::runner::SourceIntake;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use qq_http::HttpClient;
use qq_model::{Dispatch, Intents, Token};
use qq_transport::{Connect, Tls};

use crate::{BotError, Outcome};

/// Events from somewhere else: a broker, a file, a test. See
/// [`ClientBuilder::event_source`](crate::ClientBuilder::event_source).
///
/// The client asks for the next event when it has room for one, calls the handlers exactly as for an event of the
/// gateway (repeats dropped, ordered within a conversation, answered by [`Context::reply`](crate::Context::reply)), and
/// then tells the event's [`Acknowledgement`] what became of it. Many events are under way at a time, and they are
/// acknowledged in the order in which they are done with.
///
/// ```
/// use std::pin::Pin;
///
/// use qq_client::{EventSource, SourceEvent, SourceItem};
/// use qq_model::{Dispatch, Event};
///
/// /// One event, and no more.
/// struct Once(Option<Event>);
///
/// impl EventSource for Once {
///     fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<SourceItem>> + Send + '_>> {
///         let event = self.0.take().map(|event| SourceEvent::new(Dispatch::new(event)).into());
///         Box::pin(async { event })
///     }
/// }
/// ```
pub trait EventSource: Send + 'static {
    /// What it is called in [`Client::status`](crate::Client::status) and in errors.
    fn name(&self) -> &str {
        "event source"
    }

    /// Called once, before the first [`next`](Self::next), with what a source may want to know of its client.
    fn open(&mut self, context: SourceContext) {
        drop(context);
    }

    /// The next event, or news of the source itself; `None` when it has ended for good.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the client stops, and may be dropped before that: no event may be lost.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<SourceItem>> + Send + '_>>;

    /// Called when the client stops and asks for no more events, while those that it has are finished and acknowledged.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at the deadline of the stop. It is not called at all when the client is dropped.
    fn close(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// What an [`EventSource`] may want to know of the client that it feeds.
#[derive(Clone)]
#[non_exhaustive]
pub struct SourceContext {
    /// The REST client.
    pub api: HttpClient,
    /// The bot's credentials.
    pub token: Token,
    /// The intents that sessions are to be opened with.
    pub intents: Intents,
    /// The gateway, where the environment names one; otherwise `GET /gateway` does.
    pub gateway_url: Option<Box<str>>,
    /// How connections are opened.
    pub connect: Arc<dyn Connect>,
    /// Which root certificates are trusted.
    pub tls: Tls,
    /// Whether the client takes callbacks by webhook.
    pub has_webhook: bool,
}

impl fmt::Debug for SourceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceContext")
            .field("intents", &self.intents)
            .finish_non_exhaustive()
    }
}

/// What an [`EventSource`] gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceItem {
    /// An event.
    Event(SourceEvent),
    /// It is connected: the client is ready as far as this source goes. An event says so, too.
    Connected,
    /// It is not connected any more, and goes on trying.
    Interrupted(BotError),
    /// It has failed for good: the client stops, and [`start`](crate::Client::start) returns this.
    Failed(BotError),
}

/// An event of an [`EventSource`].
#[non_exhaustive]
pub struct SourceEvent {
    /// The event.
    pub dispatch: Dispatch,
    /// How often it was delivered before, 0 for the first time. If it was, a process may have begun to handle it, and
    /// answers that were sent are not sent again.
    pub deliveries_before: u32,
    /// Who is told what became of it.
    pub acknowledgement: Option<Box<dyn Acknowledgement>>,
}

impl SourceEvent {
    /// An event that nobody needs to be told about.
    #[must_use]
    pub const fn new(dispatch: Dispatch) -> Self {
        Self {
            dispatch,
            deliveries_before: 0,
            acknowledgement: None,
        }
    }

    /// The same with somebody who is told.
    #[must_use]
    pub fn acknowledged_by(mut self, acknowledgement: impl Acknowledgement) -> Self {
        self.acknowledgement = Some(Box::new(acknowledgement));
        self
    }

    /// The same, delivered so often before.
    #[must_use]
    pub const fn delivered_before(mut self, times: u32) -> Self {
        self.deliveries_before = times;
        self
    }
}

impl From<SourceEvent> for SourceItem {
    fn from(event: SourceEvent) -> Self {
        Self::Event(event)
    }
}

/// Told what became of an event.
///
/// Dropped without [`done`](Self::done), the event was not handled: the client stopped before. A broker then delivers it
/// again. A closure is one:
///
/// ```
/// use qq_client::{Acknowledgement, Outcome};
///
/// fn log() -> impl Acknowledgement {
///     |outcome: Outcome| println!("{outcome:?}")
/// }
/// ```
pub trait Acknowledgement: Send + 'static {
    /// The event is done with. Must return at once: what takes time is somebody else's task.
    fn done(self: Box<Self>, outcome: Outcome);
}

impl<F: FnOnce(Outcome) + Send + 'static> Acknowledgement for F {
    fn done(self: Box<Self>, outcome: Outcome) {
        self(outcome);
    }
}

impl fmt::Debug for SourceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceEvent")
            .field("event", &self.dispatch.event.name())
            .field("deliveries_before", &self.deliveries_before)
            .finish_non_exhaustive()
    }
}
