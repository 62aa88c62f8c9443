//! The rules that span several connections.

use super::*;
use crate::machine::{Fault, SequenceGap, SequenceRepeat};
use crate::{AckMode, Backoff, CloseMode};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_refused_resume_drops_the_session() {
    for refusal in [4902, 4006, 4007] {
        let mut bench = Bench::new(Rules::default(), Some(5));
        assert_eq!(bench.hello(), Start::Resume);
        bench.close(refusal);
        assert_eq!(bench.hello(), Start::Identify, "{refusal}");
    }
    for (frame, next) in [
        (r#"{"op":9,"d":false}"#, Start::Identify),
        (r#"{"op":9}"#, Start::Identify),
        (r#"{"op":9,"d":null}"#, Start::Identify),
        (r#"{"op":9,"d":true}"#, Start::Resume),
    ] {
        let mut bench = Bench::new(Rules::default(), Some(5));
        bench.hello();
        bench.frame(frame);
        assert_eq!(
            bench.hello(),
            Start::Identify,
            "the answer to RESUME: {frame}"
        );
        let mut bench = Bench::new(Rules::default(), None);
        bench.ready();
        bench.frame(frame);
        assert_eq!(bench.hello(), next, "of a live session: {frame}");
    }
}

#[test]
fn a_resume_that_is_not_answered_drops_the_session() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    assert_eq!(bench.hello(), Start::Resume);
    bench.advance(Duration::from_secs(30));
    assert_eq!(bench.session(), None);
    assert_eq!(bench.hello(), Start::Identify);
}

/// A silence in which not even the heartbeat is answered says nothing about the session.
#[test]
fn a_connection_that_dies_during_resume_is_no_refusal() {
    let mut rules = Rules::default();
    rules.timeouts.resumed = MINUTE * 3;
    let mut bench = Bench::new(rules, Some(5));
    assert_eq!(bench.hello(), Start::Resume);
    bench.advance(2 * INTERVAL);
    assert_eq!(bench.report().unwrap().phase, Some(Phase::Heartbeat));
    assert_eq!(bench.hello(), Start::Resume);
}

#[test]
fn two_connections_lost_before_resumed_drop_the_session() {
    let lost: fn(&mut Bench) = |bench| bench.close(None);
    let expired: fn(&mut Bench) = |bench| bench.close(4009);
    let reconnect: fn(&mut Bench) = |bench| {
        bench.frame(r#"{"op":7}"#);
    };
    for (first, second) in [
        (lost, lost),
        (lost, expired),
        (expired, reconnect),
        (reconnect, lost),
    ] {
        let mut bench = Bench::new(Rules::default(), Some(5));
        assert_eq!(bench.hello(), Start::Resume);
        first(&mut bench);
        assert_eq!(bench.hello(), Start::Resume);
        second(&mut bench);
        assert_eq!(bench.session(), None);
        assert_eq!(bench.hello(), Start::Identify);
    }
}

#[test]
fn a_resume_that_makes_headway_goes_on() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    for sequence in 6..12 {
        assert_eq!(bench.hello(), Start::Resume);
        assert_eq!(bench.frame(&event(sequence)), Verdict::Deliver(None));
        bench.close(None);
    }
    for _ in 0..2 {
        assert_eq!(bench.hello(), Start::Resume);
        bench.close(None);
    }
    assert_eq!(bench.hello(), Start::Identify);
}

#[test]
fn failures_before_resume_was_sent_do_not_cost_the_session() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    for _ in 0..50 {
        assert_eq!(bench.opening(), Start::Resume);
        bench.machine.failed(Fault::Failed, bench.now);
    }
    for _ in 0..50 {
        assert_eq!(bench.upgraded(), Start::Resume);
        bench.close(None);
    }
    assert_eq!(bench.hello(), Start::Resume);
}

#[test]
fn a_resumed_session_forgets_failures() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    for _ in 0..5 {
        assert_eq!(bench.hello(), Start::Resume);
        bench.close(None);
        assert_eq!(bench.hello(), Start::Resume);
        bench.frame(RESUMED);
        bench.close(4009);
    }
}

#[test]
fn three_refused_tokens_in_a_row_stop_the_shard() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    for refusal in 1..=3 {
        assert_eq!(bench.hello(), Start::Resume);
        bench.close(4004);
        let refused = bench
            .actions
            .iter()
            .filter(|action| **action == Action::RefuseToken)
            .count();
        assert_eq!(refused, 1, "{refusal}");
        assert_eq!(bench.report().unwrap().retry_after.is_none(), refusal == 3);
    }
    assert_eq!(bench.machine.state(), State::Closed);
    assert_eq!(
        bench.session(),
        Some(("old".into(), 5)),
        "new credentials may resume it"
    );
}

