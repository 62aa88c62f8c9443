//! Days.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::net::Weather;
use crate::world::{CAP, Sessions, simulate};

const HOUR: Duration = Duration::from_secs(3600);

/// The normal life of a connection: 4009 every half hour, with op 7 before it or without, and events all the time.
#[test]
fn forty_eight_hours_of_expiring_connections() {
    simulate("48 hours of 4009", 2, |mut sim| async move {
        let task = sim.start();
        sim.live_within(Duration::from_secs(5)).await;
        sim.publish(Duration::from_secs(20));
        let start = Instant::now();
        for cycle in 0..96_u64 {
            sleep(start + HOUR / 2 * u32::try_from(cycle + 1).unwrap() - Instant::now()).await;
            if sim.rng.bool() {
                sim.platform.send(&json!({"op": 7}));
            }
            sim.platform.publish(0);
            sim.platform.close_all(4009);
            // On its way when the connection ends, or shortly after.
            sim.platform.publish(0);
            sleep(Duration::from_millis(sim.rng.u64(0..500))).await;
            sim.platform.publish(0);
        }
        sleep(Duration::from_secs(60)).await;
        assert!(start.elapsed() >= 48 * HOUR);
        sim.settle(Sessions::Kept).await;
        let identifies = sim.platform.state().identifies.len();
        assert!(identifies <= 2, "{identifies}");
        let resumes = sim.platform.state().resumes.len();
        assert!((96..=100).contains(&resumes), "{resumes}");
        for error in sim.log.ends() {
            assert!(
                error.retry_after.unwrap() <= Duration::from_secs(1),
                "{error:?}"
            );
        }
        let shard = sim.close(task).await;
        assert_eq!(
            shard.stats().connections,
            shard.stats().identifies + shard.stats().resumes
        );
    });
}

/// No network for a day: silent, or refusing. When it is back, so is the bot, before the longest back-off ends.
#[test]
fn a_day_of_outage() {
    for weather in [Weather::PARTITION, Weather::REFUSED] {
        for is_gone in [true, false] {
            let name = format!("a day of {weather:?}, the session is gone: {is_gone}");
            simulate(&name, 2, |mut sim| async move {
                sim.platform.state().window = if is_gone { HOUR } else { 48 * HOUR };
                let task = sim.start();
                sim.live_within(Duration::from_secs(5)).await;
                sim.publish(Duration::from_secs(60));
                sleep(Duration::from_secs(100)).await;
                sim.net.set(weather);
                sim.net.reset_after(0);
                sleep(24 * HOUR + Duration::from_millis(sim.rng.u64(0..60_000))).await;
                let attempts = sim.net.attempts().len();
                assert!((1200..4000).contains(&attempts), "{attempts}");
                sim.net.set(Weather::FAIR);
                let start = Instant::now();
                sim.live_within(CAP).await;
                assert!(start.elapsed() < CAP, "{:?}", start.elapsed());
                sleep(Duration::from_secs(60)).await;
                sim.settle(if is_gone {
                    Sessions::Lost
                } else {
                    Sessions::Kept
                })
                .await;
                assert_eq!(sim.log.sessions(), if is_gone { 2 } else { 1 });
                sim.close(task).await;
            });
        }
    }
}
