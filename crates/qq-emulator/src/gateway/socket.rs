//! The task of one connection: frames out, frames in, time.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::receive::{Received, actor, receive, refuse};
use super::supervision::Supervision;
use super::{Close, Outgoing, frames, planned, trace};
use crate::clock::Millis;
use crate::feed::What;
use crate::platform::{FOREVER, Platform, State};
use crate::violations::Finding;

/// Frames handed to the socket between two looks at the client.
const BATCH: usize = 256;
/// A client that takes nothing for this long is dropped.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// How long the answer to a close frame is waited for.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// The same when the emulator is stopping.
const STOP_DEADLINE: Duration = Duration::from_millis(200);
/// The largest frame a client may send.
const MAX_FRAME: usize = 64 * 1024;

type Socket = WebSocketStream<TcpStream>;

/// How a connection ends.
enum End {
    /// The peer has closed, or the socket broke.
    Gone,
    /// Close with a handshake.
    Close(Close, Duration),
    /// Reset.
    Reset,
    /// Fall silent.
    Blackhole,
}

/// Serves a connection until it ends.
pub(super) async fn serve(platform: &Platform, stream: TcpStream, early: Bytes, client: String) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    // Small frames shall leave at once; a socket that refuses the option still works.
    let _ = stream.set_nodelay(true);
    let mut socket =
        WebSocketStream::from_partially_read(stream, early.to_vec(), Role::Server, Some(config))
            .await;
    let (number, notify, supervision) = platform.update(|state| {
        let (number, notify) = state.gateway.connect(client);
        trace::record(state, number, What::Opened);
        if let Some(connection) = state.gateway.connections.get_mut(&number) {
            connection.push(Outgoing::Text(frames::hello(
                state.settings.heartbeat_interval,
            )));
        }
        let supervision = Supervision::new(&state.settings, state.clock.skipped());
        (number, notify, supervision)
    });
    let end = Task {
        platform,
        number,
        supervision,
        close_at: None,
        stalled: None,
        late: Vec::new(),
    }
    .run(&mut socket, &notify)
    .await;
    // The session is free to be resumed before the peer can know that the connection ended.
    platform.update(|state| {
        if matches!(end, End::Gone) {
            trace::record(state, number, What::Gone);
        }
        let now = state.clock.now();
        state.gateway.disconnect(number, now);
    });
    finish(platform, socket, end).await;
}

struct Task<'a> {
    platform: &'a Platform,
    number: u64,
    supervision: Supervision,
    close_at: Option<(Instant, Close)>,
    /// What is sent once a stall is over.
    stalled: Option<(Instant, Vec<Outgoing>)>,
    /// Frames that others may overtake.
    late: Vec<(Instant, Utf8Bytes)>,
}

