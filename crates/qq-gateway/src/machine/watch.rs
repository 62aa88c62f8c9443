//! A driver that does to the machine whatever it is told, and sees to it that the machine keeps its promises.
//!
//! For the property tests and the fuzz target.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use qq_model::gateway::{Envelope, Header};
use qq_model::id::SessionId;

use super::{Action, Fault, Machine, Outgoing, Rules, State};
use crate::timeouts::Phase;
use crate::{AckMode, CloseMode};

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Frame(String),
    /// The consumer does not want what this frame may carry.
    Skip(String),
    Close(Option<u16>),
    /// A step of connecting succeeds or fails.
    Connect(bool),
    /// Milliseconds pass, and the driver looks when it should.
    Wait(u32),
    /// Milliseconds pass while nobody looks: whoever polls was busy, or dropped its future.
    Stall(u32),
    KeepAlive,
    Acknowledge(u64),
    /// The consumer closes the shard.
    End(CloseMode),
}

/// What would be connected.
#[derive(Debug, PartialEq)]
enum Link {
    Down,
    Opening,
    Open,
}

pub(crate) struct Watch {
    machine: Machine,
    now: Instant,
    link: Link,
    /// IDENTIFYs and RESUMEs on this connection.
    first_frames: u32,
    positions: HashMap<SessionId, u64>,
    opened_at: Option<Instant>,
}

impl Watch {
    pub(crate) fn new(ack_mode: AckMode, seed: u64, session: Option<u64>) -> Self {
        let rules = Rules {
            ack_mode,
            ..Rules::default()
        };
        let resume = session.map(|sequence| (SessionId::new("old"), sequence));
        let mut watch = Self {
            machine: Machine::new(rules, Rng::with_seed(seed), resume),
            now: Instant::now(),
            link: Link::Down,
            first_frames: 0,
            positions: HashMap::new(),
            opened_at: None,
        };
        watch.act();
        watch
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Frame(text) if self.link == Link::Open => {
                if let Ok(envelope) = Envelope::scan(text) {
                    self.machine.frame(&envelope, true, self.now);
                }
            }
            Step::Skip(text) if self.link == Link::Open => {
                if let Ok(header) = Header::peek(text)
                    && !matches!(header.name.as_deref(), None | Some("READY" | "RESUMED"))
                {
                    self.machine.skip(&header, self.now);
                }
            }
            Step::Close(code) if self.link == Link::Open => self.machine.closed(*code, self.now),
            Step::Connect(true) if self.link == Link::Opening => {
                self.link = Link::Open;
                self.machine.opened(self.now);
            }
            Step::Connect(false) if self.link == Link::Opening => {
                self.machine.failed(Fault::Failed, self.now);
            }
            Step::Wait(milliseconds) => self.wait(Duration::from_millis((*milliseconds).into())),
            Step::Stall(milliseconds) => {
                let since = self.now;
                self.now += Duration::from_millis((*milliseconds).into());
                self.machine.reading(self.now, Some(since));
            }
            Step::KeepAlive => {
                self.machine.not_reading(self.now);
                if let Some(deadline) = self.machine.beat_deadline() {
                    self.now = self.now.max(deadline);
                    self.machine.tick(self.now);
                    let next = self.machine.beat_deadline();
                    assert!(
                        next.is_some_and(|next| next > self.now),
                        "it beats without end"
                    );
                }
                self.machine.reading(self.now, None);
            }
            Step::Acknowledge(sequence) => self.machine.acknowledge(*sequence),
            Step::End(mode) => self.machine.close(*mode, self.now),
            _ => {}
        }
        self.act();
        // Whatever happens, somebody wakes up again.
        let is_bounded = match self.machine.state() {
            State::Closed => true,
            State::Opening { phase, deadline } => phase == Phase::Queue || deadline.is_some(),
            _ => self.machine.deadline().is_some(),
        };
        assert!(is_bounded, "{:?}", self.machine.state());
    }

    /// Closes, and sees to it that nothing is left.
    pub(crate) fn end(mut self) {
        self.step(&Step::End(CloseMode::KeepSession));
        self.wait(Duration::from_secs(10));
        assert_eq!(self.machine.state(), State::Closed);
        assert_eq!(self.link, Link::Down);
    }

    /// Does what the machine asks for.
    fn act(&mut self) {
        self.machine.tick(self.now);
        while let Some(action) = self.machine.next_action() {
            match action {
                Action::Open(_) => {
                    assert_eq!(self.link, Link::Down, "one connection at a time");
                    if let Some(before) = self.opened_at.replace(self.now) {
                        assert!(self.now - before >= Duration::from_millis(50), "it spins");
                    }
                    self.link = Link::Opening;
                    self.first_frames = 0;
                }
                Action::Send(Outgoing::Heartbeat(_)) => assert_eq!(self.link, Link::Open),
                Action::Send(_) => {
                    assert_eq!(self.link, Link::Open);
                    self.first_frames += 1;
                    assert_eq!(
                        self.first_frames, 1,
                        "one IDENTIFY or RESUME per connection"
                    );
                }
                Action::Close(code) => {
                    assert_eq!(self.link, Link::Open);
                    assert!(code == 4000 || code == 1000);
                }
                Action::Abort(_) | Action::Drop => self.link = Link::Down,
                Action::RefuseToken | Action::Report(_) => {}
            }
        }
        let session = self.machine.session();
        let alive = session.map(|(id, position)| (id.clone(), position));
        // Only sessions that are alive are followed: an id may come back for another session.
        self.positions
            .retain(|id, _| alive.as_ref().is_some_and(|(alive, _)| alive == id));
        if let Some((id, position)) = alive {
            let newest = self.positions.entry(id).or_default();
            assert!(position >= *newest, "the position went back");
            *newest = position;
        }
    }

    /// Time passes; the driver is woken at each deadline.
    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.act();
            let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= end) else {
                break;
            };
            let was = (self.machine.state(), self.machine.deadline());
            self.now = self.now.max(deadline);
            self.machine.tick(self.now);
            self.machine.expire(self.now);
            assert_ne!(
                (self.machine.state(), self.machine.deadline()),
                was,
                "a deadline that does nothing"
            );
        }
        self.now = end;
        self.act();
    }
}

