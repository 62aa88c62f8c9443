//! Limits that count things over time.

use std::collections::{HashMap, VecDeque};

use crate::clock::Millis;

const DAY: Millis = 24 * 3600 * 1000;
/// Counters kept at once; beyond that the stale ones are thrown out.
const MOST_KEYS: usize = 10_000;
/// Moments kept for each counter; no limit counts further.
const MOST_TIMES: usize = 10_000;

/// When which thing was done.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    done: HashMap<String, VecDeque<Millis>>,
}

impl Quotas {
    /// How often it was done within the window that ends now.
    pub(crate) fn count(&self, key: &str, now: Millis, window: Millis) -> usize {
        self.done.get(key).map_or(0, |times| {
            times
                .iter()
                .rev()
                .take_while(|at| now.saturating_sub(**at) < window)
                .count()
        })
    }

    /// Whether it was done `most` times within the window; 0 is no limit.
    pub(crate) fn used_up(&self, key: &str, now: Millis, window: Millis, most: u32) -> bool {
        most > 0 && self.count(key, now, window) >= most as usize
    }

    /// Counts it.
    pub(crate) fn done(&mut self, key: String, now: Millis) {
        if self.done.len() >= MOST_KEYS {
            self.done.retain(|_, times| {
                times
                    .back()
                    .is_some_and(|last| now.saturating_sub(*last) < DAY)
            });
        }
        let times = self.done.entry(key).or_default();
        while times
            .front()
            .is_some_and(|at| now.saturating_sub(*at) >= DAY)
        {
            times.pop_front();
        }
        if times.len() >= MOST_TIMES {
            times.pop_front();
        }
        times.push_back(now);
    }

    /// The keys with this prefix that were done within the last day.
    pub(crate) fn active_today(&self, prefix: &str, now: Millis) -> usize {
        self.done
            .iter()
            .filter(|(key, times)| {
                key.starts_with(prefix)
                    && times
                        .back()
                        .is_some_and(|last| now.saturating_sub(*last) < DAY)
            })
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_windows() {
        let mut quotas = Quotas::default();
        for at in [0, 1000, 2000] {
            quotas.done("a/1".into(), at);
        }
        quotas.done("a/2".into(), 2000);
        assert_eq!(quotas.count("a/1", 2500, 1000), 1);
        assert!(quotas.used_up("a/1", 2500, 60_000, 3));
        assert!(!quotas.used_up("a/1", 2500, 60_000, 0));
        assert_eq!(quotas.active_today("a/", 2500), 2);
        assert_eq!(quotas.active_today("a/", 2500 + DAY), 0);
    }
}
