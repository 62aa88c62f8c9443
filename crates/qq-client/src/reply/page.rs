//! The answers to one message or event.
//!
//! Every answer takes a place: the first, the second, and so on, among those of its class. After a restart the
//! event may be handled again, and its answers come to the same places: what was sent from there is not sent again.

use std::time::Duration;

use qq_http::Sent;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::record::{Record, SlotRecord};
use super::refusal::Closed;
use super::rules::ReplyRule;

/// Answers that find something closed are noted up to so many places.
const MOST_ELSEWHERE: usize = 256;

/// What is counted by itself, because how often it comes is a matter of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    Message,
    Typing,
    Stream,
}

/// How far an answer got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Progress {
    /// It may have been sent.
    Begun,
    /// The last frame of a stream may have been sent; without it nothing stays on the screen.
    Finishing,
    /// The platform took it.
    Sent(Option<Box<Outcome>>),
    /// The platform did not take it, or it was not sent.
    Refused,
}

/// What became of an answer; kept where a store is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Message(Sent),
    Stream(Vec<Box<str>>),
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) class: Class,
    /// Its number, `msg_seq`; `None` for what went out as something else than an answer to this.
    pub(crate) number: Option<u32>,
    pub(crate) progress: Progress,
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    /// Go on with this slot.
    Open(Place),
    /// It was sent before the restart.
    Earlier(Option<Box<Outcome>>),
    /// It may have been sent before the restart, and cannot be repeated without the danger of showing twice.
    Doubtful,
    /// No more answers.
    Closed(Closed),
}

/// Which slot, and the number that it carries; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) slot: usize,
    pub(crate) number: u32,
    /// Whether an attempt from before the restart may have arrived.
    pub(crate) is_resumed: bool,
}

/// The answers to one message or event.
#[derive(Debug)]
pub(crate) struct Page {
    closes_at: Instant,
    budget: Option<u32>,
    /// Whether answers carry their number, so that the platform refuses a repeat.
    is_numbered: bool,
    /// Answers that the budget has to pay for.
    held: u32,
    last_number: u32,
    closed: Option<Closed>,
    /// Whether a store keeps the slots. Otherwise those that are settled are forgotten.
    is_kept: bool,
    slots: Vec<Slot>,
    /// How many of the slots are from before the restart.
    earlier: usize,
    /// How many places of each class were taken since.
    taken: [usize; 3],
}

impl Page {
    pub(crate) fn new(opened: Instant, rule: ReplyRule, is_numbered: bool) -> Self {
        Self {
            closes_at: opened + rule.window,
            budget: rule.budget,
            is_numbered,
            held: 0,
            last_number: 0,
            closed: None,
            is_kept: true,
            slots: Vec::new(),
            earlier: 0,
            taken: [0; 3],
        }
    }

    /// No store keeps it.
    pub(crate) const fn in_memory(mut self) -> Self {
        self.is_kept = false;
        self
    }

    pub(crate) const fn closes_at(&self) -> Instant {
        self.closes_at
    }

    /// The place of the next answer of this class, in order of call.
    pub(crate) const fn next_place(&mut self, class: Class) -> usize {
        let taken = &mut self.taken[class as usize];
        *taken += 1;
        *taken - 1
    }

    /// The turn of the answer at this place, which leaves at least `spare` answers of the budget.
    pub(crate) fn turn(&mut self, class: Class, place: usize, spare: u32, now: Instant) -> Turn {
        let earlier = self
            .slots
            .iter_mut()
            .take(self.earlier)
            .enumerate()
            .filter(|(_, slot)| slot.class == class)
            .nth(place);
        if let Some((index, slot)) = earlier {
            match (&slot.progress, slot.number) {
                (Progress::Sent(outcome), _) => return Turn::Earlier(outcome.clone()),
                (Progress::Finishing, Some(number)) if self.is_numbered => {
                    return Turn::Open(Place::resumed(index, number));
                }
                (Progress::Begun, Some(number)) if self.is_numbered && class != Class::Stream => {
                    return Turn::Open(Place::resumed(index, number));
                }
                // The platform takes back what nobody finished: the text goes out anew, with another number.
                (Progress::Begun, Some(_)) if class == Class::Stream => {}
                (Progress::Refused, _) => {}
                (Progress::Begun | Progress::Finishing, _) => return Turn::Doubtful,
            }
        }
        match self.closed(spare, now) {
            Some(closed) => Turn::Closed(closed),
            None => Turn::Open(self.open(class)),
        }
    }

    /// A slot for what goes out as something else than an answer to this, if at all.
    pub(crate) fn elsewhere(&mut self, class: Class) -> usize {
        if !self.is_kept || self.slots.len() >= MOST_ELSEWHERE {
            return usize::MAX;
        }
        self.slots.push(Slot {
            class,
            number: None,
            progress: Progress::Refused,
        });
        self.slots.len() - 1
    }

    /// Another number for a slot whose number somebody else has used.
    pub(crate) const fn renumber(&mut self) -> u32 {
        self.last_number = self.last_number.saturating_add(1);
        self.last_number
    }

