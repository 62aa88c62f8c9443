//! Telling NATS what becomes of an event.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Client, Subject};
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use crate::nats::Pace;

/// How long an acknowledgement may take.
const ACK: Duration = Duration::from_secs(2);
/// After so long the conversation goes on without a confirmation: an acknowledgement that arrived, and whose answer got
/// lost, is never confirmed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where NATS is told what becomes of an event. When the event is delivered again, the address of the new delivery
/// replaces that of the old one: the consumer which that belonged to may be gone.
#[derive(Debug)]
pub(super) struct Receipt {
    client: Client,
    address: Mutex<Subject>,
}

impl Receipt {
    pub(super) const fn new(client: Client, address: Subject) -> Self {
        Self {
            client,
            address: Mutex::new(address),
        }
    }

    /// The event was delivered again.
    pub(super) fn renew(&self, address: Subject) {
        *self.lock() = address;
    }

    /// Acknowledges the event, again and again while NATS does not confirm it and it is not gone; whether it was acknowledged.
    ///
    /// The library's own call takes it for a confirmation when nobody listens.
    pub(super) async fn acknowledge<F: Future<Output = bool>>(
        &self,
        is_gone: impl Fn() -> F,
    ) -> bool {
        let end = Instant::now() + PATIENCE;
        let mut pace = Pace::new();
        loop {
            let address = self.lock().clone();
            let request = self.client.request(address, Bytes::from_static(b"+ACK"));
            match timeout(ACK, request).await {
                Ok(Ok(_)) => return true,
                Ok(Err(error)) => tracing::debug!(error = %error, "an event is acknowledged again"),
                Err(_) => tracing::debug!("an event is acknowledged again: no answer in time"),
            }
            // It may have arrived, and the confirmation got lost with the server or the consumer.
            if is_gone().await {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            pace.wait().await;
        }
    }

    /// Says that the event is under way, so that it is not delivered again.
    pub(super) async fn report_progress(&self) {
        let address = self.lock().clone();
        let progress = Bytes::from_static(b"+WPI");
        if let Err(error) = self.client.publish(address, progress).await {
            tracing::debug!(error = %error, "an event may be delivered again");
        }
    }

    /// Plain data that is whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, Subject> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
