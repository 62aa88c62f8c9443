//! The streams in which events wait for a worker.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;

use super::interrupted;
use super::layout::open_stream;
use crate::ClusterError;
use crate::config::ClusterConfig;

/// The most streams on a single server. When an event is taken out servers of 2.9 look for the next one of its partition, one
/// event after the other, so few partitions share a stream.
const MOST: u16 = 8;

/// The streams of events, each for some of the partitions.
#[derive(Clone, Debug)]
pub(crate) struct EventStreams {
    name: Box<str>,
    streams: Arc<[Stream]>,
}

impl EventStreams {
    /// How many a new cluster begins with. Several servers elect a leader for each stream, so they have one.
    pub(super) fn count(config: &ClusterConfig) -> u16 {
        if config.replicas > 1 {
            1
        } else {
            config.partitions.clamp(1, MOST)
        }
    }

    /// Opens so many, and creates those that do not exist.
    pub(super) async fn open(
        context: &jetstream::Context,
        name: &str,
        count: u16,
        config: &ClusterConfig,
    ) -> Result<Self, ClusterError> {
        let count = count.max(1);
        let streams =
            (0..count).map(|index| open_stream(context, stream(name, index, count, config)));
        Ok(Self {
            name: name.into(),
            streams: try_join_all(streams).await?.into(),
        })
    }

    /// Where the events of a partition are.
    pub(crate) fn of(&self, partition: u16) -> &Stream {
        &self.streams[self.index(partition)]
    }

    /// The subject of a partition's events.
    pub(crate) fn subject(&self, partition: u16) -> String {
        format!("{}.events.{}.{partition}", self.name, self.index(partition))
    }

    /// On how many servers each event is.
    pub(crate) fn replicas(&self) -> usize {
        self.of(0).cached_info().config.num_replicas
    }

    /// How many events wait or are being handled, of the partitions that have any.
    pub(crate) async fn waiting(&self) -> Result<BTreeMap<u16, u64>, ClusterError> {
        const FAILED: &str = "NATS could not be asked for the events that wait";
        let of_one = async |stream: &Stream| {
            let subjects = stream.info_with_subjects(format!("{}.events.>", self.name));
            let subjects = subjects.await.map_err(|error| interrupted(FAILED, error))?;
            let subjects: Vec<(String, usize)> = subjects
                .try_collect()
                .await
                .map_err(|error| interrupted(FAILED, error))?;
            Ok::<_, ClusterError>(subjects)
        };
        let all = try_join_all(self.streams.iter().map(of_one)).await?;
        Ok(all
            .into_iter()
            .flatten()
            .filter_map(|(subject, count)| {
                let partition = subject.rsplit('.').next()?.parse().ok()?;
                Some((partition, u64::try_from(count).unwrap_or(u64::MAX)))
            })
            .collect())
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> &[Stream] {
        &self.streams
    }

    fn index(&self, partition: u16) -> usize {
        usize::from(partition) % self.streams.len()
    }
}

/// One of so many streams.
fn stream(name: &str, index: u16, count: u16, config: &ClusterConfig) -> Config {
    // Each its part of the whole.
    let part = |limit: i64| limit.saturating_add(i64::from(count) - 1) / i64::from(count);
    Config {
        name: format!("{name}-events-{index}"),
        subjects: vec![format!("{name}.events.{index}.*")],
        // What was handled is deleted, and a full stream refuses: nothing is ever dropped unseen.
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_age: config.retention.max_age,
        max_bytes: part(config.retention.max_bytes),
        max_messages: part(config.retention.max_events),
        duplicate_window: config.retention.duplicate_window,
        storage: StorageType::File,
        num_replicas: config.replicas,
        allow_direct: true,
        ..Config::default()
    }
}
