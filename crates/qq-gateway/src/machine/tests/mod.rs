//! The machine on a clock of its own.

mod property;
mod rules;
mod table;

use std::time::{Duration, Instant};

use fastrand::Rng;
use qq_model::gateway::Envelope;
use qq_model::id::SessionId;

use super::{Action, Machine, Outgoing, Report, Rules, Start, State, Verdict};
use crate::timeouts::Phase;

pub(super) const INTERVAL: Duration = Duration::from_millis(41_250);

pub(super) const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250}}"#;
pub(super) const ACK: &str = r#"{"op":11}"#;
pub(super) const RESUMED: &str = r#"{"op":0,"t":"RESUMED","s":9,"d":""}"#;

pub(super) fn ready(id: &str) -> String {
    format!(
        r#"{{"op":0,"t":"READY","s":1,"d":{{"version":1,"session_id":"{id}","user":{{"id":"1"}},"shard":[0,1]}}}}"#
    )
}

pub(super) fn event(sequence: u64) -> String {
    format!(r#"{{"op":0,"t":"C2C_MESSAGE_CREATE","s":{sequence},"id":"C2C:1","d":{{}}}}"#)
}

/// A machine, its clock, and what it asked for.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: Instant,
    pub(super) actions: Vec<Action>,
}

impl Bench {
    pub(super) fn new(rules: Rules, session: Option<u64>) -> Self {
        let resume = session.map(|sequence| (SessionId::new("old"), sequence));
        Self {
            machine: Machine::new(rules, Rng::with_seed(7), resume),
            now: Instant::now(),
            actions: Vec::new(),
        }
    }

    /// Collects what the machine asks for.
    pub(super) fn collect(&mut self) {
        self.machine.tick(self.now);
        while let Some(action) = self.machine.next_action() {
            self.actions.push(action);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Action> {
        self.collect();
        std::mem::take(&mut self.actions)
    }

    pub(super) fn frame(&mut self, text: &str) -> Verdict {
        let verdict = self
            .machine
            .frame(&Envelope::scan(text).unwrap(), true, self.now);
        self.collect();
        verdict
    }

    pub(super) fn close(&mut self, code: impl Into<Option<u16>>) {
        self.machine.closed(code.into(), self.now);
        self.collect();
    }

    /// Time passes with nothing coming in.
    pub(super) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.collect();
            match self.machine.deadline() {
                Some(deadline) if deadline <= end => {
                    self.now = self.now.max(deadline);
                    self.machine.tick(self.now);
                    self.machine.expire(self.now);
                }
                _ => break,
            }
        }
        self.now = end;
        self.collect();
    }

    /// Connects and gets HELLO, from any state that leads there; how the connection starts.
    pub(super) fn hello(&mut self) -> Start {
        let start = self.upgraded();
        self.frame(HELLO);
        start
    }

    /// Connects, and waits for HELLO.
    pub(super) fn upgraded(&mut self) -> Start {
        let start = self.opening();
        self.upgraded_after_opening();
        start
    }

    pub(super) fn upgraded_after_opening(&mut self) {
        for phase in [Phase::Token, Phase::Connect, Phase::Tls, Phase::Upgrade] {
            self.machine.reached(phase, self.now);
        }
        self.machine.opened(self.now);
    }

    /// Waits until the machine asks for a connection.
    pub(super) fn opening(&mut self) -> Start {
        self.collect();
        if let State::Closing { .. } = self.machine.state() {
            self.close(None);
        }
        if let State::Waiting { until, .. } = self.machine.state() {
            self.now = until;
            self.machine.expire(self.now);
            self.collect();
        }
        let start = self.actions.iter().rev().find_map(|action| match action {
            Action::Open(start) => Some(*start),
            _ => None,
        });
        self.actions.clear();
        start.expect("the machine asks for a connection")
    }

    /// A fresh session, live.
    pub(super) fn ready(&mut self) {
        assert_eq!(self.hello(), Start::Identify);
        self.frame(&ready("s1"));
        assert!(matches!(self.machine.state(), State::Ready { .. }));
        self.actions.clear();
    }

    pub(super) fn report(&self) -> Option<Report> {
        self.actions.iter().rev().find_map(|action| match action {
            Action::Report(report) => Some(*report),
            _ => None,
        })
    }

    pub(super) fn sent(&self) -> Vec<Outgoing> {
        let sent = self.actions.iter().filter_map(|action| match action {
            Action::Send(frame) => Some(frame.clone()),
            _ => None,
        });
        sent.collect()
    }

    pub(super) fn session(&self) -> Option<(String, u64)> {
        self.machine
            .session()
            .map(|(id, sequence)| (id.to_string(), sequence))
    }
}
