//! Running a webhook: from its address to the lanes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use qq_model::Token;
use qq_webhook::{EventSink, RawEvent, Verifier, WebhookEvents, WebhookServer, WebhookService};
use tokio_util::sync::CancellationToken;

use crate::BotError;
use crate::dispatch::{Ack, Delivery, Pipeline};
use crate::error::ErrorKind;
use crate::status::Source;

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

/// A webhook that listens. Requests are answered from [`run`](Self::run) on.
pub(crate) struct WebhookRunner {
    server: WebhookServer,
    /// `None` where events go to a sink of the user's.
    events: Option<WebhookEvents>,
}

impl WebhookRunner {
    pub(crate) async fn bind(
        settings: &WebhookSettings,
        sink: Option<Arc<dyn EventSink>>,
        token: &Token,
    ) -> Result<Self, BotError> {
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
        Ok(Self { server, events })
    }

    /// Answers requests and hands out events until the client stops; then hands out what was acknowledged.
    pub(crate) async fn run(self, pipeline: Arc<Pipeline>, stop: CancellationToken) {
        let Self { server, events } = self;
        let handle = server.handle();
        let serve = async {
            let end = async {
                stop.cancelled().await;
                handle.stop(LAST_ANSWERS);
            };
            tokio::join!(server.run(), end);
        };
        let deliver = async {
            let Some(mut events) = events else { return };
            while let Some(event) = events.next().await {
                let delivery = Delivery::new(event.dispatch, Source::Webhook);
                if let Some(job) = pipeline.admit(delivery, Ack::None).await {
                    pipeline.executor.run_apart(job);
                }
            }
        };
        // The queue ends when the server has dropped its end.
        tokio::join!(serve, deliver);
    }
}
