//! Which messages and events were answered, and how often. Bounded by number and time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qq_model::outgoing::ReplyTo;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::page::Page;
use super::record::Record;

/// The pages of everything that was answered and can still be. Those whose window is over go first, then those
/// whose window is over soonest.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: HashMap<ReplyTo, (End, Arc<Entry>)>,
    by_end: BTreeMap<End, ReplyTo>,
    opened: u64,
    capacity: usize,
}

/// When the window of a page seemed to end as it was opened, and which page it was.
type End = (Instant, u64);

/// A page, and where it stands with the store.
#[derive(Debug)]
pub(crate) struct Entry {
    page: Mutex<Page>,
    saved: Mutex<Saved>,
    /// One call of the store at a time, in the order in which they were asked for.
    pub(crate) gate: Semaphore,
}

/// What the store has of a page.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    pub(crate) is_loaded: bool,
    pub(crate) revision: Option<u64>,
    pub(crate) record: Record,
}

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            by_end: BTreeMap::new(),
            opened: 0,
            capacity: capacity.max(1),
        }
    }

    /// The page of this target; a new one when there is none.
    pub(crate) fn entry(
        &mut self,
        target: &ReplyTo,
        now: Instant,
        page: impl FnOnce() -> Page,
    ) -> Arc<Entry> {
        if let Some((_, entry)) = self.entries.get(target) {
            return Arc::clone(entry);
        }
        self.make_room(now);
        let page = page();
        self.opened += 1;
        let end = (page.closes_at(), self.opened);
        let entry = Arc::new(Entry::new(page));
        // What can no longer be answered needs no memory: whoever comes back finds out anew.
        if end.0 >= now {
            self.by_end.insert(end, target.clone());
            self.entries
                .insert(target.clone(), (end, Arc::clone(&entry)));
        }
        entry
    }

    /// Forgets a page, so that the next answer begins with what a store has of it.
    pub(crate) fn forget(&mut self, target: &ReplyTo) {
        if let Some((end, _)) = self.entries.remove(target) {
            self.by_end.remove(&end);
        }
    }

    fn make_room(&mut self, now: Instant) {
        while let Some(first) = self.by_end.first_entry() {
            let end = *first.key();
            if end.0 >= now && self.entries.len() < self.capacity {
                return;
            }
            let target = first.remove();
            if self
                .entries
                .get(&target)
                .is_some_and(|(known, _)| *known == end)
            {
                self.entries.remove(&target);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.by_end.len());
        self.entries.len()
    }
}

impl Entry {
    fn new(page: Page) -> Self {
        Self {
            page: Mutex::new(page),
            saved: Mutex::default(),
            gate: Semaphore::new(1),
        }
    }

    pub(crate) fn page(&self) -> MutexGuard<'_, Page> {
        // Whole after every statement, so a panic elsewhere spoils nothing.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn saved(&self) -> MutexGuard<'_, Saved> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::page::{Class, Progress, Turn};
    use super::super::refusal::Closed;
    use super::super::rules::ReplyRule;
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn rule(budget: Option<u32>) -> ReplyRule {
        ReplyRule {
            window: WINDOW,
            budget,
        }
    }

    fn message(id: &str) -> ReplyTo {
        ReplyTo::Message(id.into())
    }

