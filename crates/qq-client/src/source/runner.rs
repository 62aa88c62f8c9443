//! Running a source: from its events to the pipeline.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{EventSource, SourceItem};
use crate::BotError;
use crate::dispatch::{Ack, Delivery, Incoming, Intake, Pipeline};
use crate::shared::Shared;
use crate::status::{Phase, Source};
use crate::stop::Stop;

/// One source while it runs.
pub(crate) struct SourceIntake {
    pub(crate) source: Box<dyn EventSource>,
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) is_connected: bool,
    /// Told when the source has failed for good.
    pub(crate) failed: mpsc::Sender<BotError>,
    pub(crate) stop: Stop,
    pub(crate) stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Counted as open as long as this is there.
    pub(crate) open: TaskTrackerToken,
}

impl Intake for SourceIntake {
    async fn next(&mut self, place: &mut Box<Incoming>) -> bool {
        while !self.stop.is_set() {
            let item = tokio::select! {
                biased;
                item = self.source.next() => item,
                () = &mut self.stopped => return false,
            };
            match item {
                Some(SourceItem::Event(event)) => {
                    self.set_connected();
                    let mut delivery = Delivery::new(event.dispatch, Instant::now());
                    delivery.is_redelivered = event.deliveries_before > 0;
                    let ack = event.acknowledgement.map_or(Ack::None, Ack::Source);
                    **place = Some((delivery, ack));
                    return true;
                }
                Some(SourceItem::Connected) => self.set_connected(),
                Some(SourceItem::Interrupted(error)) => {
                    self.set_phase(Phase::Interrupted(error.to_string().into()));
                    self.pipeline.executor.report(error);
                }
                Some(SourceItem::Failed(error)) => {
                    self.set_phase(Phase::Interrupted(error.to_string().into()));
                    // Nobody to tell means that another source was first, or the client stops.
                    let _ = self.failed.try_send(error);
                    return false;
                }
                None => {
                    let name = self.source.name();
                    self.set_phase(Phase::Interrupted(format!("{name} has ended").into()));
                    return false;
                }
            }
        }
        false
    }

    async fn meanwhile(&mut self) {
        std::future::pending::<()>().await;
    }

    async fn finish(mut self) {
        self.source.close().await;
        drop(self.open);
    }
}

impl SourceIntake {
    fn set_connected(&mut self) {
        if !self.is_connected {
            self.set_phase(Phase::Connected);
            self.is_connected = true;
        }
    }

    fn set_phase(&mut self, phase: Phase) {
        self.is_connected = false;
        self.shared.set_phase(Source::Other(self.index), phase);
    }
}
