//! A cluster, seen from one of its processes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt};
use qq_http::LimitStore;
use qq_model::Token;
use qq_model::id::AppId;
use tokio::time::{Duration, timeout};

use crate::claims::{Record, holders};
use crate::config::ClusterConfig;
use crate::counters::Counters;
use crate::limits::ClusterLimits;
use crate::members::{Member, describe};
use crate::nats::{Layout, connect, interrupted};
use crate::tenure::Tenures;

use crate::{ClusterError, ClusterErrorKind};

/// A connection to the cluster: to be given to clients, and asked what the cluster is doing. Clones share it.
///
/// ```no_run
/// use qq_client::Client;
/// use qq_cluster::{Cluster, ClusterConfig, ClusterExt};
/// use qq_model::{Intents, Token};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let token = Token::from_env()?;
/// let cluster = Cluster::connect(ClusterConfig::new("nats://127.0.0.1:4222"), &token).await?;
/// let client = Client::builder(token, Intents::default()).cluster(&cluster).build()?;
/// client.run_until_ctrl_c().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    app_id: AppId,
    layout: Layout,
    config: ClusterConfig,
    counters: Arc<Counters>,
    tenures: Arc<Tenures>,
    limits: ClusterLimits,
}

/// A partition of conversations, and who works on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partition {
    /// Which one, from 0.
    pub number: u16,
    /// The id of the [`Member`] that has it; `None` while it moves.
    pub holder: Option<Box<str>>,
    /// How many events of it were published and not yet handled.
    pub waiting: u64,
}

/// A gateway session's shard, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldShard {
    /// Which one, from 0.
    pub index: u32,
    /// The id of the [`Member`] that has it.
    pub holder: Box<str>,
}

/// What this process has done, since it connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Events that were received and stored.
    pub published: u64,
    /// Events that were received again, by this process or after another had stored them, and dropped.
    pub repeated: u64,
    /// Events that were handled and acknowledged.
    pub handled: u64,
    /// Events that came again because a process had gone, or an acknowledgement was lost.
    pub redelivered: u64,
    /// Events that were put aside.
    pub dead_letters: u64,
    /// Shards and partitions that were taken over from processes that had died.
    pub takeovers: u64,
}

/// An event that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The partition it came from.
    pub partition: u16,
    /// Why it was put aside.
    pub reason: Box<str>,
    /// How often it was tried.
    pub attempts: u64,
    /// The envelope, as the platform sent it.
    pub envelope: Box<str>,
}

/// How long a request for dead letters waits for more.
const LETTERS: Duration = Duration::from_secs(2);

impl Cluster {
    /// Connects to NATS, and opens the cluster's streams and buckets; those that do not exist are created.
    ///
    /// # Errors
    ///
    /// See [`ClusterErrorKind`]: no server, wrong credentials, JetStream off, settings that cannot be used, streams or
    /// buckets that somebody else made, another bot's cluster.
    pub async fn connect(config: ClusterConfig, token: &Token) -> Result<Self, ClusterError> {
        config.validate()?;
        let app_id = token.app_id();
        let context = connect(&config, &format!("qqbot-{app_id}")).await?;
        let layout = Layout::open(context, &config, &app_id.to_string()).await?;
        let limits = ClusterLimits::new(&layout, config.lease);
        Ok(Self {
            inner: Arc::new(Inner {
                limits,
                app_id: app_id.clone(),
                layout,
                config,
                counters: Arc::default(),
                tenures: Arc::default(),
            }),
        })
    }

