//! A network between one client and one server, on virtual time: latency, fragments, stalls in either
//! direction, half-open connections, resets, slow lines, refusals and names that are not found.
//!
//! It behaves as TCP does: what is written while a direction is stalled arrives when the stall ends, unless
//! either side has given up by then.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use qq_transport::{Connect, ConnectFuture, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How much may be under way in one direction.
const CAPACITY: usize = 64 << 10;

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Open,
    Refused,
    /// The name is not found.
    NoName,
}

/// The state of the network, for connections old and new.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weather {
    pub(crate) reach: Reach,
    /// From client to server nothing arrives.
    pub(crate) up_stalls: bool,
    /// From server to client nothing arrives.
    pub(crate) down_stalls: bool,
    /// What one byte from server to client takes.
    pub(crate) byte_time: Duration,
}

impl Weather {
    pub(crate) const FAIR: Self = Self {
        reach: Reach::Open,
        up_stalls: false,
        down_stalls: false,
        byte_time: Duration::ZERO,
    };
    pub(crate) const PARTITION: Self = Self {
        up_stalls: true,
        down_stalls: true,
        ..Self::FAIR
    };
    pub(crate) const REFUSED: Self = Self {
        reach: Reach::Refused,
        ..Self::FAIR
    };
}

#[derive(Clone)]
pub(crate) struct Net {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<NetState>,
    changed: Notify,
    accept: mpsc::UnboundedSender<Endpoint>,
}

struct NetState {
    rng: Rng,
    weather: Weather,
    pairs: Vec<Weak<Mutex<Pair>>>,
    attempts: Vec<Instant>,
    trap: Option<Trap>,
}

type Trap = Box<dyn FnOnce(&Net) + Send>;

/// One connection.
struct Pair {
    rng: Rng,
    up: Pipe,
    down: Pipe,
    client_is_open: bool,
}

#[derive(Default)]
struct Pipe {
    chunks: VecDeque<Chunk>,
    /// Bytes under way.
    len: usize,
    /// Nothing follows the chunks.
    end: Option<End>,
    /// Writes vanish: the other machine is gone.
    is_void: bool,
    /// So many bytes arrive before the connection is reset.
    reset_after: Option<usize>,
    stalls: bool,
    byte_time: Duration,
    next_byte: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// When the bytes were written that were read last.
    written: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Reset,
}

struct Chunk {
    bytes: VecDeque<u8>,
    written: Instant,
    arrives: Instant,
}

