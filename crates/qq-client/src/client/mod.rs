//! The client: made, started, stopped.

mod builder;
mod handle;
mod knowledge;
mod on;
mod report;
mod run;

pub use self::builder::ClientBuilder;
pub(crate) use self::builder::Settings;
pub use self::handle::ClientHandle;
pub use self::report::StopReport;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_http::HttpClient;
use qq_model::user::SelfUser;
use qq_model::{Intents, Token};
use tokio::sync::watch;

use self::run::Run;
use crate::shared::Shared;
use crate::{BotError, ConnectionSession, EventHandler, Health, HealthWatch, Stats, Status};

/// A bot.
///
/// Several in one process share nothing. Everything takes `&self`; [`handle`](Self::handle) can do the same from a
/// callback, a signal task or another thread.
///
/// ```no_run
/// use qq_client::{BotError, Client, Context, EventHandler};
/// use qq_model::message::C2CMessage;
/// use qq_model::{Intents, Token};
///
/// struct Echo;
///
/// impl EventHandler for Echo {
///     async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
///         if let Err(error) = ctx.reply(message.text()).await {
///             eprintln!("{error:?}");
///         }
///     }
/// }
///
/// # async fn run() -> Result<(), BotError> {
/// let intents = Intents::default().with_group_and_c2c();
/// let client = Client::new(Token::from_env()?, intents, Echo, false)?;
/// client.run_until_ctrl_c().await
/// # }
/// ```
pub struct Client<H = ()> {
    shared: Arc<Shared>,
    handler: Arc<H>,
    settings: Settings,
}

impl Client {
    /// A client with everything to choose.
    #[must_use]
    pub fn builder(token: Token, intents: Intents) -> ClientBuilder {
        ClientBuilder::new(token, intents)
    }
}

impl<H: EventHandler> Client<H> {
    /// A client with the usual settings, on the public platform or its sandbox.
    ///
    /// Where the environment variable `QQ_BOT_BASE_URL` is set, the client talks to that server instead, such as a
    /// local emulator. [`builder`](Client::builder) with an explicit environment ignores the variable.
    ///
    /// # Errors
    ///
    /// Credentials that cannot be right, or a malformed `QQ_BOT_BASE_URL`.
    pub fn new(
        token: Token,
        intents: Intents,
        handler: H,
        is_sandbox: bool,
    ) -> Result<Self, BotError> {
        Self::from_builder(Client::builder(token, intents), handler, is_sandbox)
    }

    /// Like [`new`](Self::new), with this many seconds for each REST call, body included, instead of 30.
    ///
    /// ```
    /// use qq_client::Client;
    /// use qq_model::{Intents, Token};
    ///
    /// let token = Token::new("102000000", "secret");
    /// let client = Client::with_config(token, Intents::default(), (), 10, true)?;
    /// assert!(!client.is_connected());
    /// # Ok::<(), qq_client::BotError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn with_config(
        token: Token,
        intents: Intents,
        handler: H,
        timeout_secs: u64,
        is_sandbox: bool,
    ) -> Result<Self, BotError> {
        let builder = Client::builder(token, intents).timeout(Duration::from_secs(timeout_secs));
        Self::from_builder(builder, handler, is_sandbox)
    }

    /// Connects, and runs until the client is stopped.
    ///
    /// Interruptions mend themselves, however long they last. Dropping the future closes every connection and
    /// ends every callback.
    ///
    /// ```no_run
    /// # async fn run(client: qq_client::Client) {
    /// use std::sync::Arc;
    ///
    /// let client = Arc::new(client);
    /// let running = tokio::spawn({
    ///     let client = Arc::clone(&client);
    ///     async move { client.start().await }
    /// });
    /// // Later, from anywhere:
    /// let report = client.stop().await;
    /// println!("{report:?}, {:?}", running.await);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What kept the bot from starting (wrong credentials, an unreachable platform, a gateway that does not answer
    /// within the start-up deadline), and later the reason when every shard ended for good.
    /// [`ErrorKind::AlreadyStarted`](crate::ErrorKind::AlreadyStarted) while the client runs.
    pub async fn start(&self) -> Result<(), BotError> {
        let run = Run::new(&self.shared, &self.handler, &self.settings)?;
        run.run().await
    }

    /// [`start`](Self::start), and [`stop`](Self::stop) on Ctrl-C (and on SIGTERM, where that exists).
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start), and when the signals cannot be listened to.
    pub async fn run_until_ctrl_c(&self) -> Result<(), BotError> {
        let started = self.start();
        tokio::pin!(started);
        tokio::select! {
            result = &mut started => return result,
            signal = run::shutdown_signal() => signal?,
        }
        self.shared.request_stop(None);
        started.await
    }

    fn from_builder(
        builder: ClientBuilder,
        handler: H,
        is_sandbox: bool,
    ) -> Result<Self, BotError> {
        let environment = builder::environment_from_flag(is_sandbox)?;
        builder.environment(environment).handler(handler).build()
    }
}

