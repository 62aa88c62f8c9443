//! Where events go.

use std::pin::Pin;

use crate::error::Error;
use crate::event::RawEvent;

/// What [`EventSink::accept`] returns.
pub type AcceptFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Where a [`WebhookService`](crate::WebhookService) puts events. What it says decides the answer: an event is
/// acknowledged after `Ok`, so after the sink has made it durable, if it does.
///
/// A queue in memory is the default ([`EventQueue`](crate::EventQueue)); a broker is another. Closures are sinks:
///
/// ```
/// use qq_model::Token;
/// use qq_webhook::{Error, RawEvent, Verifier, WebhookService};
///
/// # async fn publish(subject: &str, id: &str, body: &[u8]) -> std::io::Result<()> { Ok(()) }
/// # fn build() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(&Token::from_env()?)?;
/// let service = WebhookService::builder(verifier).build_with_sink(|event: RawEvent| async move {
///     let id = event.id().map(ToString::to_string).unwrap_or_default();
///     publish(event.name(), &id, event.body()).await.map_err(Error::not_accepted)
/// });
/// # Ok(())
/// # }
/// ```
pub trait EventSink: Send + Sync + 'static {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// Any [`Error`], most often [`Error::not_accepted`] with its cause: the event is answered with that error's status
    /// and comes again.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the request is given up, or when it takes longer than the
    /// [`accept_deadline`](crate::WebhookServiceBuilder::accept_deadline). The event then comes again, also when it had
    /// been passed on: whoever receives it knows duplicates by [`RawEvent::id`].
    fn accept(&self, event: RawEvent) -> AcceptFuture<'_>;
}

impl<F, R> EventSink for F
where
    F: Fn(RawEvent) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), Error>> + Send + 'static,
{
    fn accept(&self, event: RawEvent) -> AcceptFuture<'_> {
        Box::pin(self(event))
    }
}