    /// A number that the body brought along: no other answer gets it.
    pub(crate) const fn note_number(&mut self, number: u32) {
        if number > self.last_number {
            self.last_number = number;
        }
    }

    /// A further answer that follows from one that was let through, such as the rest of a text too long for one.
    pub(crate) const fn further(&mut self) -> u32 {
        self.held = self.held.saturating_add(1);
        self.renumber()
    }

    /// How far the answer of a slot got; whether that is news. One that was not sent costs nothing.
    pub(crate) fn settle(&mut self, slot: usize, number: Option<u32>, progress: Progress) -> bool {
        let Some(entry) = self.slots.get_mut(slot) else {
            return false;
        };
        if (entry.number, &entry.progress) == (number, &progress) {
            return false;
        }
        let paid = |slot: &Slot| slot.number.is_some() && slot.progress != Progress::Refused;
        let was = paid(entry);
        entry.number = number;
        entry.progress = progress;
        match (was, paid(entry)) {
            (true, false) => self.held = self.held.saturating_sub(1),
            (false, true) => self.held = self.held.saturating_add(1),
            _ => {}
        }
        while !self.is_kept && self.slots.last().is_some_and(Slot::is_settled) {
            self.slots.pop();
        }
        true
    }

    /// Believes the platform that no more answers are taken.
    pub(crate) fn close(&mut self, why: Closed) {
        self.closed.get_or_insert(why);
    }

    /// Why no answer is taken that leaves at least `spare`.
    pub(crate) fn closed(&self, spare: u32, now: Instant) -> Option<Closed> {
        let is_used_up = |budget: u32| self.held.saturating_add(spare) >= budget;
        if self.closed.is_some() {
            self.closed
        } else if now > self.closes_at {
            Some(Closed::Window)
        } else {
            self.budget
                .is_some_and(is_used_up)
                .then_some(Closed::Budget)
        }
    }

    fn open(&mut self, class: Class) -> Place {
        let number = self.further();
        self.slots.push(Slot {
            class,
            number: Some(number),
            progress: Progress::Begun,
        });
        Place {
            slot: self.slots.len() - 1,
            number,
            is_resumed: false,
        }
    }
}

impl Page {
    /// What a store keeps. `unix_now` and `now` are the same moment.
    pub(crate) fn to_record(&self, now: Instant, unix_now: Duration) -> Record {
        let left = self.closes_at.saturating_duration_since(now);
        let late = now.saturating_duration_since(self.closes_at);
        Record {
            closes_at: (unix_now + left).saturating_sub(late),
            last_number: self.last_number,
            closed: self.closed,
            slots: self.slots.iter().map(SlotRecord::of).collect(),
        }
    }

    /// Takes over what an earlier process has written, before the first answer of this one.
    pub(crate) fn adopt(&mut self, record: Record, now: Instant, unix_now: Duration) {
        // The window began when the message came for the first time.
        let left = record.closes_at.saturating_sub(unix_now);
        self.closes_at = self.closes_at.min(now + left);
        self.closed = self.closed.or(record.closed);
        self.last_number = self.last_number.max(record.last_number);
        self.slots = record
            .slots
            .into_iter()
            .map(SlotRecord::into_slot)
            .collect();
        self.earlier = self.slots.len();
        self.recount();
    }

    /// Takes in what another process has written since `before`. A slot of this process that nothing was sent from
    /// gets another number if that one was taken meanwhile.
    pub(crate) fn merge(&mut self, record: Record, before: &Record, begun: Option<usize>) {
        self.closed = self.closed.or(record.closed);
        self.last_number = self.last_number.max(record.last_number);
        let is_news = |slot: &SlotRecord| {
            !before
                .slots
                .iter()
                .any(|known| known.class == slot.class && known.number == slot.number)
        };
        let foreign: Vec<Slot> = record
            .slots
            .into_iter()
            .filter(is_news)
            .map(SlotRecord::into_slot)
            .collect();
        if let Some(own) = begun
            && let Some(number) = self.slots.get(own).and_then(|slot| slot.number)
            && foreign.iter().any(|slot| slot.number == Some(number))
        {
            let number = self.renumber();
            if let Some(slot) = self.slots.get_mut(own) {
                slot.number = Some(number);
            }
        }
        self.slots.extend(foreign);
        self.recount();
    }

    pub(crate) fn number(&self, slot: usize) -> Option<u32> {
        self.slots.get(slot)?.number
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    fn recount(&mut self) {
        let paid = |slot: &&Slot| slot.number.is_some() && slot.progress != Progress::Refused;
        self.held = u32::try_from(self.slots.iter().filter(paid).count()).unwrap_or(u32::MAX);
    }
}

impl Slot {
    const fn is_settled(&self) -> bool {
        matches!(self.progress, Progress::Sent(_) | Progress::Refused)
    }
}

impl Place {
    const fn resumed(slot: usize, number: u32) -> Self {
        Self {
            slot,
            number,
            is_resumed: true,
        }
    }
}
