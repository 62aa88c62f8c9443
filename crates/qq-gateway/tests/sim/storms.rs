//! Many shards lose their connections at once.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::net::Weather;
use crate::world::{BOUND, CAP, Sessions, simulate};

const SHARDS: u32 = 120;

/// The gateway restarts; sessions survive. All shards are back within one back-off, and did not come at once.
#[test]
fn a_reconnect_storm_is_spread_and_ends() {
    simulate("reconnect storm", 2, |mut sim| async move {
        sim.set_concurrency(16);
        let task = sim.start_group(SHARDS);
        sim.live_within(Duration::from_secs(60)).await;
        sim.publish(Duration::from_millis(100));
        sleep(Duration::from_secs(90)).await;
        let before = sim.net.attempts().len();
        sim.net.set(Weather::REFUSED);
        sim.net.reset_after(0);
        let start = Instant::now();
        sleep(Duration::from_secs(600)).await;
        sim.net.set(Weather::FAIR);
        sim.live_within(CAP + Duration::from_secs(1)).await;
        sleep(Duration::from_secs(30)).await;
        sim.settle(Sessions::Kept).await;
        let attempts: Vec<_> = sim.net.attempts().split_off(before);
        let each = attempts.len() / SHARDS as usize;
        assert!((15..=60).contains(&each), "{each} attempts per shard");
        let mut per_second: BTreeMap<u64, u32> = BTreeMap::new();
        for attempt in &attempts {
            *per_second.entry((*attempt - start).as_secs()).or_default() += 1;
        }
        // The first attempts come within a second; what follows spreads.
        let busiest = per_second
            .range(60..)
            .map(|(_, count)| *count)
            .max()
            .unwrap();
        assert!(busiest <= SHARDS / 6, "{busiest} in one second");
        assert_eq!(sim.platform.state().identifies.len(), SHARDS as usize);
        task.abort();
    });
}

/// All sessions are lost: IDENTIFYs take their turns, one per shard.
#[test]
fn a_storm_without_sessions_keeps_to_the_queue() {
    simulate("sessions lost", 2, |mut sim| async move {
        sim.set_concurrency(16);
        let task = sim.start_group(SHARDS);
        sim.live_within(Duration::from_secs(60)).await;
        sim.publish(Duration::from_millis(100));
        sleep(Duration::from_secs(90)).await;
        sim.platform.forget_sessions();
        sim.platform.close_all(4009);
        sleep(Duration::from_secs(1)).await;
        sim.live_within(BOUND).await;
        sim.settle(Sessions::Lost).await;
        let mut identifies = vec![0; SHARDS as usize];
        for (_, shard) in &sim.platform.state().identifies {
            identifies[usize::try_from(*shard).unwrap()] += 1;
        }
        assert!(identifies.iter().all(|count| *count == 2), "{identifies:?}");
        task.abort();
    });
}
