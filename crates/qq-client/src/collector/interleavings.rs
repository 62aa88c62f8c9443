//! Collectors under a model checker, which runs threads in many different orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use shuttle::sync::Mutex;
use shuttle::thread;
use tokio::time::Instant;

use super::EndReason;
use super::lock::{Lock, Locks};
use super::registry::Registry;
use super::scope::{Scope, Subject};
use super::slot::{Limits, Slot};

struct Checked;

impl Locks for Checked {
    type Mutex<T: Send> = Mutex<T>;
}

impl<T: Send> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock().unwrap())
    }
}

type Collectors = Arc<Registry<u32, Checked>>;
type Collector = Arc<Slot<u32, Checked>>;

/// Counts how often it was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const RUNS: usize = 2_000;

fn limits(max: Option<u64>) -> Limits<u32> {
    Limits {
        filter: None,
        with_removals: false,
        max,
        max_processed: None,
        time: None,
        idle: None,
        window: None,
        buffer: 64,
        keeps_from_handlers: true,
    }
}

fn collector(max: Option<u64>, now: Instant) -> Collector {
    Arc::new(Slot::new(Scope::default(), limits(max), now))
}

fn offer(collectors: &Collectors, item: u32, now: Instant) -> bool {
    collectors.offer(&Subject::default(), now, |_| Some(item))
}

fn take_all(slot: &Collector) -> Vec<u32> {
    let waker = Waker::from(Arc::new(Wakes::default()));
    let mut items = Vec::new();
    while let Poll::Ready(Some(item)) = slot.poll_take(&waker) {
        items.push(item);
    }
    items
}

#[test]
fn never_more_than_the_limit_and_every_other_item_is_for_the_handlers() {
    let check = || {
        let now = Instant::now();
        let collectors: Collectors = Arc::new(Registry::new());
        let slot = collector(Some(2), now);
        collectors.insert(&slot);
        let threads: Vec<_> = (0..3)
            .map(|item| {
                let collectors = Arc::clone(&collectors);
                thread::spawn(move || offer(&collectors, item, now))
            })
            .collect();
        let taken = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|taken| *taken)
            .count();
        assert_eq!(taken, 2);
        assert_eq!(take_all(&slot).len(), 2);
        assert_eq!(slot.end(), Some(EndReason::Limit));
        assert_eq!(collectors.len(), 0, "one that has ended is filed nowhere");
    };
    shuttle::check_random(check, RUNS);
}

#[test]
fn an_item_is_taken_exactly_if_it_can_be_read() {
    let check = || {
        let now = Instant::now();
        let collectors: Collectors = Arc::new(Registry::new());
        let slot = collector(None, now);
        let id = collectors.insert(&slot);
        let feeding = {
            let collectors = Arc::clone(&collectors);
            thread::spawn(move || (0..2).filter(|item| offer(&collectors, *item, now)).count())
        };
        let ending = {
            let (collectors, slot) = (Arc::clone(&collectors), Arc::clone(&slot));
            thread::spawn(move || {
                slot.close(EndReason::Stopped);
                collectors.remove(&slot, id);
            })
        };
        let taken = feeding.join().unwrap();
        ending.join().unwrap();
        assert_eq!(take_all(&slot).len(), taken);
        assert_eq!(collectors.len(), 0);
    };
    shuttle::check_random(check, RUNS);
}

#[test]
fn whoever_waits_is_woken() {
    let check = || {
        let now = Instant::now();
        let collectors: Collectors = Arc::new(Registry::new());
        let slot = collector(None, now);
        collectors.insert(&slot);
        let wakes = Arc::new(Wakes::default());
        let waiting = {
            let (slot, waker) = (Arc::clone(&slot), Waker::from(Arc::clone(&wakes)));
            thread::spawn(move || slot.poll_take(&waker).is_ready())
        };
        let feeding = {
            let collectors = Arc::clone(&collectors);
            thread::spawn(move || offer(&collectors, 7, now))
        };
        let was_ready = waiting.join().unwrap();
        feeding.join().unwrap();
        assert!(was_ready || wakes.0.load(Ordering::Relaxed) == 1);
    };
    shuttle::check_random(check, RUNS);
}

#[test]
fn a_stop_ends_those_that_are_there_and_those_that_come() {
    let check = || {
        let now = Instant::now();
        let collectors: Collectors = Arc::new(Registry::new());
        let slot = collector(None, now);
        let starting = {
            let (collectors, slot) = (Arc::clone(&collectors), Arc::clone(&slot));
            thread::spawn(move || {
                collectors.insert(&slot);
            })
        };
        let stopping = {
            let collectors = Arc::clone(&collectors);
            thread::spawn(move || collectors.shut_down())
        };
        starting.join().unwrap();
        stopping.join().unwrap();
        assert_eq!(slot.end(), Some(EndReason::Shutdown));
        assert_eq!(collectors.len(), 0);
    };
    shuttle::check_random(check, RUNS);
}

#[test]
fn time_and_items_agree_on_one_end() {
    let check = || {
        let now = Instant::now();
        let collectors: Collectors = Arc::new(Registry::new());
        let limits = Limits {
            time: Some(Duration::from_secs(1)),
            ..limits(Some(1))
        };
        let slot: Collector = Arc::new(Slot::new(Scope::default(), limits, now));
        collectors.insert(&slot);
        let late = now + Duration::from_secs(2);
        let timing = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.end_if_due(late))
        };
        let taken = offer(&collectors, 1, now);
        let end = timing.join().unwrap();
        assert_eq!(taken, slot.end() == Some(EndReason::Limit));
        assert_eq!(take_all(&slot).len(), usize::from(taken));
        assert!(end.is_some());
    };
    shuttle::check_random(check, RUNS);
}
