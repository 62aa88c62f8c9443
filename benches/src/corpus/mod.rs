//! Frames as a gateway writes them to a busy bot.
//!
//! The shapes are those of `qq-model`'s fixtures; who says what where, and how often, is made up: 25 kinds of events,
//! most of them messages, in 200 conversations of 1,000 people, who keep their names and roles.
//!
//! ```
//! let corpus = qqbot_benches::corpus::Corpus::load()?;
//! let frame = corpus.frame(0);
//! assert!(frame.starts_with(r#"{"op":0,"s":2,"t":""#));
//! assert_eq!(frame, corpus.frame(0));
//! assert_ne!(frame, corpus.frame(qqbot_benches::corpus::PERIOD));
//! # Ok::<(), std::io::Error>(())
//! ```

mod cast;
mod template;

use std::fs;
use std::io;
use std::path::Path;

use self::cast::{CLASSES, Cast, Random, Scene};
use self::template::Template;

/// How many frames it takes until every shape has come as often as the mix says.
pub const PERIOD: u64 = 1_000;

/// Fixtures and how many of [`PERIOD`] frames are made from each.
const MIX: [(&str, u32); 41] = [
    ("GROUP_MESSAGE_CREATE", 120),
    ("GROUP_MESSAGE_CREATE.2", 60),
    ("GROUP_MESSAGE_CREATE.3", 8),
    ("GROUP_MESSAGE_CREATE.4", 22),
    ("GROUP_MESSAGE_CREATE.5", 60),
    ("GROUP_MESSAGE_CREATE.6", 110),
    ("GROUP_AT_MESSAGE_CREATE", 20),
    ("GROUP_AT_MESSAGE_CREATE.2", 10),
    ("GROUP_AT_MESSAGE_CREATE.7", 30),
    ("GROUP_AT_MESSAGE_CREATE.8", 10),
    ("C2C_MESSAGE_CREATE", 40),
    ("C2C_MESSAGE_CREATE.2", 4),
    ("C2C_MESSAGE_CREATE.3", 6),
    ("C2C_MESSAGE_CREATE.6", 20),
    ("C2C_MESSAGE_CREATE.8", 6),
    ("C2C_MESSAGE_CREATE.11", 40),
    ("C2C_MESSAGE_CREATE.14", 4),
    ("MESSAGE_CREATE", 120),
    ("MESSAGE_CREATE.2", 70),
    ("AT_MESSAGE_CREATE.2", 40),
    ("AT_MESSAGE_CREATE.3", 10),
    ("DIRECT_MESSAGE_CREATE.2", 30),
    ("MESSAGE_REACTION_ADD.2", 60),
    ("MESSAGE_REACTION_REMOVE.2", 12),
    ("MESSAGE_DELETE", 10),
    ("PUBLIC_MESSAGE_DELETE", 4),
    ("GUILD_MEMBER_ADD", 10),
    ("GUILD_MEMBER_UPDATE", 6),
    ("GUILD_MEMBER_REMOVE", 8),
    ("GROUP_MEMBER_ADD", 12),
    ("GROUP_MEMBER_REMOVE", 8),
    ("GROUP_ADD_ROBOT", 2),
    ("FRIEND_ADD", 5),
    ("GUILD_UPDATE", 2),
    ("CHANNEL_CREATE", 2),
    ("CHANNEL_UPDATE", 3),
    ("FORUM_THREAD_CREATE", 4),
    ("FORUM_REPLY_CREATE.2", 5),
    ("AUDIO_START", 1),
    ("AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER", 4),
    ("MESSAGE_AUDIT_PASS", 2),
];

/// The frames, made when they are asked for.
#[derive(Debug)]
pub struct Corpus {
    templates: Vec<Template>,
    /// Which template the frame has whose number leaves this remainder.
    order: Vec<usize>,
}

impl Corpus {
    /// Reads the fixtures of `qq-model` in this workspace.
    ///
    /// # Errors
    ///
    /// When a fixture cannot be read, or is no event.
    pub fn load() -> io::Result<Self> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/qq-model/tables/fixtures/events");
        let mut templates = Vec::new();
        let mut order = Vec::new();
        for (name, count) in MIX {
            let text = fs::read_to_string(folder.join(format!("{name}.json")))?;
            let kind = name.split('.').next().unwrap_or(name);
            order.extend((0..count).map(|_| templates.len()));
            let mut template = Template::new(kind, &text)?;
            template.set_class(class(&templates, &template));
            templates.push(template);
        }
        Random::new(1).shuffle(&mut order);
        Ok(Self { templates, order })
    }

    /// Frame number `n`, as compact JSON. Its `s` is `n + 2`, for READY was 1.
    ///
    /// The same for the same number; no two have the same ids. What is deleted or reacted to was said in an earlier
    /// frame.
    #[must_use]
    pub fn frame(&self, n: u64) -> String {
        let template = self.template(n);
        let cast = match template.scene() {
            // The first frames of all may find nothing that was said before them.
            Scene::AboutMessage => (0..n)
                .rev()
                .take(100)
                .find(|earlier| self.template(*earlier).is_guild_message())
                .map_or_else(
                    || Cast::of(Scene::Channel, 0, n),
                    |said| Cast::about(Scene::Channel, self.template(said).class(), said, n),
                ),
            scene => Cast::of(scene, template.class(), n),
        };
        template.render(&cast)
    }

    /// The event that frame number `n` carries.
    #[must_use]
    pub fn kind(&self, n: u64) -> &str {
        self.template(n).kind()
    }

    /// The first [`PERIOD`] frames.
    #[must_use]
    pub fn frames(&self) -> Vec<String> {
        (0..PERIOD).map(|n| self.frame(n)).collect()
    }

    fn template(&self, n: u64) -> &Template {
        let place = usize::try_from(n % PERIOD).unwrap_or_default();
        &self.templates[self.order[place]]
    }
}

