//! `GET feed`: everything that happens, as Server-Sent Events that can be taken up again.
//!
//! The id of the last event of each piece names the place in every log, so that a client that
//! comes back with it, as `from` or as `Last-Event-ID`, misses nothing and gets nothing twice. A
//! place that is not known any more begins anew.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::error::Refused;
use super::shown;
use crate::clock::rfc3339_millis;
use crate::faults::FaultView;
use crate::feed::Signal;
use crate::gateway::Session;
use crate::platform::{Platform, State, Stopping};

/// A comment is sent after this much silence, so that proxies keep the connection.
const PING: Duration = Duration::from_secs(15);
/// Changes are gathered for so long: a flood makes pieces larger, not more.
const PACE: Duration = Duration::from_millis(25);
/// The sessions' numbers are told again after this while.
const SESSIONS_PACE: Duration = Duration::from_secs(1);
/// Entries of one log in one piece.
const BATCH: usize = 200;
/// Who lags further behind in calls or frames skips the oldest of them.
const MOST_BEHIND: u64 = 500;

/// The place in every log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cursor {
    begun: u64,
    messages: u64,
    signals: u64,
    requests: u64,
    frames: u64,
    violations: u64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('-').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            begun: next()?,
            messages: next()?,
            signals: next()?,
            requests: next()?,
            frames: next()?,
            violations: next()?,
        })
    }

    fn text(self) -> String {
        let Self {
            begun,
            messages,
            signals,
            requests,
            frames,
            violations,
        } = self;
        format!("{begun}-{messages}-{signals}-{requests}-{frames}-{violations}")
    }
}

