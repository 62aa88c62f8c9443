//! Users speak, and events are pushed by hand.

mod click;
mod deliver;
mod people;
mod place;
mod pushed;
mod react;
mod recall;

use serde_json::Value;

use crate::clock::rfc3339_millis;
use crate::platform::State;
use crate::views::{Author, Said, TimelineItem};
use crate::world::events::{self, complete_attachment};
use crate::world::messages::{Answerable, Scene};

pub(crate) use click::{Button, click};
pub(crate) use people::{join, stranger};
pub(crate) use pushed::push_event;
pub(crate) use react::{React, react};
pub(crate) use recall::{recall, take_back, take_back_in_guild};

pub(crate) use place::{Place, find as find_place};

/// Something that a user is about to say. What is left out comes from the world: the first user,
/// and the first group, channel, or that user's own conversation.
///
/// ```
/// use qq_emulator::Say;
///
/// let in_group = Say::group("!ping").author("leo");
/// let aside = Say::channel("hello all").mention_bot(false);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Say {
    pub(crate) scene: Scene,
    pub(crate) content: String,
    pub(crate) conversation: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) mention_bot: bool,
    pub(crate) attachments: Vec<Value>,
    pub(crate) reply_to: Option<String>,
}

impl Say {
    /// In a group, mentioning the bot.
    pub fn group(content: impl Into<String>) -> Self {
        Self::new(Scene::Group, content)
    }

    /// To the bot alone.
    pub fn c2c(content: impl Into<String>) -> Self {
        Self::new(Scene::C2c, content)
    }

    /// In a channel of a guild, mentioning the bot.
    pub fn channel(content: impl Into<String>) -> Self {
        Self::new(Scene::Channel, content)
    }

    /// In a direct conversation of the guild side.
    pub fn direct(content: impl Into<String>) -> Self {
        Self::new(Scene::Direct, content)
    }

    pub(crate) fn scene(&self) -> Scene {
        self.scene
    }

    /// In any scene.
    pub fn new(scene: Scene, content: impl Into<String>) -> Self {
        Self {
            scene,
            content: content.into(),
            conversation: None,
            author: None,
            mention_bot: true,
            attachments: Vec::new(),
            reply_to: None,
        }
    }

    /// Who says it: a user's id, openid or name.
    pub fn author(mut self, user: impl Into<String>) -> Self {
        self.author = Some(user.into());
        self
    }

    /// Where: a group's openid or name, a channel id, a user's openid, or the guild id of a direct
    /// conversation.
    pub fn conversation(mut self, id: impl Into<String>) -> Self {
        self.conversation = Some(id.into());
        self
    }

    /// Whether the bot is mentioned, in groups and channels. It is, unless told otherwise.
    pub fn mention_bot(mut self, mention: bool) -> Self {
        self.mention_bot = mention;
        self
    }

    /// Which message it answers, by its id: the event quotes it.
    pub fn reply_to(mut self, message_id: impl Into<String>) -> Self {
        self.reply_to = Some(message_id.into());
        self
    }

    /// Adds an attachment: a JSON object with at least `url`; the rest is filled in.
    pub fn attachment(mut self, attachment: Value) -> Self {
        self.attachments.push(attachment);
        self
    }
}

/// A message on its way to the sessions.
struct Pending<'a> {
    id: String,
    place: Place,
    attachments: Vec<Value>,
    quote: Option<events::Quote>,
    said: &'a Say,
}

/// Lets a user say something: pushes the events, and remembers the message for replies.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn say(state: &mut State, say: &Say) -> Result<Said, String> {
    let place = place::find(state, say)?;
    let attachments = say
        .attachments
        .iter()
        .enumerate()
        .map(|(index, given)| {
            given
                .as_object()
                .filter(|given| given.get("url").is_some_and(Value::is_string))
                .map(|given| complete_attachment(given, &mut state.ids))
                .ok_or_else(|| {
                    format!("attachments[{index}]: give an object with a \"url\" string")
                })
        })
        .collect::<Result<Vec<Value>, String>>()?;
    let quote = match &say.reply_to {
        Some(id) => Some(quote(state, &place.conversation, id)?),
        None => None,
    };
    let id = if say.scene.is_guild_side() {
        state.ids.guild_message()
    } else {
        state.ids.robot_message()
    };
    let pending = Pending {
        id,
        place,
        attachments,
        quote,
        said: say,
    };
    let (event, event_id, body) = deliver::push(state, &pending);
    let conversation = pending.place.conversation.clone();
    remember(state, &pending, event, &event_id, body);
    Ok(Said {
        message_id: pending.id,
        event_id,
        conversation,
    })
}

