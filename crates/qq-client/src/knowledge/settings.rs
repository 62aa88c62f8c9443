//! What can be chosen about what the client remembers.

use std::time::Duration;

use qq_cache::Cache;
use qq_http::MediaPolicy;

use super::QuoteSettings;

/// How long it usually is remembered that something does not exist.
const MISSING: Duration = Duration::from_secs(30);

/// See `client/builder/knowledge.rs`.
#[derive(Clone, Debug)]
pub(crate) struct KnowledgeSettings {
    pub(crate) cache: Cache,
    pub(crate) missing: Duration,
    pub(crate) prefetch: Option<Prefetch>,
    pub(crate) media: Option<MediaPolicy>,
    pub(crate) quotes: QuoteSettings,
}

/// What is fetched before the gateway is connected to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefetch {
    pub(crate) deadline: Duration,
    pub(crate) channels: bool,
    pub(crate) roles: bool,
}

impl Default for KnowledgeSettings {
    fn default() -> Self {
        Self {
            cache: Cache::default(),
            missing: MISSING,
            prefetch: None,
            media: None,
            quotes: QuoteSettings::default(),
        }
    }
}
