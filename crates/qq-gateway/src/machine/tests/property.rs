//! Random frames, closes, failures and jumps in time.

use proptest::prelude::*;

use super::*;
use crate::machine::watch::{Step, Watch};
use crate::{AckMode, CloseMode};

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
        12 => frame.clone().prop_map(Step::Frame),
        2 => frame.prop_map(Step::Skip),
        2 => code.prop_map(Step::Close),
        10 => prop::bool::weighted(0.9).prop_map(Step::Connect),
        4 => (0..100_000_u32).prop_map(Step::Wait),
        1 => (0..100_000_u32).prop_map(Step::Stall),
        1 => Just(Step::KeepAlive),
        1 => (0..20_u64).prop_map(Step::Acknowledge),
        // Rare, for it ends the run.
        1 => prop::bool::weighted(0.1).prop_map(|ends| match ends {
            true => Step::End(CloseMode::Finish),
            false => Step::KeepAlive,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it(
        steps in prop::collection::vec(any_step(), 0..80),
        manual: bool,
        session in prop::option::of(0..20_u64),
        seed: u64,
    ) {
        let ack_mode = if manual { AckMode::Manual } else { AckMode::Automatic };
        let mut watch = Watch::new(ack_mode, seed, session);
        for step in &steps {
            watch.step(step);
        }
        watch.end();
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
