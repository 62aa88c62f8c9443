//! Callbacks as a tower service.

mod answer_body;
mod builder;
mod queue;
mod read;
mod sink;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Body;
use tower_service::Service;

pub use self::answer_body::AnswerBody;
pub use self::builder::WebhookServiceBuilder;
pub use self::queue::{EventQueue, WebhookEvents};
use self::read::Reader;
pub use self::sink::{AcceptFuture, EventSink};
use crate::error::{Error, ErrorKind};
use crate::receive::Received;
use crate::verifier::{Head, Verifier};

/// Answers callbacks and passes their events on: a [`tower_service::Service`] for any kind of body.
///
/// It mounts in axum with `route_service`, in any other tower or hyper application, and in a
/// `WebhookServer`. Clones share everything. Each request is answered as soon as its event is in the queue, or
/// wherever an [`EventSink`] puts it; never does an answer wait for a handler. When the event cannot be put there,
/// the answer is 503 and the platform sends the event again.
///
/// ```
/// use qq_model::Token;
/// use qq_webhook::{Verifier, WebhookService};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(&Token::from_env()?)?;
/// let (service, mut events) = WebhookService::new(verifier);
/// let app: axum::Router = axum::Router::new().route_service("/qqbot", service);
/// while let Some(event) = events.next().await {
///     println!("{} for {}", event.dispatch.event.name(), event.app_id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebhookService {
    shared: Arc<Shared>,
}

struct Shared {
    verifier: Verifier,
    reader: Reader,
    sink: Arc<dyn EventSink>,
    accept_deadline: std::time::Duration,
}

impl WebhookService {
    /// A service with the defaults of [`WebhookServiceBuilder`], and the events that it takes.
    #[must_use]
    pub fn new(verifier: Verifier) -> (Self, WebhookEvents) {
        Self::builder(verifier).build()
    }

    /// A service with other limits, or with another place for events.
    pub fn builder(verifier: Verifier) -> WebhookServiceBuilder {
        WebhookServiceBuilder::new(verifier)
    }

    /// The verifier, with the counters of all requests: [`Verifier::stats`].
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.shared.verifier
    }
}

impl Shared {
    async fn answer<B>(&self, head: Head, body: B) -> Response<Bytes>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let received = match self.reader.read(body).await {
            // The room that the body takes among all bodies is kept until the event is elsewhere.
            Ok((body, _room)) => self.take(head, body).await,
            Err(error) => self.verifier.counted(Err(error)),
        };
        received.unwrap_or_else(|error| {
            tracing::debug!(error = %error, source = ?StdError::source(&error), "a callback was refused");
            error.response()
        })
    }

    async fn take(&self, head: Head, body: Bytes) -> Result<Response<Bytes>, Error> {
        let (event, claim) = match self.verifier.finish(&head, &body)? {
            Received::Answered(response) => return Ok(response),
            Received::Event(event, claim) => (event, claim),
        };
        drop((head, body));
        let accepted = tokio::time::timeout(self.accept_deadline, self.sink.accept(event)).await;
        let accepted = accepted.unwrap_or_else(|_| Err(ErrorKind::AcceptTimeout.into()));
        Ok(match accepted {
            Ok(()) => claim.accept(),
            Err(error) => {
                tracing::debug!(error = %error, source = ?StdError::source(&error), "an event was not accepted");
                claim.refuse(&error)
            }
        })
    }
}

impl<B> Service<Request<B>> for WebhookService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> AnswerFuture {
        // What the headers alone give away is refused before a byte of the body is read.
        let (parts, body) = request.into_parts();
        match self.shared.verifier.begin(&parts.method, &parts.headers) {
            Ok(head) => {
                let shared = Arc::clone(&self.shared);
                AnswerFuture(Answering::Body(Box::pin(async move {
                    shared.answer(head, body).await
                })))
            }
            Err(error) => {
                tracing::debug!(error = %error, "a callback was refused");
                AnswerFuture(Answering::Known(Some(error.response())))
            }
        }
    }
}

impl fmt::Debug for WebhookService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService")
            .field("verifier", &self.shared.verifier)
            .finish_non_exhaustive()
    }
}

/// The answer to one request. Dropping it gives the event back, unless it was passed on already.
#[must_use = "futures do nothing unless they are polled"]
pub struct AnswerFuture(Answering);

enum Answering {
    Known(Option<Response<Bytes>>),
    Body(Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>),
}

impl Future for AnswerFuture {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.0 {
            Answering::Known(response) => match response.take() {
                Some(response) => response,
                None => return Poll::Pending,
            },
            Answering::Body(future) => std::task::ready!(future.as_mut().poll(context)),
        };
        Poll::Ready(Ok(response.map(AnswerBody::from)))
    }
}

impl fmt::Debug for AnswerFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFuture").finish_non_exhaustive()
    }
}
