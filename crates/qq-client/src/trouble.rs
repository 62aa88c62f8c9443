//! What keeps a bot from doing its work while its sessions live.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_http::{Advice, Error};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::stats::SendResult;

/// So many sends in a row must fail to be a trouble: one alone may be its own fault.
const IN_A_ROW: u32 = 5;
/// A trouble that nobody has met for so long is not spoken of any more: nobody knows whether it is still there.
const FRESH: Duration = Duration::from_secs(60);

/// The troubles of one client.
#[derive(Default)]
pub(crate) struct Troubles {
    state: Mutex<State>,
    /// Told when there is one more.
    news: Notify,
}

#[derive(Default)]
struct State {
    /// Why no access token can be fetched.
    token: Option<Box<str>>,
    /// How many sends in a row have failed.
    failures: u32,
    /// The last of them.
    sends: Option<(Instant, Box<str>)>,
}

impl Troubles {
    /// An access token was fetched, or was not.
    pub(crate) fn note_token(&self, error: Option<&Error>) {
        self.lock().token =
            error.map(|error| format!("no access token can be fetched: {error}").into());
    }

    /// Why no access token can be fetched, at present.
    pub(crate) fn token(&self) -> Option<Box<str>> {
        self.lock().token.clone()
    }

    /// Something was sent, or was not.
    pub(crate) fn note_send(&self, result: SendResult, error: Option<&Error>) {
        let why = match (result, error) {
            (SendResult::Unconfirmed, _) => {
                "the platform says yes and names no message: they may not be delivered".to_owned()
            }
            (_, None) => {
                let mut state = self.lock();
                state.failures = 0;
                state.sends = None;
                return;
            }
            (_, Some(error)) if is_own_fault(error) => return,
            (_, Some(error)) => error.to_string(),
        };
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        state.sends = Some((Instant::now(), why.into()));
        drop(state);
        self.news.notify_one();
    }

    /// What is to be said of them; `None` when there is none.
    pub(crate) fn reason(&self) -> Option<Box<str>> {
        let state = self.lock();
        if let Some(token) = &state.token {
            return Some(token.clone());
        }
        let (since, why) = state.sends.as_ref()?;
        if state.failures < IN_A_ROW || since.elapsed() >= FRESH {
            return None;
        }
        Some(format!("the last {} sends failed: {why}", state.failures).into())
    }

    /// Calls this whenever a trouble has gone stale.
    pub(crate) async fn watch(&self, stale: impl Fn()) {
        loop {
            self.news.notified().await;
            while let Some(since) = self.last_failure() {
                let end = since + FRESH;
                sleep_until(end).await;
                if self.last_failure().is_none_or(|last| last == since) {
                    break;
                }
            }
            stale();
        }
    }

    fn last_failure(&self) -> Option<Instant> {
        self.lock().sends.as_ref().map(|(since, _)| *since)
    }

    /// Whole after every statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message was refused for what it is or where it goes: the next one may do better. So was one that the
/// client's own limits keep back.
fn is_own_fault(error: &Error) -> bool {
    let is_held_back = error.kind() == qq_http::ErrorKind::RateLimited && error.status().is_none();
    is_held_back
        || matches!(
            error.advice(),
            Advice::InvalidRequest
                | Advice::WindowClosed
                | Advice::BudgetUsed
                | Advice::Duplicate
                | Advice::NotPermitted
                | Advice::ContentRefused
        )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sends_that_fail_in_a_row_are_a_trouble_until_one_succeeds_or_nobody_sends() {
        let troubles = Troubles::default();
        let fail = || troubles.note_send(SendResult::Unconfirmed, None);
        let succeed = || troubles.note_send(SendResult::Sent, None);
        for _ in 1..IN_A_ROW {
            fail();
            assert_eq!(troubles.reason(), None);
        }
        fail();
        let reason = troubles.reason().unwrap();
        assert!(reason.contains("the last 5 sends failed"), "{reason}");
        succeed();
        assert_eq!(troubles.reason(), None);
        for _ in 0..IN_A_ROW {
            fail();
        }
        tokio::time::advance(FRESH).await;
        assert_eq!(troubles.reason(), None, "nobody knows any more");
        fail();
        assert!(troubles.reason().is_some(), "still there");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_told_when_a_trouble_has_gone_stale() {
        let troubles = Troubles::default();
        let told = AtomicU32::new(0);
        let begun = Instant::now();
        let watching = troubles.watch(|| {
            told.fetch_add(1, Ordering::Relaxed);
        });
        let failing = async {
            for _ in 0..IN_A_ROW {
                tokio::time::sleep(FRESH / 2).await;
                troubles.note_send(SendResult::Unconfirmed, None);
            }
            assert_eq!(told.load(Ordering::Relaxed), 0);
            while told.load(Ordering::Relaxed) == 0 {
                assert!(begun.elapsed() < FRESH * 10);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            assert_eq!(troubles.reason(), None);
        };
        tokio::select! {
            () = watching => {}
            () = failing => {}
        }
    }
}