/// Drives a machine as the bytes say: frames that are well known and frames that are anything, closes, and time.
///
/// # Panics
///
/// When the machine breaks a promise.
pub(crate) fn fuzz_machine(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let manual = bytes.next() & 1 == 1;
    let ack_mode = if manual {
        AckMode::Manual
    } else {
        AckMode::Automatic
    };
    let session = (bytes.next() & 1 == 1).then(|| bytes.next().into());
    let mut watch = Watch::new(ack_mode, bytes.next().into(), session);
    while !bytes.0.is_empty() {
        let step = bytes.step();
        watch.step(&step);
    }
    watch.end();
}

/// What a fuzzer makes up; zeros when there is no more.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.next(), self.next()])
    }

    fn step(&mut self) -> Step {
        match self.next() % 16 {
            0 => Step::Close(None),
            1 => Step::Close(Some(self.number())),
            2 => Step::Close(Some(4000 + u16::from(self.next() % 20))),
            3 => Step::Close(Some(4900 + u16::from(self.next() % 20))),
            4 | 5 => Step::Connect(true),
            6 => Step::Connect(false),
            7 => Step::Wait(u32::from(self.number()) * 2),
            8 => Step::Stall(u32::from(self.number()) * 2),
            9 => Step::KeepAlive,
            10 => Step::Acknowledge(self.next().into()),
            11 if self.next() < 16 => Step::End(CloseMode::Finish),
            12 => Step::Skip(self.frame()),
            _ => Step::Frame(self.frame()),
        }
    }

    fn frame(&mut self) -> String {
        let number = self.next();
        match self.next() % 8 {
            0 => format!(
                r#"{{"op":10,"d":{{"heartbeat_interval":{}}}}}"#,
                u64::from(number) * 400
            ),
            1 => format!(
                r#"{{"op":0,"t":"READY","s":1,"d":{{"session_id":"{}"}}}}"#,
                number % 4
            ),
            2 => format!(r#"{{"op":0,"t":"RESUMED","s":{number},"d":""}}"#),
            3 | 4 => format!(r#"{{"op":0,"t":"C2C_MESSAGE_CREATE","s":{number},"d":{{}}}}"#),
            5 => r#"{"op":11}"#.to_owned(),
            6 => {
                let data = ["true", "false", "null", "{}"][usize::from(self.next() % 4)];
                format!(r#"{{"op":{},"d":{data}}}"#, number % 14)
            }
            _ => {
                let (text, rest) = self.0.split_at(self.0.len().min(number.into()));
                self.0 = rest;
                String::from_utf8_lossy(text).into_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the fuzzer does, for a moment.
    #[test]
    fn random_bytes_break_no_promise() {
        let mut rng = Rng::with_seed(7);
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..rng.usize(0..400)).map(|_| rng.u8(..)).collect();
            fuzz_machine(&bytes);
        }
    }
}
