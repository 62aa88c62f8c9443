//! Events that were put aside: read, put back, thrown away.

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{DeleteMessageErrorKind, RawMessageErrorKind};
use futures_util::StreamExt;
use tokio::time::{Duration, timeout};

use crate::cluster::Cluster;
use crate::nats::interrupted;
use crate::{ClusterError, ClusterErrorKind};

/// The header of an event that was put back, with the letter's id: whoever handles it may have begun it before.
pub(crate) const PUT_BACK: &str = "Put-Back";
/// How long a request for dead letters waits for more.
const LETTERS: Duration = Duration::from_secs(2);

/// An event that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// What it is called in [`Cluster::put_back`] and [`Cluster::discard`].
    pub id: u64,
    /// The partition it came from.
    pub partition: u16,
    /// Why it was put aside.
    pub reason: Box<str>,
    /// How often it was tried.
    pub attempts: u64,
    /// The envelope, as the platform sent it.
    pub envelope: Box<str>,
}

impl Cluster {
    /// The oldest events that were put aside, at most so many. They stay.
    ///
    /// # Errors
    ///
    /// As for [`members`](Self::members).
    pub async fn dead_letters(&self, at_most: usize) -> Result<Vec<DeadLetter>, ClusterError> {
        const FAILED: &str = "the dead letters cannot be read";
        let config = Config {
            ack_policy: AckPolicy::None,
            ..Config::default()
        };
        let consumer = self
            .layout()
            .dead
            .create_consumer(config)
            .await
            .map_err(|error| interrupted(FAILED, error))?;
        let mut messages = consumer
            .fetch()
            .max_messages(at_most.max(1))
            .messages()
            .await
            .map_err(|error| interrupted(FAILED, error))?;
        let mut letters = Vec::new();
        while let Ok(Some(message)) = timeout(LETTERS, messages.next()).await {
            let message = message.map_err(|error| interrupted(FAILED, error))?;
            let info = message.info().map_err(|error| interrupted(FAILED, error))?;
            let header = |name: &str| {
                let headers = message.headers.as_ref()?;
                headers.get(name).map(|value| value.as_str().to_owned())
            };
            letters.push(DeadLetter {
                id: info.stream_sequence,
                partition: partition_of(&message.subject).unwrap_or_default(),
                reason: header("Reason").unwrap_or_default().into(),
                attempts: header("Attempts")
                    .and_then(|count| count.parse().ok())
                    .unwrap_or_default(),
                envelope: String::from_utf8_lossy(&message.payload).into(),
            });
        }
        Ok(letters)
    }

    /// Gives a dead letter to the workers again, after those events of its conversation that wait already, and takes it off
    /// the dead letters. Answers that it has are not sent again. It is tried as often as a new one.
    ///
    /// ```no_run
    /// # async fn mended(cluster: &qq_cluster::Cluster) -> Result<(), qq_cluster::ClusterError> {
    /// for letter in cluster.dead_letters(100).await? {
    ///     println!("{}: {} ({} attempts)", letter.id, letter.reason, letter.attempts);
    ///     cluster.put_back(letter.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClusterErrorKind::NotFound`] when there is none of this id: it was put back before, thrown away, or is older than
    /// 30 days. [`ClusterErrorKind::Interrupted`] as for [`members`](Self::members); doing it again is safe for the time of
    /// [`duplicate_window`](crate::ClusterConfig::duplicate_window).
    pub async fn put_back(&self, id: u64) -> Result<(), ClusterError> {
        let layout = self.layout();
        let letter = match layout.dead.get_raw_message(id).await {
            Ok(letter) => letter,
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {
                return Err(not_found(id));
            }
            Err(error) => return Err(interrupted("a dead letter cannot be read", error)),
        };
        let Some(partition) = partition_of(&letter.subject) else {
            return Err(ClusterError::new(
                ClusterErrorKind::Corrupt,
                format!("the dead letter {id} names no partition"),
            ));
        };
        let mut headers = HeaderMap::new();
        let message_id = format!("b:{id}");
        headers.insert(PUT_BACK, message_id.as_str());
        let message = PublishMessage::build()
            .payload(letter.payload)
            .headers(headers);
        let message = layout.known_again(message, &message_id);
        let subject = layout.events.subject(partition);
        let result = async { layout.context.send_publish(subject, message).await?.await };
        result
            .await
            .map_err(|error: async_nats::jetstream::context::PublishError| {
                interrupted("NATS did not confirm an event", error)
            })?;
        match self.discard(id).await {
            // Somebody else put it back at the same time, and it is one all the same.
            Err(error) if error.kind() == ClusterErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Throws a dead letter away.
    ///
    /// # Errors
    ///
    /// As for [`put_back`](Self::put_back).
    pub async fn discard(&self, id: u64) -> Result<(), ClusterError> {
        match self.layout().dead.delete_message(id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_found(id)),
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(error)
                    if matches!(
                        error.error_code(),
                        ErrorCode::NO_MESSAGE_FOUND | ErrorCode::STREAM_MESSAGE_DELETE_FAILED
                    ) =>
                {
                    Err(not_found(id))
                }
                _ => Err(interrupted("a dead letter cannot be deleted", error)),
            },
        }
    }
}

fn partition_of(subject: &str) -> Option<u16> {
    subject.rsplit('.').next()?.parse().ok()
}

fn not_found(id: u64) -> ClusterError {
    ClusterError::new(
        ClusterErrorKind::NotFound,
        format!("there is no dead letter {id}"),
    )
}
