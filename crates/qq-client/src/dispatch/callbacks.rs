//! Everything that is called for one event, one after another.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};

use qq_model::EventKind;
use tokio_util::sync::ReusableBoxFuture;

use super::ack::Outcome;
use super::executor::{Executor, Job};
use super::guard::{Failure, guarded};
use crate::handler::call;
use crate::handlers::{Call, RawEvent};
use crate::{BotError, Context, EventHandler};

/// A handler whose type is of no concern any more.
pub(crate) trait Callbacks: Send + Sync + 'static {
    /// Puts the handling of an event into the place.
    fn start(self: Arc<Self>, place: &mut Place, executor: Arc<Executor>, job: Job);

    /// Tells the handler of a failure.
    fn error(self: Arc<Self>, error: BotError) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A place for the handling of one event after the other, which is not allocated for each.
pub(crate) struct Place(ReusableBoxFuture<'static, ()>);

impl Place {
    pub(crate) fn new() -> Self {
        Self(ReusableBoxFuture::new(std::future::ready(())))
    }

    pub(crate) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

impl<H: EventHandler> Callbacks for H {
    fn start(self: Arc<Self>, place: &mut Place, executor: Arc<Executor>, job: Job) {
        place.0.set(handle(self, executor, job));
    }

    fn error(self: Arc<Self>, error: BotError) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { EventHandler::error(&*self, error).await })
    }
}

/// Calls the closures in the order in which they were added, then the callback of the trait.
async fn handle<H: EventHandler>(handler: Arc<H>, executor: Arc<Executor>, job: Job) {
    let Job {
        delivery,
        seen,
        ack,
        ..
    } = job;
    let shared = &executor.shared;
    shared.counters.event(delivery.event.kind());
    let limit = executor.settings.handler_timeout;
    if delivery.is_redelivered {
        shared.replies.begin_again(&delivery);
    }
    let ctx = Context::new(shared, &delivery);
    let callback = delivery
        .event
        .kind()
        .map_or("unknown_event", EventKind::callback);
    let mut failed = None;
    for closure in shared.handlers.wanting(&delivery.event) {
        let (called, what) = match closure {
            Call::Raw(_, f) => {
                let raw = RawEvent::new(&delivery);
                (
                    guarded(limit, async { f(ctx.clone(), raw).await }).await,
                    "on",
                )
            }
            Call::Typed(_, f) => {
                let event = Arc::clone(&delivery.event);
                (
                    guarded(limit, async { f(ctx.clone(), event).await }).await,
                    "on_typed",
                )
            }
            Call::Error(_) => continue,
        };
        if let Err(failure) = called {
            failed =
                Some(executor.failed(&format!("{what} for {}", delivery.event.name()), failure));
        }
    }
    // By value: moved where nobody else holds the event.
    let event = Arc::unwrap_or_clone(delivery.event);
    if let Err(failure) = guarded(limit, call(&*handler, ctx, event)).await {
        failed = Some(executor.failed(callback, failure));
    }
    seen.handled(|error| executor.report(error)).await;
    ack.done(failed.map_or(Outcome::Handled, Outcome::Failed));
}

impl Executor {
    /// Counts and reports a callback that did not return; what happened, in words.
    fn failed(self: &Arc<Self>, callback: &str, failure: Failure) -> Box<str> {
        let counters = &self.shared.counters;
        let error = match failure {
            Failure::Panicked(payload) => {
                counters.panics.fetch_add(1, Ordering::Relaxed);
                BotError::panicked(callback, &*payload)
            }
            Failure::TimedOut(limit) => {
                counters.timeouts.fetch_add(1, Ordering::Relaxed);
                BotError::timed_out(callback, limit)
            }
        };
        let text = error.to_string().into();
        self.report(error);
        text
    }
}
