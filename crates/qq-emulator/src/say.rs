//! Users speak, and events are pushed by hand.

use serde_json::Value;

use crate::clock::rfc3339_millis;
use crate::gateway::{Event, dispatch};
use crate::platform::State;
use crate::settings::MentionDelivery;
use crate::tables::tables;
use crate::views::{Author, Said, TimelineItem};
use crate::world::events::{self, complete_attachment};
use crate::world::messages::{Answerable, Scene};
use crate::world::{Bot, Direct, User};

const PUBLIC_GUILD_MESSAGES: u64 = 1 << 30;
const GUILD_MESSAGES: u64 = 1 << 9;

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

    /// In any scene.
    pub fn new(scene: Scene, content: impl Into<String>) -> Self {
        Self {
            scene,
            content: content.into(),
            conversation: None,
            author: None,
            mention_bot: true,
            attachments: Vec::new(),
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

    /// Adds an attachment: a JSON object with at least `url`; the rest is filled in.
    pub fn attachment(mut self, attachment: Value) -> Self {
        self.attachments.push(attachment);
        self
    }
}

/// Who speaks where.
struct Place {
    conversation: String,
    author: User,
    /// The direct conversation, in that scene.
    direct: Option<Direct>,
}

/// A message on its way to the sessions.
struct Pending<'a> {
    id: String,
    place: Place,
    attachments: Vec<Value>,
    said: &'a Say,
}

/// Lets a user say something: pushes the events, and remembers the message for replies.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn say(state: &mut State, say: &Say) -> Result<Said, String> {
    let place = find_place(state, say)?;
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
    let id = if say.scene.is_guild_side() {
        state.ids.guild_message()
    } else {
        state.ids.robot_message()
    };
    let pending = Pending {
        id,
        place,
        attachments,
        said: say,
    };
    let (event, event_id, body) = push(state, &pending);
    let conversation = pending.place.conversation.clone();
    remember(state, &pending, event, &event_id, body);
    Ok(Said {
        message_id: pending.id,
        event_id,
        conversation,
    })
}

fn find_place(state: &State, say: &Say) -> Result<Place, String> {
    let world = &state.world;
    let author = say
        .author
        .as_deref()
        .map(|key| {
            world.user(key).ok_or_else(|| {
                format!("author: there is no user {key:?}; GET world lists the users' ids")
            })
        })
        .transpose()?;
    let unknown = |what: &str, key: &str| {
        format!("conversation: there is no {what} {key:?}; GET world lists them")
    };
    let nobody = || "author: the world has no users".to_owned();
    let first = || author.or(world.users.first()).ok_or_else(nobody);
    let place = |conversation: &str, author: &User, direct: Option<&Direct>| Place {
        conversation: conversation.to_owned(),
        author: author.clone(),
        direct: direct.cloned(),
    };
    let key = say.conversation.as_deref();
    match say.scene {
        Scene::Group => {
            let group = match key {
                Some(key) => world.group(key).ok_or_else(|| unknown("group", key))?,
                None => world
                    .groups
                    .first()
                    .ok_or("conversation: the world has no groups")?,
            };
            Ok(place(&group.id, first()?, None))
        }
        Scene::Channel => {
            let channel = match key {
                Some(key) => world.channel(key).ok_or_else(|| unknown("channel", key))?,
                None => world
                    .channels()
                    .find(|channel| channel.kind == 0)
                    .ok_or("conversation: the world has no text channels")?,
            };
            Ok(place(&channel.id, first()?, None))
        }
        Scene::C2c => {
            let user = match key {
                Some(key) => world.user(key).ok_or_else(|| unknown("user", key))?,
                None => first()?,
            };
            match author {
                Some(author) if author.openid != user.openid => {
                    Err("author: in a C2C conversation the author is its user; leave it out".into())
                }
                _ => Ok(place(&user.openid, user, None)),
            }
        }
        Scene::Direct => {
            let of_user = |user: &User| world.direct.iter().find(|d| d.user_id == user.id);
            let direct = match key {
                Some(key) => world
                    .direct(key)
                    .or_else(|| of_user(world.user(key)?))
                    .ok_or_else(|| unknown("direct conversation", key))?,
                None => {
                    of_user(first()?).ok_or("conversation: the user has no direct conversation")?
                }
            };
            let user = world.user(&direct.user_id).ok_or_else(nobody)?;
            match author {
                Some(author) if author.id != user.id => Err(
                    "author: in a direct conversation the author is its user; leave it out".into(),
                ),
                _ => Ok(place(&direct.guild_id, user, Some(direct))),
            }
        }
    }
}

