//! `GET live`: messages and the bot's coming and going, as Server-Sent Events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::Refused;
use super::logs::after;
use crate::platform::{Platform, Stopping};

/// A comment is sent after this much silence, so that proxies keep the connection.
const PING: Duration = Duration::from_secs(15);
/// Items sent at once.
const BATCH: usize = 100;

pub(super) async fn live(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let feed = Feed {
        after: after(query.as_deref())?,
        sessions: None,
        changes: platform.changes(),
        stopping: platform.stopping(),
        platform,
        ready: VecDeque::new(),
    };
    let events = stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

struct Feed {
    platform: Arc<Platform>,
    after: u64,
    sessions: Option<usize>,
    changes: watch::Receiver<u64>,
    stopping: Stopping,
    ready: VecDeque<String>,
}

impl Feed {
    /// The next piece of the stream; `None` when the emulator stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.changes.mark_unchanged();
            self.look();
            if !self.ready.is_empty() {
                return Some(self.ready.drain(..).collect::<String>().into());
            }
            let changed = timeout(PING, self.changes.changed());
            tokio::select! {
                () = self.stopping.requested() => return None,
                changed = changed => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => return Some(Bytes::from_static(b": ping\n\n")),
                }
            }
        }
    }

    fn look(&mut self) {
        let Self {
            platform,
            after,
            sessions,
            ready,
            ..
        } = self;
        platform.read(|state| {
            if *after > state.timeline.last() {
                // Numbers start again after a reset.
                *after = 0;
            }
            for item in state.timeline.after(*after).take(BATCH) {
                *after = item.n;
                if let Ok(data) = serde_json::to_string(item) {
                    ready.push_back(format!("event: message\ndata: {data}\n\n"));
                }
            }
            let connected = state
                .gateway
                .sessions
                .values()
                .filter(|session| session.connection.is_some())
                .count();
            if sessions.replace(connected) != Some(connected) {
                let data = json!({"connected": connected > 0, "sessions": connected});
                ready.push_back(format!("event: session\ndata: {data}\n\n"));
            }
        });
    }
}