impl Net {
    /// The network, and where the server gets its connections from.
    pub(crate) fn new(seed: u64) -> (Self, mpsc::UnboundedReceiver<Endpoint>) {
        let (accept, connections) = mpsc::unbounded_channel();
        let state = NetState {
            rng: Rng::with_seed(seed),
            weather: Weather::FAIR,
            pairs: Vec::new(),
            attempts: Vec::new(),
            trap: None,
        };
        let shared = Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
            accept,
        };
        (
            Self {
                shared: Arc::new(shared),
            },
            connections,
        )
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.shared.state.lock().unwrap().weather = weather;
        self.each(|pair| pair.take_on(weather));
        self.shared.changed.notify_waiters();
    }

    /// Every server end is gone without a word: its machine has lost power. The client is not told.
    pub(crate) fn vanish(&self) {
        self.each(|pair| {
            pair.up.is_void = true;
            pair.up.finish(End::Reset);
            pair.down.is_void = true;
        });
    }

    /// Every connection is reset after so many more bytes to the client.
    pub(crate) fn reset_after(&self, bytes: usize) {
        self.each(|pair| {
            pair.down.reset_after = Some(bytes);
            pair.down.wake();
        });
    }

    /// The next attempt to connect springs this.
    pub(crate) fn on_connect(&self, trap: impl FnOnce(&Self) + Send + 'static) {
        self.shared.state.lock().unwrap().trap = Some(Box::new(trap));
    }

    /// When the client tried to connect.
    pub(crate) fn attempts(&self) -> Vec<Instant> {
        self.shared.state.lock().unwrap().attempts.clone()
    }

    /// How many connections the client holds.
    pub(crate) fn open(&self) -> usize {
        let mut open = 0;
        self.each(|pair| open += usize::from(pair.client_is_open));
        open
    }

    fn each(&self, mut change: impl FnMut(&mut Pair)) {
        let mut state = self.shared.state.lock().unwrap();
        state.pairs.retain(|pair| pair.strong_count() > 0);
        for pair in state.pairs.iter().filter_map(Weak::upgrade) {
            change(&mut pair.lock().unwrap());
        }
    }

    fn weather(&self) -> Weather {
        self.shared.state.lock().unwrap().weather
    }

    async fn open_pair(&self) -> io::Result<Connection> {
        let trap = {
            let mut state = self.shared.state.lock().unwrap();
            state.attempts.push(Instant::now());
            state.trap.take()
        };
        if let Some(trap) = trap {
            trap(self);
        }
        let delay = {
            let mut state = self.shared.state.lock().unwrap();
            Duration::from_millis(state.rng.u64(5..60))
        };
        sleep(delay).await;
        loop {
            let changed = self.shared.changed.notified();
            let weather = self.weather();
            match weather.reach {
                Reach::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                Reach::NoName => {
                    return Err(io::Error::other("failed to lookup address information"));
                }
                Reach::Open if weather.up_stalls || weather.down_stalls => changed.await,
                Reach::Open => break,
            }
        }
        let mut state = self.shared.state.lock().unwrap();
        let mut pair = Pair {
            rng: Rng::with_seed(state.rng.u64(..)),
            up: Pipe::default(),
            down: Pipe::default(),
            client_is_open: true,
        };
        pair.take_on(state.weather);
        let pair = Arc::new(Mutex::new(pair));
        state.pairs.push(Arc::downgrade(&pair));
        drop(state);
        let server = Endpoint::new(Arc::clone(&pair), Side::Server);
        let client = Endpoint::new(pair, Side::Client);
        self.shared
            .accept
            .send(server)
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Box::new(client))
    }
}

impl Connect for Net {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        Box::pin(self.open_pair())
    }
}

impl Pair {
    fn take_on(&mut self, weather: Weather) {
        self.up.stalls = weather.up_stalls;
        self.down.stalls = weather.down_stalls;
        self.down.byte_time = weather.byte_time;
        self.up.wake();
        self.down.wake();
    }
}

