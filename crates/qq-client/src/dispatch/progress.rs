//! How far a shard's events were handled without a hole: where RESUME goes on from.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qq_model::id::SessionId;
use tokio::sync::Notify;

/// Events behind one that is not handled yet which are remembered as handled. With more, the oldest one is given up:
/// a restarted process is not sent it again.
const WINDOW: usize = 65_536;

/// The events of one shard that are on their way, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    window: Mutex<Window>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Window {
    id: SessionId,
    session: u64,
    /// Numbers, and whether they were handled. The first one is not.
    events: VecDeque<(u64, bool)>,
    position: u64,
}

/// One event on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    session: u64,
    sequence: u64,
}

impl Progress {
    /// A new session, which has numbers of its own, and in which everything up to this one was handled.
    pub(crate) fn restart(&self, id: SessionId, position: u64) {
        let mut window = self.lock();
        window.id = id;
        window.session += 1;
        window.events.clear();
        window.position = position;
        drop(window);
        self.changed.notify_one();
    }

    /// An event was read.
    pub(crate) fn begin(&self, sequence: u64) -> Ticket {
        let mut window = self.lock();
        if window.events.len() >= WINDOW {
            window.pop();
        }
        window.events.push_back((sequence, false));
        Ticket {
            session: window.session,
            sequence,
        }
    }

    /// It was handled.
    pub(crate) fn done(&self, ticket: Ticket) {
        let mut window = self.lock();
        if window.session != ticket.session {
            return;
        }
        let index = window
            .events
            .partition_point(|(sequence, _)| *sequence < ticket.sequence);
        if let Some((sequence, is_done)) = window.events.get_mut(index)
            && *sequence == ticket.sequence
        {
            *is_done = true;
        }
        if window.events.front().is_some_and(|(_, is_done)| *is_done) {
            window.pop();
            drop(window);
            self.changed.notify_one();
        }
    }

    /// The session, and the newest number up to which everything was handled; `None` without one to resume.
    pub(crate) fn session(&self) -> Option<(SessionId, u64)> {
        let window = self.lock();
        let is_resumable = !window.id.is_empty();
        is_resumable.then(|| (window.id.clone(), window.position))
    }

    /// Waits until the position has moved.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        // Whole after every statement, so a panic elsewhere spoils nothing.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// The first one is done with, and those behind it that were handled.
    fn pop(&mut self) {
        let mut is_done = true;
        while is_done && let Some((sequence, _)) = self.events.pop_front() {
            self.position = sequence;
            is_done = self.events.front().is_some_and(|(_, is_done)| *is_done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Progress {
        fn position(&self) -> u64 {
            self.session().unwrap().1
        }
    }

    #[test]
    fn the_position_is_the_end_of_what_was_handled_without_a_hole() {
        let progress = Progress::default();
        progress.restart("s".into(), 1);
        let tickets: Vec<_> = [2, 3, 5, 6].map(|sequence| progress.begin(sequence)).into();
        progress.done(tickets[1]);
        progress.done(tickets[2]);
        assert_eq!(progress.position(), 1);
        progress.done(tickets[0]);
        assert_eq!(progress.position(), 5);
        progress.done(tickets[3]);
        assert_eq!(progress.position(), 6);
    }

    #[test]
    fn numbers_of_an_earlier_session_mean_nothing() {
        let progress = Progress::default();
        progress.restart("s".into(), 1);
        let old = progress.begin(2);
        progress.restart("s".into(), 1);
        let new = progress.begin(2);
        progress.done(old);
        assert_eq!(progress.position(), 1);
        progress.done(new);
        assert_eq!(progress.position(), 2);
    }

    #[test]
    fn an_event_that_is_never_handled_is_given_up_in_the_end() {
        let progress = Progress::default();
        progress.restart("s".into(), 1);
        let stuck = progress.begin(2);
        for sequence in 3..WINDOW as u64 + 10 {
            let ticket = progress.begin(sequence);
            progress.done(ticket);
        }
        assert!(progress.position() > 60_000, "{}", progress.position());
        assert!(progress.lock().events.len() <= WINDOW);
        progress.done(stuck);
    }
}
