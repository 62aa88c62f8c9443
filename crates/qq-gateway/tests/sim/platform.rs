//! A small gateway that keeps its word: sessions with numbered events, a replay window, tokens that expire.
//! It notes what it sent, so that a test can compare, and whatever a client does wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use futures_util::{SinkExt, StreamExt};
use qq_model::access_token::AccessTokenFuture;
use qq_model::{AccessToken, BearerToken};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::net::{ClientEnd, Endpoint};

pub(crate) const INTERVAL: Duration = Duration::from_millis(41_250);
/// The network takes no longer.
const IN_FLIGHT: Duration = Duration::from_millis(150);
/// Heartbeats may be late by the granularity of timers.
const SLACK: Duration = Duration::from_millis(5);

/// Where a connection can be interfered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The upgrade is not answered yet.
    Upgrade,
    /// HELLO is not sent yet.
    Hello,
    /// IDENTIFY has come.
    Identify,
    /// RESUME has come.
    Resume,
    /// Half of the replay has come through.
    Replay,
    /// READY or RESUMED has come through.
    Live,
    /// The client's close frame has come.
    Close,
}

/// What happens at a stage, once.
type Trap = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub(crate) struct Platform {
    state: Arc<Mutex<State>>,
}

pub(crate) struct State {
    rng: Rng,
    /// How long a session can be resumed after its connection is gone.
    pub(crate) window: Duration,
    /// Before HELLO, and before READY or RESUMED.
    pub(crate) hello_delay: Duration,
    pub(crate) ready_delay: Duration,
    /// IDENTIFYs allowed within five seconds.
    pub(crate) max_concurrency: usize,
    sessions: BTreeMap<String, Session>,
    tokens: u32,
    /// Earlier tokens are refused.
    oldest_token: u32,
    traps: BTreeMap<Stage, Trap>,
    pub(crate) identifies: Vec<(Instant, u64)>,
    pub(crate) resumes: Vec<(Instant, u64)>,
    /// Shards whose IDENTIFY is not answered, and their connection.
    identifying: Vec<(u64, ClientEnd)>,
    violations: Vec<String>,
}

struct Session {
    shard: u64,
    /// Numbers up to this one were given out; READY is the first.
    newest: u64,
    /// The numbers that have to arrive: repeats count once, and skipped ones not.
    sent: BTreeSet<u64>,
    connection: Option<mpsc::UnboundedSender<Order>>,
    detached: Instant,
    is_gone: bool,
    /// The highest position that a client named.
    position: u64,
}

/// What a connection is told.
#[derive(Clone)]
enum Order {
    Send(Value),
    Close(u16),
}

