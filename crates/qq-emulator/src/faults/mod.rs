//! Faults as data: what shall go wrong, where, and how often.
//!
//! [`Plan`] is the list and runs under the platform's lock. [`rest`] plays the faults of calls;
//! those of frames are played by the gateway.

mod build;
mod parse;
pub(crate) mod rest;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::tables;

pub(crate) use parse::parse;

/// Faults that may be planned at once.
const MOST: usize = 1_000;

/// Something that shall go wrong: which calls or frames it hits, and what happens to them.
///
/// It hits every match, unless [`Fault::nth`] or [`Fault::times`] say otherwise. The first fault of
/// the plan that hits is played.
///
/// ```
/// use std::time::Duration;
/// use qq_emulator::Fault;
///
/// let flaky = Fault::route("send_group_message").times(2).status(503);
/// let twice = Fault::event("C2C_MESSAGE_CREATE").nth(1).duplicate();
/// let slow = Fault::event("HELLO").delay(Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[must_use]
pub struct Fault {
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    delay_ms: u64,
    #[serde(flatten)]
    action: Action,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Action {
    /// The pause alone.
    Delay,
    /// The call is not done, and answered so.
    Answer {
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<i64>,
        headers: BTreeMap<String, String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// The call is not done, and answered with a page.
    Html { status: u16 },
    /// The call is done, and answered with bytes that are no JSON.
    Garbage,
    /// The call is done; its answer ends after so many bytes of the body.
    Cut { after_bytes: usize },
    /// The call is done; its connection ends without an answer.
    LoseReply,
    /// Nothing comes any more, and the connection stays open.
    Blackhole,
    /// A close instead of the frame.
    Close { code: u16 },
    /// A reset of TCP instead of the frame.
    Drop,
    /// Op 7 after the frame, and a close later.
    Reconnect,
    /// Op 9 instead of the frame, and a close later.
    InvalidSession { resumable: bool },
    /// The frame is never sent.
    Discard,
    /// The frame comes twice.
    Duplicate,
    /// The frame comes after the next event.
    Reorder,
    /// The first half of the frame.
    Malformed,
    /// Another text instead of the frame.
    Frame { text: String },
}

/// A planned fault with what it has done; an entry of `GET faults`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FaultView {
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Calls or frames that matched.
    pub matched: u64,
    /// How often it was played.
    pub played: u64,
}

/// All planned faults.
#[derive(Debug, Default)]
pub(crate) struct Plan(Vec<FaultView>);

/// What is to be played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) delay_ms: u64,
    pub(crate) action: Action,
}

impl Action {
    /// Whether it can be done to a call.
    fn fits_calls(&self) -> bool {
        matches!(
            self,
            Self::Delay
                | Self::Answer { .. }
                | Self::Html { .. }
                | Self::Garbage
                | Self::Cut { .. }
                | Self::LoseReply
                | Self::Blackhole
        )
    }

    /// Whether it can be done to a callback.
    fn fits_webhooks(&self) -> bool {
        matches!(
            self,
            Self::Delay
                | Self::Discard
                | Self::Duplicate
                | Self::Reorder
                | Self::Malformed
                | Self::Frame { .. }
        )
    }

    /// Whether it can be done to a frame.
    fn fits_frames(&self) -> bool {
        matches!(self, Self::Delay | Self::Blackhole) || !self.fits_calls()
    }
}

impl Fault {
    /// Whether it is about frames rather than calls.
    fn is_about_frames(&self) -> bool {
        let frames = self.event.is_some() || self.session.is_some();
        self.webhook.is_none() && (frames || !self.action.fits_calls())
    }

    /// Says what does not fit together.
    fn check(&self) -> Result<(), String> {
        if self.webhook.is_some() {
            if self.route.is_some() || self.event.is_some() || self.session.is_some() {
                return Err("webhook: excludes route, event and session".into());
            }
            if !self.action.fits_webhooks() {
                return Err(
                    "action: callbacks take delay, discard, duplicate, reorder, malformed and \
                     frame"
                        .into(),
                );
            }
        } else if let Some(route) = &self.route {
            if self.is_about_frames() {
                return Err(
                    "route: frames of the gateway have no route; give event or session instead, \
                     or an action for calls"
                        .into(),
                );
            }
            if route != "*" && route_id(route).is_none() {
                return Err(format!(
                    "route: there is no route {route:?}; give an id such as send_group_message, \
                     a method and path such as GET /users/@me, or *"
                ));
            }
        } else if !self.is_about_frames() {
            return Err(
                "route: is missing; give a route for calls (* for all), event for frames of the \
                 gateway, or webhook for callbacks"
                    .into(),
            );
        } else if !self.action.fits_frames() {
            return Err("action: is for calls; give route instead of event and session".into());
        }
        let sends_frames = matches!(
            self.action,
            Action::Reconnect | Action::InvalidSession { .. }
        );
        if sends_frames && matches!(self.event.as_deref(), Some("RECONNECT" | "INVALID_SESSION")) {
            return Err("action: would hit the frames that it sends itself, without end".into());
        }
        if self.nth == Some(0) {
            return Err("nth: counts from 1".into());
        }
        let fits = |status: u16| (200..=599).contains(&status);
        match &self.action {
            Action::Answer { status, .. } | Action::Html { status } if !fits(*status) => {
                Err("status: give a number from 200 to 599".into())
            }
            Action::Answer { headers, .. } => rest::check_headers(headers),
            Action::Close { code } => check_close_code(*code),
            _ => Ok(()),
        }
    }

