//! A cluster, seen from one of its processes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use qq_http::LimitStore;
use qq_model::Token;
use qq_model::id::AppId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::claims::{Record, holders};
use crate::config::ClusterConfig;
use crate::counters::Counters;
use crate::limits::ClusterLimits;
use crate::members::{Member, describe};
use crate::nats::{Connection, Layout, Pace, connect, interrupted};
use crate::tenure::Tenures;
use crate::{ClusterError, ClusterErrorKind};

/// How long servers that were just started, or lost one of them, may take to elect leaders.
const READY: Duration = Duration::from_secs(30);

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

/// What a process has done, since it connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

impl ClusterStats {
    fn plus(self, other: &Self) -> Self {
        Self {
            published: self.published + other.published,
            repeated: self.repeated + other.repeated,
            handled: self.handled + other.handled,
            redelivered: self.redelivered + other.redelivered,
            dead_letters: self.dead_letters + other.dead_letters,
            takeovers: self.takeovers + other.takeovers,
        }
    }
}

/// How the whole cluster stands: [`Cluster::overview`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// The processes that live.
    pub members: Vec<Member>,
    /// Every partition: who works on it, and how far behind.
    pub partitions: Vec<Partition>,
    /// The shards that are held.
    pub shards: Vec<HeldShard>,
    /// How many events wait, or are being handled.
    pub waiting: u64,
    /// How many events are put aside.
    pub dead_letters: u64,
    /// What the processes that live have done, together. What others did before they went is not in it.
    pub stats: ClusterStats,
}

impl Cluster {
    /// Connects to NATS, and opens the cluster's streams and buckets; those that do not exist are created. Servers that elect
    /// a leader are waited for, half a minute at most.
    ///
    /// # Errors
    ///
    /// See [`ClusterErrorKind`](crate::ClusterErrorKind): no server, wrong credentials, JetStream off, settings that cannot be used, streams or
    /// buckets that somebody else made, another bot's cluster, another cluster of this bot.
    pub async fn connect(config: ClusterConfig, token: &Token) -> Result<Self, ClusterError> {
        config.validate()?;
        let app_id = token.app_id();
        // Boxed, for it is the larger part of the future, which callers hold.
        let connection = Box::pin(connect(&config, &format!("qqbot-{app_id}"))).await?;
        let layout = Box::pin(open(&connection, &config, &app_id.to_string())).await?;
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
    /// [`ClusterErrorKind::Interrupted`](crate::ClusterErrorKind::Interrupted) when NATS does not answer in time. The same holds for the other questions.
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
        let waiting = layout.events.waiting().await?;
        let mut holders = self.living_holders("partition").await?;
        Ok((0..self.inner.config.partitions)
            .map(|number| Partition {
                number,
                holder: holders.remove(&number.into()).map(|record| record.member),
                waiting: waiting.get(&number).copied().unwrap_or_default(),
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

    /// How the whole cluster stands. The counts of other processes are up to a quarter of a lease old.
    ///
    /// ```no_run
    /// # async fn watch(cluster: &qq_cluster::Cluster) -> Result<(), qq_cluster::ClusterError> {
    /// let overview = cluster.overview().await?;
    /// for member in &overview.members {
    ///     println!("{}: {} shards, {} partitions, {} handled", member.host, member.shards, member.partitions, member.stats.handled);
    /// }
    /// for partition in overview.partitions.iter().filter(|partition| partition.waiting > 0) {
    ///     println!("partition {} is {} events behind", partition.number, partition.waiting);
    /// }
    /// println!("{} dead letters, {} takeovers", overview.dead_letters, overview.stats.takeovers);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`members`](Self::members).
    pub async fn overview(&self) -> Result<Overview, ClusterError> {
        let members = self.members().await?;
        let partitions = self.partitions().await?;
        let dead =
            self.layout().dead.get_info().await.map_err(|error| {
                interrupted("NATS could not be asked for the dead letters", error)
            })?;
        Ok(Overview {
            shards: self.shards().await?,
            waiting: partitions.iter().map(|partition| partition.waiting).sum(),
            dead_letters: dead.state.messages,
            stats: members.iter().fold(ClusterStats::default(), |sum, member| {
                sum.plus(&member.stats)
            }),
            members,
            partitions,
        })
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
    #[must_use]
    pub fn limit_store(&self) -> impl LimitStore + use<> {
        self.inner.limits.clone()
    }

    /// Makes sure that no other cluster of this bot runs on this NATS.
    pub(crate) async fn enrol(&self) -> Result<(), ClusterError> {
        let app_id = self.inner.app_id.to_string();
        self.inner.layout.enrolment(&app_id).enrol().await
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

/// Opens the streams and buckets, again while NATS is not ready.
async fn open(
    connection: &Connection,
    config: &ClusterConfig,
    app_id: &str,
) -> Result<Layout, ClusterError> {
    let end = Instant::now() + READY;
    let mut pace = Pace::new();
    loop {
        let opened = async {
            let layout = Layout::open(connection.clone(), config, app_id).await?;
            layout.enrolment(app_id).enrol().await?;
            Ok::<_, ClusterError>(layout)
        };
        let error = match opened.await {
            Err(error) if error.is_retryable() => error,
            result => return result,
        };
        if Instant::now() >= end {
            return Err(ClusterError::with_source(
                ClusterErrorKind::NotReady,
                format!("NATS was not ready within {READY:?}: are enough of its servers up?"),
                error,
            ));
        }
        tracing::debug!(error = ?error, "NATS is not ready yet");
        pace.wait().await;
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
