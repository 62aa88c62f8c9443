//! Events that somebody made up.

use serde_json::Value;

use super::deliver::new_event_id;
use crate::gateway::{Event, dispatch};
use crate::platform::State;
use crate::tables;
use crate::world::messages::{Answerable, Scene};

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
    let intent = tables::intent_of(name);
    learn(state, name, &id, d);
    let now = state.clock.now();
    state.store.learn(name, d, now);
    if name.starts_with("MESSAGE_REACTION_")
        && let Some(message) = d["target"]["id"].as_str()
    {
        state.feed.message(message);
    }
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
    // The delete events carry a message, not its members.
    let d = if d[field].is_null() { &d["message"] } else { d };
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
        author: ["id", "member_openid", "user_openid"]
            .into_iter()
            .find_map(|name| text(&d["author"][name]))
            .unwrap_or_default(),
        recalled: false,
        has_keyboard: false,
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
