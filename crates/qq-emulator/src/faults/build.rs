//! Faults in Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Fault};
use crate::clock::millis;

impl Fault {
    /// Hits calls of a route: its id (`send_group_message`), its method and path
    /// (`GET /users/@me`), or `*` for all. Delays them until told otherwise.
    pub fn route(route: impl Into<String>) -> Self {
        Self {
            route: Some(route.into()),
            ..Self::new()
        }
    }

    /// Hits gateway frames: an event's type, `HELLO`, `READY`, `RESUMED`, `HEARTBEAT_ACK`,
    /// `RECONNECT` or `INVALID_SESSION`. Delays them until told otherwise.
    pub fn event(event: impl Into<String>) -> Self {
        Self {
            event: Some(event.into()),
            ..Self::new()
        }
    }

    /// Hits callbacks to webhooks: an event's type, or `*` for all. Delays them until told
    /// otherwise. What is wrong is signed rightly; [`Emulator::push_bad_webhook`] is for the rest.
    ///
    /// [`Emulator::push_bad_webhook`]: crate::Emulator::push_bad_webhook
    pub fn webhook(event: impl Into<String>) -> Self {
        Self {
            webhook: Some(event.into()),
            ..Self::new()
        }
    }

    pub(super) fn new() -> Self {
        Self {
            route: None,
            webhook: None,
            event: None,
            session: None,
            nth: None,
            times: None,
            delay_ms: 0,
            action: Action::Delay,
        }
    }

    fn acting(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Only frames of this session.
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.session = Some(id.into());
        self
    }

    /// Begins with the n-th match, from 1; alone, it hits that one only.
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits so many matches.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// A pause first, in whole milliseconds. A late heartbeat ACK is overtaken by other frames; any
    /// other late frame holds up what comes behind it.
    pub fn delay(mut self, pause: Duration) -> Self {
        self.delay_ms = millis(pause);
        self
    }

    /// The call is not done, and answered with this status and the platform's form of an error.
    pub fn status(mut self, status: u16) -> Self {
        match &mut self.action {
            Action::Answer { status: known, .. } => *known = status,
            _ => self.action = Action::answer(status),
        }
        self
    }

    /// The same with this platform code; status 400 unless [`Fault::status`] is given.
    pub fn code(mut self, code: i64) -> Self {
        if !matches!(self.action, Action::Answer { .. }) {
            self.action = Action::answer(400);
        }
        if let Action::Answer { code: known, .. } = &mut self.action {
            *known = Some(code);
        }
        self
    }

    /// Adds a header to the answer that [`Fault::status`] or [`Fault::code`] give.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if !matches!(self.action, Action::Answer { .. }) {
            self.action = Action::answer(200);
        }
        if let Action::Answer { headers, .. } = &mut self.action {
            headers.insert(name.into(), value.into());
        }
        self
    }

    /// The body of the answer, instead of the platform's form of an error.
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if !matches!(self.action, Action::Answer { .. }) {
            self.action = Action::answer(200);
        }
        if let Action::Answer { body, .. } = &mut self.action {
            *body = Some(text.into());
        }
        self
    }

    /// The call is not done, and answered with an HTML page, as a proxy does.
    pub fn html(self, status: u16) -> Self {
        self.acting(Action::Html { status })
    }

    /// The call is done, and answered with bytes that are no JSON.
    pub fn garbage(self) -> Self {
        self.acting(Action::Garbage)
    }

    /// The call is done; the connection ends after so many bytes of the answer's body.
    pub fn cut_after(self, bytes: usize) -> Self {
        self.acting(Action::Cut { after_bytes: bytes })
    }

    /// The call is done; the connection ends without an answer.
    pub fn lose_reply(self) -> Self {
        self.acting(Action::LoseReply)
    }

    /// Nothing comes any more, and the connection stays open. A call is not done.
    pub fn blackhole(self) -> Self {
        self.acting(Action::Blackhole)
    }

    /// A close with this code instead of the frame.
    pub fn close(self, code: u16) -> Self {
        self.acting(Action::Close { code })
    }

    /// A reset of the TCP connection instead of the frame.
    pub fn drop_connection(self) -> Self {
        self.acting(Action::Drop)
    }

    /// Op 7 after the frame, and later a close with 4009.
    pub fn reconnect(self) -> Self {
        self.acting(Action::Reconnect)
    }

    /// Op 9 instead of the frame, and later a close.
    pub fn invalid_session(self, resumable: bool) -> Self {
        self.acting(Action::InvalidSession { resumable })
    }

    /// The frame is never sent; an event comes again with a RESUME.
    pub fn discard(self) -> Self {
        self.acting(Action::Discard)
    }

    /// The frame comes twice.
    pub fn duplicate(self) -> Self {
        self.acting(Action::Duplicate)
    }

    /// The frame comes after the next event.
    pub fn reorder(self) -> Self {
        self.acting(Action::Reorder)
    }

    /// Only the first half of the frame.
    pub fn malformed(self) -> Self {
        self.acting(Action::Malformed)
    }

    /// Any text instead of the frame: an unknown opcode, a huge frame.
    pub fn frame(self, text: impl Into<String>) -> Self {
        self.acting(Action::Frame { text: text.into() })
    }
}

impl Action {
    fn answer(status: u16) -> Self {
        Self::Answer {
            status,
            code: None,
            headers: BTreeMap::new(),
            body: None,
        }
    }
}