/// Pushes the message in its scene's events; gives the first event's type, id and body.
fn push(state: &mut State, pending: &Pending<'_>) -> (&'static str, String, Value) {
    match pending.said.scene {
        Scene::Group => push_group(state, pending),
        Scene::C2c => {
            let d = events::c2c(&pending.facts(state), &mut state.ids);
            push_one(state, "C2C_MESSAGE_CREATE", d, None, None)
        }
        Scene::Channel => push_channel(state, pending),
        Scene::Direct => {
            let seq = next_seq(state, &pending.place.conversation);
            let facts = pending.facts(state);
            let d = match &pending.place.direct {
                Some(direct) => {
                    let joined = state
                        .world
                        .guild(&direct.src_guild_id)
                        .map_or("", |guild| &guild.joined_at);
                    events::direct(&facts, direct, joined, seq)
                }
                None => Value::Null,
            };
            push_one(state, "DIRECT_MESSAGE_CREATE", d, None, None)
        }
    }
}

fn push_group(state: &mut State, pending: &Pending<'_>) -> (&'static str, String, Value) {
    let bot = mentioned(state, pending);
    let delivery = state.settings.mention_delivery;
    let full = bot.is_none() || delivery == MentionDelivery::Full;
    let Some(group) = state.world.group(&pending.place.conversation).cloned() else {
        return ("GROUP_MESSAGE_CREATE", String::new(), Value::Null);
    };
    let facts = pending.facts(state);
    let d = events::group(&facts, &group, bot.as_ref(), full, &mut state.ids);
    if full {
        return push_one(state, "GROUP_MESSAGE_CREATE", d, None, None);
    }
    if delivery == MentionDelivery::Both {
        let again = events::group(&facts, &group, bot.as_ref(), true, &mut state.ids);
        push_one(state, "GROUP_MESSAGE_CREATE", again, None, None);
    }
    push_one(state, "GROUP_AT_MESSAGE_CREATE", d, None, None)
}

/// A mention goes to sessions with the public intent; a session that has only the private one
/// gets it among all the other messages.
fn push_channel(state: &mut State, pending: &Pending<'_>) -> (&'static str, String, Value) {
    let seq = next_seq(state, &pending.place.conversation);
    let bot = mentioned(state, pending);
    let facts = pending.facts(state);
    let found = state
        .world
        .channel(&pending.place.conversation)
        .and_then(|channel| Some((state.world.guild(&channel.guild_id)?, channel)));
    let Some((guild, channel)) = found else {
        return ("MESSAGE_CREATE", String::new(), Value::Null);
    };
    let guild_id = guild.id.parse().ok();
    let d = events::channel(&facts, guild, channel, bot.as_ref(), seq);
    if bot.is_none() {
        return push_one(state, "MESSAGE_CREATE", d, guild_id, None);
    }
    let delivery = state.settings.mention_delivery;
    let as_mention = move |intents: u64| {
        intents & PUBLIC_GUILD_MESSAGES != 0
            && (delivery != MentionDelivery::Full || intents & GUILD_MESSAGES == 0)
    };
    let as_message = move |intents: u64| {
        intents & GUILD_MESSAGES != 0
            && (delivery != MentionDelivery::At || intents & PUBLIC_GUILD_MESSAGES == 0)
    };
    push_one(
        state,
        "MESSAGE_CREATE",
        d.clone(),
        guild_id,
        Some(&as_message),
    );
    push_one(state, "AT_MESSAGE_CREATE", d, guild_id, Some(&as_mention))
}

/// Pushes one event to the sessions whose intents carry it, or that `wants` picks.
fn push_one(
    state: &mut State,
    name: &'static str,
    d: Value,
    guild_id: Option<u64>,
    wants: Option<&dyn Fn(u64) -> bool>,
) -> (&'static str, String, Value) {
    let id = new_event_id(state, name);
    let event = Event {
        name,
        id: &id,
        d: &d,
        guild_id,
    };
    let intent = tables().intent_of(name).unwrap_or(0);
    dispatch(state, &event, |session| match wants {
        Some(wants) => wants(session.intents),
        None => session.intents & intent != 0,
    });
    (name, id, d)
}

