//! How long and how often something can be answered.

use std::time::Duration;

use qq_model::message::Scene;
use qq_model::outgoing::ReplyTo;

const MINUTE: Duration = Duration::from_secs(60);

/// How long and how often one message or event can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRule {
    /// How long, from its arrival.
    pub window: Duration,
    /// How often, typing indicators included; `None`: as often as one likes.
    pub budget: Option<u32>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answered {
    /// A received message (`msg_id`).
    Message,
    /// An event that can be answered (`event_id`).
    Event,
}

/// The windows and budgets of every scene: [`ClientBuilder::reply_rules`](crate::ClientBuilder::reply_rules).
///
/// The default is what the platform prints, and the smaller budget where its pages disagree:
///
/// | Scene | Window | Answers |
/// |---|---|---|
/// | one-to-one chat | 60 minutes | 4 |
/// | group | 5 minutes | 5 |
/// | guild channel, guild direct message | 5 minutes | no limit printed |
///
/// Events are answered like messages of their scene. Should the platform say otherwise, the client believes the
/// platform: a message that it refuses to have answered counts as closed from then on.
///
/// ```
/// use std::time::Duration;
///
/// use qq_client::{Answered, ReplyRule, ReplyRules};
/// use qq_model::message::Scene;
///
/// let rules = ReplyRules::default().with(
///     Scene::C2C,
///     Answered::Message,
///     ReplyRule { window: Duration::from_secs(3600), budget: Some(5) },
/// );
/// assert_eq!(rules.rule(Scene::C2C, Answered::Message).budget, Some(5));
/// assert_eq!(rules.rule(Scene::Group, Answered::Event).window, Duration::from_secs(300));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRules([ReplyRule; TABLE.len()]);

struct Row {
    scene: Scene,
    answered: Answered,
    minutes: u32,
    budget: Option<u32>,
    /// Where it is printed, and what other pages say.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for whoever checks the figures")
    )]
    source: &'static str,
}

const fn row(
    scene: Scene,
    answered: Answered,
    minutes: u32,
    budget: Option<u32>,
    source: &'static str,
) -> Row {
    Row {
        scene,
        answered,
        minutes,
        budget,
        source,
    }
}

const OVERVIEW: &str = "v2 message overview, 2026";
const C2C: &str = "v2 message overview, 2026: 60 minutes and 4; the page of 2025 prints 5, the row of `msg_id` 5 minutes";
const GUILD: &str = "page of guild messages: 5 minutes, no number of answers";
const NO_OWN: &str = "none for events; the figures of messages of the scene";

const TABLE: [Row; 8] = [
    row(Scene::C2C, Answered::Message, 60, Some(4), C2C),
    row(Scene::C2C, Answered::Event, 60, Some(4), NO_OWN),
    row(Scene::Group, Answered::Message, 5, Some(5), OVERVIEW),
    row(Scene::Group, Answered::Event, 5, Some(5), NO_OWN),
    row(Scene::Channel, Answered::Message, 5, None, GUILD),
    row(Scene::Channel, Answered::Event, 5, None, NO_OWN),
    row(Scene::Direct, Answered::Message, 5, None, GUILD),
    row(Scene::Direct, Answered::Event, 5, None, NO_OWN),
];

impl ReplyRules {
    /// The rule for one kind of answer.
    #[must_use]
    pub fn rule(&self, scene: Scene, answered: Answered) -> ReplyRule {
        self.0[index(scene, answered)]
    }

    /// With another rule for one kind of answer.
    #[must_use]
    pub fn with(mut self, scene: Scene, answered: Answered, rule: ReplyRule) -> Self {
        self.0[index(scene, answered)] = rule;
        self
    }
}

impl Default for ReplyRules {
    fn default() -> Self {
        Self(TABLE.each_ref().map(|row| ReplyRule {
            window: MINUTE * row.minutes,
            budget: row.budget,
        }))
    }
}

impl Answered {
    pub(crate) const fn of(target: &ReplyTo) -> Self {
        match target {
            ReplyTo::Message(_) => Self::Message,
            ReplyTo::Event(_) => Self::Event,
        }
    }
}

/// The table has a row for each pair; a test walks them.
fn index(scene: Scene, answered: Answered) -> usize {
    TABLE
        .iter()
        .position(|row| row.scene == scene && row.answered == answered)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_has_its_rule_and_a_source() {
        let rules = ReplyRules::default();
        for (scene, minutes, budget) in [
            (Scene::C2C, 60, Some(4)),
            (Scene::Group, 5, Some(5)),
            (Scene::Channel, 5, None),
            (Scene::Direct, 5, None),
        ] {
            for answered in [Answered::Message, Answered::Event] {
                let row = &TABLE[index(scene, answered)];
                assert_eq!((row.scene, row.answered), (scene, answered));
                assert!(!row.source.is_empty());
                let rule = rules.rule(scene, answered);
                assert_eq!(
                    (rule.window, rule.budget),
                    (MINUTE * minutes, budget),
                    "{scene} {answered:?}"
                );
            }
        }
    }

    #[test]
    fn one_rule_changes_alone() {
        let rule = ReplyRule {
            window: MINUTE,
            budget: Some(1),
        };
        let rules = ReplyRules::default().with(Scene::Group, Answered::Event, rule);
        assert_eq!(rules.rule(Scene::Group, Answered::Event), rule);
        assert_eq!(
            rules.rule(Scene::Group, Answered::Message),
            ReplyRules::default().rule(Scene::Group, Answered::Message)
        );
    }
}
