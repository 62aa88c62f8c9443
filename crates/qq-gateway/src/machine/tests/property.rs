//! Random frames, closes, failures and jumps in time.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::machine::Fault;
use crate::{AckMode, CloseMode};

#[derive(Clone, Debug)]
enum Step {
    Frame(String),
    Close(Option<u16>),
    /// A step of connecting succeeds or fails.
    Connect(bool),
    /// Time passes, and the driver looks when it should.
    Wait(u32),
    /// Time passes while nobody looks.
    Stall(u32),
    KeepAlive,
    Acknowledge(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let frame = prop_oneof![
        3 => Just(HELLO.to_owned()),
        4 => prop_oneof![Just("s1"), Just("s2"), Just("")].prop_map(ready),
        2 => Just(RESUMED.to_owned()),
        8 => (0..20_u64).prop_map(event),
        4 => Just(ACK.to_owned()),
        1 => (0..14_i64, prop_oneof![Just("true"), Just("false"), Just("null"), Just("{}")])
            .prop_map(|(op, d)| format!(r#"{{"op":{op},"d":{d}}}"#)),
    ];
    let code = prop_oneof![
        Just(None),
        (4000..4012_u16).prop_map(Some),
        (4900..4917_u16).prop_map(Some),
        Just(Some(1006))
    ];
    prop_oneof![
        12 => frame.prop_map(Step::Frame),
        2 => code.prop_map(Step::Close),
        10 => prop::bool::weighted(0.9).prop_map(Step::Connect),
        4 => (0..100_000_u32).prop_map(Step::Wait),
        1 => (0..100_000_u32).prop_map(Step::Stall),
        1 => Just(Step::KeepAlive),
        1 => (0..20_u64).prop_map(Step::Acknowledge),
    ]
}

/// Drives the machine as the shard does, and watches it.
struct Watch {
    bench: Bench,
    /// What would be connected: nothing, something on the way, a WebSocket.
    link: Link,
    first_frames: u32,
    positions: HashMap<String, u64>,
    opened_at: Option<Instant>,
}

#[derive(Debug, PartialEq)]
enum Link {
    Down,
    Opening,
    Open,
}

impl Watch {
    fn act(&mut self) {
        let now = self.bench.now;
        for action in self.bench.take() {
            match action {
                Action::Open(_) => {
                    assert_eq!(self.link, Link::Down, "one connection at a time");
                    if let Some(before) = self.opened_at.replace(now) {
                        assert!(now - before >= Duration::from_millis(50), "it spins");
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
        if let Some((id, position)) = self.bench.session() {
            let newest = self.positions.entry(id).or_default();
            assert!(position >= *newest, "the position went back");
            *newest = position;
        }
        // Only sessions that are alive are followed: an id may come back for another session.
        let alive = self.bench.session().map(|(id, _)| id);
        self.positions.retain(|id, _| Some(id) == alive.as_ref());
    }

    /// Time passes; the driver is woken at each deadline.
    fn wait(&mut self, duration: Duration) {
        let end = self.bench.now + duration;
        loop {
            self.act();
            let Some(deadline) = self
                .bench
                .machine
                .deadline()
                .filter(|deadline| *deadline <= end)
            else {
                break;
            };
            let was = (self.bench.machine.state(), self.bench.machine.deadline());
            self.bench.now = self.bench.now.max(deadline);
            self.bench.machine.tick(self.bench.now);
            self.bench.machine.expire(self.bench.now);
            assert_ne!(
                (self.bench.machine.state(), self.bench.machine.deadline()),
                was,
                "a deadline that does nothing"
            );
        }
        self.bench.now = end;
        self.act();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Frame(text) if self.link == Link::Open => {
                self.bench
                    .machine
                    .frame(&Envelope::scan(&text).unwrap(), true, self.bench.now);
            }
            Step::Close(code) if self.link == Link::Open => {
                self.bench.machine.closed(code, self.bench.now);
            }
            Step::Connect(true) if self.link == Link::Opening => {
                self.link = Link::Open;
                self.bench.machine.opened(self.bench.now);
            }
            Step::Connect(false) if self.link == Link::Opening => {
                self.bench.machine.failed(Fault::Failed, self.bench.now);
            }
            Step::Wait(milliseconds) => self.wait(Duration::from_millis(milliseconds.into())),
            Step::Stall(milliseconds) => {
                let since = self.bench.now;
                self.bench.now += Duration::from_millis(milliseconds.into());
                self.bench.machine.reading(self.bench.now, Some(since));
            }
            Step::KeepAlive => {
                self.bench.machine.not_reading(self.bench.now);
                if let Some(deadline) = self.bench.machine.beat_deadline() {
                    self.bench.now = self.bench.now.max(deadline);
                    self.bench.machine.tick(self.bench.now);
                    assert!(self.bench.machine.beat_deadline().unwrap() > self.bench.now);
                }
                self.bench.machine.reading(self.bench.now, None);
            }
            Step::Acknowledge(sequence) => self.bench.machine.acknowledge(sequence),
            _ => {}
        }
        self.act();
        // Whatever happens, somebody wakes up again.
        let is_bounded = match self.bench.machine.state() {
            State::Closed => true,
            State::Opening { phase, deadline } => phase == Phase::Queue || deadline.is_some(),
            _ => self.bench.machine.deadline().is_some(),
        };
        assert!(is_bounded, "{:?}", self.bench.machine.state());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it(
        steps in prop::collection::vec(any_step(), 0..80),
        manual: bool,
        session in prop::option::of(0..20_u64),
        end: bool,
    ) {
        let ack_mode = if manual { AckMode::Manual } else { AckMode::Automatic };
        let mut watch = Watch {
            bench: Bench::new(Rules { ack_mode, ..Rules::default() }, session),
            link: Link::Down,
            first_frames: 0,
            positions: HashMap::new(),
            opened_at: None,
        };
        watch.act();
        for step in steps {
            watch.step(step);
        }
        if end {
            watch.bench.machine.close(CloseMode::KeepSession, watch.bench.now);
            watch.wait(Duration::from_secs(10));
            prop_assert_eq!(watch.bench.machine.state(), State::Closed);
            prop_assert_eq!(watch.link, Link::Down);
        }
    }

    /// With a driver that looks when it should, every heartbeat is on time whatever else comes in.
    #[test]
    fn heartbeats_are_on_time(steps in prop::collection::vec((0..60_000_u64, 0..30_u64, any::<bool>()), 1..60)) {
        let mut bench = Bench::new(Rules::default(), None);
        bench.ready();
        let mut last = bench.now;
        for (milliseconds, sequence, suspended) in steps {
            let end = bench.now + Duration::from_millis(milliseconds);
            if suspended {
                bench.machine.not_reading(bench.now);
            }
            while let Some(deadline) = bench.machine.beat_deadline().filter(|deadline| *deadline <= end) {
                bench.now = bench.now.max(deadline);
                if bench.take().iter().any(|action| matches!(action, Action::Send(Outgoing::Heartbeat(_)))) {
                    prop_assert!(bench.now - last <= INTERVAL);
                    last = bench.now;
                }
                bench.frame(ACK);
            }
            bench.now = end;
            bench.machine.reading(bench.now, None);
            bench.frame(&event(sequence));
            prop_assert!(bench.now - last <= INTERVAL);
        }
    }
}
