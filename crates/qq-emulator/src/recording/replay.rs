//! Plays the events of a recording again.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::Recording;
use crate::platform::{FOREVER, Platform};
use crate::server::Guard;
use crate::speech;

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ReplaySpeed {
    /// So many times as fast as it was recorded; 1 is as fast.
    Times(f64),
    /// Without pauses.
    Max,
}

/// How far a recording has been played; `GET replay`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReplayView {
    /// Events of the recording.
    pub events: usize,
    /// Events pushed so far.
    pub played: usize,
}

/// Pushes every event once a bot is there, with the recorded pauses between them.
pub(crate) async fn play(
    platform: Arc<Platform>,
    recording: Recording,
    speed: ReplaySpeed,
    _guard: Guard,
) {
    let mut stopping = platform.stopping();
    let there = platform.wait_for(FOREVER, |state| {
        let mut sessions = state.gateway.sessions.values();
        let ready = sessions.any(|session| session.connection.is_some());
        (ready || !state.webhooks.is_empty()).then_some(())
    });
    tokio::select! {
        () = stopping.requested() => return,
        _ = there => {}
    }
    let begun = Instant::now();
    let first = recording.events.first().map_or(0, |event| event.at);
    for event in recording.events {
        let after = Duration::from_millis(event.at.saturating_sub(first));
        if let ReplaySpeed::Times(times) = speed {
            let after = Duration::try_from_secs_f64(after.as_secs_f64() / times);
            let at = begun + after.unwrap_or(FOREVER).min(FOREVER);
            tokio::select! {
                () = stopping.requested() => return,
                () = sleep_until(at) => {}
            }
        }
        platform.wait_for_backlog().await;
        platform.update(|state| {
            speech::push_event(state, &event.name, event.id, &event.d, None);
            state.replay.played += 1;
        });
    }
}
