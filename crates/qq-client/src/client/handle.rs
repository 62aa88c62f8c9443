//! Reaching a client from anywhere.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_http::HttpClient;
use qq_model::user::SelfUser;
use tokio::sync::watch;

use super::StopReport;
use crate::error::ErrorKind;
use crate::shared::Shared;
use crate::{BotError, ConnectionSession, Health, HealthWatch, Stats, Status};

/// A handle on a client, for callbacks ([`Context::client`](crate::Context::client)), signal tasks, other threads. Cheap to
/// clone.
///
/// ```
/// use qq_client::{Context, EventHandler};
/// use qq_model::message::C2CMessage;
///
/// struct Bot;
///
/// impl EventHandler for Bot {
///     async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
///         let client = ctx.client();
///         match &*message.text() {
///             "!status" => {
///                 let (stats, since) = (client.stats(), client.ready_at());
///                 let _ = ctx.reply(format!("{} events, ready since {since:?}", stats.events)).await;
///             }
///             "!stop" => {
///                 client.request_stop();
///             }
///             _ => {}
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct ClientHandle {
    pub(super) shared: Arc<Shared>,
}

impl ClientHandle {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Stops the client within the deadline of its settings; see [`Client::stop`](crate::Client::stop).
    ///
    /// A callback that awaits this waits for its own end, and is ended at the deadline: use
    /// [`request_stop`](Self::request_stop) there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotReady`] when the client does not run.
    pub async fn stop(&self) -> Result<StopReport, BotError> {
        self.stop_and_wait(None).await
    }

    /// Like [`stop`](Self::stop), within this deadline.
    ///
    /// # Errors
    ///
    /// As for [`stop`](Self::stop).
    pub async fn stop_within(&self, deadline: Duration) -> Result<StopReport, BotError> {
        self.stop_and_wait(Some(deadline)).await
    }

    /// Asks the client to stop and does not wait for it; whether it was running.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn request_stop(&self) -> bool {
        self.shared.request_stop(None)
    }

    /// Whether every shard has a live session and every other source of events is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.ready_at().is_some()
    }

    /// Since when every shard has a live session.
    #[must_use]
    pub fn ready_at(&self) -> Option<SystemTime> {
        self.shared.live_since()
    }

    /// The live sessions, one for each connected shard.
    #[must_use]
    pub fn sessions(&self) -> Vec<ConnectionSession> {
        self.shared.sessions()
    }

    /// The session of the first shard that has one.
    #[must_use]
    pub fn get_session_info(&self) -> Option<ConnectionSession> {
        self.sessions().into_iter().next()
    }

    /// The bot itself, as the platform described it at start.
    #[must_use]
    pub fn user(&self) -> Option<Arc<SelfUser>> {
        self.shared.user()
    }

    /// What the client is doing, now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status()
    }

    /// Counters since the client was made.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Whether every shard has a live session; the same as [`is_connected`](Self::is_connected).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_connected()
    }

    /// How the client is doing, in figures.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// [`health`](Self::health) at once, whenever the status changes, and so often in between; see
    /// [`Client::watch_health`](crate::Client::watch_health).
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn watch_health(&self, every: Duration) -> HealthWatch {
        HealthWatch::new(&self.shared, every)
    }

    /// The REST client.
    #[must_use]
    pub fn api(&self) -> &HttpClient {
        &self.shared.access.api
    }

    async fn stop_and_wait(&self, deadline: Option<Duration>) -> Result<StopReport, BotError> {
        let mut status = self.shared.status();
        if !self.shared.request_stop(deadline) {
            return Err(BotError::new(
                ErrorKind::NotReady,
                "the client does not run",
            ));
        }
        // The sender lives as long as `self.shared`, so waiting cannot fail.
        let _ = status
            .wait_for(|status| matches!(status, Status::Stopped { .. }))
            .await;
        Ok(self.shared.report().unwrap_or_default())
    }
}

impl std::fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientHandle")
            .field("status", &*self.shared.status().borrow())
            .finish_non_exhaustive()
    }
}
