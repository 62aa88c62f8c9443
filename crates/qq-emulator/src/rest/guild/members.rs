//! Members of a role, and members that have to go.

use serde_json::{Value, json};

use super::{push, roles};
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, find_guild, limit, member_view};
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 50_035;
const DAY: u64 = 24 * 3600 * 1000;

pub(super) fn of_role(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let role = call.param("role_id");
    roles::find(guild, role)?;
    let limit = limit(call, 1, 400)?;
    let start = call.query("start_index").unwrap_or("0");
    let start: usize = start.parse().map_err(|_| {
        let why = "start_index must be the next of the page before, or 0";
        Refusal::value(BAD_PARAMETER, why)
    })?;
    let holders: Vec<Value> = guild
        .members
        .iter()
        .filter(|member| role == "1" || member.roles.iter().any(|known| known == role))
        .map(|member| member_view(member, &state.world))
        .collect();
    let end = start.saturating_add(limit).min(holders.len());
    let next = if end < holders.len() { end } else { 0 };
    let page = holders.get(start..end).unwrap_or_default();
    Ok(json!({"data": page, "next": next.to_string()}))
}

pub(super) fn remove(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let user = call.param("user_id");
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?;
    let guild_id = guild.id.clone();
    let member = guild
        .member(user)
        .ok_or_else(|| Refusal::unknown(10_001, "member", user))?;
    let protected = ["2", "4"];
    if member
        .roles
        .iter()
        .any(|role| protected.contains(&role.as_str()))
    {
        let why = "user_id: administrators and the owner cannot be removed";
        return Err(Refusal::value(11_282, why));
    }
    let days = fields
        .get("delete_history_msg_days")
        .and_then(Value::as_i64);
    if !matches!(days, None | Some(-1 | 0 | 3 | 7 | 15 | 30)) {
        let why = "delete_history_msg_days must be -1, 0, 3, 7, 15 or 30";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    if let Some(d) = event(state, call, user) {
        push(state, "GUILD_MEMBER_REMOVE", &d);
    }
    let channels: Vec<String> = match state.world.guild_mut(&guild_id) {
        Some(guild) => {
            guild.members.retain(|member| member.user_id != user);
            guild
                .channels
                .iter()
                .map(|known| known.id.clone())
                .collect()
        }
        None => Vec::new(),
    };
    for channel in &channels {
        if let Some(notes) = state.store.channels.get_mut(channel) {
            notes.listen(user, false);
        }
    }
    let notes = state.store.guild(&guild_id);
    notes.muted.remove(user);
    if fields.get("add_blacklist").and_then(Value::as_bool) == Some(true) {
        notes.banned.insert(user.to_owned());
    }
    let since = match days {
        Some(-1) => Some(0),
        Some(days) => u64::try_from(days)
            .ok()
            .filter(|days| *days > 0)
            .map(|days| state.clock.now().saturating_sub(days * DAY)),
        None => None,
    };
    if let Some(since) = since {
        state.memory.recall_all(user, &channels, since);
    }
    Ok(Value::Null)
}

/// `d` of an event about a member.
pub(super) fn event(state: &State, call: &Call, user: &str) -> Option<Value> {
    event_of(state, call.param("guild_id"), user, &bot_id(state, call))
}

/// The same, for any guild, with whoever has done it.
pub(crate) fn event_of(state: &State, guild: &str, user: &str, by: &str) -> Option<Value> {
    let guild = state.world.guild(guild)?;
    let member = guild.member(user)?;
    let view = member_view(member, &state.world);
    Some(json!({
        "guild_id": guild.id,
        "joined_at": member.joined_at,
        "nick": view["nick"],
        "op_user_id": by,
        "roles": member.roles,
        "user": {
            "id": view["user"]["id"],
            "username": view["user"]["username"],
            "avatar": view["user"]["avatar"],
            "bot": view["user"]["bot"],
        },
    }))
}
