//! Turns to IDENTIFY.

use std::sync::Arc;
use std::time::Duration;

use qq_gateway::{IdentifyQueue, InMemoryIdentifyQueue, Phase, ShardErrorKind, ShardStatus};
use qq_model::gateway::{SessionStartLimit, ShardId};
use tokio::time::{Instant, timeout};

use crate::fake::{builder, consume, network};

fn limit(remaining: u32, max_concurrency: u32) -> SessionStartLimit {
    let mut limit = SessionStartLimit::default();
    limit.total = 1000;
    limit.remaining = remaining;
    limit.reset_after_ms = 7_200_000;
    limit.max_concurrency = max_concurrency;
    limit
}

/// When each of so many IDENTIFYs is allowed, in seconds.
async fn schedule(queue: &InMemoryIdentifyQueue, turns: usize) -> Vec<u64> {
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..turns {
        queue.wait(ShardId::ONE).await.unwrap().spend();
        times.push(start.elapsed().as_secs());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn identifies_are_spaced() {
    assert_eq!(
        schedule(&InMemoryIdentifyQueue::new(&limit(1000, 1)), 4).await,
        [0, 5, 10, 15]
    );
    assert_eq!(
        schedule(&InMemoryIdentifyQueue::new(&limit(1000, 3)), 7).await,
        [0, 0, 0, 5, 5, 5, 10]
    );
    assert_eq!(
        schedule(&InMemoryIdentifyQueue::new(&limit(1000, 0)), 2).await,
        [0, 5]
    );
}

#[tokio::test(start_paused = true)]
async fn a_turn_given_back_is_passed_on_at_once() {
    let queue = InMemoryIdentifyQueue::new(&limit(1, 1));
    let turn = queue.wait(ShardId::ONE).await.unwrap();
    let start = Instant::now();
    let (other, ()) = tokio::join!(queue.wait(ShardId::ONE), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(turn);
    });
    assert!(start.elapsed() < Duration::from_millis(1010));
    // It was the last one, and is not lost either.
    other.unwrap().spend();
    assert!(queue.wait(ShardId::ONE).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn turns_in_hand_count_against_the_quota() {
    let queue = InMemoryIdentifyQueue::new(&limit(1, 2));
    let last = queue.wait(ShardId::ONE).await.unwrap();
    let other = queue.clone();
    let other = tokio::spawn(async move { other.wait(ShardId::ONE).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        !other.is_finished(),
        "there is no turn left, unless the first comes back"
    );
    last.spend();
    assert_eq!(other.await.unwrap().unwrap_err().remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_held_for_ever_holds_nobody_up() {
    let queue = InMemoryIdentifyQueue::new(&limit(1000, 1));
    let held = queue.wait(ShardId::ONE).await.unwrap();
    let start = Instant::now();
    let _next = queue.wait(ShardId::ONE).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 60);
    // Its turn is another's by now.
    held.spend();
    assert!(
        timeout(Duration::from_secs(59), queue.wait(ShardId::ONE))
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_leave_the_queue_hold_nobody_up() {
    let queue = InMemoryIdentifyQueue::new(&limit(1000, 1));
    queue.wait(ShardId::ONE).await.unwrap().spend();
    let start = Instant::now();
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let queue = queue.clone();
        waiting.push(tokio::spawn(async move {
            queue.wait(ShardId::ONE).await.unwrap().spend();
        }));
        tokio::task::yield_now().await;
    }
    waiting[0].abort();
    waiting[1].abort();
    waiting.pop().unwrap().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_quota_is_checked_up_front_and_counted_down() {
    let queue = InMemoryIdentifyQueue::new(&limit(2, 1));
    queue.check(2).unwrap();
    let error = queue.check(3).unwrap_err();
    assert_eq!(
        (error.remaining(), error.reset_after()),
        (2, Duration::from_secs(7200))
    );
    assert_eq!(
        error.to_string(),
        "3 sessions are needed, 2 of the day's are left: the count starts anew in 2:00:00 h"
    );
    schedule(&queue, 2).await;
    let error = queue.wait(ShardId::ONE).await.unwrap_err();
    assert_eq!(
        (error.remaining(), error.reset_after()),
        (0, Duration::from_secs(7195))
    );
    tokio::time::sleep(Duration::from_secs(7195)).await;
    queue.check(1000).unwrap();
    // An answer without limits is no quota of zero.
    InMemoryIdentifyQueue::new(&SessionStartLimit::default())
        .check(5)
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shard_without_quota_says_so_and_waits_for_the_reset() {
    let (net, mut gateway) = network();
    let queue = Arc::new(InMemoryIdentifyQueue::new(&limit(0, 1)));
    let mut shard = builder(&net).identify_queue(queue).build().unwrap();
    let error = shard.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.is_fatal()),
        (ShardErrorKind::SessionQuota, false)
    );
    assert_eq!(error.phase(), Some(Phase::Queue));
    assert!(error.retry_after().unwrap() >= Duration::from_secs(7200));
    assert!(matches!(
        shard.status(),
        ShardStatus::Waiting {
            cause: ShardErrorKind::SessionQuota,
            ..
        }
    ));
    let mut consumer = consume(shard);
    assert!(gateway.is_quiet(Duration::from_secs(7199)).await);
    gateway.identified("s1").await;
    consumer.expect("READY").await;
}

#[tokio::test(start_paused = true)]
async fn shards_take_turns_to_identify_and_resume_without() {
    let (net, mut gateway) = network();
    let queue: Arc<dyn IdentifyQueue> = Arc::new(InMemoryIdentifyQueue::new(&limit(1000, 1)));
    let start = Instant::now();
    let mut consumers = Vec::new();
    for index in 0..4 {
        let shard = ShardId::new(index, 4).unwrap();
        consumers.push(consume(
            builder(&net)
                .shard(shard)
                .identify_queue(Arc::clone(&queue))
                .build()
                .unwrap(),
        ));
    }
    let mut servers = Vec::new();
    for turn in 0..4 {
        servers.push(gateway.identified("s").await);
        assert_eq!(start.elapsed().as_secs(), turn * 5);
    }
    for server in &mut servers {
        server.close(4009).await;
    }
    let closed = Instant::now();
    for _ in 0..4 {
        gateway.resuming("s").await;
    }
    assert!(closed.elapsed() <= Duration::from_secs(1));
}
