//! The network fails: at every step, in one direction, without a word, in the middle of a frame.

use std::time::Duration;

use qq_gateway::{Phase, ShardErrorKind};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::net::{Reach, Weather};
use crate::platform::{INTERVAL, Stage};
use crate::world::{BOUND, CAP, Sessions, Sim, simulate};

const HOUR: Duration = Duration::from_secs(3600);

/// Lives for a minute with events.
async fn warm_up(sim: &mut Sim) {
    sim.live_within(Duration::from_secs(5)).await;
    sim.publish(Duration::from_secs(2));
    sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_partition_in_every_phase() {
    for stage in [
        None,
        Some(Stage::Upgrade),
        Some(Stage::Hello),
        Some(Stage::Identify),
        Some(Stage::Resume),
        Some(Stage::Replay),
        Some(Stage::Live),
        Some(Stage::Close),
    ] {
        for seconds in [5, 45, 600] {
            let name = format!("a partition of {seconds} s at {stage:?}");
            simulate(&name, 3, |sim| {
                partition(sim, stage, Duration::from_secs(seconds))
            });
        }
    }
}

/// `None`: while the client connects.
async fn partition(mut sim: Sim, stage: Option<Stage>, outage: Duration) {
    let needs_session = matches!(stage, Some(Stage::Resume | Stage::Replay | Stage::Close));
    let spring = sim.squall(Weather::PARTITION, outage);
    let task;
    if needs_session {
        task = sim.start();
        warm_up(&mut sim).await;
        sim.platform.trap(stage.unwrap(), spring);
        if stage == Some(Stage::Close) {
            sim.platform.send(&json!({"op": 7}));
        } else {
            sim.platform.close_all(4009);
            // Something to replay.
            for _ in 0..10 {
                sim.platform.publish(0);
            }
        }
    } else {
        match stage {
            None => sim.net.on_connect(|_| spring()),
            Some(stage) => sim.platform.trap(stage, spring),
        }
        task = sim.start();
        sim.publish(Duration::from_secs(2));
    }
    sleep(outage + Duration::from_secs(1)).await;
    sim.live_within(BOUND).await;
    sleep(Duration::from_secs(120)).await;
    // Only a RESUME that is not answered in time costs the session.
    let is_refusal = stage == Some(Stage::Resume) && outage > Duration::from_secs(30);
    sim.settle(if is_refusal {
        Sessions::Lost
    } else {
        Sessions::Kept
    })
    .await;
    let phase = match stage {
        // A connection that is closing has its reason already; the next one is not made.
        None | Some(Stage::Close) => Phase::Connect,
        Some(Stage::Upgrade) => Phase::Upgrade,
        Some(Stage::Hello) => Phase::Hello,
        Some(Stage::Identify) => Phase::Ready,
        Some(Stage::Resume | Stage::Replay) => Phase::Resumed,
        Some(Stage::Live) => Phase::Heartbeat,
    };
    if outage > Duration::from_secs(300) {
        let ends = sim.log.ends();
        let named = ends
            .iter()
            .find(|error| error.kind == ShardErrorKind::Timeout);
        assert_eq!(named.unwrap().phase, Some(phase), "{ends:#?}");
    }
    sim.close(task).await;
}

#[test]
fn one_way_loss_is_found_within_two_intervals() {
    for (up_stalls, down_stalls) in [(true, false), (false, true)] {
        simulate(
            &format!("loss up: {up_stalls}, down: {down_stalls}"),
            4,
            |mut sim| async move {
                let task = sim.start();
                warm_up(&mut sim).await;
                let weather = Weather {
                    up_stalls,
                    down_stalls,
                    ..Weather::FAIR
                };
                let start = Instant::now();
                sim.squall(weather, Duration::from_secs(600))();
                sleep(Duration::from_secs(601)).await;
                let found = sim.log.ends()[0].at - start;
                assert!(found <= 2 * INTERVAL + Duration::from_secs(1), "{found:?}");
                assert_eq!(sim.log.ends()[0].phase, Some(Phase::Heartbeat));
                sim.live_within(CAP + Duration::from_secs(1)).await;
                sleep(Duration::from_secs(60)).await;
                sim.settle(Sessions::Kept).await;
                sim.close(task).await;
            },
        );
    }
}

#[test]
fn a_half_open_connection_is_found_within_two_intervals() {
    simulate("half-open", 8, |mut sim| async move {
        let task = sim.start();
        warm_up(&mut sim).await;
        for round in 0..5 {
            let (start, before) = (Instant::now(), sim.log.ends().len());
            sim.net.vanish();
            while sim.log.ends().len() == before {
                sleep(Duration::from_millis(100)).await;
            }
            let found = start.elapsed();
            assert!(
                found <= 2 * INTERVAL + Duration::from_secs(1),
                "{round}: {found:?}"
            );
            sim.live_within(CAP).await;
            sleep(Duration::from_secs(90)).await;
        }
        sim.settle(Sessions::Kept).await;
        assert_eq!(sim.platform.state().identifies.len(), 1);
        sim.close(task).await;
    });
}

#[test]
fn a_reset_inside_a_frame_loses_nothing() {
    simulate("reset inside a frame", 8, |mut sim| async move {
        let task = sim.start();
        warm_up(&mut sim).await;
        for _ in 0..20 {
            let bytes = sim.rng.usize(0..300);
            sim.net.reset_after(bytes);
            sleep(Duration::from_secs(sim.rng.u64(10..200))).await;
        }
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Kept).await;
        assert!(sim.log.ends().len() >= 15);
        assert!(
            sim.log
                .ends()
                .iter()
                .all(|error| error.kind == ShardErrorKind::Network)
        );
        sim.close(task).await;
    });
}

