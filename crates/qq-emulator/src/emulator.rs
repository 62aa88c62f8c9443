//! The emulator as a value, for tests and programs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::builder::EmulatorBuilder;
use crate::clock::millis;
use crate::faults::{Fault, FaultView};
use crate::gateway::{Fault as Strike, Session, Target, apply};
use crate::platform::{Platform, State};
use crate::recording::replay::ReplayView;
use crate::settings::Settings;
use crate::speech::{self, Say};
use crate::views::{OutboxEntry, RequestEntry, Said, SessionView, TimelineItem};
use crate::violations::Violation;
use crate::webhook::{self, Corrupt, WebhookView};
use crate::world::{User, World};

/// How long [`Emulator::stop`] waits for the tasks.
const STOP_DEADLINE: Duration = Duration::from_millis(800);
/// A running emulator. Dropping it stops it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use qq_emulator::Emulator;
///
/// let emulator = Emulator::builder().start().await?;
/// // Point a bot at emulator.base_url(), with emulator.app_id() and emulator.secret() ...
/// let said = emulator.user("mia").in_group("tea house").says("!ping").await;
/// // ... and look at emulator.next_reply().await.
/// assert!(said.message_id.starts_with("ROBOT1.0_"));
/// assert!(emulator.violations().is_empty());
/// emulator.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    pub(crate) platform: Arc<Platform>,
    pub(crate) address: SocketAddr,
    pub(crate) app_id: String,
    pub(crate) secret: String,
    pub(crate) tasks: mpsc::Receiver<Infallible>,
    pub(crate) reply_deadline: Duration,
    /// The number of the last message that `next_reply` gave.
    pub(crate) replies_seen: AtomicU64,
}

