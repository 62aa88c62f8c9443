//! Which shards of a group have something to do.
//!
//! Each shard is polled with a waker of its own, which puts it into one queue; so polling a group costs what
//! the shards cost that were woken, however many there are.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use qq_model::gateway::ShardId;

/// The shards that were woken, each at most once, first come first served.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shards: VecDeque<ShardId>,
    /// Who polls the group; taken when woken.
    task: Option<Waker>,
}

impl ReadyQueue {
    /// Wakes this task from now on; how many shards are in the queue.
    pub(super) fn watch(&self, task: &Waker) -> usize {
        let mut state = self.state();
        match &mut state.task {
            Some(known) => known.clone_from(task),
            none => *none = Some(task.clone()),
        }
        state.shards.len()
    }

    pub(super) fn pop(&self) -> Option<ShardId> {
        self.state().shards.pop_front()
    }

    fn push(&self, shard: ShardId) -> Option<Waker> {
        let mut state = self.state();
        state.shards.push_back(shard);
        state.task.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts one shard into the queue.
#[derive(Debug)]
pub(super) struct Signal {
    shard: ShardId,
    is_queued: AtomicBool,
    queue: Arc<ReadyQueue>,
}

impl Signal {
    pub(super) fn new(shard: ShardId, queue: &Arc<ReadyQueue>) -> Arc<Self> {
        Arc::new(Self {
            shard,
            is_queued: AtomicBool::new(false),
            queue: Arc::clone(queue),
        })
    }

    /// Puts the shard at the end of the queue, unless it is in it.
    pub(super) fn raise(&self) {
        if !self.is_queued.swap(true, Ordering::AcqRel)
            && let Some(task) = self.queue.push(self.shard)
        {
            task.wake();
        }
    }

    /// The same for the task that polls the group at this moment and will do so again by itself.
    pub(super) fn raise_quietly(&self) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.queue.state().shards.push_back(self.shard);
        }
    }

    /// The shard was taken out of the queue. From here on it is queued again when something happens.
    pub(super) fn lower(&self) {
        self.is_queued.store(false, Ordering::Release);
    }

    /// The shard has left the group, whoever still wakes it.
    pub(super) fn silence(&self) {
        self.is_queued.store(true, Ordering::Release);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raise();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise();
    }
}
