//! The streams and buckets of a cluster: created when absent, never altered.

use std::time::Duration;

use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind,
};
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, ErrorCode};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::events::EventStreams;
use super::{Bucket, Connection, interrupted};
use crate::config::ClusterConfig;
use crate::rival::Enrolment;
use crate::{ClusterError, ClusterErrorKind};

/// The layout that this version reads and writes.
const VERSION: u32 = 1;
/// The longest window in which the platform takes answers, and a little more.
const LEDGER_AGE: Duration = Duration::from_secs(65 * 60);
/// How far apart two sessions of one slot are opened: five seconds, as the platform says, and a little more.
pub(crate) const BRIEF_AGE: Duration = Duration::from_millis(5_500);

/// How long NATS knows a repeated write to a bucket again.
const DUPLICATES: Duration = Duration::from_secs(120);

/// The streams and buckets of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) name: Box<str>,
    pub(crate) context: jetstream::Context,
    /// Changes whenever the connection was made again.
    pub(crate) made: watch::Receiver<()>,
    /// Events that wait for a worker.
    pub(crate) events: EventStreams,
    /// Whether NATS knows events again that are published twice.
    ///
    /// Where several servers keep the stream, those before 2.10.14 each decide it for themselves, and one that starts again
    /// has forgotten the events that were deleted because they were handled: it takes what the others drop, counts on
    /// otherwise than they, and events get lost. Workers know repeats, too; see [`Recent`](crate::worker::Recent).
    pub(crate) drops_repeats: bool,
    /// Events that nobody could handle: `<name>.dead.<partition>`.
    pub(crate) dead: Stream,
    /// The processes that live; an entry that is not renewed vanishes.
    pub(crate) members: Bucket,
    /// Who has which shard and partition, and how much of each rate limit.
    pub(crate) claims: Bucket,
    /// Sessions, the access token, the quota.
    pub(crate) state: Bucket,
    /// What was answered, and what was handled.
    pub(crate) ledger: Bucket,
    /// What lasts for some five seconds unless it is renewed: sessions that were just opened, who fetches a token.
    pub(crate) brief: Bucket,
    /// Which cluster runs which bot, for all clusters of this NATS.
    pub(crate) registry: Bucket,
    /// Which events were handled, where that is kept.
    pub(crate) handled: Option<Bucket>,
}

/// The bucket that all clusters share.
const REGISTRY: &str = "qqbot-registry";

/// What all processes of a cluster must agree on.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    version: u32,
    app_id: String,
    partitions: u16,
    /// How many streams of events there are: whoever came first says so.
    streams: u16,
}

impl Layout {
    /// Opens what exists, creates what does not.
    pub(crate) async fn open(
        connection: Connection,
        config: &ClusterConfig,
        app_id: &str,
    ) -> Result<Self, ClusterError> {
        // So many requests in one future make it large.
        Box::pin(Self::open_all(connection, config, app_id)).await
    }

