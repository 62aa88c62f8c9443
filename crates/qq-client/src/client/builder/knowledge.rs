//! What the client remembers of what it has seen.

use std::time::Duration;

use qq_cache::Cache;
use qq_http::MediaPolicy;

use super::ClientBuilder;
use crate::knowledge::Prefetch;

impl<H> ClientBuilder<H> {
    /// What is remembered of guilds, groups, users and messages; within the limits of
    /// [`CacheConfig`](qq_cache::CacheConfig) unless said otherwise.
    ///
    /// ```
    /// use qq_cache::{Cache, CacheConfig};
    /// use qq_client::Client;
    /// use qq_model::{Intents, Token};
    ///
    /// let builder = || Client::builder(Token::new("102000000", "secret"), Intents::default());
    /// let small = builder().cache(Cache::builder().members(|members| members.capacity(500)).build());
    /// let none = builder().cache(Cache::new(CacheConfig::off()));
    /// ```
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.settings.knowledge.cache = cache;
        self
    }

    /// How long managers remember that the platform said that something does not exist, or is not for this bot;
    /// 30 s unless said otherwise. Zero asks each time.
    #[must_use]
    pub const fn remember_missing(mut self, time: Duration) -> Self {
        self.settings.knowledge.missing = time;
        self
    }

    /// Fetches the bot's guilds before it goes online, for at most so long: from `ready` on, handlers find them in
    /// the cache.
    ///
    /// READY lists no guilds on this platform, so they are fetched by REST, before the gateway is connected to. When
    /// that fails or takes too long, the bot starts with what it has, and the failure goes to
    /// [`error`](crate::EventHandler::error).
    #[must_use]
    pub fn wait_for_guilds(mut self, deadline: Duration) -> Self {
        let prefetch = self.prefetch();
        prefetch.deadline = deadline;
        self
    }

    /// Like [`wait_for_guilds`](Self::wait_for_guilds), with the channels of each guild: a call more for each.
    #[must_use]
    pub fn wait_for_channels(mut self, deadline: Duration) -> Self {
        let prefetch = self.prefetch();
        prefetch.deadline = deadline;
        prefetch.channels = true;
        self
    }

    /// Like [`wait_for_guilds`](Self::wait_for_guilds), with the roles of each guild: a call more for each.
    #[must_use]
    pub fn wait_for_roles(mut self, deadline: Duration) -> Self {
        let prefetch = self.prefetch();
        prefetch.deadline = deadline;
        prefetch.roles = true;
        self
    }

    /// Where received media may be downloaded from ([`DownloadMedia`](crate::DownloadMedia)), and how large they may be.
    #[must_use]
    pub fn media(mut self, policy: MediaPolicy) -> Self {
        self.settings.knowledge.media = Some(policy);
        self
    }

    fn prefetch(&mut self) -> &mut Prefetch {
        self.settings.knowledge.prefetch.get_or_insert(Prefetch {
            deadline: Duration::ZERO,
            channels: false,
            roles: false,
        })
    }
}