impl<H> Client<H> {
    /// Stops the client within the deadline of its settings: no more events are taken, callbacks finish, answers on
    /// their way arrive, stores take what is left, sessions are saved and closed. Callbacks that have not finished by then
    /// are ended: a second before the deadline, or a quarter of a shorter one, which closing the connections may take. The report
    /// says what became of everything.
    ///
    /// ```no_run
    /// # async fn run(client: qq_client::Client) -> Result<(), qq_client::BotError> {
    /// let report = client.stop().await?;
    /// println!("{} events were finished, {} callbacks were not", report.drained, report.unfinished);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotReady`](crate::ErrorKind::NotReady) when the client does not run.
    pub async fn stop(&self) -> Result<StopReport, BotError> {
        self.handle().stop().await
    }

    /// Like [`stop`](Self::stop), within this deadline.
    ///
    /// ```no_run
    /// # async fn run(client: qq_client::Client) -> Result<(), qq_client::BotError> {
    /// use std::time::Duration;
    ///
    /// let report = client.stop_within(Duration::from_secs(3)).await?;
    /// if !report.is_clean() {
    ///     eprintln!("not everything was finished: {report:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`stop`](Self::stop).
    pub async fn stop_within(&self, deadline: Duration) -> Result<StopReport, BotError> {
        self.handle().stop_within(deadline).await
    }

    /// A handle that can be cloned and sent anywhere.
    ///
    /// ```no_run
    /// # async fn run(client: qq_client::Client) {
    /// let handle = client.handle();
    /// tokio::spawn(async move {
    ///     tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    ///     handle.request_stop();
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn handle(&self) -> ClientHandle {
        ClientHandle::new(Arc::clone(&self.shared))
    }

    /// Whether every shard has a live session and every other source of events is connected.
    ///
    /// ```
    /// use qq_client::Client;
    /// use qq_model::{Intents, Token};
    ///
    /// let client = Client::builder(Token::new("102000000", "secret"), Intents::default()).build()?;
    /// assert!(!client.is_connected(), "it was not started");
    /// # Ok::<(), qq_client::BotError>(())
    /// ```
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.handle().is_connected()
    }

    /// The session of the first shard that has one.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// if let Some(session) = client.get_session_info() {
    ///     println!("{} is shard {} of {}", session.session_id, session.shard_id, session.shard_count);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn get_session_info(&self) -> Option<ConnectionSession> {
        self.sessions().into_iter().next()
    }

    /// The live sessions, one for each connected shard.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// for session in client.sessions() {
    ///     println!("shard {}/{}: {}", session.shard_id, session.shard_count, session.session_id);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Vec<ConnectionSession> {
        self.shared.sessions()
    }

    /// The bot itself, as the platform described it at start.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// if let Some(user) = client.user() {
    ///     println!("{} ({})", user.username, user.id);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<Arc<SelfUser>> {
        self.shared.user()
    }

    /// Since when every shard has a live session; `None` while one has not.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// if let Some(uptime) = client.ready_at().and_then(|since| since.elapsed().ok()) {
    ///     println!("online for {} s", uptime.as_secs());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn ready_at(&self) -> Option<SystemTime> {
        self.handle().ready_at()
    }

    /// What the client is doing, now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status()
    }

    /// Counters since the client was made.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// let stats = client.stats();
    /// for (kind, count) in stats.events_by_kind() {
    ///     println!("{kind}: {count}");
    /// }
    /// for (kind, result, count) in stats.sends() {
    ///     println!("{kind:?} {result:?}: {count}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Whether every shard has a live session; the same as [`is_connected`](Self::is_connected).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_connected()
    }

    /// How the client is doing, in figures: its shards' sessions and heartbeats, how much waits, until when the access
    /// token is good.
    ///
    /// ```no_run
    /// # fn run(client: &qq_client::Client) {
    /// let health = client.health();
    /// for shard in &health.shards {
    ///     println!("{}: heartbeat answered in {:?}", shard.shard, shard.heartbeat_round_trip);
    /// }
    /// println!("{} events wait, {} answers, {} calls", health.waiting, health.waiting_answers, health.waiting_calls);
    /// # }
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// [`health`](Self::health) at once, whenever the status changes, and so often in between.
    ///
    /// ```no_run
    /// # async fn run(client: qq_client::Client) {
    /// use std::time::Duration;
    ///
    /// let mut health = client.watch_health(Duration::from_secs(10));
    /// loop {
    ///     let now = health.next().await;
    ///     println!("{:?}, {} events wait, token until {:?}", now.status, now.waiting, now.token_expires_at);
    /// }
    /// # }
    /// ```
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
}

impl<H> std::fmt::Debug for Client<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("status", &*self.shared.status().borrow())
            .finish_non_exhaustive()
    }
}
