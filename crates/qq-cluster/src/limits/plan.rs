//! Who gets how many places of a limit: decided by each process alone, from what it sees, and settled by compare-and-set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is written down about a limit. The places of `used` and `held` together are never more than the limit has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Places that are taken and nobody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) used: Vec<Used>,
    /// The places of each process.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) held: BTreeMap<Box<str>, Held>,
}

/// Places that are free again at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    /// In milliseconds since 1970.
    pub(super) until: u64,
    pub(super) places: u32,
}

/// The places of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) places: u32,
    /// Whether its calls wait for more: whoever has some to spare gives them back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_short: bool,
}

/// How it stands in this process.
#[derive(Clone, Debug)]
pub(super) struct Own<'a> {
    /// The process.
    pub(super) id: &'a str,
    /// The places of the limit.
    pub(super) whole: u32,
    /// How long a place is taken after the answer.
    pub(super) memory: Duration,
    /// What the process has.
    pub(super) given: u32,
    /// What of it is taken; more, when it was made smaller.
    pub(super) taken: u32,
    /// Calls that wait.
    pub(super) waiting: u32,
    /// Whether few places are left.
    pub(super) is_wanted: bool,
    /// What was settled since the ledger was written.
    pub(super) settled: &'a [Used],
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) ledger: Ledger,
    /// What the process has from now on; less at once, more when the ledger is written.
    pub(super) given: u32,
    /// What it could get.
    pub(super) at_most: u32,
}

/// A part in so many is kept in reserve, and taken at a time.
const PARTS: u32 = 16;
/// Places that are nobody's are kept in so many steps, each of which ends late rather than early.
const STEPS: u64 = 64;
/// How far apart the clocks of two machines may be.
const SKEW: Duration = Duration::from_secs(1);

impl Own<'_> {
    /// Decides. `living` are the processes that live, where that was asked; `now` in milliseconds since 1970.
    pub(super) fn plan(
        &self,
        before: &Ledger,
        living: Option<&BTreeSet<Box<str>>>,
        now: u64,
    ) -> Plan {
        let mut ledger = before.clone();
        ledger.expire(now);
        if let Some(living) = living {
            ledger.bury(living, self.memory, now);
        }
        for settled in self.settled {
            ledger.add(*settled, self.memory);
        }
        ledger.held.remove(self.id);

        let used: u32 = ledger.used.iter().map(|used| used.places).sum();
        let others: u32 = ledger.held.values().map(|held| held.places).sum();
        let mine = self.given.max(self.taken);
        let free = self.whole.saturating_sub(used + others + mine);
        let is_hungry = self.waiting > 0 && self.taken >= self.given;
        let sharers = u32::try_from(ledger.held.len()).unwrap_or(u32::MAX - 1) + 1;
        let fair = (self.whole.saturating_sub(used) / sharers).max(1);
        let is_another_short = ledger
            .held
            .values()
            .any(|held| held.is_short && held.places < fair);
        let reserve = (self.whole / PARTS).max(1);

        let mut given = self.given;
        if is_another_short {
            // What is not needed goes first, then what is more than a fair share.
            given = given.min(fair.min(self.taken.saturating_add(reserve)));
            if is_hungry && mine < fair {
                given = self.given + free.min(fair - mine);
            }
        } else if self.is_wanted || is_hungry {
            let spare = self.given.saturating_sub(self.taken);
            let block = self.waiting.max(reserve * 2);
            given += free.min(block.saturating_sub(spare));
        }
        let held = given.max(self.taken);
        let is_short =
            is_hungry && given.saturating_sub(self.taken) < self.waiting && given < self.whole;
        if held > 0 || is_short {
            ledger.held.insert(
                self.id.into(),
                Held {
                    places: held,
                    is_short,
                },
            );
        }
        let left = free.saturating_sub(held.saturating_sub(mine));
        Plan {
            ledger,
            given,
            at_most: fair.max(given + left).min(self.whole),
        }
    }
}

impl Ledger {
    /// Whether a process other than this one waits for places.
    pub(super) fn is_another_short(&self, id: &str) -> bool {
        self.held
            .iter()
            .any(|(other, held)| **other != *id && held.is_short)
    }

    fn expire(&mut self, now: u64) {
        self.used.retain(|used| used.until > now);
    }

    /// Whoever died may have used all of its places until just now.
    fn bury(&mut self, living: &BTreeSet<Box<str>>, memory: Duration, now: u64) {
        let mut dead = 0;
        self.held.retain(|id, held| {
            let lives = living.contains(id);
            dead += if lives { 0 } else { held.places };
            lives
        });
        if dead > 0 {
            let until = now.saturating_add(millis(memory));
            self.add(
                Used {
                    until,
                    places: dead,
                },
                memory,
            );
        }
    }