#[test]
fn a_token_that_works_in_between_resets_the_count() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    for _ in 0..10 {
        for _ in 0..2 {
            bench.hello();
            bench.close(4004);
        }
        bench.hello();
        bench.frame(RESUMED);
        bench.close(4009);
    }
    assert_ne!(bench.machine.state(), State::Closed);
}

#[test]
fn refused_credentials_stop_at_once_and_missing_tokens_do_not() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.opening();
    for _ in 0..100 {
        bench
            .machine
            .failed(Fault::Token { is_final: false }, bench.now);
        bench.opening();
    }
    bench
        .machine
        .failed(Fault::Token { is_final: true }, bench.now);
    assert_eq!(bench.machine.state(), State::Closed);
}

#[test]
fn delays_grow_to_the_cap_and_start_anew_after_a_stable_minute() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    let mut longest = Duration::ZERO;
    for attempt in 0..200_u32 {
        bench.close(None);
        let delay = bench.report().unwrap().retry_after.unwrap();
        let ceiling = Duration::from_secs(1 << attempt.min(10)).min(MINUTE);
        assert!(
            delay <= ceiling && delay >= Duration::from_millis(100),
            "{attempt}: {delay:?}"
        );
        longest = longest.max(delay);
        assert_eq!(bench.hello(), Start::Resume);
        bench.frame(RESUMED);
        bench.now += MINUTE - Duration::from_millis(1);
    }
    assert!(longest > Duration::from_secs(50));
    bench.now += Duration::from_millis(1);
    for _ in 0..20 {
        bench.close(4009);
        assert!(bench.report().unwrap().retry_after.unwrap() <= Duration::from_secs(1));
        bench.hello();
        bench.frame(RESUMED);
        bench.now += MINUTE;
    }
}

#[test]
fn identify_that_is_refused_again_and_again_turns_slow() {
    let mut bench = Bench::new(Rules::default(), None);
    let mut identifies = 0;
    let end = bench.now + Duration::from_secs(24 * 3600);
    while bench.now < end {
        assert_eq!(bench.hello(), Start::Identify);
        identifies += 1;
        bench.close(4903);
        let report = bench.report().unwrap();
        assert_eq!(
            report.is_loud,
            identifies >= Backoff::default().identify_refusals
        );
    }
    assert!(
        (200..600).contains(&identifies),
        "{identifies} of a day's 1,000 sessions"
    );
}

#[test]
fn a_used_up_quota_is_waited_for() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.opening();
    let reset_after = Duration::from_secs(7200);
    bench
        .machine
        .failed(Fault::Quota { reset_after }, bench.now);
    bench.collect();
    let delay = bench.report().unwrap().retry_after.unwrap();
    assert!((reset_after..=reset_after + Duration::from_secs(1)).contains(&delay));
    assert_eq!(bench.opening(), Start::Identify);
}

#[test]
fn heartbeats_carry_the_newest_number_and_the_first_is_jittered() {
    let mut firsts = Vec::new();
    for seed in 0..50 {
        let mut bench = Bench::new(Rules::default(), None);
        bench.machine.rng = Rng::with_seed(seed);
        bench.ready();
        let start = bench.now;
        firsts.push(bench.machine.deadline().unwrap() - start);
        bench.frame(&event(2));
        bench.advance(INTERVAL);
        assert_eq!(bench.sent(), [Outgoing::Heartbeat(Some(2))]);
    }
    assert!(firsts.iter().all(|first| *first <= INTERVAL));
    assert!(firsts.iter().any(|first| *first < INTERVAL / 4));
    assert!(firsts.iter().any(|first| *first > INTERVAL / 4 * 3));
}

