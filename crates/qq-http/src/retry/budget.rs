//! How many repeats all calls together may make.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many repeats all calls of a client together may make before some succeed.
///
/// While a server is down, repeats only keep it down: a thousand calls with three attempts each are three
/// thousand requests. With a budget they are a thousand and what the budget holds. Each repeat takes one out, and
/// calls that succeed put it back in.
///
/// ```
/// use qq_http::{RetryBudget, RetryPolicy};
///
/// let policy = RetryPolicy::default().budget(RetryBudget::new(20).successes_per_retry(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    retries: u32,
    successes_per_retry: u32,
}

impl RetryBudget {
    /// So many repeats, of which five successes give one back.
    #[must_use]
    pub const fn new(retries: u32) -> Self {
        Self {
            retries,
            successes_per_retry: 5,
        }
    }

    /// No limit: each call is repeated as often as its own attempts allow.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            retries: u32::MAX,
            successes_per_retry: 0,
        }
    }

    /// How many calls must succeed until one repeat more may be made. With 0 repeats cost nothing.
    #[must_use]
    pub const fn successes_per_retry(mut self, successes: u32) -> Self {
        self.successes_per_retry = successes;
        self
    }

    const fn full(self) -> u64 {
        self.retries as u64 * self.successes_per_retry as u64
    }
}

/// 100 repeats, of which five successes give one back: in the long run at most a fifth more requests than
/// calls.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(100)
    }
}

/// What is left of a budget, counted in successes.
#[derive(Debug)]
pub(crate) struct Purse {
    budget: RetryBudget,
    left: AtomicU64,
}

impl Purse {
    pub(crate) const fn new(budget: RetryBudget) -> Self {
        Self {
            budget,
            left: AtomicU64::new(budget.full()),
        }
    }

    /// Takes a repeat out; `false` when there is none left.
    pub(crate) fn spend(&self) -> bool {
        let price = u64::from(self.budget.successes_per_retry);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(price)
            })
            .is_ok()
    }

    /// A call succeeded.
    pub(crate) fn earn(&self) {
        let full = self.budget.full();
        // Nothing is written while it is full, so that calls do not contend for it.
        if self.left.load(Ordering::Relaxed) < full {
            let _ = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    (left < full).then(|| left + 1)
                });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_spend_and_successes_earn() {
        let purse = Purse::new(RetryBudget::new(2).successes_per_retry(3));
        purse.earn();
        assert!(purse.spend() && purse.spend() && !purse.spend());
        purse.earn();
        purse.earn();
        assert!(!purse.spend());
        purse.earn();
        assert!(purse.spend() && !purse.spend());
    }

    #[test]
    fn some_budgets_have_no_end_and_some_nothing() {
        let endless = Purse::new(RetryBudget::unlimited());
        assert!((0..1000).all(|_| endless.spend()));
        assert!(!Purse::new(RetryBudget::new(0)).spend());
    }
}