impl Emulator {
    /// An emulator on a free port of 127.0.0.1 with the default world.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end: the base of the token endpoint, the
    /// REST API, the control API and the page.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.platform.base_url()
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The app id of the world's first bot.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The secret of the world's first bot.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The world as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.platform.read(|state| state.world.clone())
    }

    /// Lets a user say something. Waits, for at most 10 s, while a connected client has thousands
    /// of events still to read.
    ///
    /// # Panics
    /// If the world does not have the author or the conversation; [`Emulator::try_say`] gives an
    /// error instead.
    #[expect(clippy::panic, reason = "a wrong id in a test is a bug of the test")]
    pub async fn say(&self, say: Say) -> Said {
        match self.try_say(say).await {
            Ok(said) => said,
            Err(why) => panic!("{why}"),
        }
    }

    /// Lets a user say something.
    ///
    /// # Errors
    /// A sentence that names what the world does not have.
    pub async fn try_say(&self, say: Say) -> Result<Said, String> {
        self.platform.wait_for_backlog().await;
        self.platform.update(|state| speech::say(state, &say))
    }

    /// Pushes any event: `data` is `d` of the envelope. Gives the event id. Sessions get it if
    /// their intents carry it; an event that no intent is known for goes to all of them.
    pub async fn push_event(&self, name: &str, data: Value) -> String {
        self.platform.wait_for_backlog().await;
        self.platform
            .update(|state| speech::push_event(state, name, None, &data, None).0)
    }

    /// How far the recording of [`EmulatorBuilder::replay`] has been played.
    #[must_use]
    pub fn replay(&self) -> ReplayView {
        self.platform.read(|state| state.replay)
    }

    /// Waits until the recording has been played; `false` if that took longer. Cancel safe.
    pub async fn replayed(&self, deadline: Duration) -> bool {
        let done = |state: &State| (state.replay.played >= state.replay.events).then_some(());
        self.platform.wait_for(deadline, done).await.is_some()
    }

    /// Why the recording of [`EmulatorBuilder::record`] is not whole, if it is not.
    #[must_use]
    pub fn recording_problem(&self) -> Option<String> {
        self.platform
            .read(|state| state.recorder.as_ref()?.problem())
    }

    /// Somebody new, in no group and no guild yet. `POST users` of the control API makes a member
    /// of everything instead.
    ///
    /// # Errors
    /// The name is taken or too long, or the world is full.
    pub fn add_stranger(&self, name: &str) -> Result<User, String> {
        self.platform.update(|state| speech::stranger(state, name))
    }

    /// What bots have sent, oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<OutboxEntry> {
        self.platform
            .read(|state| state.outbox.after(0).cloned().collect())
    }

    /// Every message of users and bots, oldest first.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelineItem> {
        self.platform
            .read(|state| state.timeline.after(0).cloned().collect())
    }

    /// The REST calls received, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.platform
            .read(|state| state.requests.after(0).cloned().collect())
    }

    /// What clients did against the protocol, oldest first.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.platform
            .read(|state| state.violations.after(0).cloned().collect())
    }

    /// The sessions, connected or still resumable, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        self.platform.sessions()
    }

    /// A connected session; waits for one until the deadline. Cancel safe.
    pub async fn wait_for_session(&self, deadline: Duration) -> Option<SessionView> {
        self.platform
            .wait_for(deadline, |state| {
                state
                    .gateway
                    .sessions
                    .values()
                    .find(|session| session.connection.is_some())
                    .map(Session::view)
            })
            .await
    }

    /// Closes with a code: the connection of one session, or all connections. Gives how many were
    /// hit; a session that is not connected counts as none.
    pub fn close_session(&self, session: Option<&str>, code: u16) -> usize {
        self.strike(session, Strike::Close(code))
    }

    /// Resets the TCP connection of one session, or all of them, without a close frame.
    pub fn drop_connections(&self, session: Option<&str>) -> usize {
        self.strike(session, Strike::Drop)
    }

    /// Sends op 7 and, after [`Settings::reconnect_close_after_ms`], closes with 4009.
    pub fn reconnect(&self, session: Option<&str>) -> usize {
        self.strike(session, Strike::Reconnect)
    }

    /// Sends op 9 and, after [`Settings::invalid_session_close_after_ms`], closes: with 4006 and
    /// the session gone, or, if `resumable`, with 4009.
    pub fn invalid_session(&self, session: Option<&str>, resumable: bool) -> usize {
        self.strike(session, Strike::InvalidSession { resumable })
    }

    fn strike(&self, session: Option<&str>, fault: Strike) -> usize {
        let target = session.map_or(Target::Everybody, Target::Session);
        self.platform
            .update(|state| apply(state, target, fault))
            .unwrap_or(0)
    }

    /// Plans a fault. It stays until [`Emulator::clear_faults`] or a reset.
    ///
    /// # Errors
    /// A sentence that names what does not fit, such as a route that does not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use qq_emulator::{Emulator, Fault};
    ///
    /// let emulator = Emulator::builder().start().await?;
    /// emulator.fault(Fault::route("send_group_message").nth(1).status(503))?;
    /// emulator.fault(Fault::event("HEARTBEAT_ACK").discard())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fault(&self, fault: Fault) -> Result<(), String> {
        self.platform
            .update(|state| state.faults.add(vec![fault]))
            .map_err(|why| why.trim_start_matches("[0].").to_owned())
    }

    /// The planned faults, with how often each was played.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultView> {
        self.platform.read(|state| state.faults.view())
    }

    /// Removes every planned fault.
    pub fn clear_faults(&self) {
        self.platform.update(|state| state.faults.clear());
    }

    /// Sets, or with `None` removes, the address to which the first bot's events are pushed. The
    /// address is called with op 13 first. Gateway sessions get the events, too, unless
    /// [`Settings::webhook_delivery`] says otherwise.
    ///
    /// # Errors
    /// A sentence that says why the address is not taken; the one from before stays.
    pub async fn set_webhook(&self, url: Option<&str>) -> Result<(), String> {
        self.set_webhook_of(&self.app_id, url).await
    }

    /// The same for the bot with this app id.
    ///
    /// # Errors
    /// As [`Emulator::set_webhook`]; and if there is no such bot.
    pub async fn set_webhook_of(&self, app_id: &str, url: Option<&str>) -> Result<(), String> {
        webhook::set(&self.platform, Some(app_id), url, false).await
    }

    /// The addresses set, with how many events they have taken.
    #[must_use]
    pub fn webhooks(&self) -> Vec<WebhookView> {
        self.platform.read(|state| state.webhooks.view())
    }

    /// Pushes a message event that a bot has to refuse to the first bot's webhook; gives the
    /// status answered.
    ///
    /// # Errors
    /// No webhook is set, or nothing answers there.
    pub async fn push_bad_webhook(&self, corrupt: Corrupt) -> Result<u16, String> {
        webhook::send_bad(&self.platform, Some(&self.app_id), corrupt).await
    }

    /// Makes every access token worthless.
    pub fn expire_tokens(&self) {
        self.platform.update(|state| state.tokens.revoke_all());
    }

    /// Moves the emulator's time forward: token life, reply windows, quotas, resume window, audits;
    /// heartbeats with [`Settings::clock_moves_heartbeats`].
    pub fn advance(&self, by: Duration) {
        self.platform.advance(millis(by));
    }

    /// Changes settings while it runs.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.platform.update(|state| change(&mut state.settings));
    }

    /// Starts again from nothing: logs, messages, tokens, sessions, settings, ids.
    pub fn reset(&self) {
        self.platform.reset();
    }

    /// Closes every connection and waits, for less than a second, until the tasks have ended.
    pub async fn stop(mut self) {
        self.platform.stop();
        // Nothing is ever sent: the channel ends when the last task has dropped its guard.
        let _ = timeout(STOP_DEADLINE, self.tasks.recv()).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.platform.stop();
    }
}
