//! Everything that one emulator knows, behind one lock.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::{Clock, Millis, millis, rfc3339_millis};
use crate::faults::{Fault, Plan};
use crate::feed::Feed;
use crate::gateway::{Gateway, Session};
use crate::ids::Ids;
use crate::recording::Recorder;
use crate::recording::replay::ReplayView;
use crate::rest::quotas::Quotas;
use crate::rest::token::Tokens;
use crate::ring::Ring;
use crate::settings::Settings;
use crate::views::{OutboxEntry, RequestEntry, SessionView, TimelineItem};
use crate::violations::{Finding, Violation};
use crate::webhook::Webhooks;
use crate::world::World;
use crate::world::messages::{Adopted, Memory};
use crate::world::store::Store;

/// Events that may wait for a slow client before whoever pushes more has to wait, too.
const BACKLOG: u64 = 4_000;
/// How long they wait.
const BACKLOG_DEADLINE: Duration = Duration::from_secs(10);
/// Things that may be put off at once.
const MOST_LATER: usize = 1_000;

/// As good as for ever, and no Instant overflows by it.
pub(crate) const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// One emulated platform. Shared by the server's tasks and by [`crate::Emulator`].
#[derive(Debug)]
pub(crate) struct Platform {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
    /// Counts how often the clock was moved by hand.
    moved: watch::Sender<u64>,
    base_url: String,
    /// Listens on all addresses: a client knows best which one it has reached.
    everywhere: bool,
    origin: Origin,
}

/// Something that happens a little later.
struct Later {
    due: Millis,
    epoch: u64,
    run: Box<dyn FnOnce(&mut State) + Send>,
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later")
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// What `POST reset` goes back to.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    /// `None`: the default world, drawn from the seed.
    pub(crate) world: Option<World>,
    /// Checked already.
    pub(crate) faults: Vec<Fault>,
}

/// What changes while it runs. Only reached through [`Platform::read`] and [`Platform::update`].
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    /// Ids of messages and events.
    pub(crate) ids: Ids,
    /// Ids of traces, tokens and sessions: how often a client calls does not change the others.
    pub(crate) call_ids: Ids,
    pub(crate) world: World,
    pub(crate) adopted: Adopted,
    pub(crate) memory: Memory,
    /// How many messages each channel and direct conversation has had.
    pub(crate) seqs: HashMap<String, u64>,
    pub(crate) tokens: Tokens,
    pub(crate) quotas: Quotas,
    pub(crate) gateway: Gateway,
    pub(crate) webhooks: Webhooks,
    pub(crate) faults: Plan,
    pub(crate) timeline: Ring<TimelineItem>,
    pub(crate) outbox: Ring<OutboxEntry>,
    pub(crate) requests: Ring<RequestEntry>,
    pub(crate) violations: Ring<Violation>,
    pub(crate) feed: Feed,
    /// What bots have made and changed beyond the world.
    pub(crate) store: Store,
    /// Writes down what comes and goes.
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) replay: ReplayView,
    later: Vec<Later>,
    /// Things put off and not yet done.
    waiting: usize,
    /// Counts the resets.
    pub(crate) epoch: u64,
}

/// Who did something, for the violation log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actor {
    pub(crate) client: String,
    pub(crate) session: Option<String>,
    pub(crate) request: Option<u64>,
}