fn new_event_id(state: &mut State, name: &str) -> String {
    // Group and C2C messages carry a hash, all else a UUID.
    if name.starts_with("GROUP_") || name.starts_with("C2C_") {
        format!("{name}:{}", state.ids.hex(56))
    } else {
        format!("{name}:{}", state.ids.uuid())
    }
}

fn mentioned(state: &State, pending: &Pending<'_>) -> Option<Bot> {
    pending
        .said
        .mention_bot
        .then(|| state.world.bots.first().cloned())
        .flatten()
}

/// The next number of a channel's messages.
fn next_seq(state: &mut State, conversation: &str) -> u64 {
    let seq = state.seqs.entry(conversation.to_owned()).or_insert(0);
    *seq += 1;
    *seq
}

impl Pending<'_> {
    fn facts(&self, state: &State) -> events::Said<'_> {
        events::Said {
            id: &self.id,
            at: state.clock.now(),
            content: &self.said.content,
            attachments: &self.attachments,
            author: &self.place.author,
        }
    }
}

fn remember(state: &mut State, pending: &Pending<'_>, event: &str, event_id: &str, body: Value) {
    let scene = pending.said.scene;
    let author = &pending.place.author;
    let now = state.clock.now();
    let capacity = state.settings.message_memory;
    let message = Answerable {
        scene: Some(scene),
        conversation: Some(pending.place.conversation.clone()),
        at: now,
        by_bot: false,
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
        reply_to: None,
        body: None,
    };
    state.timeline.push(state.settings.log_size, item);
}

/// Pushes an event that somebody made up; gives its id and the number of sessions reached.
pub(crate) fn push_event(
    state: &mut State,
    name: &str,
    id: Option<String>,
    d: &Value,
    session: Option<&str>,
) -> (String, usize) {
    let id = id.unwrap_or_else(|| new_event_id(state, name));
    let guild_id = guild_of(name, d);
    let intent = tables().intent_of(name);
    learn(state, name, &id, d);
    let event = Event {
        name,
        id: &id,
        d,
        guild_id,
    };
    let reached = dispatch(state, &event, |candidate| {
        session.is_none_or(|wanted| wanted == candidate.id)
            && intent.is_none_or(|intent| candidate.intents & intent != 0)
    });
    (id, reached)
}

/// The guild that decides the shard. Direct conversations have a guild id of their own kind, and
/// belong to shard 0 as groups and C2C do.
fn guild_of(name: &str, d: &Value) -> Option<u64> {
    if name.starts_with("DIRECT_") {
        return None;
    }
    let field = if matches!(name, "GUILD_CREATE" | "GUILD_UPDATE" | "GUILD_DELETE") {
        "id"
    } else {
        "guild_id"
    };
    match &d[field] {
        Value::String(id) => id.parse().ok(),
        Value::Number(id) => id.as_u64(),
        _ => None,
    }
}

/// Remembers what a pushed event brings, so that it can be answered.
fn learn(state: &mut State, name: &str, id: &str, d: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let group = text(&d["group_openid"]).or_else(|| text(&d["group_id"]));
    let user = text(&d["author"]["user_openid"])
        .or_else(|| text(&d["user_openid"]))
        .or_else(|| text(&d["openid"]));
    let found = if name.starts_with("DIRECT_") {
        text(&d["guild_id"]).map(|guild| (Scene::Direct, guild))
    } else if let Some(channel) = text(&d["channel_id"]) {
        Some((Scene::Channel, channel))
    } else if let Some(group) = group.filter(|group| group != "0") {
        Some((Scene::Group, group))
    } else {
        user.or_else(|| text(&d["author"]["id"]))
            .map(|user| (Scene::C2c, user))
    };
    if let Some((scene, conversation)) = &found {
        state.adopted.add(*scene, conversation);
    }
    let (scene, conversation) = found.unzip();
    let answerable = Answerable {
        scene,
        conversation,
        at: state.clock.now(),
        by_bot: false,
        event: name.to_owned(),
        body: None,
    };
    let capacity = state.settings.message_memory;
    if name.ends_with("MESSAGE_CREATE")
        && let Some(message_id) = text(&d["id"])
    {
        state
            .memory
            .remember(capacity, message_id, answerable.clone());
    }
    state.memory.remember(capacity, id.to_owned(), answerable);
}