impl Platform {
    pub(crate) fn new(seed: u64, mut connections: mpsc::UnboundedReceiver<Endpoint>) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            window: Duration::from_secs(3600),
            hello_delay: Duration::ZERO,
            ready_delay: Duration::ZERO,
            max_concurrency: 1,
            sessions: BTreeMap::new(),
            tokens: 1,
            oldest_token: 1,
            traps: BTreeMap::new(),
            identifies: Vec::new(),
            resumes: Vec::new(),
            identifying: Vec::new(),
            violations: Vec::new(),
        };
        let platform = Self {
            state: Arc::new(Mutex::new(state)),
        };
        let serve = platform.clone();
        tokio::spawn(async move {
            while let Some(endpoint) = connections.recv().await {
                let platform = serve.clone();
                let connection = tokio::spawn(platform.clone().serve(endpoint));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        platform.state().violations.push(error.to_string());
                    }
                });
            }
        });
        platform
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Springs this when a connection next comes to the stage.
    pub(crate) fn trap(&self, stage: Stage, trap: impl FnOnce() + Send + 'static) {
        self.state().traps.insert(stage, Box::new(trap));
    }

    /// An event for every session of this shard.
    pub(crate) fn publish(&self, shard: u64) {
        let mut state = self.state();
        for (id, session) in &mut state.sessions {
            if session.shard == shard && !session.is_gone {
                session.newest += 1;
                session.sent.insert(session.newest);
                session.order(Order::Send(event(id, session.newest)));
            }
        }
    }

    /// The newest event of every live session once more.
    pub(crate) fn repeat(&self) {
        let mut state = self.state();
        for (id, session) in &mut state.sessions {
            let newest = session.sent.last().copied();
            if let Some(newest) = newest.filter(|newest| *newest > 1) {
                session.order(Order::Send(event(id, newest)));
            }
        }
    }

    /// So many numbers are given to no event.
    pub(crate) fn skip(&self, numbers: u64) {
        for session in self.state().sessions.values_mut() {
            session.newest += numbers;
        }
    }

    /// Anything, to every live connection.
    pub(crate) fn send(&self, frame: &Value) {
        for session in self.state().sessions.values_mut() {
            session.order(Order::Send(frame.clone()));
        }
    }

    pub(crate) fn close_all(&self, code: u16) {
        for session in self.state().sessions.values_mut() {
            session.order(Order::Close(code));
        }
    }

    /// Sessions cannot be resumed any more.
    pub(crate) fn forget_sessions(&self) {
        for session in self.state().sessions.values_mut() {
            session.is_gone = true;
        }
    }

    /// Every token so far is refused from now on.
    pub(crate) fn expire_tokens(&self) {
        let mut state = self.state();
        state.oldest_token = state.tokens + 1;
    }

    /// The numbers that each session has given out, by session.
    pub(crate) fn sent(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let state = self.state();
        let sessions = state.sessions.iter();
        sessions
            .map(|(id, session)| (id.clone(), session.sent.clone()))
            .collect()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    async fn reach(&self, stage: Stage) {
        let trap = self.state().traps.remove(&stage);
        if let Some(trap) = trap {
            trap();
        }
    }

    async fn serve(self, endpoint: Endpoint) {
        self.reach(Stage::Upgrade).await;
        let client = endpoint.watch();
        let Ok(mut socket) = accept_async(endpoint).await else {
            return;
        };
        // Until the answer has come through.
        sleep(IN_FLIGHT).await;
        self.reach(Stage::Hello).await;
        let delay = self.state().hello_delay;
        sleep(delay).await;
        let interval = u64::try_from(INTERVAL.as_millis()).unwrap();
        let hello = json!({"op": 10, "d": {"heartbeat_interval": interval}});
        if send(&mut socket, &hello).await.is_none() {
            return;
        }
        let Some(first) = next(&mut socket).await else {
            return;
        };
        let (order, mut orders) = mpsc::unbounded_channel();
        let session = match first["op"].as_u64() {
            Some(2) => {
                self.identify(&mut socket, &first["d"], &client, order)
                    .await
            }
            Some(6) => self.resume(&mut socket, &first["d"], order).await,
            _ => {
                self.state().violations.push(format!("first frame {first}"));
                Err(4003)
            }
        };
        match session {
            Ok(id) => {
                let platform = self.clone();
                tokio::spawn(async move {
                    sleep(IN_FLIGHT).await;
                    platform.reach(Stage::Live).await;
                });
                self.live(&mut socket, &id, &mut orders).await;
                orders.close();
                let mut state = self.state();
                if let Some(session) = state.sessions.get_mut(&id)
                    && session
                        .connection
                        .as_ref()
                        .is_none_or(mpsc::UnboundedSender::is_closed)
                {
                    session.connection = None;
                    session.detached = Instant::now();
                }
            }
            Err(code) => close(&mut socket, code).await,
        }
    }

    async fn identify(
        &self,
        socket: &mut Socket,
        data: &Value,
        client: &ClientEnd,
        order: mpsc::UnboundedSender<Order>,
    ) -> Result<String, u16> {
        let shard = data["shard"][0].as_u64().unwrap();
        let written = socket.get_ref().written();
        {
            let mut state = self.state();
            state.identifying.retain(|(_, client)| client.is_open());
            if state.identifying.iter().any(|(other, _)| *other == shard) {
                state
                    .violations
                    .push(format!("two IDENTIFYs of shard {shard} in flight"));
            }
            state.identifying.push((shard, client.clone()));
            state.identifies.push((written, shard));
        }
        self.reach(Stage::Identify).await;
        let delay = self.state().ready_delay;
        sleep(delay).await;
        self.check(data)?;
        let mut state = self.state();
        state.identifying.retain(|(other, _)| *other != shard);
        let id = format!("s{}", state.sessions.len() + 1);
        let ready = json!({"op": 0, "s": 1, "t": "READY", "d": {"version": 1, "session_id": id,
            "user": {"id": "1", "username": "bot", "bot": true}, "shard": data["shard"]}});
        let session = Session {
            shard,
            newest: 1,
            sent: BTreeSet::from([1]),
            connection: Some(order.clone()),
            detached: Instant::now(),
            is_gone: false,
            position: 0,
        };
        state.sessions.insert(id.clone(), session);
        drop(state);
        let _ = order.send(Order::Send(ready));
        Ok(id)
    }

    async fn resume(
        &self,
        socket: &mut Socket,
        data: &Value,
        order: mpsc::UnboundedSender<Order>,
    ) -> Result<String, u16> {
        let id = data["session_id"].as_str().unwrap().to_owned();
        let position = data["seq"].as_u64().unwrap();
        let written = socket.get_ref().written();
        {
            let mut state = self.state();
            let shard = state
                .sessions
                .get(&id)
                .map_or(u64::MAX, |session| session.shard);
            state.resumes.push((written, shard));
        }
        self.reach(Stage::Resume).await;
        let delay = self.state().ready_delay;
        sleep(delay).await;
        self.check(data)?;
        let refusal = [4006, 4007, 4902][self.state().rng.usize(0..3)];
        let replayed;
        let (first, second) = {
            let mut state = self.state();
            let window = state.window;
            let Some(session) = state.sessions.get_mut(&id) else {
                return Err(4006);
            };
            if session.is_gone
                || session.connection.is_none() && session.detached.elapsed() > window
            {
                session.is_gone = true;
                return Err(refusal);
            }
            if position < session.position || position > session.newest {
                let (before, newest) = (session.position, session.newest);
                let violation = format!("RESUME of {id} at {position} after {before} of {newest}");
                state.violations.push(violation);
                return Err(4007);
            }
            session.position = position;
            replayed = session.newest;
            let missed: Vec<_> = session.sent.range(position + 1..).copied().collect();
            let (first, second) = missed.split_at(missed.len() / 2);
            (first.to_vec(), second.to_vec())
        };
        for sequence in first {
            send(socket, &event(&id, sequence)).await.ok_or(4000_u16)?;
        }
        sleep(IN_FLIGHT).await;
        self.reach(Stage::Replay).await;
        for sequence in second {
            send(socket, &event(&id, sequence)).await.ok_or(4000_u16)?;
        }
        let mut state = self.state();
        let session = state.sessions.get_mut(&id).ok_or(4006_u16)?;
        // What was published during the replay.
        let newest = session.newest;
        let later: Vec<_> = session.sent.range(replayed + 1..).copied().collect();
        for sequence in later {
            let _ = order.send(Order::Send(event(&id, sequence)));
        }
        let _ = order.send(Order::Send(
            json!({"op": 0, "s": newest, "t": "RESUMED", "d": ""}),
        ));
        session.connection = Some(order);
        Ok(id)
    }

    /// The token.
    fn check(&self, data: &Value) -> Result<(), u16> {
        let token = data["token"].as_str().unwrap().strip_prefix("QQBot token-");
        let number: u32 = token.unwrap().parse().unwrap();
        if number < self.state().oldest_token {
            return Err(4004);
        }
        Ok(())
    }

    /// Sends what is ordered and answers heartbeats.
    async fn live(
        &self,
        socket: &mut Socket,
        id: &str,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) {
        let mut last_beat = None::<Instant>;
        let began = Instant::now();
        loop {
            let silence = last_beat.unwrap_or(began).max(began) + 3 * INTERVAL;
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Send(frame)) => {
                        if send(socket, &frame).await.is_none() {
                            return;
                        }
                    }
                    Some(Order::Close(code)) => return close(socket, code).await,
                    // Another connection has taken the session up.
                    None => return,
                },
                frame = timeout_at(silence, next(socket)) => match frame {
                    Ok(Some(frame)) if frame["op"] == 1 => {
                        let written = socket.get_ref().written();
                        self.heartbeat(id, &frame, last_beat, written);
                        last_beat = Some(written);
                        if send(socket, &json!({"op": 11})).await.is_none() {
                            return;
                        }
                    }
                    Ok(Some(frame)) => {
                        self.state().violations.push(format!("frame {frame} of a live session"));
                    }
                    Ok(None) => {
                        self.reach(Stage::Close).await;
                        return;
                    }
                    Err(_) => return close(socket, 4009).await,
                },
            }
        }
    }

    fn heartbeat(&self, id: &str, frame: &Value, last: Option<Instant>, written: Instant) {
        let mut state = self.state();
        if let Some(last) = last
            && written - last > INTERVAL + SLACK
        {
            let gap = written - last;
            state.violations.push(format!("a heartbeat after {gap:?}"));
        }
        let sequence = frame["d"].as_u64();
        if let Some(session) = state.sessions.get(id)
            && sequence.is_some_and(|sequence| sequence > session.newest)
        {
            let newest = session.newest;
            state
                .violations
                .push(format!("heartbeat {frame}, the newest is {newest}"));
        }
    }
}

