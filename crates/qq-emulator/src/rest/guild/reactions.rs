//! Reactions to messages of a channel.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::push;
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, find_channel, user_view};
use crate::rest::{Answer, Call, history};
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 620_001;

pub(super) fn put(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let (message, kind, id) = target(state, call)?;
    let bot = bot_id(state, call);
    let reactions = &mut state.store.reactions;
    if !reactions.has_room(message, kind, id) {
        let why = "a message takes at most 20 kinds of reactions";
        return Err(Refusal::value(620_002, why));
    }
    if !reactions.add(message, kind, id, &bot) {
        return Err(Refusal::value(620_003, "the bot has reacted so before"));
    }
    announce(state, call, "MESSAGE_REACTION_ADD", &bot);
    Ok(Value::Null)
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let (message, kind, id) = target(state, call)?;
    let bot = bot_id(state, call);
    if !state.store.reactions.remove(message, kind, id, &bot) {
        return Err(Refusal::value(620_004, "the bot has not reacted so"));
    }
    announce(state, call, "MESSAGE_REACTION_REMOVE", &bot);
    Ok(Value::Null)
}

/// In pages: `limit` counts on the first one only, the cookie carries it on.
pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let (message, kind, id) = target(state, call)?;
    let (start, limit) = match call.query("cookie").filter(|cookie| !cookie.is_empty()) {
        Some(cookie) => read_cookie(cookie).ok_or_else(|| {
            Refusal::value(BAD_PARAMETER, "cookie must be that of the page before")
        })?,
        None => (0, crate::rest::reads::limit(call, 20, 50)?),
    };
    let users = state.store.reactions.users(message, kind, id);
    let end = start.saturating_add(limit).min(users.len());
    let page: Vec<Value> = users
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|user| {
            let view = user_view(user, &state.world);
            json!({"id": user, "username": view["username"], "avatar": view["avatar"]})
        })
        .collect();
    let is_end = end >= users.len();
    let cookie = if is_end {
        String::new()
    } else {
        BASE64.encode(format!("{end}/{limit}").as_bytes())
    };
    Ok(json!({"users": page, "cookie": cookie, "is_end": is_end}))
}

fn read_cookie(cookie: &str) -> Option<(usize, usize)> {
    let text = String::from_utf8(BASE64.decode(cookie.as_bytes()).ok()?).ok()?;
    let (start, limit) = text.split_once('/')?;
    Some((start.parse().ok()?, limit.parse().ok()?))
}

/// The message, and the reaction's type and id.
fn target<'a>(state: &State, call: &'a Call) -> Result<(&'a str, i64, &'a str), Box<Refusal>> {
    let channel = find_channel(state, call)?;
    let message = call.param("message_id");
    history::find(state, &channel.id, message, BAD_PARAMETER, BAD_PARAMETER)?;
    let kind = call.param("type").parse().ok();
    let kind = kind
        .filter(|kind| matches!(kind, 1 | 2))
        .ok_or_else(|| Refusal::value(BAD_PARAMETER, "type must be 1 (system) or 2 (emoji)"))?;
    Ok((message, kind, call.param("id")))
}

fn announce(state: &mut State, call: &Call, event: &str, user: &str) {
    let channel = call.param("channel_id");
    let guild = state.world.channel(channel);
    let guild = guild.map_or("0", |channel| &channel.guild_id);
    let kind: Value = if state.settings.reaction_target_as_number {
        0.into()
    } else {
        "ReactionTargetType_MSG".into()
    };
    let d = json!({
        "user_id": user,
        "guild_id": guild,
        "channel_id": channel,
        "target": {"id": call.param("message_id"), "type": kind},
        "emoji": {"id": call.param("id"), "type": call.param("type").parse().unwrap_or(0)},
    });
    push(state, event, &d);
}