    async fn open_all(
        connection: Connection,
        config: &ClusterConfig,
        app_id: &str,
    ) -> Result<Self, ClusterError> {
        let Connection { context, made } = connection;
        let name: Box<str> = match &config.name {
            Some(name) => name.clone(),
            None => format!("qqbot-{app_id}").into(),
        };
        let registry = bucket_stream(REGISTRY, None, config.replicas);
        let registry = open_bucket(&context, REGISTRY.to_owned(), registry).await?;
        // From this version on nothing of what is done for older servers is needed.
        let is_new = is_newer(&context.client().server_info().version, (2, 10, 14));
        let registry = Bucket::exact(registry, is_new);
        let enrolment = Enrolment {
            context: &context,
            registry: &registry,
            name: &name,
            app_id,
        };
        enrolment.check().await?;
        let bucket = |kind: &'static str, max_age| {
            let name = format!("{name}-{kind}");
            let stream = bucket_stream(&name, max_age, config.replicas);
            open_bucket(&context, name, stream)
        };
        let state = Bucket::new(bucket("state", None).await?);
        let streams = agree(&state, &name, config, app_id).await?;
        let events = EventStreams::open(&context, &name, streams, config).await?;
        let dead = open_stream(&context, dead_letters(&name, config)).await?;
        Ok(Self {
            drops_repeats: events.replicas() <= 1 || is_new,
            members: Bucket::new(bucket("members", Some(config.lease)).await?),
            claims: Bucket::exact(bucket("claims", None).await?, is_new),
            state,
            ledger: Bucket::new(bucket("ledger", Some(LEDGER_AGE)).await?),
            brief: Bucket::new(bucket("brief", Some(BRIEF_AGE)).await?),
            handled: match config.remember_handled {
                Some(age) => Some(Bucket::new(bucket("handled", Some(age)).await?)),
                None => None,
            },
            registry,
            events,
            dead,
            made,
            context: context.clone(),
            name: name.clone(),
        })
    }

    /// Where this cluster is enrolled as the one of its bot.
    pub(crate) fn enrolment<'a>(&'a self, app_id: &'a str) -> Enrolment<'a> {
        Enrolment {
            context: &self.context,
            registry: &self.registry,
            name: &self.name,
            app_id,
        }
    }

    /// An event under the name that NATS knows it again by, where it does.
    pub(crate) fn known_again(&self, event: PublishMessage, message_id: &str) -> PublishMessage {
        if self.drops_repeats {
            event.message_id(message_id)
        } else {
            event
        }
    }

    /// The subject of a partition's dead letters.
    pub(crate) fn dead_of(&self, partition: u16) -> String {
        format!("{}.dead.{partition}", self.name)
    }
}

/// Writes down what the processes must agree on, or compares it; how many streams of events there are.
async fn agree(
    state: &Bucket,
    name: &str,
    config: &ClusterConfig,
    app_id: &str,
) -> Result<u16, ClusterError> {
    let mine = Agreement {
        version: VERSION,
        app_id: app_id.to_owned(),
        partitions: config.partitions,
        streams: EventStreams::count(config),
    };
    match state.create("agreement", &mine).await {
        Ok(_) => return Ok(mine.streams),
        Err(error) if error.kind() == ClusterErrorKind::Conflict => {}
        Err(error) => return Err(error),
    }
    let theirs: Agreement = state
        .load("agreement")
        .await?
        .ok_or_else(|| {
            ClusterError::new(ClusterErrorKind::Conflict, "the cluster is being deleted")
        })?
        .value;
    let differs = |what: &str, theirs: &dyn std::fmt::Display, mine: &dyn std::fmt::Display| {
        Err(ClusterError::new(
            ClusterErrorKind::Mismatch,
            format!("the cluster {name} has {what} {theirs}, this process {mine}"),
        ))
    };
    if theirs.version != mine.version {
        return differs("the layout", &theirs.version, &mine.version);
    }
    if theirs.app_id != mine.app_id {
        return differs("the app id", &theirs.app_id, &mine.app_id);
    }
    if theirs.partitions != mine.partitions {
        return differs("partitions:", &theirs.partitions, &mine.partitions);
    }
    Ok(theirs.streams)
}

fn dead_letters(name: &str, config: &ClusterConfig) -> stream::Config {
    stream::Config {
        name: format!("{name}-dead"),
        subjects: vec![format!("{name}.dead.*")],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_age: Duration::from_secs(30 * 24 * 60 * 60),
        max_bytes: 64 << 20,
        storage: StorageType::File,
        num_replicas: config.replicas,
        ..stream::Config::default()
    }
}

/// Whether a server is of this version or a newer one.
fn is_newer(version: &str, than: (u64, u64, u64)) -> bool {
    let mut numbers = version
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    (next(), next(), next()) >= than
}

