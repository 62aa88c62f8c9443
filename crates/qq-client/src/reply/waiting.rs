//! Answers that wait for the next message of their chat.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use qq_model::message::Conversation;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::target::ReplyTarget;

/// What an answer may go to.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    pub(crate) target: ReplyTarget,
    pub(crate) received_at: Instant,
}

/// Those who wait, by chat, in order. Bounded.
#[derive(Debug)]
pub(crate) struct Waiting {
    chats: Mutex<HashMap<Conversation, VecDeque<Waiter>>>,
    /// Nothing comes any more.
    is_closed: AtomicBool,
    /// Looked at for every event, so that the map is not.
    count: AtomicUsize,
    next_id: AtomicU64,
    capacity: usize,
    per_chat: usize,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    sender: oneshot::Sender<Chance>,
}

/// A place among those who wait. Dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    waiting: &'a Waiting,
    conversation: Conversation,
    id: u64,
    pub(crate) chance: oneshot::Receiver<Chance>,
}

impl Waiting {
    pub(crate) fn new(capacity: usize, per_chat: usize) -> Self {
        Self {
            chats: Mutex::default(),
            is_closed: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            next_id: AtomicU64::new(0),
            capacity,
            per_chat,
        }
    }

    /// Waits behind the others of this chat; `None` when too many do, or nothing comes any more.
    pub(crate) fn join(&self, conversation: &Conversation) -> Option<Place<'_>> {
        let (sender, chance) = oneshot::channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut chats = self.chats();
        let is_full = self.count.load(Ordering::Relaxed) >= self.capacity;
        if is_full || self.is_closed.load(Ordering::Relaxed) {
            return None;
        }
        let chat = chats.entry(conversation.clone()).or_default();
        if chat.len() >= self.per_chat {
            return None;
        }
        chat.push_back(Waiter { id, sender });
        self.count.fetch_add(1, Ordering::Relaxed);
        drop(chats);
        Some(Place {
            waiting: self,
            conversation: conversation.clone(),
            id,
            chance,
        })
    }

    /// Lets at most `most` of those who wait answer this.
    pub(crate) fn offer(&self, chance: &Chance, most: usize) {
        let mut chats = self.chats();
        let conversation = &chance.target.conversation;
        let Some(chat) = chats.get_mut(conversation) else {
            return;
        };
        let mut left = most;
        while left > 0
            && let Some(waiter) = chat.pop_front()
        {
            self.count.fetch_sub(1, Ordering::Relaxed);
            // Whoever gave up meanwhile is passed over.
            if waiter.sender.send(chance.clone()).is_ok() {
                left -= 1;
            }
        }
        if chat.is_empty() {
            chats.remove(conversation);
        }
    }

    /// Sends away everybody, and those to come until [`open`](Self::open); how many they are now.
    pub(crate) fn close(&self) -> usize {
        let mut chats = self.chats();
        self.is_closed.store(true, Ordering::Relaxed);
        // Those who wait are told by the loss of their senders.
        chats.clear();
        self.count.swap(0, Ordering::Relaxed)
    }

    /// Chances come again.
    pub(crate) fn open(&self) {
        self.is_closed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn leave(&self, conversation: &Conversation, id: u64) {
        let mut chats = self.chats();
        let Some(chat) = chats.get_mut(conversation) else {
            return;
        };
        let before = chat.len();
        chat.retain(|waiter| waiter.id != id);
        self.count.fetch_sub(before - chat.len(), Ordering::Relaxed);
        if chat.is_empty() {
            chats.remove(conversation);
        }
    }

    fn chats(&self) -> MutexGuard<'_, HashMap<Conversation, VecDeque<Waiter>>> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.leave(&self.conversation, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(id: &str) -> Conversation {
        Conversation::Group(id.into())
    }

    fn chance(id: &str) -> Chance {
        Chance {
            target: ReplyTarget::message(chat(id), "m".into()),
            received_at: Instant::now(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_waiting_go_first() {
        let waiting = Waiting::new(10, 10);
        let mut places: Vec<_> = (0..3).map(|_| waiting.join(&chat("a")).unwrap()).collect();
        let mut other = waiting.join(&chat("b")).unwrap();
        drop(places.remove(0));
        waiting.offer(&chance("a"), 1);
        assert!(places[0].chance.try_recv().is_ok());
        assert!(places[1].chance.try_recv().is_err());
        assert!(other.chance.try_recv().is_err());
        drop(places);
        drop(other);
        assert!(waiting.is_empty() && waiting.chats().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn when_nothing_comes_any_more_nobody_waits() {
        let waiting = Waiting::new(10, 10);
        let mut places: Vec<_> = (0..3).map(|_| waiting.join(&chat("a")).unwrap()).collect();
        assert_eq!(waiting.close(), 3);
        for place in &mut places {
            assert!((&mut place.chance).await.is_err());
        }
        assert!(waiting.join(&chat("a")).is_none());
        drop(places);
        assert!(waiting.is_empty());
        waiting.open();
        assert!(waiting.join(&chat("a")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_bounded() {
        let waiting = Waiting::new(3, 2);
        let first = (waiting.join(&chat("a")), waiting.join(&chat("a")));
        assert!(waiting.join(&chat("a")).is_none(), "of one chat");
        let other = waiting.join(&chat("b"));
        assert!(waiting.join(&chat("c")).is_none(), "of all");
        drop(first);
        assert!(waiting.join(&chat("c")).is_some());
        drop(other);
    }
}
