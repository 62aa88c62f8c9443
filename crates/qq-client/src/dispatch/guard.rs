//! What a callback may do to the rest: nothing.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

/// How a callback ended that did not return.
pub(crate) enum Failure {
    Panicked(Box<dyn Any + Send>),
    TimedOut(Duration),
}

/// Runs a callback within its time limit. One that panicked is dropped at once and never polled again, so nothing of it
/// can be seen in a broken state from here.
pub(crate) async fn guarded(
    limit: Option<Duration>,
    callback: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut callback = pin!(AssertUnwindSafe(callback).catch_unwind());
    // Most callbacks return at once, and need no timer.
    let ended = match poll_fn(|cx| Poll::Ready(callback.as_mut().poll(cx))).await {
        Poll::Ready(ended) => ended,
        Poll::Pending => match limit {
            None => callback.await,
            Some(limit) => match timeout(limit, callback).await {
                Ok(ended) => ended,
                Err(_) => return Err(Failure::TimedOut(limit)),
            },
        },
    };
    ended.map_err(Failure::Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_callback_ends_one_way_or_the_other() {
        let limit = Some(Duration::from_secs(1));
        assert!(guarded(limit, async {}).await.is_ok());
        let slow = guarded(limit, tokio::time::sleep(Duration::from_secs(2))).await;
        assert!(matches!(slow, Err(Failure::TimedOut(_))));
        assert!(
            guarded(None, tokio::time::sleep(Duration::from_secs(2)))
                .await
                .is_ok()
        );
        let panicked = guarded(limit, async { panic!("as told") }).await;
        assert!(matches!(panicked, Err(Failure::Panicked(_))));
    }
}