    /// What the cluster's streams and buckets begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.layout.name
    }

    /// The processes that live.
    ///
    /// # Errors
    ///
    /// [`ClusterErrorKind::Interrupted`] when NATS does not answer in time. The same holds for the other questions.
    pub async fn members(&self) -> Result<Vec<Member>, ClusterError> {
        describe(&self.inner.layout.members).await
    }

    /// Every partition: who works on it, and how far behind.
    ///
    /// # Errors
    ///
    /// As for [`members`](Self::members).
    pub async fn partitions(&self) -> Result<Vec<Partition>, ClusterError> {
        let layout = &self.inner.layout;
        let failed = |error| interrupted("NATS could not be asked for the events that wait", error);
        let waiting: BTreeMap<String, usize> = layout
            .events
            .info_with_subjects(format!("{}.events.*", layout.name))
            .await
            .map_err(|error| {
                interrupted("NATS could not be asked for the events that wait", error)
            })?
            .try_collect()
            .await
            .map_err(failed)?;
        let mut holders = self.living_holders("partition").await?;
        Ok((0..self.inner.config.partitions)
            .map(|number| Partition {
                number,
                holder: holders.remove(&number.into()).map(|record| record.member),
                waiting: waiting
                    .get(&layout.events_of(number))
                    .map_or(0, |count| u64::try_from(*count).unwrap_or(u64::MAX)),
            })
            .collect())
    }

    /// The shards that are held.
    ///
    /// # Errors
    ///
    /// As for [`members`](Self::members).
    pub async fn shards(&self) -> Result<Vec<HeldShard>, ClusterError> {
        let holders = self.living_holders("shard").await?;
        Ok(holders
            .into_iter()
            .map(|(index, record)| HeldShard {
                index,
                holder: record.member,
            })
            .collect())
    }

    /// What this process has done.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        let counters = &self.inner.counters;
        ClusterStats {
            published: counters.published.load(Ordering::Relaxed),
            repeated: counters.repeated.load(Ordering::Relaxed),
            handled: counters.handled.load(Ordering::Relaxed),
            redelivered: counters.redelivered.load(Ordering::Relaxed),
            dead_letters: counters.dead.load(Ordering::Relaxed),
            takeovers: counters.takeovers.load(Ordering::Relaxed),
        }
    }

    /// The oldest events that were put aside, at most so many. They stay.
    ///
    /// # Errors
    ///
    /// As for [`members`](Self::members).
    pub async fn dead_letters(&self, at_most: usize) -> Result<Vec<DeadLetter>, ClusterError> {
        use async_nats::jetstream::consumer::AckPolicy;
        use async_nats::jetstream::consumer::pull::Config;
        let layout = &self.inner.layout;
        let config = Config {
            ack_policy: AckPolicy::None,
            ..Config::default()
        };
        let consumer = layout
            .dead
            .create_consumer(config)
            .await
            .map_err(|error| interrupted("the dead letters cannot be read", error))?;
        let mut messages = consumer
            .fetch()
            .max_messages(at_most.max(1))
            .messages()
            .await
            .map_err(|error| interrupted("the dead letters cannot be read", error))?;
        let mut letters = Vec::new();
        while let Ok(Some(message)) = timeout(LETTERS, messages.next()).await {
            let message = message.map_err(|error| {
                ClusterError::with_source(
                    ClusterErrorKind::Interrupted,
                    "the dead letters cannot be read",
                    error,
                )
            })?;
            let header = |name: &str| {
                let headers = message.headers.as_ref()?;
                headers.get(name).map(|value| value.as_str().to_owned())
            };
            letters.push(DeadLetter {
                partition: message
                    .subject
                    .rsplit('.')
                    .next()
                    .and_then(|number| number.parse().ok())
                    .unwrap_or_default(),
                reason: header("Reason").unwrap_or_default().into(),
                attempts: header("Attempts")
                    .and_then(|count| count.parse().ok())
                    .unwrap_or_default(),
                envelope: String::from_utf8_lossy(&message.payload).into(),
            });
        }
        Ok(letters)
    }

    /// The rate limits of the bot, kept by all processes together. A client that takes part in the cluster has it; this is for
    /// a REST client beside it, such as a timetable's, so that its calls count as well.
    ///
    /// ```no_run
    /// # fn build(cluster: &qq_cluster::Cluster, token: qq_model::Token) -> Result<(), qq_http::BuildError> {
    /// let http = qq_http::HttpClient::builder(token).limit_store(cluster.limit_store()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit_store(&self) -> impl LimitStore + use<> {
        self.inner.limits.clone()
    }

    pub(crate) fn limits(&self) -> &ClusterLimits {
        &self.inner.limits
    }

    /// The bot's.
    #[cfg(feature = "webhook")]
    pub(crate) fn app_id(&self) -> &AppId {
        &self.inner.app_id
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn config(&self) -> &ClusterConfig {
        &self.inner.config
    }

    pub(crate) fn tenures(&self) -> &Arc<Tenures> {
        &self.inner.tenures
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.inner.counters
    }

    /// Who of the living has what, of one kind of thing.
    async fn living_holders(&self, prefix: &str) -> Result<BTreeMap<u32, Record>, ClusterError> {
        let living = crate::members::living(&self.inner.layout.members).await?;
        let mut holders = holders(&self.inner.layout.claims, prefix).await?;
        holders.retain(|_, record| living.contains_key(&record.member));
        Ok(holders)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &self.inner.layout.name)
            .field("app_id", &self.inner.app_id)
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}
