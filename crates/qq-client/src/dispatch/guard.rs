//! What a callback may do to the rest: nothing.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep};

/// How a callback ended that did not return.
pub(crate) enum Failure {
    Panicked(Box<dyn Any + Send>),
    TimedOut(Duration),
}

pin_project! {
    /// A callback that may take so long, from when it first waits. One that panicked is dropped at once and never polled
    /// again, so nothing of it can be seen in a broken state from here.
    pub(crate) struct Guarded<F> {
        #[pin]
        callback: F,
        limit: Option<Duration>,
        // Most callbacks return at once, and need none.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

/// Runs a callback within its time limit.
pub(crate) const fn guarded<F: Future<Output = ()>>(
    limit: Option<Duration>,
    callback: F,
) -> Guarded<F> {
    Guarded {
        callback,
        limit,
        timer: None,
    }
}

impl<F: Future<Output = ()>> Future for Guarded<F> {
    type Output = Result<(), Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match catch_unwind(AssertUnwindSafe(|| this.callback.poll(cx))) {
            Ok(Poll::Ready(())) => return Poll::Ready(Ok(())),
            Ok(Poll::Pending) => {}
            Err(payload) => return Poll::Ready(Err(Failure::Panicked(payload))),
        }
        let Some(limit) = *this.limit else {
            return Poll::Pending;
        };
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        // A callback that always has something to do uses up what the runtime grants a task.
        let mut timer = unconstrained(timer);
        Pin::new(&mut timer)
            .poll(cx)
            .map(|()| Err(Failure::TimedOut(limit)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_callback_ends_one_way_or_the_other() {
        let limit = Some(Duration::from_secs(1));
        assert!(guarded(limit, async {}).await.is_ok());
        let slow = guarded(limit, sleep(Duration::from_secs(2))).await;
        assert!(matches!(slow, Err(Failure::TimedOut(_))));
        assert!(guarded(None, sleep(Duration::from_secs(2))).await.is_ok());
        let panicked = guarded(limit, async { panic!("as told") }).await;
        assert!(matches!(panicked, Err(Failure::Panicked(_))));
    }

    #[tokio::test]
    async fn a_callback_that_never_rests_ends_too() {
        let busy = async {
            loop {
                tokio::task::coop::consume_budget().await;
            }
        };
        let limit = Some(Duration::from_millis(20));
        let ended = timeout(Duration::from_secs(60), guarded(limit, busy)).await;
        assert!(matches!(ended, Ok(Err(Failure::TimedOut(_)))));
    }
}
