//! Futures that are dropped at every point.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use qq_gateway::{CloseMode, Shard, ShardError};
use qq_model::Dispatch;
use tokio::time::sleep;

use crate::fake::{builder, network_with_buffer};

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// `next`, dropped again and again after so many polls.
async fn next_in_pieces(shard: &mut Shard, polls: usize) -> Option<Result<Dispatch, ShardError>> {
    loop {
        let mut next = pin!(shard.next());
        for _ in 0..polls {
            if let Poll::Ready(item) = poll_once(next.as_mut()).await {
                return item;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_is_lost_when_next_is_dropped() {
    // A small pipe cuts frames into pieces.
    for (polls, buffer) in [(1, 64), (2, 61), (3, 256), (7, 4096)] {
        let (net, mut gateway) = network_with_buffer(buffer);
        let mut shard = builder(&net).build().unwrap();
        let serve = tokio::spawn(async move {
            let mut server = gateway.identified("s1").await;
            for _ in 0..100 {
                server.event().await;
            }
            server.close(4009).await;
            let (mut server, sequence) = gateway.resuming("s1").await;
            server.sequence = sequence;
            server.resumed().await;
            for _ in 0..100 {
                server.event().await;
            }
            server
        });
        let mut sequences = Vec::new();
        let mut errors = 0;
        while sequences.len() < 202 {
            match next_in_pieces(&mut shard, polls).await.unwrap() {
                Ok(dispatch) => sequences.push(dispatch.sequence.unwrap()),
                Err(_) => errors += 1,
            }
            // As a select! with a full queue would.
            let _ = poll_once(pin!(shard.keep_alive())).await;
        }
        assert_eq!(sequences, (1..=202).collect::<Vec<_>>());
        assert_eq!(
            (errors, shard.stats().identifies, shard.stats().resumes),
            (1, 1, 1)
        );
        let mut server = serve.await.unwrap();

        // Close, in pieces too.
        let answer = tokio::spawn(async move { server.closed().await });
        loop {
            let close = pin!(shard.close(CloseMode::KeepSession));
            if let Ok(session) = tokio::time::timeout(Duration::from_millis(1), close).await {
                assert_eq!(session.unwrap().sequence, 202);
                break;
            }
        }
        assert_eq!(answer.await.unwrap(), Some(4000));
    }
}
