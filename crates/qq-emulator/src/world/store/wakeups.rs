//! Messages that call a user back.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

const DAY: Millis = 24 * 3600 * 1000;
/// The ends of the periods in which one such message may be sent, counted from when the user spoke.
const PERIODS: [Millis; 4] = [DAY, 3 * DAY, 7 * DAY, 30 * DAY];
/// Users remembered.
const MOST: usize = 100_000;

/// When each user spoke last, and in which periods since then the bot has called back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wakeups(HashMap<String, (Millis, [bool; 4])>);

/// Why a user cannot be called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Did not speak within thirty days.
    Silent,
    /// The message of this period was sent before.
    UsedUp,
}

impl Wakeups {
    /// A user has written to the bot.
    pub(crate) fn spoke(&mut self, user: &str, now: Millis) {
        if let Some(known) = self.0.get_mut(user) {
            *known = (now, [false; 4]);
        } else if self.0.len() < MOST {
            self.0.insert(user.to_owned(), (now, [false; 4]));
        }
    }

    /// Uses the period that it is up.
    pub(crate) fn spend(&mut self, user: &str, now: Millis) -> Result<(), Refused> {
        let (spoke, used) = self.0.get_mut(user).ok_or(Refused::Silent)?;
        let since = now.saturating_sub(*spoke);
        let period = PERIODS.iter().position(|end| since < *end);
        let period = period.ok_or(Refused::Silent)?;
        if std::mem::replace(&mut used[period], true) {
            return Err(Refused::UsedUp);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_each_of_four_periods() {
        let mut wakeups = Wakeups::default();
        assert_eq!(wakeups.spend("u", 0), Err(Refused::Silent));
        wakeups.spoke("u", 0);
        for days in [0, 1, 3, 7] {
            let now = days * DAY;
            assert_eq!(wakeups.spend("u", now), Ok(()), "{days}");
            assert_eq!(
                wakeups.spend("u", now + DAY - 1),
                Err(Refused::UsedUp),
                "{days}"
            );
        }
        assert_eq!(wakeups.spend("u", 30 * DAY - 1), Err(Refused::UsedUp));
        assert_eq!(wakeups.spend("u", 30 * DAY), Err(Refused::Silent));
        wakeups.spoke("u", 40 * DAY);
        assert_eq!(wakeups.spend("u", 40 * DAY), Ok(()));
    }
}