impl Pipe {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }

    fn finish(&mut self, end: End) {
        if end == End::Reset {
            self.chunks.clear();
            self.len = 0;
        }
        self.end.get_or_insert(end);
        self.wake();
    }

    /// `unheard`: if the reader is gone, word of that has not come.
    fn write(&mut self, bytes: &[u8], unheard: bool, rng: &mut Rng) -> Poll<io::Result<usize>> {
        if self.is_void || self.end.is_some() && unheard {
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let len = bytes.len().min(CAPACITY - self.len);
        if len == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        let now = Instant::now();
        let delay = Duration::from_millis(rng.u64(5..60));
        // One direction keeps its order.
        let newest = self.chunks.back().map_or(now, |chunk| chunk.arrives);
        self.chunks.push_back(Chunk {
            bytes: bytes[..len].iter().copied().collect(),
            written: now,
            arrives: (now + delay).max(newest),
        });
        self.len += len;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(len))
    }

    /// Reads what has arrived; otherwise when to look again, if that is known.
    fn read(
        &mut self,
        buffer: &mut ReadBuf<'_>,
        rng: &mut Rng,
    ) -> Result<io::Result<()>, Option<Instant>> {
        if self.reset_after == Some(0) {
            self.is_void = true;
            return Ok(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.stalls {
            return Err(None);
        }
        let now = Instant::now();
        let Some(chunk) = self.chunks.front_mut() else {
            return match self.end {
                Some(End::Closed) => Ok(Ok(())),
                Some(End::Reset) => Ok(Err(io::ErrorKind::ConnectionReset.into())),
                None => Err(None),
            };
        };
        if chunk.arrives > now {
            return Err(Some(chunk.arrives));
        }
        let mut most = chunk.bytes.len().min(buffer.remaining());
        if !self.byte_time.is_zero() {
            if let Some(next) = self.next_byte.filter(|next| *next > now) {
                return Err(Some(next));
            }
            self.next_byte = Some(now + self.byte_time);
            most = 1;
        } else if most > 1 && rng.u8(0..4) == 0 {
            // The network cuts where it likes.
            most = rng.usize(1..most);
        }
        if let Some(left) = &mut self.reset_after {
            most = most.min(*left);
            *left -= most;
        }
        for byte in chunk.bytes.drain(..most) {
            buffer.put_slice(&[byte]);
        }
        self.len -= most;
        self.written = Some(chunk.written);
        if chunk.bytes.is_empty() {
            self.chunks.pop_front();
        }
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        Ok(Ok(()))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

/// One end of a connection.
pub(crate) struct Endpoint {
    pair: Arc<Mutex<Pair>>,
    side: Side,
    timer: Pin<Box<Sleep>>,
}

impl Endpoint {
    fn new(pair: Arc<Mutex<Pair>>, side: Side) -> Self {
        Self {
            pair,
            side,
            timer: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// When the client wrote what the server read last.
    pub(crate) fn written(&self) -> Instant {
        let pair = self.pair.lock().unwrap();
        pair.up.written.unwrap_or_else(Instant::now)
    }

    /// Whether the client still holds its end, whatever the server has heard.
    pub(crate) fn watch(&self) -> ClientEnd {
        ClientEnd(Arc::downgrade(&self.pair))
    }
}

#[derive(Clone)]
pub(crate) struct ClientEnd(Weak<Mutex<Pair>>);

impl ClientEnd {
    pub(crate) fn is_open(&self) -> bool {
        let pair = self.0.upgrade();
        pair.is_some_and(|pair| pair.lock().unwrap().client_is_open)
    }
}

impl AsyncRead for Endpoint {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let next = {
                let mut pair = self.pair.lock().unwrap();
                let Pair { up, down, rng, .. } = &mut *pair;
                let pipe = if self.side == Side::Client { down } else { up };
                match pipe.read(buffer, rng) {
                    Ok(done) => return Poll::Ready(done),
                    Err(next) => {
                        pipe.reader = Some(cx.waker().clone());
                        next
                    }
                }
            };
            let Some(next) = next else {
                return Poll::Pending;
            };
            self.timer.as_mut().reset(next);
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for Endpoint {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pair = self.pair.lock().unwrap();
        let Pair { up, down, rng, .. } = &mut *pair;
        let (pipe, back) = if self.side == Side::Client {
            (up, down)
        } else {
            (down, up)
        };
        let written = pipe.write(bytes, back.stalls, rng);
        if written.is_pending() {
            pipe.writer = Some(cx.waker().clone());
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pair = self.pair.lock().unwrap();
        let pipe = if self.side == Side::Client {
            &mut pair.up
        } else {
            &mut pair.down
        };
        pipe.finish(End::Closed);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let mut pair = self.pair.lock().unwrap();
        let is_client = self.side == Side::Client;
        if is_client {
            pair.client_is_open = false;
        }
        let Pair { up, down, .. } = &mut *pair;
        let (out, back) = if is_client { (up, down) } else { (down, up) };
        if !out.is_void {
            out.finish(End::Closed);
        }
        // What still comes in is answered with a reset, or, on a dead machine, with nothing.
        if !back.is_void {
            back.finish(End::Reset);
        }
    }
}