pub(super) async fn open_stream(
    context: &jetstream::Context,
    wanted: stream::Config,
) -> Result<Stream, ClusterError> {
    let name = wanted.name.clone();
    let found = match context.get_stream(&name).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
        {
            match context.create_stream(wanted.clone()).await {
                Ok(stream) => stream,
                // Another process was faster, perhaps with other limits. A server that is just creating it speaks of its subjects.
                Err(error) if matches!(error.kind(), CreateStreamErrorKind::JetStream(error) if matches!(error.error_code(), ErrorCode::STREAM_NAME_EXIST | ErrorCode::STREAM_SUBJECT_OVERLAP)) => {
                    match context.get_stream(&name).await {
                        Ok(stream) => stream,
                        Err(missing) if matches!(missing.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
                        {
                            return Err(not_created(&name, error));
                        }
                        Err(error) => return Err(interrupted("a stream cannot be opened", error)),
                    }
                }
                Err(error) if is_for_now(&error) => {
                    return Err(interrupted("a stream cannot be created yet", error));
                }
                Err(error) => return Err(not_created(&name, error)),
            }
        }
        Err(error) => return Err(interrupted("a stream cannot be opened", error)),
    };
    let config = &found.cached_info().config;
    let foreign = |field: &str| {
        Err(ClusterError::new(
            ClusterErrorKind::ForeignLayout,
            format!(
                "the stream {name} exists with other {field}; choose another name or delete it"
            ),
        ))
    };
    if config.subjects != wanted.subjects {
        return foreign("subjects");
    }
    if config.retention != wanted.retention {
        return foreign("retention");
    }
    if config.discard != wanted.discard {
        return foreign("discard policy");
    }
    Ok(found)
}

/// Opens a key-value bucket. It is made as a stream, because the library's own call asks older servers for what they do
/// not tell.
async fn open_bucket(
    context: &jetstream::Context,
    name: String,
    wanted: stream::Config,
) -> Result<Store, ClusterError> {
    let found = open_stream(context, wanted.clone()).await?;
    let config = &found.cached_info().config;
    if config.max_age != wanted.max_age
        || config.max_messages_per_subject != wanted.max_messages_per_subject
    {
        return Err(ClusterError::new(
            ClusterErrorKind::ForeignLayout,
            format!(
                "the bucket {name} exists with an age of {:?} and {} values to a key instead of {:?} and {}; give all processes \
                 the same lease, choose another name or delete the bucket",
                config.max_age,
                config.max_messages_per_subject,
                wanted.max_age,
                wanted.max_messages_per_subject
            ),
        ));
    }
    let store = context.get_key_value(&name).await;
    store.map_err(|error| interrupted("a bucket cannot be opened", error))
}

/// The stream of a key-value bucket, as NATS's clients agree on it.
fn bucket_stream(name: &str, max_age: Option<Duration>, replicas: usize) -> stream::Config {
    stream::Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        max_age: max_age.unwrap_or_default(),
        duplicate_window: max_age.map_or(DUPLICATES, |age| age.min(DUPLICATES)),
        storage: StorageType::File,
        num_replicas: replicas,
        allow_rollup: true,
        // A process that leaves takes its entry with it, and leaves no marker behind.
        deny_delete: false,
        // Any server answers such a question, and those that follow are behind.
        allow_direct: replicas == 1,
        ..stream::Config::default()
    }
}

/// Whether the servers have no leader at the moment.
fn is_for_now(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::JetStreamUnavailable => true,
        CreateStreamErrorKind::JetStream(error) => {
            // Service unavailable; but what has run out does not come back by itself.
            error.code() == 503 && error.error_code() != ErrorCode::INSUFFICIENT_RESOURCES
        }
        _ => false,
    }
}

fn not_created(
    name: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ClusterError {
    ClusterError::with_source(
        ClusterErrorKind::Configuration,
        format!(
            "{name} cannot be created: NATS lacks storage or replicas for it, or the credentials lack the permission"
        ),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, is_new) in [
            ("2.9.10", false),
            ("2.10.13", false),
            ("2.10.14", true),
            ("2.10.14-RC.1", true),
            ("2.11.0", true),
            ("3.0", true),
            ("", false),
        ] {
            assert_eq!(is_newer(version, (2, 10, 14)), is_new, "{version}");
        }
    }
}