impl Platform {
    pub(crate) fn new(origin: Origin, base_url: String, everywhere: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::new(&origin, Gateway::default(), Webhooks::default())),
            changed: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
            moved: watch::Sender::new(0),
            base_url,
            everywhere,
            origin,
        })
    }

    /// `http://host:port`, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the gateway is, for a client that reached the server as `host`.
    pub(crate) fn gateway_url(&self, host: Option<&str>) -> String {
        match host.filter(|_| self.everywhere) {
            Some(host) => format!("ws://{host}/websocket/"),
            None => format!("{}/websocket/", self.base_url.replacen("http", "ws", 1)),
        }
    }

    /// `http://host:port` for a client that reached the server as `host`.
    pub(crate) fn client_url(&self, host: Option<&str>) -> String {
        match host.filter(|_| self.everywhere) {
            Some(host) => format!("http://{host}"),
            None => self.base_url.clone(),
        }
    }

    /// Starts what the state has put off.
    pub(crate) fn start_later(self: &Arc<Self>) {
        for later in self.update_quietly(|state| std::mem::take(&mut state.later)) {
            let platform = Arc::clone(self);
            tokio::spawn(async move {
                let mut stopping = platform.stopping();
                tokio::select! {
                    () = stopping.requested() => {}
                    () = platform.time_of(later.due) => platform.update(|state| {
                        // After a reset nobody waits for it.
                        if state.epoch == later.epoch {
                            (later.run)(state);
                        }
                    }),
                }
            });
        }
    }

    /// Returns at a point of the emulator's time, which may be moved meanwhile.
    async fn time_of(&self, due: Millis) {
        let mut moved = self.moved.subscribe();
        loop {
            moved.mark_unchanged();
            let left = due.saturating_sub(self.read(|state| state.clock.now()));
            if left == 0 {
                return;
            }
            let pause = Duration::from_millis(left).min(FOREVER);
            // Its sender lives as long as the platform.
            let _ = tokio::time::timeout(pause, moved.changed()).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug of the emulator; later calls still deserve an answer.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the state and wakes everybody who waits for a change.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed
            .send_modify(|revision| *revision = revision.wrapping_add(1));
        result
    }

    /// Changes what nobody waits for.
    pub(crate) fn update_quietly<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.lock())
    }

    /// Wakes everybody who waits for a change.
    pub(crate) fn announce(&self) {
        if self.changed.receiver_count() > 0 {
            self.changed
                .send_modify(|revision| *revision = revision.wrapping_add(1));
        }
    }

    /// Starts again from nothing. Open connections are closed with 4900; their sessions are gone.
    pub(crate) fn reset(&self) {
        self.update(|state| {
            let mut gateway = std::mem::take(&mut state.gateway);
            gateway.abandon_all();
            let mut webhooks = std::mem::take(&mut state.webhooks);
            webhooks.reset();
            let epoch = state.epoch + 1;
            let (recorder, replay) = (state.recorder.take(), state.replay);
            *state = State::new(&self.origin, gateway, webhooks);
            state.recorder = recorder;
            state.replay = replay;
            state.epoch = epoch;
        });
    }

    /// Waits until `find` gives something, or until the deadline has passed.
    ///
    /// Cancel safe: `find` only looks.
    pub(crate) async fn wait_for<R>(
        &self,
        deadline: Duration,
        mut find: impl FnMut(&State) -> Option<R>,
    ) -> Option<R> {
        let end = Instant::now() + deadline.min(FOREVER);
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.read(&mut find) {
                return Some(found);
            }
            match tokio::time::timeout_at(end, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return self.read(&mut find),
            }
        }
    }

    /// Waits while a connected client or a webhook lags far behind.
    pub(crate) async fn wait_for_backlog(&self) {
        if self.read(|state| state.backlog() < BACKLOG) {
            return;
        }
        let end = Instant::now() + BACKLOG_DEADLINE;
        while Instant::now() < end && self.read(|state| state.backlog() >= BACKLOG / 2) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The sessions, after the overdue ones have been forgotten.
    pub(crate) fn sessions(&self) -> Vec<SessionView> {
        self.update_quietly(|state| {
            let now = state.clock.now();
            let window = state.settings.resume_window;
            state.gateway.expire_sessions(now, window);
            state.gateway.sessions.values().map(Session::view).collect()
        })
    }

    /// Moves the time forward, and wakes everybody who waits for a point of it.
    pub(crate) fn advance(&self, by: Millis) {
        self.update(|state| {
            state.clock.advance(by);
            state.gateway.wake_all();
        });
        self.moved
            .send_modify(|times| *times = times.wrapping_add(1));
    }

    /// Told of every change of the state.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells when the server shall end.
    pub(crate) fn stopping(&self) -> Stopping {
        Stopping(self.stopping.subscribe())
    }

    /// Tells every task to end.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

/// Waits for the end of the server.
#[derive(Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Of a server that is no emulator.
    pub(crate) fn of(stop: watch::Receiver<bool>) -> Self {
        Self(stop)
    }

    /// Returns once the server shall end. Cancel safe.
    pub(crate) async fn requested(&mut self) {
        // The sender lives as long as the platform; were it gone, that would be the end as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl State {
    fn new(origin: &Origin, gateway: Gateway, webhooks: Webhooks) -> Self {
        let mut ids = Ids::new(origin.seed);
        let world = match &origin.world {
            Some(world) => world.clone(),
            None => World::draw(&mut ids),
        };
        Self {
            settings: origin.settings.clone(),
            clock: Clock::new(),
            ids,
            call_ids: Ids::new(!origin.seed),
            world,
            adopted: Adopted::default(),
            memory: Memory::default(),
            seqs: HashMap::new(),
            tokens: Tokens::default(),
            quotas: Quotas::default(),
            gateway,
            webhooks,
            faults: Plan::of(origin.faults.clone()),
            timeline: Ring::default(),
            outbox: Ring::default(),
            requests: Ring::default(),
            violations: Ring::default(),
            feed: Feed::default(),
            store: Store::default(),
            recorder: None,
            replay: ReplayView::default(),
            later: Vec::new(),
            waiting: 0,
            epoch: 0,
        }
    }

    /// The most events that wait for one bot.
    fn backlog(&self) -> u64 {
        self.gateway.backlog().max(self.webhooks.backlog())
    }

    /// Does something a little later; at once if very much waits already.
    pub(crate) fn put_off(
        &mut self,
        after: Duration,
        run: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        if self.waiting >= MOST_LATER {
            return run(self);
        }
        self.waiting += 1;
        let epoch = self.epoch;
        self.later.push(Later {
            due: self.clock.now().saturating_add(millis(after)),
            epoch,
            run: Box::new(move |state| {
                state.waiting -= 1;
                run(state);
            }),
        });
    }

    /// Writes a breach of the protocol down.
    pub(crate) fn record(&mut self, actor: &Actor, finding: Finding) {
        let at = rfc3339_millis(self.clock.now());
        self.violations.push(self.settings.log_size, |n| Violation {
            n,
            at,
            level: finding.level,
            code: finding.code.into(),
            rule: finding.rule.into(),
            message: finding.message,
            client: actor.client.clone(),
            session: actor.session.clone(),
            request: actor.request,
        });
    }
}