#[test]
fn a_late_ack_is_an_ack_and_a_missing_one_is_found_within_two_intervals() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    bench.now = bench.machine.deadline().unwrap();
    for _ in 0..20 {
        assert!(matches!(
            bench.take()[..],
            [Action::Send(Outgoing::Heartbeat(Some(1)))]
        ));
        bench.advance(INTERVAL.mul_f64(0.99));
        bench.frame(ACK);
        assert_eq!(bench.report(), None);
        bench.now = bench.machine.deadline().unwrap();
        bench.actions.clear();
    }
    let silent_since = bench.now;
    while bench.report().is_none() {
        bench.now = bench.now.max(bench.machine.deadline().unwrap());
        bench.machine.tick(bench.now);
        bench.machine.expire(bench.now);
        bench.collect();
    }
    let report = bench.report().unwrap();
    assert_eq!(
        (report.fault, report.phase),
        (Fault::Timeout, Some(Phase::Heartbeat))
    );
    assert!(
        bench.actions.contains(&Action::Abort(4000)),
        "not 1000 or 1001: the session stays"
    );
    assert!(bench.now - silent_since <= 2 * INTERVAL);
    assert_eq!(bench.session(), Some(("s1".into(), 1)));
}

#[test]
fn repeats_are_dropped_and_gaps_reported() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    assert_eq!(bench.frame(&event(2)), Verdict::Deliver(None));
    for received in [2, 1] {
        let repeat = SequenceRepeat {
            newest: 2,
            received,
        };
        assert_eq!(bench.frame(&event(received)), Verdict::Repeat(Some(repeat)));
    }
    assert_eq!(
        bench.frame(&event(6)),
        Verdict::Deliver(Some(SequenceGap {
            after: 2,
            received: 6
        }))
    );
    assert_eq!(bench.session(), Some(("s1".into(), 6)));
    assert_eq!(
        bench.frame(r#"{"op":0,"t":"C2C_MESSAGE_CREATE","d":{}}"#),
        Verdict::Deliver(None)
    );
}

#[test]
fn a_new_session_counts_from_its_own_start() {
    let mut bench = Bench::new(Rules::default(), Some(500));
    bench.hello();
    bench.close(4006);
    assert_eq!(bench.hello(), Start::Identify);
    assert_eq!(bench.frame(&ready("s2")), Verdict::Deliver(None));
    assert_eq!(bench.frame(&event(2)), Verdict::Deliver(None));
    assert_eq!(bench.session(), Some(("s2".into(), 2)));
}

#[test]
fn a_session_without_an_id_cannot_be_resumed() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.hello();
    assert_eq!(
        bench.frame(r#"{"op":0,"t":"READY","s":1,"d":[]}"#),
        Verdict::Deliver(None)
    );
    assert!(matches!(bench.machine.state(), State::Ready { .. }));
    bench.close(4009);
    assert_eq!(bench.hello(), Start::Identify);
}

