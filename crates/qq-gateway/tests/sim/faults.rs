//! The gateway fails, while the network is fine.

use std::time::Duration;

use qq_gateway::{Phase, ShardErrorKind};
use serde_json::json;
use tokio::time::sleep;

use crate::platform::Stage;
use crate::world::{BOUND, Sessions, simulate};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn hello_never() {
    simulate("HELLO never", 4, |mut sim| async move {
        sim.platform.state().hello_delay = HOUR;
        let task = sim.start();
        sleep(HOUR / 4).await;
        for error in sim.log.ends() {
            assert_eq!(
                (error.kind, error.phase),
                (ShardErrorKind::Timeout, Some(Phase::Hello))
            );
        }
        sim.platform.state().hello_delay = Duration::ZERO;
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Kept).await;
        assert_eq!(
            sim.platform.state().identifies.len(),
            1,
            "none without HELLO"
        );
        sim.close(task).await;
    });
}

#[test]
fn ready_late() {
    simulate("READY late, but in time", 4, |mut sim| async move {
        sim.platform.state().ready_delay = 29 * SECOND;
        let task = sim.start();
        sim.live_within(31 * SECOND).await;
        sim.publish(2 * SECOND);
        for _ in 0..5 {
            sleep(60 * SECOND).await;
            sim.platform.close_all(4009);
        }
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Kept).await;
        sim.close(task).await;
    });
    simulate("READY too late", 4, |mut sim| async move {
        sim.platform.state().ready_delay = 31 * SECOND;
        let task = sim.start();
        sleep(HOUR / 2).await;
        let ends = sim.log.ends();
        assert!(
            ends.iter().all(|error| error.phase == Some(Phase::Ready)),
            "{ends:#?}"
        );
        let identifies = sim.platform.state().identifies.len();
        assert!(
            (10..40).contains(&identifies),
            "{identifies} in half an hour"
        );
        sim.platform.state().ready_delay = Duration::ZERO;
        sim.live_within(6 * 60 * SECOND).await;
        sim.settle(Sessions::Kept).await;
        sim.close(task).await;
    });
}

#[test]
fn a_token_that_expires_before_resume() {
    simulate("token expiry during resume", 8, |mut sim| async move {
        let task = sim.start();
        sim.live_within(5 * SECOND).await;
        sim.publish(2 * SECOND);
        for round in 1..=10 {
            sleep(60 * SECOND).await;
            let platform = sim.platform.clone();
            if round % 2 == 0 {
                // Between the moment it was fetched and the moment it is looked at.
                sim.platform
                    .trap(Stage::Resume, move || platform.expire_tokens());
            } else {
                platform.expire_tokens();
            }
            sim.platform.close_all(4009);
            sleep(5 * SECOND).await;
            sim.live_within(BOUND).await;
            let refused = sim
                .log
                .ends()
                .iter()
                .filter(|error| error.code == Some(4004))
                .count();
            assert_eq!(refused, round);
        }
        sim.settle(Sessions::Kept).await;
        assert_eq!(sim.platform.state().identifies.len(), 1);
        sim.close(task).await;
    });
}

#[test]
fn repeated_and_skipped_numbers() {
    simulate("duplicate and skipped sequences", 8, |mut sim| async move {
        let task = sim.start();
        sim.live_within(5 * SECOND).await;
        sim.publish(2 * SECOND);
        let (mut repeats, mut skips) = (0, 0);
        for _ in 0..100 {
            sleep(SECOND * sim.rng.u32(3..20)).await;
            if sim.rng.bool() {
                sim.platform.repeat();
                repeats += 1;
            } else {
                sim.platform.skip(sim.rng.u64(1..5));
                skips += 1;
                sleep(10 * SECOND).await;
            }
            if sim.rng.u8(0..10) == 0 {
                sim.platform.close_all(4009);
                sleep(5 * SECOND).await;
            }
        }
        sim.settle(Sessions::Kept).await;
        let count = |kind| {
            sim.log
                .errors()
                .iter()
                .filter(|error| error.kind == kind)
                .count()
        };
        let (gaps, repeated) = (
            count(ShardErrorKind::SequenceGap),
            count(ShardErrorKind::SequenceRepeat),
        );
        assert!((1..=skips).contains(&gaps), "{gaps} of {skips}");
        assert!((1..=repeats).contains(&repeated), "{repeated} of {repeats}");
        sim.close(task).await;
    });
}

#[test]
fn a_huge_frame() {
    simulate("huge frame", 4, |mut sim| async move {
        let task = sim.start();
        sim.live_within(5 * SECOND).await;
        sim.publish(2 * SECOND);
        let huge = json!({"op": 0, "t": "SOMETHING_NEW", "d": "x".repeat(5 << 20)});
        for _ in 0..3 {
            sleep(90 * SECOND).await;
            sim.platform.send(&huge);
            sleep(10 * SECOND).await;
            sim.live_within(BOUND).await;
        }
        let ends = sim.log.ends();
        assert!(
            ends.iter()
                .all(|error| error.kind == ShardErrorKind::Protocol),
            "{ends:#?}"
        );
        assert_eq!(ends.len(), 3);
        sim.settle(Sessions::Kept).await;
        sim.close(task).await;
    });
}
