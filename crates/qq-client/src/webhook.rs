//! Running a webhook: from its address to the lanes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use qq_model::{EventKind, Token};
use qq_webhook::{EventSink, RawEvent, Verifier, WebhookEvents, WebhookServer, WebhookService};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::BotError;
use crate::dispatch::{Ack, Delivery, Incoming, Intake};
use crate::error::ErrorKind;
use crate::health::Vitals;
use crate::shared::Shared;
use crate::wanted::Wanted;

/// How long requests that are being answered may take when the client stops.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Where a webhook listens.
#[derive(Clone, Debug)]
pub(crate) struct WebhookSettings {
    pub(crate) address: Box<str>,
    pub(crate) path: Box<str>,
    /// PEM files of the certificates and the key; plain HTTP without.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
}

/// Listens. Requests are answered by [`serve`], from then on. There are no events where they go to a sink of the user's.
pub(crate) async fn bind(
    settings: &WebhookSettings,
    sink: Option<Arc<dyn EventSink>>,
    token: &Token,
) -> Result<(WebhookServer, Option<WebhookEvents>), BotError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("the webhook cannot listen on {}", settings.address);
        BotError::with_source(ErrorKind::Configuration, message, error)
    };
    let verifier = Verifier::new(token).map_err(|error| failed(error.into()))?;
    let service = WebhookService::builder(verifier);
    let (service, events) = match sink {
        None => {
            let (service, events) = service.build();
            (service, Some(events))
        }
        Some(sink) => {
            let service = service.build_with_sink(move |event: RawEvent| {
                let sink = Arc::clone(&sink);
                async move { sink.accept(event).await }
            });
            (service, None)
        }
    };
    let mut server = WebhookServer::builder(service).path(&*settings.path);
    if let Some((certificates, key)) = &settings.tls {
        server = server.tls_files(certificates, key);
    }
    let server = server
        .bind(&*settings.address)
        .await
        .map_err(|error| failed(error.into()))?;
    Ok((server, events))
}

/// Answers requests until the client stops.
pub(crate) async fn serve(server: WebhookServer, stop: CancellationToken) {
    let handle = server.handle();
    let end = async {
        stop.cancelled().await;
        handle.stop(LAST_ANSWERS);
    };
    tokio::join!(server.run(), end);
}

/// The events of a webhook, in the order in which they were acknowledged. They end when its server has, so that every
/// one is handled.
pub(crate) struct WebhookIntake {
    pub(crate) events: WebhookEvents,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) wanted: Wanted,
}

impl Intake for WebhookIntake {
    async fn next(&mut self, place: &mut Box<Incoming>) -> bool {
        while let Some(event) = self.events.next_raw().await {
            let kind = event.name().parse::<EventKind>().ok();
            if kind.is_some_and(|kind| !self.shared.wants(self.wanted, kind)) {
                continue;
            }
            let delivery = Delivery::new(event.decode().dispatch, Instant::now());
            self.vitals.event(delivery.received_at);
            **place = Some((delivery, Ack::None));
            return true;
        }
        false
    }

    async fn meanwhile(&mut self) {
        std::future::pending::<()>().await;
    }

    async fn finish(self) {}
}