impl Task<'_> {
    async fn run(&mut self, socket: &mut Socket, notify: &tokio::sync::Notify) -> End {
        let mut stopping = self.platform.stopping();
        loop {
            let (outgoing, more) = self.take();
            if let ControlFlow::Break(end) = self.send(socket, outgoing).await {
                return end;
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                () = stopping.requested() => {
                    return End::Close(Close::new(1001, "emulator stopped"), STOP_DEADLINE);
                }
                message = socket.next() => {
                    if let ControlFlow::Break(end) = self.receive(message) {
                        return end;
                    }
                }
                () = std::future::ready(()), if more => {}
                () = notify.notified() => {}
                () = sleep_until(deadline) => self.time_passed(),
            }
        }
    }

    /// What is to be sent now, and whether there is more.
    fn take(&mut self) -> (Vec<Outgoing>, bool) {
        let now = Instant::now();
        let mut outgoing: Vec<Outgoing> = self
            .late
            .extract_if(.., |(at, _)| *at <= now)
            .map(|(_, text)| Outgoing::Text(text))
            .collect();
        if let Some((_, rest)) = self.stalled.take_if(|(at, _)| *at <= now) {
            outgoing.extend(rest);
            return (outgoing, true);
        }
        if self.stalled.is_some() {
            let by_hand = self.platform.read(skipped);
            self.supervision.skipped(by_hand);
            return (outgoing, false);
        }
        let (taken, more, by_hand) = self.platform.update_quietly(|state| {
            let taken = state.gateway.take_outgoing(self.number, BATCH);
            let more = taken.len() == BATCH;
            let taken = planned::play(state, self.number, taken);
            trace::outgoing(state, self.number, &taken);
            (taken, more, skipped(state))
        });
        self.supervision.skipped(by_hand);
        if !taken.is_empty() {
            self.platform.announce();
        }
        outgoing.extend(taken);
        (outgoing, more)
    }

    /// When there is something to be done even if nobody says a word.
    fn deadline(&self) -> Instant {
        let close = self.close_at.iter().map(|(at, _)| *at);
        let stalled = self.stalled.iter().map(|(at, _)| *at);
        let late = self.late.iter().map(|(at, _)| *at);
        close
            .chain(stalled)
            .chain(late)
            .fold(self.supervision.deadline(), Instant::min)
    }

    async fn send(&mut self, socket: &mut Socket, outgoing: Vec<Outgoing>) -> ControlFlow<End> {
        if outgoing.is_empty() {
            return ControlFlow::Continue(());
        }
        let mut outgoing = outgoing.into_iter();
        while let Some(next) = outgoing.next() {
            match next {
                Outgoing::Text(text) => {
                    match timeout(WRITE_DEADLINE, socket.feed(Message::Text(text))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return ControlFlow::Break(End::Gone),
                    }
                }
                Outgoing::Close(close) => {
                    return ControlFlow::Break(End::Close(close, CLOSE_DEADLINE));
                }
                Outgoing::CloseAfter(pause, close) => {
                    self.close_at = Some((after(pause), close));
                }
                Outgoing::Drop => return ControlFlow::Break(End::Reset),
                Outgoing::Blackhole => return ControlFlow::Break(End::Blackhole),
                Outgoing::Late(pause, text) => self.late.push((after(pause), text)),
                Outgoing::Stall(pause) => {
                    self.stalled = Some((after(pause), outgoing.collect()));
                    break;
                }
            }
        }
        match timeout(WRITE_DEADLINE, socket.flush()).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(End::Gone),
        }
    }

    fn receive(&mut self, message: Option<Result<Message, Error>>) -> ControlFlow<End> {
        match message {
            Some(Ok(Message::Text(text))) => {
                let received = self.platform.update(|state| {
                    trace::record(state, self.number, What::Received(text.clone()));
                    receive(state, self.number, &text)
                });
                self.supervise(received);
            }
            Some(Ok(Message::Binary(_))) => self.refuse(
                "ws.payload",
                "frames are text frames",
                "a binary frame",
                Close::INVALID_PAYLOAD,
            ),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(Error::Capacity(_))) => self.refuse(
                "ws.payload",
                "a frame has at most 64 KiB",
                "a larger frame",
                Close::INVALID_PAYLOAD,
            ),
            Some(Err(Error::Utf8(_))) => self.refuse(
                "ws.payload",
                "text frames are UTF-8",
                "a text frame that is not",
                Close::INVALID_PAYLOAD,
            ),
            Some(Err(Error::Protocol(why))) if is_breach(&why) => self.refuse(
                "ws.protocol",
                "frames follow RFC 6455",
                &why.to_string(),
                Close::new(1002, "protocol error"),
            ),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return ControlFlow::Break(End::Gone),
        }
        ControlFlow::Continue(())
    }

    fn refuse(&self, code: &'static str, rule: &'static str, message: &str, close: Close) {
        self.platform.update(|state| {
            let finding = Finding::error(code, rule, message);
            refuse(state, self.number, finding, close);
        });
    }

    fn supervise(&mut self, received: Received) {
        let (too_many_beats, too_many_frames) = self.supervision.frame(received);
        if too_many_beats {
            let most = self.supervision.beats_per_interval;
            let message = format!("more than {most} heartbeats within one interval");
            self.platform.update(|state| {
                let actor = actor(state, self.number);
                let finding = Finding::warn(
                    "ws.heartbeat_too_fast",
                    "one heartbeat per interval",
                    message,
                );
                state.record(&actor, finding);
            });
        }
        if too_many_frames {
            let most = self.supervision.frames_per_minute;
            self.refuse(
                "ws.too_fast",
                "clients send IDENTIFY or RESUME, and heartbeats",
                &format!("more than {most} frames within a minute"),
                Close::TOO_FAST,
            );
        }
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        if let Some((_, close)) = self.close_at.take_if(|(at, _)| *at <= now) {
            self.platform.update(|state| {
                let now = state.clock.now();
                state.gateway.close(self.number, close, now);
            });
        } else if self.supervision.deadline() <= now {
            let silent = self.supervision.silence.as_millis();
            self.supervision.beat(now);
            self.refuse(
                "ws.heartbeat_missed",
                "a client beats once per interval",
                &format!("no heartbeat for {silent} ms"),
                Close::TIMED_OUT,
            );
        }
    }
}

/// How far the clock was moved by hand, and whether that is silence.
fn skipped(state: &State) -> (Millis, bool) {
    (state.clock.skipped(), state.settings.clock_moves_heartbeats)
}

/// What a socket that just breaks reports is no breach of the protocol.
fn is_breach(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    !matches!(
        error,
        ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing
    )
}

fn after(pause: Millis) -> Instant {
    Instant::now() + Duration::from_millis(pause).min(FOREVER)
}

async fn finish(platform: &Platform, mut socket: Socket, end: End) {
    match end {
        End::Blackhole => {
            // What the peer sends vanishes until it gives up; how it does so matters to nobody.
            let mut stopping = platform.stopping();
            let mut nowhere = tokio::io::sink();
            tokio::select! {
                () = stopping.requested() => {}
                _ = tokio::io::copy(socket.get_mut(), &mut nowhere) => {}
            }
        }
        End::Reset => {
            // With lingering off, closing the socket sends RST instead of FIN.
            let _ = socket.get_ref().set_zero_linger();
        }
        End::Gone => {
            // Answers the peer's close frame, if that is how it went.
            let _ = timeout(CLOSE_DEADLINE, socket.close(None)).await;
        }
        End::Close(close, deadline) => {
            // What a client reads as 1005 is a close frame without a code.
            let frame = (close.code != 1005).then(|| CloseFrame {
                code: CloseCode::from(close.code),
                reason: close.reason.into(),
            });
            // TCP is shut down only after the peer has answered: a client with data in flight
            // would see 1006 instead of the code.
            let _ = timeout(deadline, async {
                socket.close(frame).await?;
                while let Some(message) = socket.next().await {
                    message?;
                }
                Ok::<_, Error>(())
            })
            .await;
        }
    }
}
