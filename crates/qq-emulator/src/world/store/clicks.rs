//! Who pressed which button, and what came of it.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

/// Messages with clicks that are remembered.
const MOST_MESSAGES: usize = 2_000;
/// Clicks remembered of one message.
const MOST_CLICKS: usize = 100;

/// One click.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Click {
    /// `d.id` of the event.
    pub(crate) interaction: String,
    /// The place of the button: row and column, from 0.
    pub(crate) button: [usize; 2],
    /// Who: an openid in groups and C2C, else a user id.
    pub(crate) user: String,
    /// The code of the acknowledgement, once there is one.
    pub(crate) code: Option<i64>,
    /// Nobody acknowledged it in time.
    pub(crate) late: bool,
}

/// Clicks by message id.
#[derive(Debug, Default)]
pub(crate) struct Clicks {
    of: HashMap<String, VecDeque<Click>>,
    order: VecDeque<String>,
}

impl Clicks {
    pub(crate) fn add(&mut self, message: &str, click: Click) {
        if !self.of.contains_key(message) {
            self.order.push_back(message.to_owned());
            if self.order.len() > MOST_MESSAGES
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
        }
        let clicks = self.of.entry(message.to_owned()).or_default();
        clicks.push_back(click);
        if clicks.len() > MOST_CLICKS {
            clicks.pop_front();
        }
    }

    /// Changes a click that waits; gives the id of its message.
    pub(crate) fn settle(
        &mut self,
        interaction: &str,
        change: impl FnOnce(&mut Click),
    ) -> Option<String> {
        let (message, click) = self.of.iter_mut().find_map(|(message, clicks)| {
            let mut newest = clicks.iter_mut().rev();
            let click = newest.find(|click| click.interaction == interaction)?;
            Some((message, click))
        })?;
        if click.code.is_some() {
            return None;
        }
        change(click);
        Some(message.clone())
    }

    /// The clicks of a message, oldest first.
    pub(crate) fn of(&self, message: &str) -> Vec<Click> {
        let clicks = self.of.get(message);
        clicks
            .map(|clicks| clicks.iter().cloned().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_settled_once_and_bounded() {
        let click = |number: usize| Click {
            interaction: number.to_string(),
            button: [0, 0],
            user: "u".into(),
            code: None,
            late: false,
        };
        let mut clicks = Clicks::default();
        for number in 0..MOST_CLICKS + 5 {
            clicks.add("m", click(number));
        }
        assert_eq!(clicks.of("m").len(), MOST_CLICKS);
        assert_eq!(clicks.of("m")[0].interaction, "5");
        let settled = clicks.settle("7", |click| click.code = Some(0));
        assert_eq!(settled.as_deref(), Some("m"));
        assert_eq!(clicks.settle("7", |click| click.late = true), None);
        assert_eq!(clicks.settle("2", |click| click.late = true), None);
        for number in 0..MOST_MESSAGES {
            clicks.add(&number.to_string(), click(0));
        }
        assert!(clicks.of("m").is_empty());
    }
}
