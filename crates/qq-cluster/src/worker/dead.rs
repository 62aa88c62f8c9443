//! Events that nobody could handle.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;

use super::stored::StoredId;
use crate::ClusterError;
use crate::nats::{Layout, interrupted};

/// Puts an event aside, with the reason and the number of attempts in its headers. Doing it twice leaves one.
pub(crate) async fn bury(
    layout: &Layout,
    partition: u16,
    id: StoredId,
    envelope: Bytes,
    attempts: u64,
    reason: &str,
) -> Result<(), ClusterError> {
    let mut headers = HeaderMap::new();
    // A header is one line.
    let line: String = reason
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(500)
        .collect();
    headers.insert("Reason", line);
    headers.insert("Attempts", attempts.to_string());
    let message = PublishMessage::build()
        .payload(envelope)
        .headers(headers)
        .message_id(format!("{}.{partition}.{id}", layout.name));
    let subject = layout.dead_of(partition);
    let result = async { layout.context.send_publish(subject, message).await?.await };
    result
        .await
        .map_err(|error: async_nats::jetstream::context::PublishError| {
            interrupted("NATS did not confirm a dead letter", error)
        })?;
    tracing::error!(partition, attempts, reason, "an event was put aside");
    Ok(())
}
