//! Which events were taken already.
//!
//! The platform sends an event up to three times when it sees no answer in time, and whoever has read a signed
//! request could send it once more. An event counts as taken only when it was: one that was refused is taken when
//! it comes again.
//!
//! Ids are kept as 16 bytes of SHA-256, so that the memory for one does not depend on its length and no one can find
//! two ids that look alike.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{Context, SHA256};

/// What an event is recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of an event with an id. Two bots may get events of the same id.
    pub(crate) fn of_id(app_id: &str, id: &str) -> Self {
        Self::of(b"id", app_id, id.as_bytes())
    }

    /// Of an event without an id: its signature, so that at least the same request is not taken twice.
    pub(crate) fn of_signature(app_id: &str, signature: &[u8]) -> Self {
        Self::of(b"signature", app_id, signature)
    }

    fn of(what: &[u8], app_id: &str, value: &[u8]) -> Self {
        let mut digest = Context::new(&SHA256);
        for part in [what, &[0], app_id.as_bytes(), &[0], value] {
            digest.update(part);
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest.finish().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// What [`Replay::claim`] says about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// Nobody has it: the caller does now, until [`Replay::release`] or [`Replay::accept`].
    New,
    /// Another request has it.
    InProgress,
    /// It was taken before.
    Taken,
}

/// The events that were taken or are being taken.
pub(crate) struct Replay {
    /// How many taken events are remembered.
    capacity: usize,
    /// For how many seconds.
    retention: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `true`: taken. `false`: being taken; there are no more of these than requests at work.
    events: HashMap<Fingerprint, bool>,
    /// The taken ones with the second in which they may be forgotten, oldest first.
    taken: VecDeque<(u64, Fingerprint)>,
}

impl Replay {
    pub(crate) fn new(capacity: usize, retention: u64) -> Self {
        Self {
            capacity,
            retention,
            state: Mutex::default(),
        }
    }

    pub(crate) fn claim(&self, event: Fingerprint, now: u64) -> Claimed {
        let mut state = self.lock();
        state.forget_until(now);
        match state.events.get(&event) {
            Some(true) => Claimed::Taken,
            Some(false) => Claimed::InProgress,
            None => {
                state.events.insert(event, false);
                Claimed::New
            }
        }
    }

    /// Remembers a claimed event; returns how many were forgotten early to make room.
    pub(crate) fn accept(&self, event: Fingerprint, now: u64) -> u64 {
        let mut state = self.lock();
        let mut forgotten = 0;
        while state.taken.len() >= self.capacity && state.forget_oldest() {
            forgotten += 1;
        }
        state.events.insert(event, true);
        state
            .taken
            .push_back((now.saturating_add(self.retention), event));
        forgotten
    }

    /// Gives a claimed event back.
    pub(crate) fn release(&self, event: Fingerprint) {
        self.lock().events.remove(&event);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_until(&mut self, now: u64) {
        while self.taken.front().is_some_and(|(until, _)| *until < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> bool {
        match self.taken.pop_front() {
            Some((_, event)) => self.events.remove(&event).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u32) -> Fingerprint {
        Fingerprint::of_id("1", &n.to_string())
    }

    #[test]
    fn taken_events_stay_taken_for_the_retention() {
        let replay = Replay::new(8, 600);
        assert_eq!(replay.claim(event(1), 1000), Claimed::New);
        assert_eq!(replay.claim(event(1), 1000), Claimed::InProgress);
        replay.accept(event(1), 1000);
        assert_eq!(replay.claim(event(1), 1600), Claimed::Taken);
        assert_eq!(replay.claim(event(1), 1601), Claimed::New);
    }

    #[test]
    fn released_events_can_be_claimed_again() {
        let replay = Replay::new(8, 600);
        assert_eq!(replay.claim(event(1), 0), Claimed::New);
        replay.release(event(1));
        assert_eq!(replay.claim(event(1), 0), Claimed::New);
    }

    #[test]
    fn the_oldest_go_first_and_memory_is_bounded() {
        let replay = Replay::new(4, 600);
        let mut forgotten = 0;
        for n in 0..1000 {
            assert_eq!(replay.claim(event(n), 0), Claimed::New);
            forgotten += replay.accept(event(n), 0);
        }
        assert_eq!(forgotten, 996);
        let state = replay.lock();
        assert_eq!((state.events.len(), state.taken.len()), (4, 4));
        assert!(state.events.contains_key(&event(999)) && !state.events.contains_key(&event(995)));
    }

    #[test]
    fn a_clock_that_jumps_back_forgets_nothing() {
        let replay = Replay::new(8, 600);
        replay.claim(event(1), 5000);
        replay.accept(event(1), 5000);
        assert_eq!(replay.claim(event(1), 10), Claimed::Taken);
    }

    #[test]
    fn fingerprints_tell_bots_and_forms_apart() {
        let all = [
            Fingerprint::of_id("1", "2"),
            Fingerprint::of_id("12", ""),
            Fingerprint::of_id("2", "2"),
            Fingerprint::of_signature("1", b"2"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{index}");
        }
    }
}
