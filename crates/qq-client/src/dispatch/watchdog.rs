//! Noticing callbacks that block their thread.
//!
//! Timers of the runtime are of no use here: while the only thread that is awake is blocked, nobody drives them. So
//! this is a thread, which sleeps while no events come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

/// How often it looks. A callback that runs at two looks in a row blocks its thread.
const TICK: Duration = Duration::from_millis(20);
/// Looks for which callbacks run apart after that: 5 s.
const APART: u32 = 250;
/// Of the last 16 looks, how many may find a callback running before callbacks run apart: with as many, they take most
/// of the leader's time, and are better spread over threads.
const BUSY: u32 = 13;
/// Looks without an event after which it sleeps.
const PATIENCE: u32 = 3;

/// Somebody who runs callbacks.
pub(crate) trait Watched: Send + Sync {
    /// Odd while a callback runs; another number for each.
    fn pulse(&self) -> u64;
    /// The callback of this pulse does not come back: somebody else takes over.
    fn take_over(self: Arc<Self>, pulse: u64);
    /// Whether callbacks run on tasks of their own.
    fn set_apart(&self, is_apart: bool);
    /// Nobody takes over any more.
    fn abandon(&self);
}

/// The thread of one run of a client.
#[derive(Default)]
pub(crate) struct Watchdog {
    watched: Mutex<Vec<Weak<dyn Watched>>>,
    thread: OnceLock<Option<Thread>>,
    is_awake: AtomicBool,
    has_ended: AtomicBool,
}

impl Watchdog {
    pub(crate) fn watch(&self, watched: &Arc<dyn Watched>) {
        self.lock().push(Arc::downgrade(watched));
    }

    /// A callback is about to run.
    pub(crate) fn wake(self: &Arc<Self>) {
        if !self.is_awake.load(Ordering::Acquire) && !self.is_awake.swap(true, Ordering::AcqRel) {
            let thread = self.thread.get_or_init(|| {
                let watchdog = Arc::clone(self);
                let started = thread::Builder::new()
                    .name("qq-client-watchdog".into())
                    .stack_size(256 * 1024)
                    .spawn(move || watchdog.run());
                match started {
                    Ok(handle) => Some(handle.thread().clone()),
                    Err(error) => {
                        tracing::warn!(%error, "callbacks that block their thread will delay heartbeats: no thread to watch them");
                        None
                    }
                }
            });
            if let Some(thread) = thread {
                thread.unpark();
            }
        }
    }

    /// Ends the thread, and leaves nothing to anybody.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        let watched = std::mem::take(&mut *self.lock());
        for watched in watched.iter().filter_map(Weak::upgrade) {
            watched.abandon();
        }
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
    }

    fn run(&self) {
        let mut records: Vec<Record> = Vec::new();
        let mut quiet = 0;
        while !self.has_ended.load(Ordering::Acquire) {
            let mut is_quiet = true;
            for (index, watched) in self.lock().iter().enumerate() {
                if records.len() <= index {
                    records.push(Record::default());
                }
                if let (Some(watched), Some(record)) = (watched.upgrade(), records.get_mut(index)) {
                    is_quiet &= record.look(watched);
                }
            }
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet < PATIENCE {
                thread::park_timeout(TICK);
                continue;
            }
            self.is_awake.store(false, Ordering::SeqCst);
            // A callback that began just now found it awake.
            let is_running = |watched: &Weak<dyn Watched>| {
                watched
                    .upgrade()
                    .is_some_and(|watched| watched.pulse() % 2 == 1)
            };
            if self.lock().iter().any(is_running) {
                self.is_awake.store(true, Ordering::SeqCst);
            } else if !self.has_ended.load(Ordering::Acquire) {
                thread::park();
            }
            quiet = 0;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn Watched>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was seen of one.
#[derive(Default)]
struct Record {
    pulse: u64,
    /// One bit for each look: whether a callback ran.
    history: u16,
    /// Looks until callbacks run on the leader again.
    apart: u32,
}

impl Record {
    /// Looks once; whether nothing goes on.
    fn look(&mut self, watched: Arc<dyn Watched>) -> bool {
        let before = std::mem::replace(&mut self.pulse, watched.pulse());
        let is_running = self.pulse % 2 == 1;
        self.history = self.history << 1 | u16::from(is_running);
        let is_stuck = is_running && self.pulse == before;
        if is_stuck || self.history.count_ones() >= BUSY {
            self.history = 0;
            self.apart = APART;
            watched.set_apart(true);
            if is_stuck {
                tracing::warn!(
                    "a callback blocks its thread: use tokio::task::spawn_blocking for work that does"
                );
                watched.take_over(self.pulse);
            }
        } else if self.apart > 0 {
            self.apart -= 1;
            if self.apart == 0 {
                watched.set_apart(false);
            }
        }
        self.apart == 0 && self.pulse == before && !is_running
    }
}
