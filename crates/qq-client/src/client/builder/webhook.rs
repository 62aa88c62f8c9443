//! Events by webhook.

use std::path::PathBuf;
use std::sync::Arc;

use qq_webhook::EventSink;

use super::ClientBuilder;
use crate::webhook::WebhookSettings;

impl<H> ClientBuilder<H> {
    /// Takes events by webhook: listens on this address (`127.0.0.1:8080`) for callbacks to this path (`/qqbot`).
    ///
    /// Plain HTTP, for behind a proxy that speaks HTTPS with the platform; see
    /// [`webhook_tls_files`](Self::webhook_tls_files). The platform delivers either by webhook or by gateway, as the
    /// console says, so the gateway is left alone unless [`gateway`](Self::gateway) switches it on again: with both,
    /// a bot can move from one to the other, and no event is handled twice.
    #[must_use]
    pub fn webhook(mut self, address: impl Into<Box<str>>, path: impl Into<Box<str>>) -> Self {
        self.settings.webhook = Some(WebhookSettings {
            address: address.into(),
            path: path.into(),
            tls: None,
        });
        self.settings.has_gateway = false;
        self
    }

    /// Speaks TLS at the address of [`webhook`](Self::webhook), with the certificates and the private key of these PEM
    /// files. They are read again when they change.
    #[must_use]
    pub fn webhook_tls_files(
        mut self,
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        if let Some(webhook) = &mut self.settings.webhook {
            webhook.tls = Some((certificates.into(), key.into()));
        }
        self
    }

    /// Gives the events of [`webhook`](Self::webhook) to this sink, in place of the handlers: each is acknowledged to the
    /// platform when the sink has taken it. For a broker, whose other end is an
    /// [`event_source`](Self::event_source) of this client or of another.
    #[must_use]
    pub fn webhook_sink(mut self, sink: impl EventSink) -> Self {
        self.settings.webhook_sink = Some(Arc::new(sink));
        self
    }
}
