//! Waiting for what a bot does.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::emulator::Emulator;
use crate::platform::State;
use crate::views::{OutboxEntry, RequestEntry, SessionView};
use crate::violations::Violation;

/// Calls that the error tells of.
const MOST_CALLS: usize = 10;
/// Violations that the error tells of.
const MOST_VIOLATIONS: usize = 10;

/// The bot did not do in time what was waited for. Says what it did instead: whether it is
/// connected, which calls it made, and which of them broke the protocol.
#[derive(Debug)]
pub struct NoReply(Box<Missed>);

#[derive(Debug)]
struct Missed {
    what: &'static str,
    waited: Duration,
    connected: usize,
    replies: u64,
    calls: Vec<RequestEntry>,
    violations: Vec<Violation>,
}

impl NoReply {
    fn new(state: &State, what: &'static str, waited: Duration) -> Self {
        let mut calls: Vec<RequestEntry> =
            state.requests.newest().take(MOST_CALLS).cloned().collect();
        calls.reverse();
        let mut violations: Vec<Violation> = state
            .violations
            .newest()
            .take(MOST_VIOLATIONS)
            .cloned()
            .collect();
        violations.reverse();
        let sessions = state.gateway.sessions.values();
        Self(Box::new(Missed {
            what,
            waited,
            connected: sessions
                .filter(|session| session.connection.is_some())
                .count(),
            replies: state.outbox.last(),
            calls,
            violations,
        }))
    }

    /// How long was waited.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// Gateway connections at the end of the wait.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.0.connected
    }

    /// The newest REST calls of bots, oldest first.
    #[must_use]
    pub fn calls(&self) -> &[RequestEntry] {
        &self.0.calls
    }

    /// The newest violations of the protocol, oldest first.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }
}

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = &*self.0;
        let connected = match missed.connected {
            0 => "no bot is connected".to_owned(),
            1 => "a bot is connected".to_owned(),
            n => format!("{n} sessions are connected"),
        };
        write!(
            f,
            "no {} within {:?}: {connected}, {} messages were sent before",
            missed.what, missed.waited, missed.replies
        )?;
        for call in &missed.calls {
            write!(
                f,
                "\n  call: {} {} -> {}",
                call.method, call.path, call.status
            )?;
            if let Some(code) = call.code {
                write!(f, ", code {code}")?;
            }
        }
        for violation in &missed.violations {
            write!(
                f,
                "\n  violation: {}: {}",
                violation.code, violation.message
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for NoReply {}

impl Emulator {
    /// The next message that a bot has sent and that this method has not given yet; waits for it,
    /// by default for 5 s, see [`EmulatorBuilder::reply_deadline`]. Typing indicators are no
    /// messages. Cancel safe.
    ///
    /// # Errors
    /// Nothing was sent in time; says what the bot did instead.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use qq_emulator::Emulator;
    ///
    /// let emulator = Emulator::builder()
    ///     .reply_deadline(Duration::from_millis(10))
    ///     .start()
    ///     .await?;
    /// emulator.user("mia").in_c2c().says("!ping").await;
    /// let nothing = emulator.next_reply().await.unwrap_err();
    /// assert!(nothing.to_string().contains("no bot is connected"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`EmulatorBuilder::reply_deadline`]: crate::EmulatorBuilder::reply_deadline
    pub async fn next_reply(&self) -> Result<OutboxEntry, NoReply> {
        let found = self
            .platform
            .wait_for(self.reply_deadline, |state| {
                // Numbers start again after a reset.
                let seen = self.replies_seen.load(Ordering::Relaxed);
                let after = if seen > state.outbox.last() { 0 } else { seen };
                let mut fresh = state.outbox.after(after);
                let reply = fresh.find(|entry| entry.body["msg_type"] != 6)?.clone();
                // The state's lock is held: no other caller gets the same one.
                self.replies_seen.store(reply.n, Ordering::Relaxed);
                Some(reply)
            })
            .await;
        found.ok_or_else(|| self.no_reply("reply"))
    }

    /// The first message that a bot has sent with a number above `after`; waits for it until the
    /// deadline. Cancel safe.
    pub async fn reply_after(&self, after: u64, deadline: Duration) -> Option<OutboxEntry> {
        self.platform
            .wait_for(deadline, |state| state.outbox.after(after).next().cloned())
            .await
    }

    /// The code with which a bot acknowledges a click; waits for it like
    /// [`Emulator::next_reply`]. The id is [`Done::interaction_id`]. Cancel safe.
    ///
    /// # Errors
    /// It was not acknowledged in time; says what the bot did instead.
    ///
    /// [`Done::interaction_id`]: crate::Done::interaction_id
    pub async fn acknowledgement(&self, interaction_id: &str) -> Result<i64, NoReply> {
        let found = self.platform.wait_for(self.reply_deadline, |state| {
            state.store.interactions.acknowledged(interaction_id)
        });
        found.await.ok_or_else(|| self.no_reply("acknowledgement"))
    }

    /// The first connected session; waits for one like [`Emulator::next_reply`]. Cancel safe.
    ///
    /// # Errors
    /// No bot has identified in time; says what the bot did instead.
    pub async fn connected(&self) -> Result<SessionView, NoReply> {
        let found = self.wait_for_session(self.reply_deadline).await;
        found.ok_or_else(|| self.no_reply("session"))
    }

    fn no_reply(&self, what: &'static str) -> NoReply {
        self.platform
            .read(|state| NoReply::new(state, what, self.reply_deadline))
    }
}
