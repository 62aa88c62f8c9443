//! What was said, as the events of its scene.

use serde_json::Value;

use super::Pending;
use crate::gateway::{Event, dispatch};
use crate::platform::State;
use crate::settings::MentionDelivery;
use crate::tables;
use crate::world::Bot;
use crate::world::events;
use crate::world::messages::Scene;

const PUBLIC_GUILD_MESSAGES: u64 = 1 << 30;
const GUILD_MESSAGES: u64 = 1 << 9;

/// Pushes the message in its scene's events; gives the first event's type, id and body.
pub(super) fn push(state: &mut State, pending: &Pending<'_>) -> (&'static str, String, Value) {
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
    let intent = tables::intent_of(name).unwrap_or(0);
    dispatch(state, &event, |session| match wants {
        Some(wants) => wants(session.intents),
        None => session.intents & intent != 0,
    });
    (name, id, d)
}

/// An event id of the form that the event's scene has.
pub(super) fn new_event_id(state: &mut State, name: &str) -> String {
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
