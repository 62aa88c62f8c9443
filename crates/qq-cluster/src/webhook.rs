//! Webhooks as receivers: a callback is acknowledged to the platform when NATS has its event.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qq_model::id::AppId;
use qq_webhook::{AcceptFuture, Error, EventSink, RawEvent};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::cluster::Cluster;
use crate::counters::Counters;
use crate::nats::{Layout, Pace};
use crate::partition::{Place, message_id};
use crate::receiver::{Parcel, Stored};
use crate::{ClusterError, ClusterErrorKind};

/// How long an event may take to be stored: a little less than a
/// [`WebhookService`](qq_webhook::WebhookService) waits, so that the reason of a refusal is known.
const ACCEPT: Duration = Duration::from_millis(2_500);
/// How many events may be on their way to NATS at a time.
const DOORS: usize = 1024;

/// The events of a cluster, as the place where a webhook's events go: [`Cluster::webhook_sink`].
///
/// An event is acknowledged to the platform after NATS has confirmed it. While NATS is away the answer is 503, and the
/// platform sends the event again, to this process or to another: repeats are known by the id of the message, or of the
/// event, whichever process stored it first. Events of a conversation are stored in the order in which they came.
///
/// A client does all of this by itself when it has both a webhook and a cluster. This is for a web server of one's own:
///
/// ```no_run
/// use qq_cluster::{Cluster, ClusterConfig};
/// use qq_model::Token;
/// use qq_webhook::{Verifier, WebhookServer, WebhookService};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let token = Token::from_env()?;
/// let cluster = Cluster::connect(ClusterConfig::new("nats://127.0.0.1:4222"), &token).await?;
/// let service = WebhookService::builder(Verifier::new(&token)?).build_with_sink(cluster.webhook_sink());
/// WebhookServer::builder(service).path("/qqbot").bind("127.0.0.1:8080").await?.run().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClusterSink {
    inner: Arc<Inner>,
}

struct Inner {
    app_id: AppId,
    layout: Layout,
    counters: Arc<Counters>,
    partitions: u16,
    /// Each for some of the conversations. Of the events of a conversation one is on its way at a time: were there two, and
    /// the first got lost, the second would overtake it.
    doors: Box<[Semaphore]>,
}

impl Cluster {
    /// Where the events of webhooks go, so that the cluster's workers handle them.
    #[must_use]
    pub fn webhook_sink(&self) -> ClusterSink {
        ClusterSink {
            inner: Arc::new(Inner {
                partitions: self.config().partitions,
                app_id: self.app_id().clone(),
                layout: self.layout().clone(),
                counters: Arc::clone(self.counters()),
                doors: (0..DOORS).map(|_| Semaphore::new(1)).collect(),
            }),
        }
    }
}

impl Inner {
    fn door(&self, lane: u64) -> &Semaphore {
        let index = usize::try_from(lane % DOORS as u64).unwrap_or_default();
        &self.doors[index]
    }

    async fn store(&self, event: RawEvent) -> Result<Stored, ClusterError> {
        if *event.app_id() != self.app_id {
            return Err(ClusterError::new(
                ClusterErrorKind::Mismatch,
                format!(
                    "the event is for the app id {}, the cluster {} is of {}",
                    event.app_id(),
                    self.layout.name,
                    self.app_id
                ),
            ));
        }
        let end = Instant::now() + ACCEPT;
        let dispatch = event.decode().dispatch;
        let place = Place::of(&dispatch, self.partitions);
        let parcel = Parcel {
            place,
            message_id: message_id(&dispatch),
            envelope: event.body().clone(),
            sequence: None,
        };
        let mut last = None;
        let store = async {
            // Whoever comes first is let in first. The doors are never closed.
            let _door = self.door(place.lane).acquire().await;
            let mut pace = Pace::new();
            loop {
                match parcel.publish(&self.layout).await {
                    Err(error) if error.kind() == ClusterErrorKind::Interrupted => {
                        last = Some(error);
                        pace.wait().await;
                    }
                    result => return result,
                }
            }
        };
        let result = timeout_at(end, store).await;
        match result {
            Ok(result) => result,
            Err(_) => Err(last.unwrap_or_else(|| {
                ClusterError::new(
                    ClusterErrorKind::Interrupted,
                    "NATS did not confirm an event in time",
                )
            })),
        }
    }
}

impl EventSink for ClusterSink {
    fn accept(&self, event: RawEvent) -> AcceptFuture<'_> {
        Box::pin(async move {
            match self.inner.store(event).await {
                Ok(stored) => {
                    stored.count(&self.inner.counters);
                    Ok(())
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "an event was left to the platform");
                    Err(Error::not_accepted(error))
                }
            }
        })
    }
}

impl fmt::Debug for ClusterSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterSink")
            .field("name", &self.inner.layout.name)
            .finish_non_exhaustive()
    }
}
