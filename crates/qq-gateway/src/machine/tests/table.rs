//! Every opcode and close code in every state: what follows, when, and what becomes of the session.

use std::time::Duration;

use super::*;
use crate::CloseMode;

/// Where the connection stands when something comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Connecting,
    /// Waiting for HELLO, with no session, or one to resume.
    Hello {
        session: bool,
    },
    Identifying,
    Ready,
    Resuming,
    /// Op 7 came, our close frame is out.
    Closing,
    /// The consumer closes the shard.
    Ending,
}

const PLACES: [Place; 8] = [
    Place::Connecting,
    Place::Hello { session: false },
    Place::Hello { session: true },
    Place::Identifying,
    Place::Ready,
    Place::Resuming,
    Place::Closing,
    Place::Ending,
];

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// Nothing changes.
    Nothing,
    /// A heartbeat at once.
    Beat,
    /// IDENTIFY, RESUME, and a new state.
    Starts,
    Resume(Pace),
    Identify(Pace),
    /// RESUME after a new token.
    Refresh,
    Stop,
    /// The shard ends as the consumer wished.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pace {
    /// Within a second.
    Soon,
    /// About a minute.
    Pause,
    /// Minutes, loudly.
    Slow,
}

impl Place {
    fn bench(self) -> Bench {
        let resumes = matches!(self, Self::Hello { session: true } | Self::Resuming);
        let mut bench = Bench::new(Rules::default(), resumes.then_some(5));
        match self {
            Self::Connecting => drop(bench.opening()),
            Self::Hello { .. } => drop(bench.upgraded()),
            Self::Identifying | Self::Resuming => drop(bench.hello()),
            Self::Ready => bench.ready(),
            Self::Closing => {
                bench.ready();
                bench.frame(r#"{"op":7}"#);
            }
            Self::Ending => {
                bench.ready();
                bench.machine.close(CloseMode::KeepSession, bench.now);
            }
        }
        bench.take();
        bench
    }

    /// Whether there is a session that could be resumed.
    const fn has_session(self) -> bool {
        !matches!(
            self,
            Self::Connecting | Self::Hello { session: false } | Self::Identifying
        )
    }
}

/// The documented table, written out once more: what a code calls for while the session is live.
fn of_code(code: Option<u16>) -> Next {
    match code {
        None | Some(1000 | 1001 | 1006 | 1011 | 4000 | 4009) => Next::Resume(Pace::Soon),
        Some(4008) => Next::Resume(Pace::Pause),
        Some(4004) => Next::Refresh,
        Some(4003 | 4005 | 4006 | 4007 | 4900..=4913) => Next::Identify(Pace::Soon),
        Some(4001 | 4002 | 4010..=4014 | 4914 | 4915) => Next::Stop,
        Some(_) => Next::Identify(Pace::Slow),
    }
}

fn expected_after_close(place: Place, code: Option<u16>) -> Next {
    match (place, of_code(code)) {
        // No WebSocket yet, nothing that could close.
        (Place::Connecting, _) => Next::Nothing,
        (Place::Ending, _) => Next::End,
        (Place::Closing, Next::Stop) => Next::Stop,
        (Place::Closing, _) => Next::Resume(Pace::Soon),
        (_, Next::Resume(pace)) if !place.has_session() => Next::Identify(pace),
        (_, next) => next,
    }
}

#[test]
fn every_close_code_in_every_state() {
    let codes = [1000, 1001, 1006, 1011, 2000, 3000, 4924, 4999]
        .into_iter()
        .chain(4000..=4020)
        .chain(4890..=4920);
    let codes: Vec<Option<u16>> = std::iter::once(None).chain(codes.map(Some)).collect();
    for place in PLACES {
        for code in &codes {
            let mut bench = place.bench();
            bench.close(*code);
            check(
                &mut bench,
                place,
                expected_after_close(place, *code),
                &format!("{place:?}, close {code:?}"),
            );
        }
    }
}

fn expected_after_frame(place: Place, frame: &str) -> Next {
    let op = Envelope::scan(frame).unwrap().op.value();
    let is_open = !matches!(place, Place::Connecting | Place::Closing | Place::Ending);
    match op {
        1 if is_open => Next::Beat,
        7 if is_open && place.has_session() => Next::Resume(Pace::Soon),
        // As the answer to RESUME it refuses the session.
        9 if is_open
            && place.has_session()
            && place != Place::Resuming
            && frame.contains("true") =>
        {
            Next::Resume(Pace::Soon)
        }
        7 | 9 if is_open => Next::Identify(Pace::Soon),
        10 if matches!(place, Place::Hello { .. }) => Next::Starts,
        _ => Next::Nothing,
    }
}

#[test]
fn every_opcode_in_every_state() {
    let frames = [
        r#"{"op":0}"#,
        r#"{"op":0,"t":"SOMETHING_NEW","s":6,"d":{}}"#,
        r#"{"op":1,"d":null}"#,
        r#"{"op":2,"d":{}}"#,
        r#"{"op":3}"#,
        r#"{"op":4}"#,
        r#"{"op":5}"#,
        r#"{"op":6,"d":{}}"#,
        r#"{"op":7}"#,
        r#"{"op":7,"d":null}"#,
        r#"{"op":8}"#,
        r#"{"op":9,"d":true}"#,
        r#"{"op":9,"d":false}"#,
        r#"{"op":9}"#,
        r#"{"op":9,"d":null}"#,
        HELLO,
        r#"{"op":10}"#,
        ACK,
        r#"{"op":12,"d":0}"#,
        r#"{"op":13,"d":{}}"#,
        r#"{"op":99,"d":[]}"#,
    ];
    for place in PLACES {
        for frame in frames {
            let mut bench = place.bench();
            bench.frame(frame);
            check(
                &mut bench,
                place,
                expected_after_frame(place, frame),
                &format!("{place:?}, {frame}"),
            );
        }
    }
}

#[test]
fn every_deadline_names_its_phase() {
    use crate::Timeouts;
    let limits = Timeouts::default();
    for (place, phase, limit, next) in [
        (
            Place::Hello { session: true },
            Phase::Hello,
            limits.hello,
            Next::Resume(Pace::Soon),
        ),
        (
            Place::Hello { session: false },
            Phase::Hello,
            limits.hello,
            Next::Identify(Pace::Soon),
        ),
        (
            Place::Identifying,
            Phase::Ready,
            limits.ready,
            Next::Identify(Pace::Soon),
        ),
        (
            Place::Resuming,
            Phase::Resumed,
            limits.resumed,
            Next::Identify(Pace::Soon),
        ),
    ] {
        let mut bench = place.bench();
        // The heart beats while resuming; its ACKs are answered.
        bench.advance(limit - Duration::from_millis(1));
        assert_eq!(bench.report(), None, "{place:?}");
        bench.now += Duration::from_millis(1);
        bench.machine.expire(bench.now);
        bench.collect();
        assert_eq!(bench.report().unwrap().phase, Some(phase), "{place:?}");
        assert!(bench.actions.contains(&Action::Abort(4000)), "{place:?}");
        check(&mut bench, place, next, &format!("{place:?} timed out"));
    }
    for (phase, limit) in [
        (Phase::Token, limits.token),
        (Phase::Connect, limits.connect),
        (Phase::Tls, limits.tls),
        (Phase::Upgrade, limits.upgrade),
    ] {
        let mut bench = Bench::new(Rules::default(), None);
        bench.opening();
        bench.machine.reached(phase, bench.now);
        bench.advance(limit - Duration::from_millis(1));
        assert_eq!(bench.report(), None, "{phase:?}");
        bench.now += Duration::from_millis(1);
        bench.machine.expire(bench.now);
        bench.collect();
        assert_eq!(bench.report().unwrap().phase, Some(phase));
        assert!(bench.actions.contains(&Action::Drop));
    }
}

fn check(bench: &mut Bench, place: Place, next: Next, what: &str) {
    match next {
        Next::Nothing => {
            assert!(bench.report().is_none(), "{what}: {:?}", bench.actions);
            assert!(bench.sent().is_empty(), "{what}: {:?}", bench.actions);
            assert_eq!(
                bench.machine.session().is_some(),
                place.has_session(),
                "{what}"
            );
        }
        Next::Beat => assert!(
            matches!(bench.sent()[..], [Outgoing::Heartbeat(_)]),
            "{what}"
        ),
        Next::Starts => {
            let resumes = place.has_session();
            assert_eq!(
                matches!(bench.sent()[..], [Outgoing::Resume { .. }]),
                resumes,
                "{what}"
            );
            assert_eq!(bench.sent() == [Outgoing::Identify], !resumes, "{what}");
        }
        Next::Resume(pace) => retried(bench, place, pace, Start::Resume, what),
        Next::Identify(pace) => retried(bench, place, pace, Start::Identify, what),
        Next::Refresh => {
            let refused = bench
                .actions
                .iter()
                .filter(|action| **action == Action::RefuseToken)
                .count();
            assert_eq!(refused, 1, "{what}");
            let start = if place.has_session() {
                Start::Resume
            } else {
                Start::Identify
            };
            retried(bench, place, Pace::Soon, start, what);
        }
        Next::Stop => {
            let report = bench.report().expect(what);
            assert_eq!(report.retry_after, None, "{what}");
            assert_eq!(bench.machine.state(), State::Closed, "{what}");
            assert_eq!(bench.session(), None, "{what}");
            assert!(bench.actions.contains(&Action::Drop), "{what}");
            bench.actions.clear();
            bench.advance(Duration::from_secs(24 * 3600));
            assert!(bench.actions.is_empty(), "{what}");
        }
        Next::End => {
            assert_eq!(bench.machine.state(), State::Closed, "{what}");
            assert!(bench.report().is_none(), "{what}");
            assert!(bench.session().is_some(), "{what}");
        }
    }
}

fn retried(bench: &mut Bench, place: Place, pace: Pace, start: Start, what: &str) {
    // In the closing handshake the report came before.
    if place != Place::Closing {
        let report = bench.report().expect(what);
        let delay = report.retry_after.expect(what);
        let (low, high, is_loud) = match pace {
            Pace::Soon => (0.05, 1.0, false),
            Pace::Pause => (60.0, 66.0, false),
            Pace::Slow => (150.0, 300.0, true),
        };
        assert!(
            (low..=high).contains(&delay.as_secs_f64()),
            "{what}: {delay:?}"
        );
        assert_eq!(report.is_loud, is_loud, "{what}");
    }
    assert_eq!(bench.machine.failures.attempts(), 1, "{what}");
    let kept = start == Start::Resume;
    assert_eq!(
        bench.machine.session().is_some(),
        kept,
        "{what}: the session"
    );
    assert_eq!(bench.opening(), start, "{what}");
    bench.upgraded_after_opening();
    bench.frame(HELLO);
    let resumes = bench
        .sent()
        .iter()
        .any(|frame| matches!(frame, Outgoing::Resume { .. }));
    assert_eq!(resumes, kept, "{what}: the first frame");
}