#[test]
fn manual_acknowledgement_moves_the_position_but_not_the_heartbeat() {
    let mut bench = Bench::new(
        Rules {
            ack_mode: AckMode::Manual,
            ..Rules::default()
        },
        None,
    );
    bench.ready();
    for sequence in 2..=6 {
        bench.frame(&event(sequence));
    }
    bench.machine.acknowledge(3);
    bench.frame(r#"{"op":1}"#);
    assert_eq!(bench.sent(), [Outgoing::Heartbeat(Some(6))]);
    assert_eq!(bench.session(), Some(("s1".into(), 3)));
    bench.close(4009);
    bench.hello();
    let position = bench.sent().into_iter().find_map(|frame| match frame {
        Outgoing::Resume { sequence, .. } => Some(sequence),
        _ => None,
    });
    assert_eq!(position, Some(3));
    for sequence in 4..=6 {
        assert_eq!(
            bench.frame(&event(sequence)),
            Verdict::Repeat(None),
            "this process has it, and asked for it"
        );
    }
    assert_eq!(bench.frame(&event(7)), Verdict::Deliver(None));
}

#[test]
fn a_long_replay_moves_the_deadline_of_resumed() {
    let mut bench = Bench::new(Rules::default(), Some(5));
    bench.hello();
    for sequence in 6..66 {
        bench.advance(Duration::from_secs(20));
        bench.frame(ACK);
        bench.frame(&event(sequence));
    }
    assert_eq!(bench.report(), None);
    assert!(matches!(bench.machine.state(), State::Resuming { .. }));
}

#[test]
fn events_on_the_way_during_op_7_are_delivered_and_during_close_are_not() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    bench.frame(r#"{"op":7}"#);
    assert_eq!(bench.frame(&event(2)), Verdict::Deliver(None));
    assert_eq!(bench.session(), Some(("s1".into(), 2)));
    bench.machine.close(CloseMode::KeepSession, bench.now);
    assert_eq!(bench.frame(&event(3)), Verdict::Handled);
    assert_eq!(
        bench.session(),
        Some(("s1".into(), 2)),
        "the next process is sent it"
    );
}

/// The session is lost, its connection not yet.
#[test]
fn what_comes_after_op_9_is_told_from_repeats() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    bench.frame(&event(2));
    bench.frame(r#"{"op":9,"d":false}"#);
    assert_eq!(bench.session(), None);
    assert!(matches!(bench.frame(&event(2)), Verdict::Repeat(_)));
    assert_eq!(bench.frame(&event(3)), Verdict::Deliver(None));
    assert_eq!(bench.session(), None);
    assert_eq!(bench.hello(), Start::Identify);
    assert_eq!(bench.frame(&ready("s2")), Verdict::Deliver(None));
    assert_eq!(bench.frame(&event(2)), Verdict::Deliver(None));
}

#[test]
fn a_quick_closing_handshake_does_not_shorten_the_wait() {
    let mut bench = Bench::new(Rules::default(), None);
    bench.ready();
    bench.frame(r#"{"op":7}"#);
    let planned = bench.now + bench.report().unwrap().retry_after.unwrap();
    bench.close(4000);
    assert!(matches!(bench.machine.state(), State::Waiting { until, .. } if until == planned));
}

#[test]
fn closing_ends_at_its_deadline() {
    for (mode, code, kept) in [
        (CloseMode::Finish, 1000, false),
        (CloseMode::KeepSession, 4000, true),
    ] {
        let mut bench = Bench::new(Rules::default(), None);
        bench.ready();
        bench.machine.close(mode, bench.now);
        assert_eq!(bench.take(), [Action::Close(code)]);
        bench.advance(Duration::from_millis(2_999));
        assert!(matches!(bench.machine.state(), State::Closing { .. }));
        bench.advance(Duration::from_millis(1));
        assert_eq!(bench.machine.state(), State::Closed);
        assert_eq!(bench.session().is_some(), kept);
    }
}

#[test]
fn closing_without_a_connection_ends_at_once() {
    for connect in [false, true] {
        let mut bench = Bench::new(Rules::default(), Some(5));
        if connect {
            bench.opening();
        }
        bench.machine.close(CloseMode::KeepSession, bench.now);
        assert_eq!(bench.machine.state(), State::Closed);
        assert_eq!(bench.session(), Some(("old".into(), 5)));
    }
}

#[test]
fn a_silent_hello_is_bounded_and_odd_intervals_do_no_harm() {
    for data in [
        r#"{"heartbeat_interval":1}"#,
        r#"{"heartbeat_interval":18446744073709551615}"#,
        "{}",
        "7",
        "\"\"",
    ] {
        let mut bench = Bench::new(Rules::default(), None);
        bench.upgraded();
        bench.frame(&format!(r#"{{"op":10,"d":{data}}}"#));
        bench.frame(&ready("s1"));
        bench.actions.clear();
        let start = bench.now;
        let mut beats = 0_u32;
        while bench.now < start + Duration::from_secs(10) {
            bench.advance(Duration::from_millis(100));
            beats += u32::try_from(bench.sent().len()).unwrap();
            bench.actions.clear();
            bench.frame(ACK);
        }
        assert!(beats <= 101, "{data}: {beats}");
    }
}