pub(super) async fn feed(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let named = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let pairs = crate::rest::query(query.as_deref().unwrap_or_default());
    if let Some((name, _)) = pairs.iter().find(|(name, _)| name != "from") {
        return Err(Refused::because(format!(
            "{name}: unknown; this call takes from"
        )));
    }
    let from = named.or_else(|| pairs.into_iter().next().map(|(_, value)| value));
    let cursor = match from.as_deref() {
        None | Some("") => Cursor::default(),
        Some(text) => Cursor::parse(text)
            .ok_or_else(|| Refused::because("from: give the id of the last event you have"))?,
    };
    let feed = Feed {
        cursor,
        old: 0,
        greeted: false,
        sessions: (String::new(), 0, Instant::now()),
        skipped: None,
        faults: Vec::new(),
        changes: platform.changes(),
        stopping: platform.stopping(),
        platform,
        paused: false,
    };
    let events = stream::unfold(feed, |mut feed| async move {
        let piece = feed.next().await?;
        Some((Ok::<_, Infallible>(piece), feed))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

struct Feed {
    platform: Arc<Platform>,
    cursor: Cursor,
    /// Signals up to this one are from before the client came.
    old: u64,
    /// Whether the client knows where it is.
    greeted: bool,
    /// Who is connected, the sum of the sequence numbers, and when that was told.
    sessions: (String, u64, Instant),
    /// By how much the clock was moved, as told.
    skipped: Option<u64>,
    faults: Vec<FaultView>,
    changes: watch::Receiver<u64>,
    stopping: Stopping,
    /// Something was sent just now.
    paused: bool,
}

/// The events of one piece.
#[derive(Default)]
struct Piece {
    text: String,
    /// Where the last event begins.
    last: usize,
}

impl Piece {
    fn add(&mut self, name: &str, data: &str) {
        self.last = self.text.len();
        // Writing into a String cannot fail.
        let _ = write!(self.text, "event: {name}\ndata: {data}\n\n");
    }

    fn value(&mut self, name: &str, value: &impl Serialize) {
        if let Ok(data) = serde_json::to_string(value) {
            self.add(name, &data);
        }
    }
}

impl Feed {
    /// The next piece of the stream; `None` when the emulator stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if std::mem::take(&mut self.paused) {
                tokio::select! {
                    () = self.stopping.requested() => return None,
                    () = sleep(PACE) => {}
                }
            }
            self.changes.mark_unchanged();
            let mut piece = self.look();
            if !piece.text.is_empty() {
                let id = format!("id: {}\n", self.cursor.text());
                piece.text.insert_str(piece.last, &id);
                self.paused = true;
                return Some(piece.text.into());
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

    fn look(&mut self) -> Piece {
        let platform = Arc::clone(&self.platform);
        platform.read(|state| {
            let mut piece = Piece::default();
            self.greet(state, &mut piece);
            self.messages(state, &mut piece);
            self.traffic(state, &mut piece);
            self.present(state, &mut piece);
            piece
        })
    }

    /// Says first whether the client is where it believes to be.
    fn greet(&mut self, state: &State, piece: &mut Piece) {
        let feed = &state.feed;
        let known = self.cursor.begun == feed.begun
            && self.cursor.signals + 1 >= feed.signals.first()
            && self.cursor.signals <= feed.signals.last();
        if !known {
            self.cursor = Cursor {
                begun: feed.begun,
                signals: feed.signals.first() - 1,
                ..Cursor::default()
            };
            self.old = feed.signals.last();
            self.skipped = None;
            self.sessions.0.clear();
        }
        if !(known && self.greeted) {
            self.greeted = true;
            let begin = json!({
                "resumed": known,
                "version": env!("CARGO_PKG_VERSION"),
                "last": state.timeline.last(),
            });
            piece.value("begin", &begin);
        }
    }

    /// What was said, and what became of it.
    fn messages(&mut self, state: &State, piece: &mut Piece) {
        for item in state.timeline.after(self.cursor.messages).take(BATCH) {
            self.cursor.messages = item.n;
            if let Some(data) = shown::message(state, item) {
                piece.add("message", &data);
            }
        }
        let mut told = HashSet::new();
        let signals = state.feed.signals.after(self.cursor.signals).take(BATCH);
        for signal in signals {
            self.cursor.signals += 1;
            match signal {
                Signal::Message(id) if told.insert(id) => {
                    let item = state.timeline.find(|item| item.message_id == *id);
                    // One that has not been told yet comes by itself.
                    let item = item.filter(|item| item.n <= self.cursor.messages);
                    if let Some(data) = item.and_then(|item| shown::message(state, item)) {
                        piece.add("message", &data);
                    }
                }
                Signal::Stream(id) if told.insert(id) => {
                    piece.value("stream", &shown::stream(state, id));
                }
                Signal::Message(_) | Signal::Stream(_) => {}
                Signal::Typing(_) if self.cursor.signals <= self.old => {}
                Signal::Typing(typing) => piece.value("typing", typing),
                Signal::Audit(audit) => piece.value("audit", &shown::audit(state, audit)),
                Signal::World => piece.add("world", "{}"),
            }
        }
    }

    /// Calls, frames, violations.
    fn traffic(&mut self, state: &State, piece: &mut Piece) {
        let behind = |last: u64, known: u64| last.saturating_sub(known).saturating_sub(MOST_BEHIND);
        let requests = behind(state.requests.last(), self.cursor.requests);
        let frames = behind(state.feed.frames.last(), self.cursor.frames);
        self.cursor.requests += requests;
        self.cursor.frames += frames;
        if requests + frames > 0 {
            piece.value("skipped", &json!({"requests": requests, "frames": frames}));
        }
        for request in state.requests.after(self.cursor.requests).take(BATCH) {
            self.cursor.requests = request.n;
            piece.value("request", request);
        }
        for frame in state.feed.frames.after(self.cursor.frames).take(BATCH) {
            self.cursor.frames = frame.n;
            piece.value("frame", &shown::frame(state, frame));
        }
        for violation in state.violations.after(self.cursor.violations).take(BATCH) {
            self.cursor.violations = violation.n;
            piece.value("violation", violation);
        }
    }

    /// What holds now: sessions, faults, the clock.
    fn present(&mut self, state: &State, piece: &mut Piece) {
        let sessions = state.gateway.sessions.values();
        let mut key = String::from("*");
        let mut sum = 0_u64;
        for session in sessions.clone() {
            let connected = session.connection.is_some();
            let _ = write!(key, "{} {connected} {},", session.id, session.resumes);
            sum = sum.wrapping_add(session.last_seq);
        }
        let (known, known_sum, at) = &self.sessions;
        if *known != key || (*known_sum != sum && at.elapsed() >= SESSIONS_PACE) {
            self.sessions = (key, sum, Instant::now());
            let sessions: Vec<_> = sessions.map(Session::view).collect();
            piece.value("sessions", &sessions);
        }
        if self.faults != state.faults.view() {
            self.faults = state.faults.view();
            piece.value("faults", &self.faults);
        }
        if self.skipped != Some(state.clock.skipped()) {
            self.skipped = Some(state.clock.skipped());
            let clock: Value = json!({
                "now": rfc3339_millis(state.clock.now()),
                "advanced_ms": state.clock.skipped(),
            });
            piece.value("clock", &clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        let cursor = Cursor {
            begun: 1,
            messages: 2,
            signals: 3,
            requests: 4,
            frames: 5,
            violations: 6,
        };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        assert_eq!(Cursor::parse("1-2-3"), None);
        assert_eq!(Cursor::parse("a-2-3-4-5-6"), None);
    }
}
