//! Every decision of the protocol, without a clock, a socket or randomness of its own.
//!
//! Frames, closes and time go in, [`Action`]s come out. Whoever drives the machine
//!
//! 1. calls [`Machine::tick`], which sends what is due, and performs the actions;
//! 2. reads as long as there is something to read;
//! 3. only then, at [`Machine::deadline`], calls [`Machine::expire`]: whatever was waited for has not come.
//!
//! The order matters: a driver that was held up finds passed deadlines and unread frames together, and the
//! frames come first.

mod fault;
mod heart;
mod recovery;
mod state;
#[cfg(test)]
mod tests;
mod track;
#[cfg(any(test, fuzzing))]
mod watch;

pub(crate) use self::fault::Fault;
pub use self::fault::{SequenceGap, SequenceRepeat};
pub(crate) use self::state::{Action, Outgoing, Report, Start, State, Then, Verdict};
#[cfg(fuzzing)]
pub(crate) use self::watch::fuzz_machine;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use fastrand::Rng;
use qq_model::event::payload::Ready;
use qq_model::gateway::{CloseAction, CloseCode, Envelope, Header, Hello, OpCode};
use qq_model::id::SessionId;

use self::heart::Heart;
use self::recovery::{Ending, Failures};
use self::track::{Seen, Track};
use crate::backoff::later;
use crate::timeouts::Phase;
use crate::{AckMode, Backoff, CloseMode, Timeouts};

/// Our close code that leaves the session to be resumed.
pub(crate) const KEEP_SESSION: u16 = 4000;
/// Our close code that ends the session.
pub(crate) const FINISH: u16 = 1000;

/// What the machine goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) timeouts: Timeouts,
    pub(crate) backoff: Backoff,
    pub(crate) ack_mode: AckMode,
}

/// The state machine of one shard.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    rng: Rng,
    state: State,
    track: Option<Track>,
    heart: Heart,
    failures: Failures,
    actions: VecDeque<Action>,
}

