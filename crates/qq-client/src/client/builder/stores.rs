//! What outlives the process, and which shards it runs.

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{IdentifyQueue, ShardPlan};

use super::{ClientBuilder, ShardChoice};
use crate::{DedupeStore, QuoteStore, SessionStore};

/// A few minutes are known to work; the platform names no number.
pub(super) const SESSION_MAX_AGE: Duration = Duration::from_secs(5 * 60);

impl<H> ClientBuilder<H> {
    /// Keeps gateway sessions, so that a client that is started again resumes: the platform then sends what was not
    /// handled, and what was said meanwhile. Without one, a stop ends the session.
    ///
    /// A session of another bot, of other intents or another number of shards, or one older than
    /// [`session_max_age`](Self::session_max_age) is not used. Use it together with
    /// [`dedupe_store`](Self::dedupe_store), or a few events from just before a crash are handled again.
    #[must_use]
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.settings.session_store = Some(Arc::new(store));
        self
    }

    /// How old a kept session may be to be resumed; 5 minutes unless said otherwise. One that the platform has
    /// forgotten costs a refused attempt, then a new one is opened.
    #[must_use]
    pub const fn session_max_age(mut self, age: Duration) -> Self {
        self.settings.session_max_age = age;
        self
    }

    /// Keeps which events were handled, so that a client that is started again handles none twice.
    #[must_use]
    pub fn dedupe_store(mut self, store: impl DedupeStore) -> Self {
        self.settings.duplicates.store = Some(Arc::new(store));
        self
    }

    /// Keeps the messages of groups and one-to-one chats, the bot's own among them, so that
    /// [`Context::quoted`](crate::Context::quoted) finds them after a restart, and longer than the cache does.
    ///
    /// ```no_run
    /// # fn build(builder: qq_client::ClientBuilder) -> Result<(), Box<dyn std::error::Error>> {
    /// use qq_client::FileStore;
    ///
    /// let client = builder.quote_store(FileStore::open("state")?).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn quote_store(mut self, store: impl QuoteStore) -> Self {
        self.settings.knowledge.quotes.store = Some(Arc::new(store));
        self
    }

    /// How long the [`quote_store`](Self::quote_store) keeps a message; seven days unless said otherwise.
    #[must_use]
    pub const fn quote_ttl(mut self, ttl: Duration) -> Self {
        self.settings.knowledge.quotes.life = ttl;
        self
    }

    /// How many events are remembered at most, and 49 of 50 of them at least, to know repeats by; 65,536 unless said
    /// otherwise. Each takes 16 to 64 bytes.
    #[must_use]
    pub fn dedupe_capacity(mut self, capacity: usize) -> Self {
        self.settings.duplicates.capacity = capacity.max(1);
        self
    }

    /// How long an event is remembered, or up to one part in 64 longer; 10 minutes unless said otherwise.
    #[must_use]
    pub const fn dedupe_ttl(mut self, ttl: Duration) -> Self {
        self.settings.duplicates.ttl = ttl;
        self
    }

    /// Whether repeated events are dropped; they are unless said otherwise.
    #[must_use]
    pub const fn dedupe(mut self, is_on: bool) -> Self {
        self.settings.duplicates.is_on = is_on;
        self
    }

    /// Which shards are run, of how many; all that the platform recommends unless said otherwise.
    ///
    /// ```
    /// # fn build(builder: qq_client::ClientBuilder) -> Result<(), qq_gateway::ShardPlanError> {
    /// use qq_gateway::ShardPlan;
    ///
    /// let builder = builder.shards(ShardPlan::range(0..2, 4)?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn shards(mut self, plan: ShardPlan) -> Self {
        self.settings.shards = ShardChoice::Plan(plan);
        self
    }

    /// Where shards wait for their turn to open a session. Processes of one bot need one that they share; unless said
    /// otherwise each start has its own, with the limits that the platform names.
    #[must_use]
    pub fn identify_queue(mut self, queue: Arc<dyn IdentifyQueue>) -> Self {
        self.settings.identify_queue = Some(queue);
        self
    }
}