    /// The number of the next answer, or why there is none.
    fn answer(entry: &Entry, now: Instant) -> Result<u32, Closed> {
        let mut page = entry.page();
        let place = page.next_place(Class::Message);
        match page.turn(Class::Message, place, 0, now) {
            Turn::Open(place) => Ok(place.number),
            Turn::Closed(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_are_distinct_for_each_target() {
        let mut ledger = Ledger::new(10);
        let now = Instant::now();
        let mut next = |target: &ReplyTo| {
            let entry = ledger.entry(target, now, || Page::new(now, rule(None), true));
            answer(&entry, now).unwrap()
        };
        assert_eq!([1, 2, 3], [(); 3].map(|()| next(&message("a"))));
        assert_eq!(next(&message("b")), 1);
        assert_eq!(next(&ReplyTo::Event("a".into())), 1);
        assert_eq!(next(&message("a")), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_by_number_and_time() {
        let mut ledger = Ledger::new(100);
        let now = Instant::now();
        for id in 0..10_000 {
            ledger.entry(&message(&id.to_string()), now, || {
                Page::new(now, rule(None), true)
            });
            assert!(ledger.len() <= 100);
        }
        let later = now + WINDOW + Duration::from_secs(1);
        ledger.entry(&message("late"), later, || {
            Page::new(later, rule(None), true)
        });
        assert_eq!(ledger.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_ends_to_the_moment() {
        let mut ledger = Ledger::new(100);
        let start = Instant::now();
        let entry = ledger.entry(&message("a"), start, || Page::new(start, rule(None), true));
        assert_eq!(answer(&entry, start + WINDOW), Ok(1));
        let over = start + WINDOW + Duration::from_millis(1);
        assert_eq!(answer(&entry, over), Err(Closed::Window));
        // Forgotten meanwhile, it is still over.
        ledger.entry(&message("b"), over, || Page::new(over, rule(None), true));
        let entry = ledger.entry(&message("a"), over, || Page::new(start, rule(None), true));
        assert_eq!(answer(&entry, over), Err(Closed::Window));
        assert_eq!(ledger.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_shared_and_refusals_give_back() {
        let now = Instant::now();
        let entry = Entry::new(Page::new(now, rule(Some(2)), true));
        assert_eq!(answer(&entry, now), Ok(1));
        assert_eq!(answer(&entry, now), Ok(2));
        assert_eq!(answer(&entry, now), Err(Closed::Budget));
        entry.page().settle(1, Some(2), Progress::Refused);
        assert_eq!(answer(&entry, now), Ok(3), "a number is never used again");
        assert_eq!(answer(&entry, now), Err(Closed::Budget));
        entry.page().settle(0, Some(1), Progress::Sent(None));
        assert_eq!(answer(&entry, now), Err(Closed::Budget));
    }

    #[tokio::test(start_paused = true)]
    async fn settled_answers_leave_nothing_behind_in_memory() {
        let now = Instant::now();
        let entry = Entry::new(Page::new(now, rule(Some(1000)), true).in_memory());
        for n in 1..=1000 {
            assert_eq!(answer(&entry, now), Ok(n));
            entry.page().settle(0, Some(n), Progress::Sent(None));
            entry.page().elsewhere(Class::Message);
        }
        assert_eq!(entry.page().slots(), 0);
        assert_eq!(answer(&entry, now), Err(Closed::Budget), "they still count");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_wait_leaves_the_last_answer_to_others() {
        let now = Instant::now();
        let entry = Entry::new(Page::new(now, rule(Some(2)), true));
        let typing = |entry: &Entry| {
            let mut page = entry.page();
            let place = page.next_place(Class::Typing);
            page.turn(Class::Typing, place, 1, now)
        };
        assert!(matches!(typing(&entry), Turn::Open(_)));
        assert_eq!(typing(&entry), Turn::Closed(Closed::Budget));
        assert_eq!(answer(&entry, now), Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_platform_is_believed() {
        let now = Instant::now();
        let entry = Entry::new(Page::new(now, rule(None), true));
        entry.page().close(Closed::Refused);
        assert_eq!(answer(&entry, now), Err(Closed::Refused));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_handled_again_comes_to_the_same_places() {
        let now = Instant::now();
        let unix = Duration::from_secs(1_700_000_000);
        let first = Entry::new(Page::new(now, rule(Some(5)), true));
        for number in 1..=4 {
            assert_eq!(answer(&first, now), Ok(number));
        }
        first.page().settle(0, Some(1), Progress::Sent(None));
        first.page().settle(1, Some(2), Progress::Refused);
        let record = first.page().to_record(now, unix);

        let again = Page::new(now, rule(Some(5)), true);
        let again = Entry::new(again);
        let later = now + Duration::from_secs(60);
        again.page().adopt(
            Record::from_json(&record.to_json()).unwrap(),
            later,
            unix + Duration::from_secs(60),
        );
        let mut turns = Vec::new();
        for _ in 0..6 {
            let mut page = again.page();
            let place = page.next_place(Class::Message);
            turns.push(page.turn(Class::Message, place, 0, later));
        }
        let place = |turn: &Turn| match turn {
            Turn::Open(place) => Some((place.number, place.is_resumed)),
            _ => None,
        };
        assert_eq!(turns[0], Turn::Earlier(None));
        assert_eq!(place(&turns[1]), Some((5, false)), "refused before");
        assert_eq!(place(&turns[2]), Some((3, true)), "begun before");
        assert_eq!(place(&turns[3]), Some((4, true)), "begun before");
        assert_eq!(place(&turns[4]), Some((6, false)), "new");
        assert_eq!(turns[5], Turn::Closed(Closed::Budget));
        let over = now + WINDOW + Duration::from_millis(1);
        assert_eq!(
            answer(&again, over),
            Err(Closed::Window),
            "since the first time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_numbers_what_may_have_been_sent_is_not_repeated() {
        let now = Instant::now();
        let unix = Duration::from_secs(1_700_000_000);
        let first = Entry::new(Page::new(now, rule(None), false));
        assert_eq!(answer(&first, now), Ok(1));
        let record = first.page().to_record(now, unix);
        let mut page = Page::new(now, rule(None), false);
        page.adopt(record, now, unix);
        let place = page.next_place(Class::Message);
        assert_eq!(page.turn(Class::Message, place, 0, now), Turn::Doubtful);
    }

    #[tokio::test(start_paused = true)]
    async fn two_processes_do_not_share_a_number() {
        let now = Instant::now();
        let unix = Duration::from_secs(1_700_000_000);
        let (here, there) = (
            Entry::new(Page::new(now, rule(Some(5)), true)),
            Entry::new(Page::new(now, rule(Some(5)), true)),
        );
        assert_eq!(answer(&there, now), Ok(1));
        let theirs = there.page().to_record(now, unix);
        assert_eq!(answer(&here, now), Ok(1));
        here.page().merge(theirs, &Record::default(), Some(0));
        assert_eq!(here.page().number(0), Some(2));
        assert_eq!(answer(&here, now), Ok(3));
    }
}
