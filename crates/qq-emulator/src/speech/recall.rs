//! Messages are taken back.

use serde_json::{Value, json};

use super::push_event;
use crate::platform::State;
use crate::world::messages::Scene;

/// A user takes an own message back.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn recall(state: &mut State, id: &str) -> Result<(), String> {
    let known = state
        .memory
        .get(id)
        .filter(|known| !known.author.is_empty());
    let message = known.ok_or_else(|| {
        format!("message_id: there is no message {id:?}; GET timeline lists them")
    })?;
    if message.by_bot {
        return Err("message_id: users take back their own messages; this one is a bot's".into());
    }
    if message.recalled {
        return Err("message_id: it has been taken back before".into());
    }
    let author = message.author.clone();
    match (message.scene, message.body.clone()) {
        (Some(scene), Some(body)) if scene.is_guild_side() => {
            take_back_in_guild(state, scene, id, &body, &author);
        }
        // The platform has no event for the others.
        _ => take_back(state, id),
    }
    Ok(())
}

/// Takes a message back that the guild-side routes can show, and pushes the events of it.
pub(crate) fn take_back_in_guild(
    state: &mut State,
    scene: Scene,
    id: &str,
    message: &Value,
    operator: &str,
) {
    take_back(state, id);
    let mut d = json!({
        "message": {
            "id": id,
            "channel_id": message["channel_id"],
            "guild_id": message["guild_id"],
            "author": {
                "id": message["author"]["id"],
                "username": message["author"]["username"],
                "bot": message["author"]["bot"],
            },
        },
        "op_user": {"id": operator},
    });
    if scene == Scene::Direct {
        d["message"]["direct_message"] = true.into();
        let conversation = message["guild_id"].as_str().unwrap_or_default();
        let direct = state.world.direct(conversation);
        d["message"]["src_guild_id"] = direct.map_or("", |direct| &direct.src_guild_id).into();
        push_event(state, "DIRECT_MESSAGE_DELETE", None, &d, None);
        return;
    }
    push_event(state, "MESSAGE_DELETE", None, &d, None);
    if message["mentions"]
        .as_array()
        .is_some_and(|mentions| !mentions.is_empty())
    {
        push_event(state, "PUBLIC_MESSAGE_DELETE", None, &d, None);
    }
}

/// Marks a message as taken back.
pub(crate) fn take_back(state: &mut State, id: &str) {
    if let Some(message) = state.memory.get_mut(id) {
        message.recalled = true;
    }
    if let Some(item) = state.timeline.find_mut(|item| item.message_id == id) {
        item.recalled = true;
    }
    for notes in state.store.channels.values_mut() {
        notes.pins.retain(|known| known != id);
    }
    state.feed.message(id);
}