    fn add(&mut self, used: Used, memory: Duration) {
        let step = (millis(memory) / STEPS).max(1);
        let until = used
            .until
            .saturating_add(millis(SKEW))
            .div_ceil(step)
            .saturating_mul(step);
        match self.used.iter_mut().find(|other| other.until == until) {
            Some(other) => other.places = other.places.saturating_add(used.places),
            None => self.used.push(Used { until, ..used }),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Duration = Duration::from_secs(64);
    const NOW: u64 = 1_790_000_000_000;

    /// A process of the model: places, how many are taken, how many calls wait.
    #[derive(Clone, Copy, Debug, Default)]
    struct Process {
        given: u32,
        taken: u32,
        waiting: u32,
    }

    impl Process {
        fn start(&mut self) {
            let starts = self.waiting.min(self.given.saturating_sub(self.taken));
            self.taken += starts;
            self.waiting -= starts;
        }

        fn act(&mut self, id: &str, whole: u32, ledger: &mut Ledger) -> Plan {
            self.start();
            let own = Own {
                id,
                whole,
                memory: MEMORY,
                given: self.given,
                taken: self.taken,
                waiting: self.waiting,
                is_wanted: false,
                settled: &[],
            };
            let plan = own.plan(ledger, None, NOW);
            *ledger = plan.ledger.clone();
            self.given = plan.given;
            self.start();
            plan
        }
    }

    fn held(ledger: &Ledger) -> u32 {
        let held: u32 = ledger.held.values().map(|held| held.places).sum();
        held + ledger.used.iter().map(|used| used.places).sum::<u32>()
    }

    #[test]
    fn the_places_are_never_more_and_the_hungry_are_served_fairly() {
        fastrand::seed(11);
        for _ in 0..500 {
            let whole = fastrand::u32(1..200);
            let count = fastrand::usize(1..6);
            let mut processes = vec![Process::default(); count];
            let mut ledger = Ledger::default();
            for _ in 0..400 {
                let at = fastrand::usize(0..count);
                let process = &mut processes[at];
                match fastrand::u32(0..3) {
                    0 => process.waiting += fastrand::u32(0..20),
                    1 => process.taken -= fastrand::u32(0..=process.taken),
                    _ => {}
                }
                process.act(&format!("p{at}"), whole, &mut ledger);
                assert!(held(&ledger) <= whole, "{ledger:?}");
                let taken: u32 = processes.iter().map(|process| process.taken).sum();
                assert!(taken <= whole, "{processes:?}");
            }
            // All are hungry for ever, and places become free all the time.
            for _ in 0..200 {
                for (at, process) in processes.iter_mut().enumerate() {
                    process.waiting = 1000;
                    process.taken -= process.taken.min(fastrand::u32(1..8));
                    process.act(&format!("p{at}"), whole, &mut ledger);
                }
            }
            let fair = whole / u32::try_from(count).unwrap();
            for process in &processes {
                assert!(process.given >= fair, "{whole}: {processes:?}");
            }
            let given: u32 = processes.iter().map(|process| process.given).sum();
            assert_eq!(given, whole, "nothing lies about: {processes:?}");
        }
    }

    #[test]
    fn an_idle_process_gives_back_what_another_needs() {
        let (mut one, mut two) = (Process::default(), Process::default());
        let mut ledger = Ledger::default();
        one.waiting = 30;
        one.act("one", 30, &mut ledger);
        assert_eq!((one.given, one.taken), (30, 30));
        two.waiting = 20;
        let plan = two.act("two", 30, &mut ledger);
        assert_eq!((two.given, plan.at_most), (0, 15));
        // Its places are taken, so it drains; then it has no use for them.
        one.act("one", 30, &mut ledger);
        assert_eq!((one.given, held(&ledger)), (15, 30));
        one.taken = 0;
        one.act("one", 30, &mut ledger);
        assert_eq!(one.given, 1, "a reserve");
        two.act("two", 30, &mut ledger);
        assert_eq!((two.taken, two.waiting), (20, 0));
    }

    #[test]
    fn what_the_dead_had_and_what_was_settled_is_free_when_its_time_is_over() {
        let mut ledger = Ledger::default();
        let mut one = Process {
            waiting: 8,
            ..Process::default()
        };
        one.act("one", 10, &mut ledger);
        let own = Own {
            id: "two",
            whole: 10,
            memory: MEMORY,
            given: 0,
            taken: 0,
            waiting: 10,
            is_wanted: true,
            settled: &[Used {
                until: NOW + 500,
                places: 1,
            }],
        };
        let living = BTreeSet::from(["two".into()]);
        let plan = own.plan(&ledger, Some(&living), NOW);
        assert_eq!((plan.given, held(&plan.ledger)), (1, 10));
        let own = Own {
            given: 1,
            taken: 1,
            settled: &[],
            ..own
        };
        let second = own.plan(&plan.ledger, Some(&living), NOW + 3_000);
        assert_eq!(second.given, 2, "the settled one");
        let end = NOW + 67_000;
        let last = own.plan(&second.ledger, Some(&living), end);
        assert_eq!((last.given, last.ledger.used.len()), (10, 0));
        let early = own.plan(&second.ledger, Some(&living), NOW + 63_000);
        assert_eq!(early.given, 2);
    }

    #[test]
    fn long_ledgers_stay_short() {
        let mut ledger = Ledger::default();
        for second in 0..100_000 {
            let now = NOW + second * 1000;
            ledger.expire(now);
            let day = Duration::from_secs(24 * 60 * 60);
            let until = now + millis(day);
            ledger.add(Used { until, places: 1 }, day);
        }
        assert!(ledger.used.len() <= 66, "{}", ledger.used.len());
    }
}