impl Session {
    fn order(&mut self, order: Order) {
        if let Some(connection) = &self.connection {
            let _ = connection.send(order);
        }
    }
}

fn event(session: &str, sequence: u64) -> Value {
    json!({"op": 0, "s": sequence, "t": "C2C_MESSAGE_CREATE", "id": format!("{session}:{sequence}"),
        "d": {"id": "m", "content": "hi", "author": {"user_openid": "u"}}})
}

type Socket = WebSocketStream<Endpoint>;

async fn send(socket: &mut Socket, frame: &Value) -> Option<()> {
    socket.send(Message::text(frame.to_string())).await.ok()
}

/// The next frame; `None` when the client has closed.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn close(socket: &mut Socket, code: u16) {
    let reason = CloseFrame {
        code: code.into(),
        reason: "".into(),
    };
    if socket.close(Some(reason)).await.is_err() {
        return;
    }
    // The client's answer, if it comes.
    let end = Instant::now() + Duration::from_secs(10);
    while let Ok(Some(Ok(_))) = timeout_at(end, socket.next()).await {}
}

/// Tokens that the platform knows; one is fetched when there is none, or the last was refused.
pub(crate) struct Tokens {
    platform: Platform,
    current: Mutex<Option<u32>>,
}

impl Tokens {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            platform: platform.clone(),
            current: Mutex::new(None),
        }
    }
}

impl AccessToken for Tokens {
    fn get(&self) -> AccessTokenFuture<'_> {
        Box::pin(async move {
            sleep(Duration::from_millis(80)).await;
            let mut current = self.current.lock().unwrap();
            let number = *current.get_or_insert_with(|| {
                let mut state = self.platform.state();
                state.tokens += 1;
                state.tokens
            });
            Ok(BearerToken::new(format!("token-{number}")))
        })
    }

    fn refused(&self, _: &BearerToken) {
        *self.current.lock().unwrap() = None;
    }
}