/// What is quoted: a message of the same conversation.
fn quote(state: &State, conversation: &str, id: &str) -> Result<events::Quote, String> {
    let item = state.timeline.find(|item| item.message_id == id);
    let item = item.filter(|item| item.conversation == conversation);
    let item = item.ok_or_else(|| {
        format!("reply_to: there is no message {id:?} here; GET timeline lists them")
    })?;
    Ok(events::Quote {
        id: item.message_id.clone(),
        index: item.ref_idx.clone().unwrap_or_default(),
        content: item.content.clone(),
    })
}

impl Pending<'_> {
    fn facts(&self, state: &State) -> events::Said<'_> {
        events::Said {
            id: &self.id,
            at: state.clock.now(),
            content: &self.said.content,
            attachments: &self.attachments,
            quote: self.quote.as_ref(),
            author: &self.place.author,
        }
    }
}

fn remember(state: &mut State, pending: &Pending<'_>, event: &str, event_id: &str, body: Value) {
    let scene = pending.said.scene;
    let author = &pending.place.author;
    let ref_idx = events::own_index(&body);
    let now = state.clock.now();
    let capacity = state.settings.message_memory;
    if scene == Scene::C2c {
        state.store.wakeups.spoke(&author.openid, now);
    }
    let message = Answerable {
        scene: Some(scene),
        conversation: Some(pending.place.conversation.clone()),
        at: now,
        by_bot: false,
        author: if scene.is_guild_side() {
            author.id.clone()
        } else {
            author.openid.clone()
        },
        recalled: false,
        has_keyboard: false,
        event: event.to_owned(),
        body: scene.is_guild_side().then_some(body),
    };
    let as_event = Answerable {
        body: None,
        ..message.clone()
    };
    state.memory.remember(capacity, pending.id.clone(), message);
    state
        .memory
        .remember(capacity, event_id.to_owned(), as_event);
    let author = Author {
        id: if scene.is_guild_side() {
            author.id.clone()
        } else {
            author.openid.clone()
        },
        name: author.name.clone(),
        bot: false,
    };
    let at = rfc3339_millis(now);
    let item = |n| TimelineItem {
        n,
        at,
        scene,
        conversation: pending.place.conversation.clone(),
        message_id: pending.id.clone(),
        author,
        content: pending.said.content.clone(),
        reply_to: pending.said.reply_to.clone(),
        recalled: false,
        body: None,
        attachments: pending.attachments.clone(),
        ref_idx,
    };
    state.timeline.push(state.settings.log_size, item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Origin, Platform};
    use crate::settings::Settings;

    /// Whatever is said for however long: what is kept is counted.
    #[test]
    fn a_year_of_messages_is_kept_within_the_settings() {
        let settings = Settings {
            log_size: 50,
            message_memory: 120,
            ..Settings::default()
        };
        let origin = Origin {
            seed: 1,
            settings,
            world: None,
            faults: Vec::new(),
        };
        let platform = Platform::new(origin, "http://localhost".into(), false);
        platform.update(|state| {
            for n in 0..5_000 {
                let text = format!("message {n}");
                for scene in Scene::ALL {
                    say(state, &Say::new(scene, text.as_str())).unwrap();
                }
                let event = serde_json::json!({"channel_id": text, "id": text, "guild_id": "1"});
                push_event(state, "MESSAGE_CREATE", None, &event, None);
            }
            assert_eq!(state.timeline.newest().count(), 50);
            assert_eq!(state.timeline.last(), 20_000);
            assert_eq!(state.memory.len(), 120);
            assert!(state.adopted.len() <= 4_096);
            assert!(state.seqs.len() <= 2, "{}", state.seqs.len());
            assert!(state.feed.signals.newest().count() <= 4_000);
            assert!(state.feed.frames.newest().count() <= 2_000);
        });
    }
}
