//! The consumer of a partition. Each holder has its own: with a new one every event that is left comes again, in order,
//! and what an earlier holder still acknowledges goes to a consumer that no longer exists.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use futures_util::TryStreamExt;

use crate::claims::Claim;
use crate::nats::{Layout, interrupted};
use crate::{ClusterError, ClusterErrorKind};

/// After how long an event that was neither acknowledged nor reported as under way is delivered again.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long one request for events stays open, and how soon a server that has gone is noticed.
const EXPIRES: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Replaces the consumer of a partition, and asks it for events.
pub(crate) async fn open(
    layout: &Layout,
    claim: &Claim,
    partition: u16,
    in_flight: usize,
) -> Result<Stream, ClusterError> {
    let name = format!("p{partition}-{}", claim.epoch);
    remove_earlier(layout, partition, claim.epoch).await?;
    let config = Config {
        durable_name: Some(name),
        ack_policy: AckPolicy::Explicit,
        // The retention of the stream allows no other.
        deliver_policy: DeliverPolicy::All,
        ack_wait: ACK_WAIT,
        max_ack_pending: i64::try_from(in_flight).unwrap_or(i64::MAX),
        filter_subject: layout.events_of(partition),
        ..Config::default()
    };
    let consumer = layout
        .events
        .create_consumer(config)
        .await
        .map_err(|error| interrupted("the consumer of a partition cannot be created", error))?;
    consumer
        .stream()
        .max_messages_per_batch(in_flight.max(1))
        .expires(EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await
        .map_err(|error| interrupted("the events of a partition cannot be asked for", error))
}

/// Deletes the consumers that earlier holders left, so that nobody but this one is sent events.
///
/// # Errors
///
/// A conflict, when a later holder has one by now.
async fn remove_earlier(layout: &Layout, partition: u16, epoch: u64) -> Result<(), ClusterError> {
    let prefix = format!("p{partition}-");
    let mut names = layout.events.consumer_names();
    while let Some(name) = names
        .try_next()
        .await
        .map_err(|error| interrupted("the consumers cannot be listed", error))?
    {
        let Some(other) = name
            .strip_prefix(&prefix)
            .and_then(|other| other.parse::<u64>().ok())
        else {
            continue;
        };
        if other > epoch {
            return Err(ClusterError::new(
                ClusterErrorKind::Conflict,
                format!("partition {partition} has another holder"),
            ));
        }
        if other < epoch {
            layout
                .events
                .delete_consumer(&name)
                .await
                .map_err(|error| {
                    interrupted("the consumer of an earlier holder cannot be deleted", error)
                })?;
        }
    }
    Ok(())
}