impl Machine {
    /// `resume`: the session to take up, and its position.
    pub(crate) fn new(rules: Rules, rng: Rng, resume: Option<(SessionId, u64)>) -> Self {
        Self {
            rules,
            rng,
            state: State::Idle,
            track: resume.map(|(id, sequence)| Track::taken_over(id, sequence)),
            heart: Heart::default(),
            failures: Failures::default(),
            actions: VecDeque::new(),
        }
    }

    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// The session that could be resumed, and its position.
    pub(crate) fn session(&self) -> Option<(&SessionId, u64)> {
        let track = self.track.as_ref().filter(|track| track.is_resumable())?;
        Some((track.id(), track.position(self.rules.ack_mode)))
    }

    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.heart.round_trip()
    }

    pub(crate) const fn is_beating(&self) -> bool {
        self.heart.is_beating()
    }

    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to call [`tick`](Self::tick) and [`expire`](Self::expire).
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (self.state.deadline(), self.heart.deadline()) {
            (Some(state), Some(heart)) => Some(state.min(heart)),
            (state, heart) => state.or(heart),
        }
    }

    /// When the next heartbeat is due, for a driver that does not read.
    pub(crate) fn beat_deadline(&self) -> Option<Instant> {
        self.heart.deadline()
    }

    /// Reading is about to go on; `held_up` since when it did not, unless it always did.
    pub(crate) fn reading(&mut self, now: Instant, held_up: Option<Instant>) {
        self.heart.read(now, held_up);
    }

    /// Nothing will be read for a while: ACKs cannot be expected.
    pub(crate) fn not_reading(&mut self, now: Instant) {
        self.heart.suspend(now);
    }

    /// Starts, and sends what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.state == State::Idle {
            self.open(now);
        }
        if self.heart.take_due(now) {
            self.beat();
        }
    }

    /// Nothing is left to read: judges what should have come by now.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self
            .state
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            match self.state {
                State::Waiting { .. } => self.open(now),
                State::Closing { then, .. } => self.closing_ended(then, now),
                State::Opening { .. } => self.end(Fault::Timeout, Ending::Drop, now),
                _ => self.end(Fault::Timeout, Ending::Abort, now),
            }
        } else if self.heart.is_overdue(now) {
            self.end(Fault::Timeout, Ending::Abort, now);
        }
    }

    /// The server sends so much that reading finds no end: what it owes is overdue all the same. ACKs are
    /// not judged, since the connection is alive.
    pub(crate) fn flooded(&mut self, now: Instant) {
        if self
            .state
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.expire(now);
        }
    }

    /// The attempt to connect has come to this phase.
    pub(crate) fn reached(&mut self, phase: Phase, now: Instant) {
        if let State::Opening { .. } = self.state {
            let deadline = self.rules.timeouts.of(phase).map(|limit| later(now, limit));
            self.state = State::Opening { phase, deadline };
        }
    }

    /// The WebSocket is open.
    pub(crate) fn opened(&mut self, now: Instant) {
        if let State::Opening { .. } = self.state {
            self.state = State::Hello {
                deadline: later(now, self.rules.timeouts.hello),
            };
        }
    }

    /// The attempt to connect failed in its phase.
    pub(crate) fn failed(&mut self, fault: Fault, now: Instant) {
        if let State::Opening { .. } = self.state {
            self.end(fault, Ending::Drop, now);
        }
    }

    /// The connection is gone.
    pub(crate) fn lost(&mut self, fault: Fault, now: Instant) {
        match (self.state, fault) {
            (State::Idle | State::Waiting { .. } | State::Opening { .. } | State::Closed, _) => {}
            // The server may answer our close frame with a reason of its own that rules out another attempt.
            (
                State::Closing {
                    then: Then::Wait { .. },
                    ..
                },
                Fault::Closed(code),
            ) if code.action() == CloseAction::Stop => {
                self.end(fault, Ending::Drop, now);
            }
            (State::Closing { then, .. }, _) => self.closing_ended(then, now),
            _ => self.end(fault, Ending::Drop, now),
        }
    }

    /// The server closed the connection.
    pub(crate) fn closed(&mut self, code: Option<u16>, now: Instant) {
        self.lost(
            code.map_or(Fault::Lost, |code| Fault::Closed(CloseCode(code))),
            now,
        );
    }

    /// Ends the shard.
    pub(crate) fn close(&mut self, mode: CloseMode, now: Instant) {
        let code = match mode {
            CloseMode::Finish => {
                self.track = None;
                FINISH
            }
            CloseMode::KeepSession => KEEP_SESSION,
        };
        match self.state {
            State::Closed => {}
            State::Closing { deadline, .. } => {
                self.state = State::Closing {
                    deadline,
                    then: Then::Stop,
                }
            }
            State::Idle | State::Waiting { .. } | State::Opening { .. } => {
                self.actions.push_back(Action::Drop);
                self.state = State::Closed;
            }
            State::Hello { .. }
            | State::Identifying { .. }
            | State::Resuming { .. }
            | State::Ready { .. } => {
                self.start_closing(code, Then::Stop, now);
            }
        }
    }

    /// The consumer has handled every event up to this one.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        if let Some(track) = &mut self.track {
            track.acknowledge(sequence);
        }
    }

    /// A frame came. `wanted`: the consumer will see it if it is an event.
    pub(crate) fn frame(&mut self, envelope: &Envelope<'_>, wanted: bool, now: Instant) -> Verdict {
        match self.state {
            State::Idle | State::Waiting { .. } | State::Opening { .. } | State::Closed => {
                return Verdict::Handled;
            }
            State::Closing { .. } if envelope.op != OpCode::Dispatch => return Verdict::Handled,
            _ => {}
        }
        match envelope.op {
            OpCode::Dispatch => {
                let (name, data) = (envelope.name.as_deref(), envelope.data);
                return self.dispatch(name, envelope.sequence, data, wanted, now);
            }
            OpCode::Hello => self.hello(envelope.data, now),
            OpCode::Heartbeat => self.beat(),
            OpCode::HeartbeatAck => self.heart.acknowledged(now),
            OpCode::Reconnect => self.end(Fault::Reconnect, Ending::Close, now),
            OpCode::InvalidSession => {
                let resumable = envelope.data == "true";
                self.end(Fault::InvalidSession { resumable }, Ending::Close, now);
            }
            _ => {}
        }
        Verdict::Handled
    }

    /// An event came that the consumer will not see, other than READY and RESUMED. Its payload was not read.
    pub(crate) fn skip(&mut self, header: &Header<'_>, now: Instant) -> Verdict {
        match self.state {
            State::Idle | State::Waiting { .. } | State::Opening { .. } | State::Closed => {
                Verdict::Handled
            }
            _ => self.dispatch(header.name.as_deref(), header.sequence, "", false, now),
        }
    }

    fn open(&mut self, now: Instant) {
        let start = if self.session().is_some() {
            Start::Resume
        } else {
            Start::Identify
        };
        let phase = match start {
            Start::Identify => Phase::Queue,
            Start::Resume => Phase::Token,
        };
        self.state = State::Opening {
            phase,
            deadline: None,
        };
        self.reached(phase, now);
        self.actions.push_back(Action::Open(start));
    }

    fn hello(&mut self, data: &str, now: Instant) {
        // A HELLO that cannot be read names no interval.
        let interval =
            serde_json::from_str::<Hello>(data).map_or(0, |hello| hello.heartbeat_interval);
        self.heart.set_interval(interval);
        let State::Hello { .. } = self.state else {
            return;
        };
        let resume = self
            .session()
            .map(|(session_id, sequence)| Outgoing::Resume {
                session_id: session_id.clone(),
                sequence,
            });
        if let Some(resume) = resume {
            let from = self.session().map_or(0, |(_, sequence)| sequence);
            self.actions.push_back(Action::Send(resume));
            if let Some(track) = &mut self.track {
                track.resume();
            }
            // A long replay must not make the server think that nobody is there.
            self.start_heart(now);
            let deadline = later(now, self.rules.timeouts.resumed);
            self.state = State::Resuming {
                deadline,
                from,
                progress: false,
            };
        } else {
            self.track = None;
            self.actions.push_back(Action::Send(Outgoing::Identify));
            self.state = State::Identifying {
                deadline: later(now, self.rules.timeouts.ready),
            };
        }
    }

    fn dispatch(
        &mut self,
        name: Option<&str>,
        sequence: Option<u64>,
        data: &str,
        wanted: bool,
        now: Instant,
    ) -> Verdict {
        match self.state {
            // Before IDENTIFY no event can belong to us; a shard that ends delivers no more.
            State::Hello { .. }
            | State::Closing {
                then: Then::Stop, ..
            } => return Verdict::Handled,
            _ => {}
        }
        match name {
            Some("READY") => return self.ready(data, sequence, now),
            Some("RESUMED") => {
                self.see(sequence, false);
                if let Some(track) = &mut self.track {
                    track.resumed();
                }
                if let State::Resuming { .. } = self.state {
                    self.live(now);
                }
                return Verdict::Deliver(None);
            }
            Some(_) => {}
            None => return Verdict::Handled,
        }
        let seen = self.see(sequence, wanted);
        let mut asked_for_after = u64::MAX;
        if let State::Resuming {
            deadline,
            from,
            progress,
        } = &mut self.state
        {
            *deadline = later(now, self.rules.timeouts.resumed);
            *progress |= matches!(seen, Seen::New(_));
            asked_for_after = *from;
        }
        match seen {
            Seen::New(gap) => Verdict::Deliver(gap),
            Seen::Repeat(repeat) if repeat.received > asked_for_after => Verdict::Repeat(None),
            Seen::Repeat(repeat) => Verdict::Repeat(Some(repeat)),
        }
    }

    fn ready(&mut self, data: &str, sequence: Option<u64>, now: Instant) -> Verdict {
        if let State::Closing { .. } = self.state {
            return Verdict::Handled;
        }
        let id = serde_json::from_str::<Ready>(data)
            .map_or_else(|_| SessionId::default(), |ready| ready.session_id);
        if self.track.as_ref().is_some_and(|track| *track.id() == id) {
            self.see(sequence, false);
        } else {
            self.track = Some(Track::new(id, sequence.unwrap_or(0)));
        }
        if !self.heart.is_beating() {
            self.start_heart(now);
        }
        self.live(now);
        Verdict::Deliver(None)
    }

    fn live(&mut self, now: Instant) {
        self.failures.live();
        if !matches!(self.state, State::Ready { .. }) {
            self.state = State::Ready { since: now };
        }
    }

    /// Events without a number, and those of no session, are always new.
    fn see(&mut self, sequence: Option<u64>, wanted: bool) -> Seen {
        match (&mut self.track, sequence.filter(|sequence| *sequence > 0)) {
            (Some(track), Some(sequence)) => track.see(sequence, wanted),
            _ => Seen::New(None),
        }
    }

    fn start_heart(&mut self, now: Instant) {
        let fraction = self.rng.f64();
        self.heart.start(now, fraction);
    }

    fn beat(&mut self) {
        let received = self
            .track
            .as_ref()
            .map(Track::received)
            .filter(|sequence| *sequence > 0);
        self.actions
            .push_back(Action::Send(Outgoing::Heartbeat(received)));
    }
}