#[test]
fn a_name_that_is_not_found_for_an_hour() {
    simulate("DNS failure", 4, |mut sim| async move {
        let weather = Weather {
            reach: Reach::NoName,
            ..Weather::FAIR
        };
        sim.squall(weather, HOUR)();
        let task = sim.start();
        sleep(HOUR).await;
        let errors = sim.log.ends();
        assert!((60..200).contains(&errors.len()), "{}", errors.len());
        for error in errors {
            assert_eq!(error.kind, ShardErrorKind::Network);
            assert_eq!(error.phase, Some(Phase::Connect));
        }
        sim.live_within(CAP + Duration::from_secs(1)).await;
        sim.settle(Sessions::Kept).await;
        sim.close(task).await;
    });
}

#[test]
fn one_byte_per_second() {
    let slow = Weather {
        byte_time: Duration::from_secs(1),
        ..Weather::FAIR
    };
    // A live session bears it, as long as ACKs come in time.
    simulate(
        "a quiet session at one byte per second",
        4,
        |mut sim| async move {
            let task = sim.start();
            sim.live_within(Duration::from_secs(5)).await;
            sim.net.set(slow);
            sleep(HOUR).await;
            assert_eq!(sim.log.ends().len(), 0, "{:#?}", sim.log.ends());
            // An event takes two minutes, and the ACK waits behind it: no way to tell that from a dead connection.
            sim.platform.publish(0);
            sleep(Duration::from_secs(600)).await;
            assert_eq!(sim.log.ends()[0].phase, Some(Phase::Heartbeat));
            sim.net.set(Weather::FAIR);
            sim.live_within(CAP + Duration::from_secs(15)).await;
            sim.settle(Sessions::Kept).await;
            sim.close(task).await;
        },
    );
    simulate(
        "a live session at five bytes per second",
        4,
        |mut sim| async move {
            let task = sim.start();
            sim.live_within(Duration::from_secs(5)).await;
            sim.net.set(Weather {
                byte_time: Duration::from_millis(200),
                ..Weather::FAIR
            });
            for _ in 0..20 {
                sim.platform.publish(0);
                sleep(Duration::from_secs(60)).await;
            }
            sim.settle(Sessions::Kept).await;
            assert_eq!(sim.log.ends().len(), 0, "{:#?}", sim.log.ends());
            sim.close(task).await;
        },
    );
    // A way to a session at that pace is none, and every attempt ends in time.
    simulate(
        "connecting at one byte per second",
        4,
        |mut sim| async move {
            sim.squall(slow, HOUR)();
            let task = sim.start();
            sleep(HOUR).await;
            for error in sim.log.ends() {
                assert_eq!(
                    (error.kind, error.phase),
                    (ShardErrorKind::Timeout, Some(Phase::Upgrade))
                );
            }
            sim.live_within(CAP + Duration::from_secs(15)).await;
            sim.settle(Sessions::Kept).await;
            sim.close(task).await;
        },
    );
}
