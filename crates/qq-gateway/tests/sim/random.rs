//! Any fault at any time, then calm.

use std::time::Duration;

use qq_gateway::ShardErrorKind;
use serde_json::json;
use tokio::time::sleep;

use crate::net::{Reach, Weather};
use crate::platform::Stage;
use crate::world::{BOUND, Sessions, Sim, simulate};

/// Whatever happened, a shard without faults is live again after this: even when IDENTIFY was refused so often
/// that the shard has turned slow.
pub(crate) const CALM: Duration = Duration::from_secs(300 + 30);

#[test]
fn any_schedule_of_faults() {
    simulate("random faults", 32, |mut sim| async move {
        let task = sim.start();
        sim.publish(Duration::from_secs(5));
        let mut expiries = 0;
        for _ in 0..sim.rng.u32(4..25) {
            let pause = sim.rng.u64(0..120_000) / sim.rng.u64(1..20);
            sleep(Duration::from_millis(pause)).await;
            fault(&mut sim, &mut expiries);
        }
        sleep(Duration::from_secs(300)).await;
        sim.net.set(Weather::FAIR);
        sim.live_within(BOUND + CALM).await;
        sleep(2 * BOUND).await;
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Lost).await;
        let identifies = sim.platform.state().identifies.len();
        assert!(identifies <= 60, "{identifies}");
        assert!(sim.log.errors().iter().all(|error| !error.is_fatal));
        let decode = |kind| kind == ShardErrorKind::Decode;
        assert!(!sim.log.errors().iter().any(|error| decode(error.kind)));
        let shard = sim.close(task).await;
        assert!(shard.session().is_some());
    });
}

#[test]
fn any_schedule_of_faults_for_a_group() {
    simulate("random faults, many shards", 8, |mut sim| async move {
        sim.set_concurrency(4);
        let task = sim.start_group(12);
        sim.publish(Duration::from_secs(1));
        let mut expiries = 0;
        for _ in 0..sim.rng.u32(4..15) {
            let pause = sim.rng.u64(0..120_000) / sim.rng.u64(1..20);
            sleep(Duration::from_millis(pause)).await;
            fault(&mut sim, &mut expiries);
        }
        sleep(Duration::from_secs(300)).await;
        sim.net.set(Weather::FAIR);
        sim.live_within(BOUND + CALM).await;
        sleep(2 * BOUND).await;
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Lost).await;
        task.abort();
    });
}

/// `expiries`: how often tokens expired so far. Three refusals in a row would stop a shard for good.
pub(crate) fn fault(sim: &mut Sim, expiries: &mut u32) {
    let rng = &mut sim.rng;
    let duration = Duration::from_millis(rng.u64(0..200_000) / rng.u64(1..10));
    let weather = Weather {
        reach: [Reach::Open, Reach::Refused, Reach::NoName][rng.usize(0..3)],
        up_stalls: rng.bool(),
        down_stalls: rng.bool(),
        byte_time: Duration::from_millis(if rng.u8(0..8) == 0 { 300 } else { 0 }),
    };
    match rng.u8(0..14) {
        0 | 1 => sim.squall(weather, duration)(),
        2 => sim.net.vanish(),
        3 => sim.net.reset_after(rng.usize(0..400)),
        4 => {
            let code = [
                1000, 1001, 1011, 4000, 4003, 4005, 4006, 4007, 4009, 4900, 4902, 4903, 4913,
            ];
            sim.platform.close_all(code[rng.usize(0..code.len())]);
        }
        5 => sim.platform.send(&json!({"op": 7})),
        6 => sim.platform.send(&json!({"op": 9, "d": rng.bool()})),
        7 => sim.platform.forget_sessions(),
        8 if *expiries < 2 => {
            *expiries += 1;
            sim.platform.expire_tokens();
        }
        9 => sim.platform.repeat(),
        10 => sim.platform.skip(rng.u64(1..4)),
        11 => {
            let stages = [
                Stage::Upgrade,
                Stage::Hello,
                Stage::Identify,
                Stage::Resume,
                Stage::Replay,
                Stage::Live,
                Stage::Close,
            ];
            let stage = stages[rng.usize(0..stages.len())];
            let spring = sim.squall(weather, duration);
            sim.platform.trap(stage, spring);
            sim.platform.close_all(4009);
        }
        12 => {
            // Slow for a while: in time or not.
            let (platform, delay) = (sim.platform.clone(), Duration::from_secs(rng.u64(0..40)));
            platform.state().ready_delay = delay;
            tokio::spawn(async move {
                sleep(duration).await;
                platform.state().ready_delay = Duration::ZERO;
            });
            sim.platform.close_all(4009);
        }
        _ => sim.platform.send(&json!({"op": 1, "d": null})),
    }
}