/// The number of the people of a template among those of its scene.
fn class(earlier: &[Template], template: &Template) -> u64 {
    let of_scene = || {
        earlier
            .iter()
            .filter(|known| known.scene() == template.scene())
    };
    let same = of_scene().find(|known| known.has_people_of(template));
    let next = || of_scene().map(|known| known.class() + 1).max();
    same.map_or_else(|| next().unwrap_or(0).min(CLASSES - 1), Template::class)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use qq_model::gateway::Envelope;
    use qq_model::{Dispatch, Event};
    use serde_json::Value;

    use super::*;

    #[test]
    fn it_is_what_the_budgets_speak_of() {
        let corpus = Corpus::load().unwrap();
        assert_eq!(corpus.order.len() as u64, PERIOD);
        for start in [0, 17 * PERIOD, 1_000_000 * PERIOD] {
            let frames: Vec<_> = (start..start + PERIOD).map(|n| corpus.frame(n)).collect();
            let mean = frames.iter().map(String::len).sum::<usize>() / frames.len();
            assert!(mean.abs_diff(817) <= 8, "{mean} bytes");
            let escapes = frames.iter().filter(|frame| frame.contains("\\u0026"));
            assert!(escapes.count() > 200);
            let chinese = frames.iter().filter(|frame| !frame.is_ascii());
            assert!(chinese.count() > 800);
        }
        let mut kinds = HashMap::<_, u32>::new();
        for n in 0..PERIOD {
            *kinds.entry(corpus.kind(n)).or_default() += 1;
        }
        assert_eq!(kinds.len(), 25);
        assert_eq!(kinds["GROUP_MESSAGE_CREATE"], 380);
        assert!(!kinds.contains_key("READY") && !kinds.contains_key("INTERACTION_CREATE"));
    }

    #[test]
    fn frames_can_be_read_and_none_comes_twice() {
        let corpus = Corpus::load().unwrap();
        let (mut ids, mut messages) = (HashSet::new(), HashSet::new());
        let (mut conversations, mut authors) = (HashSet::new(), HashSet::new());
        for n in 0..8 * PERIOD {
            let text = corpus.frame(n);
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert!(text.starts_with(&format!(
                r#"{{"op":0,"s":{},"t":"{}","id":""#,
                n + 2,
                corpus.kind(n)
            )));
            assert!(ids.insert(frame["id"].as_str().unwrap().to_owned()));
            let dispatch = Dispatch::decode(&Envelope::scan(&text).unwrap()).unwrap();
            assert!(
                !matches!(
                    dispatch.event,
                    Event::Unknown { .. } | Event::Undecodable { .. }
                ),
                "{text}"
            );
            let data = &frame["d"];
            if corpus.kind(n).ends_with("MESSAGE_CREATE") {
                assert!(messages.insert(data["id"].to_string()), "{text}");
                let author = &data["author"];
                authors.insert(author["id"].to_string());
                let places = ["group_openid", "channel_id"];
                let place = places.iter().find_map(|place| data.get(place));
                conversations.insert(place.unwrap_or(&author["user_openid"]).to_string());
                if let Some(member) = author.get("member_openid") {
                    assert_eq!(*member, author["id"]);
                }
            }
        }
        assert_eq!(conversations.len(), 200);
        assert!(authors.len() > 950, "{}", authors.len());
    }

    #[test]
    fn people_stay_who_they_are() {
        let corpus = Corpus::load().unwrap();
        let mut known = HashMap::new();
        let mut seen = 0;
        for n in 0..20 * PERIOD {
            let frame: Value = serde_json::from_str(&corpus.frame(n)).unwrap();
            let data = &frame["d"];
            let (author, member) = (&data["author"], &data["member"]);
            let is_message = corpus.kind(n).ends_with("MESSAGE_CREATE");
            if !is_message || corpus.kind(n).starts_with("DIRECT") {
                continue;
            }
            let place = data.get("group_openid").or_else(|| data.get("guild_id"));
            let who = (place.map(Value::to_string), author["id"].to_string());
            let what = ["username", "member_role", "bot"].map(|field| author[field].clone());
            let more = ["roles", "joined_at"].map(|field| member[field].clone());
            if place.is_some()
                && let Some(before) = known.insert(who, (what.clone(), more.clone()))
            {
                assert_eq!(before, (what, more));
                seen += 1;
            }
        }
        assert!(seen > 5_000, "{seen}");
    }

    #[test]
    fn what_is_deleted_was_said() {
        let corpus = Corpus::load().unwrap();
        let mut said = HashMap::new();
        let (mut found, mut missing) = (0, 0);
        for n in 0..5 * PERIOD {
            let frame: Value = serde_json::from_str(&corpus.frame(n)).unwrap();
            let data = &frame["d"];
            if corpus.template(n).is_guild_message() {
                said.insert(data["id"].to_string(), data["channel_id"].clone());
            }
            let deleted = data.get("message").or_else(|| data.get("target"));
            if let Some(deleted) = deleted {
                let channel = data.get("channel_id").unwrap_or(&deleted["channel_id"]);
                match said.get(&deleted["id"].to_string()) {
                    Some(known) => {
                        assert_eq!(known, channel);
                        found += 1;
                    }
                    None => missing += 1,
                }
            }
        }
        assert!(found > 400 && missing < 5, "{found}, {missing}");
    }
}