    fn hits(&self, matched: u64) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.unwrap_or(match self.nth {
            Some(_) => 1,
            None => u64::MAX,
        });
        matched >= first && matched - first < times
    }
}

fn check_close_code(code: u16) -> Result<(), String> {
    match code {
        1000..=1003 | 1005 | 1007..=1014 | 3000..=4999 => Ok(()),
        _ => Err(
            "code: give a close code: 1000 to 1003, 1005 (a close without a code), 1007 to 1014, \
             3000 to 4999; what a client sees as 1006 is the action drop"
                .into(),
        ),
    }
}

impl Plan {
    /// Adds faults, all or none.
    ///
    /// # Errors
    /// A sentence that names the field and the fix.
    pub(crate) fn add(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        if self.0.len() + faults.len() > MOST {
            return Err(format!(
                "faults: at most {MOST} at once; DELETE faults removes the old ones"
            ));
        }
        for (index, fault) in faults.iter().enumerate() {
            fault.check().map_err(|why| format!("[{index}].{why}"))?;
        }
        self.0.append(&mut Self::of(faults).0);
        Ok(())
    }

    /// A plan of faults that have been checked.
    pub(crate) fn of(faults: Vec<Fault>) -> Self {
        let fresh = |mut fault: Fault| {
            if let Some(id) = fault.route.as_deref().and_then(route_id) {
                fault.route = Some(id.to_owned());
            }
            FaultView {
                fault,
                matched: 0,
                played: 0,
            }
        };
        Self(faults.into_iter().map(fresh).collect())
    }

    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }

    /// Removes one by its place, from 0.
    pub(crate) fn remove(&mut self, place: usize) -> Option<()> {
        (place < self.0.len()).then(|| {
            self.0.remove(place);
        })
    }

    pub(crate) fn view(&self) -> Vec<FaultView> {
        self.0.clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault of a call, if there is one; counts it.
    pub(crate) fn of_call(&mut self, route: Option<&str>) -> Option<Played> {
        self.pick(|fault| match &fault.route {
            Some(wanted) => wanted == "*" || Some(wanted.as_str()) == route,
            None => false,
        })
    }

    /// The fault of a frame, if there is one; counts it. Without an event's name, a fault is about
    /// all events of an identified client.
    pub(crate) fn of_frame(&mut self, name: &str, session: Option<&str>) -> Option<Played> {
        self.pick(|fault| {
            let named = match &fault.event {
                Some(event) => event == name,
                None => !CONTROL_FRAMES.contains(&name),
            };
            let held = fault
                .session
                .as_deref()
                .is_none_or(|wanted| Some(wanted) == session);
            fault.is_about_frames() && named && held
        })
    }

    /// The fault of a callback, if there is one; counts it.
    pub(crate) fn of_webhook(&mut self, event: &str) -> Option<Played> {
        self.pick(|fault| {
            let wanted = fault.webhook.as_deref();
            wanted.is_some_and(|wanted| wanted == "*" || wanted == event)
        })
    }

    fn pick(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<Played> {
        let mut played = None;
        for planned in &mut self.0 {
            if !matches(&planned.fault) {
                continue;
            }
            planned.matched += 1;
            if played.is_none() && planned.fault.hits(planned.matched) {
                planned.played += 1;
                played = Some(Played {
                    delay_ms: planned.fault.delay_ms,
                    action: planned.fault.action.clone(),
                });
            }
        }
        played
    }
}

/// Frames that carry no event.
pub(crate) const CONTROL_FRAMES: [&str; 6] = [
    "HELLO",
    "READY",
    "RESUMED",
    "HEARTBEAT_ACK",
    "RECONNECT",
    "INVALID_SESSION",
];

/// The id of a route that is named by its id, or by method and path of the table.
fn route_id(name: &str) -> Option<&'static str> {
    tables::routes()
        .iter()
        .find(|route| {
            route.id == name
                || name
                    .split_once(' ')
                    .is_some_and(|(method, path)| route.method == *method && route.path == path)
        })
        .map(|route| route.id.as_str())
}
