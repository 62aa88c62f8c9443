//! Everything that is called for one event, one after another.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use qq_model::{Event, EventKind};

use super::Held;
use super::ack::Outcome;
use super::executor::Job;
use super::guard::{Failure, guarded};
use crate::handler::call;
use crate::handlers::{Call, RawEvent};
use crate::shared::Shared;
use crate::{BotError, Context, EventHandler};

/// A handler whose type is of no concern any more.
pub(crate) trait Callbacks: Send + Sync + 'static {
    /// A place where events are handled.
    fn place(self: Arc<Self>, limit: Option<Duration>) -> Place;

    /// Tells the handler of a failure.
    fn error(self: Arc<Self>, error: BotError) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A place for the handling of one event after the other, which is not allocated for each.
///
/// A future of what a callback holds is large, and is made where it stays: to make it first and move it then takes longer
/// than many a callback.
pub(crate) struct Place(Pin<Box<dyn Stage>>);

impl Place {
    /// Puts the handling of the event in the slot here, in place of what is here.
    pub(crate) fn start(&mut self, slot: &mut Option<Job>) {
        self.0.as_mut().start(slot);
    }

    /// Goes on with it.
    pub(crate) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

/// A place whose future has a type.
trait Stage: Send {
    fn start(self: Pin<&mut Self>, slot: &mut Option<Job>);

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()>;
}

pin_project! {
    struct Typed<H, M, F> {
        handler: Arc<H>,
        // The same, lent to each future, which gives it back when it ends: so nothing is counted per event.
        lent: Option<Arc<H>>,
        make: M,
        #[pin]
        future: Option<F>,
    }
}

impl<H, M, F> Stage for Typed<H, M, F>
where
    H: Send + Sync,
    M: Fn(Arc<H>, Job) -> F + Send,
    F: Future<Output = Arc<H>> + Send,
{
    fn start(self: Pin<&mut Self>, slot: &mut Option<Job>) {
        let mut this = self.project();
        if let Some(job) = slot.take() {
            let lent = this.lent.take();
            let handler = lent.unwrap_or_else(|| Arc::clone(this.handler));
            this.future.set(Some((this.make)(handler, job)));
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            *this.lent = Some(ready!(future.poll(cx)));
        }
        this.future.set(None);
        Poll::Ready(())
    }
}

impl<H: EventHandler> Callbacks for H {
    fn place(self: Arc<Self>, limit: Option<Duration>) -> Place {
        Place(Box::pin(Typed {
            handler: self,
            lent: None,
            make: move |handler, job| handle(handler, limit, job),
            future: None,
        }))
    }

    fn error(self: Arc<Self>, error: BotError) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { EventHandler::error(&*self, error).await })
    }
}

/// Calls the closures in the order in which they were added, then the callback of the trait. Gives the handler back.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn has room for its arguments twice, and moves them"
)]
fn handle<H: EventHandler>(
    handler: Arc<H>,
    limit: Option<Duration>,
    mut job: Job,
) -> impl Future<Output = Arc<H>> + Send + 'static {
    async move {
        let shared = job.seen.shared();
        let kind = job.event.kind();
        shared.counters.event(kind);
        if job.is_redelivered {
            shared
                .replies
                .begin_again(&job.event, job.origin.event_id());
        }
        let ctx = Context::new(shared, job.origin);
        let mut failed = None;
        if shared.handlers.has_any() {
            let event = job.event.into_shared();
            let text = job.text.as_ref();
            let raw = || RawEvent::new(&event, text, ctx.event_id(), job.sequence);
            failed = Box::pin(call_closures(shared, limit, &ctx, &event, raw)).await;
            job.event = Held::Shared(event);
        }
        let event = job.event.into_event();
        if let Err(failure) = guarded(limit, call(&*handler, ctx, event)).await {
            let callback = kind.map_or("unknown_event", EventKind::callback);
            failed = Some(job.seen.shared().failed(callback, failure));
        }
        job.seen.finish().await;
        job.ack
            .done(failed.map_or(Outcome::Handled, Outcome::Failed));
        handler
    }
}

/// Calls the closures that an event is for; what happened to the last one that failed.
async fn call_closures(
    shared: &Shared,
    limit: Option<Duration>,
    ctx: &Context,
    event: &Arc<Event>,
    raw: impl Fn() -> RawEvent + Send,
) -> Option<Box<str>> {
    let mut failed = None;
    for closure in shared.handlers.wanting(event) {
        let (called, what) = match closure {
            Call::Raw(_, f) => {
                let raw = raw();
                let called = guarded(limit, async { f(ctx.clone(), raw).await }).await;
                (called, "on")
            }
            Call::Typed(_, f) => {
                let event = Arc::clone(event);
                let called = guarded(limit, async { f(ctx.clone(), event).await }).await;
                (called, "on_typed")
            }
            Call::Error(_) => continue,
        };
        if let Err(failure) = called {
            let what = format!("{what} for {}", event.name());
            failed = Some(shared.failed(&what, failure));
        }
    }
    failed
}

impl Shared {
    /// Counts and reports a callback that did not return; what happened, in words.
    fn failed(&self, callback: &str, failure: Failure) -> Box<str> {
        let counters = &self.counters;
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
        self.tell(error);
        text
    }
}
