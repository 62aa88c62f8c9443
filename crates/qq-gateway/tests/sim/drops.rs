//! Futures that are dropped at any point, while anything happens.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use proptest::prelude::*;
use qq_gateway::Shard;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::net::Weather;
use crate::random::{CALM, fault};
use crate::world::{BOUND, Log, Sessions, Sim, run};

/// How far a future gets before it is dropped.
#[derive(Clone, Debug)]
enum Piece {
    /// `next` is polled so often.
    Polls(u8),
    /// `next` lives for so many milliseconds.
    Next(u64),
    /// `keep_alive` is polled so often.
    KeepAlivePolls(u8),
    /// `keep_alive` lives for so many milliseconds.
    KeepAlive(u64),
}

fn any_piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Piece::Polls),
        4 => (0..3000_u64).prop_map(Piece::Next),
        2 => (0..6_u8).prop_map(Piece::KeepAlivePolls),
        1 => (0..100_u64).prop_map(Piece::KeepAlive),
    ]
}

/// Polls so often, with whatever else is due in between.
async fn polls<F: Future>(mut future: Pin<&mut F>, count: u8) -> Option<F::Output> {
    for _ in 0..count {
        let poll = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = poll {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Reads a shard to its end, piece by piece, round and round.
async fn consume(mut shard: Shard, log: Log, pieces: Vec<Piece>) -> Shard {
    log.watch(&shard);
    // Time must pass in every round.
    for piece in pieces.iter().chain([&Piece::Next(1000)]).cycle() {
        let item = match piece {
            Piece::Polls(count) => polls(pin!(shard.next()), *count).await,
            Piece::Next(milliseconds) => {
                timeout(Duration::from_millis(*milliseconds), shard.next())
                    .await
                    .ok()
            }
            Piece::KeepAlivePolls(count) => {
                polls(pin!(shard.keep_alive()), *count).await;
                None
            }
            Piece::KeepAlive(milliseconds) => {
                let _ = timeout(Duration::from_millis(*milliseconds), shard.keep_alive()).await;
                None
            }
        };
        match item {
            Some(Some(item)) => log.take(shard.id(), item),
            Some(None) => return shard,
            None => {}
        }
    }
    shard
}

async fn scenario(mut sim: Sim, pieces: Vec<Piece>, faults: Vec<(u64, u64)>) {
    let shard = sim.shard();
    let task = tokio::spawn(consume(shard, sim.log.clone(), pieces));
    sim.publish(Duration::from_secs(5));
    let mut expiries = 0;
    for (pause, seed) in faults {
        sleep(Duration::from_millis(pause)).await;
        sim.rng = Rng::with_seed(seed);
        fault(&mut sim, &mut expiries);
    }
    sleep(Duration::from_secs(300)).await;
    sim.net.set(Weather::FAIR);
    sim.live_within(BOUND + CALM).await;
    sleep(BOUND).await;
    sim.live_within(BOUND).await;
    sim.settle(Sessions::Lost).await;
    sim.close(task).await;
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Never two IDENTIFYs in flight, numbers in order and whole, heartbeats in time, a session in the end.
    #[test]
    fn no_drop_breaks_a_promise(
        seed: u64,
        pieces in prop::collection::vec(any_piece(), 0..12),
        faults in prop::collection::vec((0..60_000_u64, any::<u64>()), 0..12),
    ) {
        run("drops", seed, |sim| scenario(sim, pieces, faults));
    }
}
