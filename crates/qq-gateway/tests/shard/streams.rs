//! Byte streams that behave badly.

use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use qq_gateway::{Limits, Phase};
use qq_transport::{Connect, ConnectFuture, Connection};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, advance, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::fake::{Net, builder, consume, network, network_with_buffer};

/// Once `flood` is set, a stream that never has nothing to read, and never makes its task yield.
struct Endless {
    inner: Connection,
    flood: Arc<AtomicBool>,
}

/// A whole text frame of a server.
const FRAME: &[u8] = b"\x81\x09{\"op\":11}";

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_read(cx, buffer) {
            Poll::Pending if self.flood.load(Ordering::Relaxed) => {
                buffer.put_slice(FRAME);
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

struct EndlessNet(Net, Arc<AtomicBool>);

impl Connect for EndlessNet {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let inner = self.0.connect(host, port).await?;
            let flood = Arc::clone(&self.1);
            Ok(Box::new(Endless { inner, flood }) as Connection)
        })
    }
}

/// Frames without end are no READY, and leave other tasks their turn.
#[tokio::test(start_paused = true)]
async fn a_flood_instead_of_ready() {
    let (net, mut gateway) = network();
    let flood = Arc::new(AtomicBool::new(false));
    let endless = EndlessNet(net.clone(), Arc::clone(&flood));
    let mut consumer = consume(builder(&net).connect(endless).build().unwrap());
    let mut server = gateway.hello().await;
    server.expect(2).await;
    flood.store(true, Ordering::Relaxed);
    server
        .socket
        .send(Message::Ping("wake up".into()))
        .await
        .unwrap();
    for _ in 0..29 {
        advance(Duration::from_secs(1)).await;
        assert!(consumer.items.is_empty());
    }
    for _ in 0..3 {
        advance(Duration::from_secs(1)).await;
    }
    let item = consumer.items.try_recv().expect("the deadline has passed");
    assert_eq!(item.unwrap_err().phase(), Some(Phase::Ready));
}

/// An answer to a ping must not get into the middle of an IDENTIFY that is half written.
#[tokio::test(start_paused = true)]
async fn a_ping_while_identify_is_half_written() {
    let (net, mut gateway) = network_with_buffer(64);
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.hello().await;
    // IDENTIFY is longer than the pipe, and nobody reads it yet.
    sleep(Duration::from_secs(1)).await;
    server
        .socket
        .send(Message::Ping("hi".into()))
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    server.expect(2).await;
    assert_eq!(
        server.socket.next().await.unwrap().unwrap(),
        Message::Pong("hi".into())
    );
    server.ready("s1").await;
    consumer.expect("READY").await;
}

/// One byte per second: slow, but nothing is wrong with it.
#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_byte_by_byte() {
    let (net, mut gateway) = network();
    let mut consumer = consume(builder(&net).build().unwrap());
    let mut server = gateway.identified("s1").await;
    consumer.expect("READY").await;
    let event = br#"{"op":0,"s":2,"t":"SLOW","d":1}"#;
    let mut frame = vec![0x81, u8::try_from(event.len()).unwrap()];
    frame.extend(event);
    for byte in frame {
        assert!(consumer.items.is_empty());
        server.socket.get_mut().write_u8(byte).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(consumer.expect("SLOW").await.sequence, Some(2));
}

/// What comes too fast waits, and is not lost; the connection stays alive meanwhile.
#[tokio::test(start_paused = true)]
async fn a_flood_of_events_is_held_back_and_none_is_lost() {
    const EVENTS: u64 = 3000;
    let (net, mut gateway) = network_with_buffer(4096);
    let mut limits = Limits::default();
    limits.max_rate = NonZeroU32::new(20);
    let mut shard = builder(&net).limits(limits).build().unwrap();
    let (server, item) = tokio::join!(gateway.identified("s1"), shard.next());
    item.unwrap().unwrap();
    let (mut sink, mut stream) = server.socket.split();
    let beats = tokio::spawn(async move {
        let mut beats = 0;
        while let Some(Ok(Message::Text(_))) = stream.next().await {
            beats += 1;
        }
        beats
    });
    let flood = tokio::spawn(async move {
        for sequence in 2..=EVENTS {
            let event = format!(r#"{{"op":0,"s":{sequence},"t":"SOMETHING_NEW","d":{{}}}}"#);
            sink.send(Message::text(event)).await.unwrap();
        }
        sink
    });
    let start = Instant::now();
    sleep(Duration::from_secs(1)).await;
    for sequence in 2..=EVENTS {
        let dispatch = shard.next().await.unwrap().unwrap();
        assert_eq!(dispatch.sequence, Some(sequence));
    }
    let took = start.elapsed();
    assert!(
        (Duration::from_secs(148)..Duration::from_secs(152)).contains(&took),
        "{took:?}"
    );
    let stats = shard.stats();
    assert!(stats.held_back > Duration::from_secs(140), "{stats:?}");
    assert_eq!(stats.connections, 1);
    drop((flood.await.unwrap(), shard));
    assert!(beats.await.unwrap() >= 3);
}
