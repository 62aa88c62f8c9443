//! Members and whole guilds are muted.

use serde_json::{Map, Value, json};

use crate::clock::Millis;
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::find_guild;
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;
use crate::world::Guild;

const BAD_PARAMETER: i64 = 502_006;

pub(super) fn everybody(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?.id.clone();
    let until = until(state, fields)?;
    state.store.guild(&guild).muted_until = until;
    Ok(Value::Null)
}

pub(super) fn members(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?;
    let until = until(state, fields)?;
    let wanted = fields.get("user_ids").and_then(Value::as_array);
    let changed: Vec<String> = wanted
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|user| can_be_muted(guild, user))
        .map(str::to_owned)
        .collect();
    if wanted.is_none_or(Vec::is_empty) {
        return Err(Refusal::value(502_004, "user_ids is empty"));
    }
    let guild = guild.id.clone();
    for user in &changed {
        set(state, &guild, user, until);
    }
    Ok(json!({"user_ids": changed}))
}

pub(super) fn member(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?;
    let user = call.param("user_id");
    if guild.member(user).is_none() {
        return Err(Refusal::unknown(502_003, "member", user));
    }
    if !can_be_muted(guild, user) {
        let why = "user_id: administrators and the owner cannot be muted";
        return Err(Refusal::value(502_003, why));
    }
    let until = until(state, fields)?;
    let guild = guild.id.clone();
    set(state, &guild, user, until);
    Ok(Value::Null)
}

fn set(state: &mut State, guild: &str, user: &str, until: Option<Millis>) {
    let muted = &mut state.store.guild(guild).muted;
    match until {
        Some(until) => muted.insert(user.to_owned(), until),
        None => muted.remove(user),
    };
}

fn can_be_muted(guild: &Guild, user: &str) -> bool {
    guild.member(user).is_some_and(|member| {
        let mut roles = member.roles.iter();
        !roles.any(|role| matches!(role.as_str(), "2" | "4"))
    })
}

/// The end of the mute; `None` ends it now. The end in seconds wins over the duration.
fn until(state: &State, fields: &Map<String, Value>) -> Result<Option<Millis>, Box<Refusal>> {
    let seconds = |name: &str| match fields.get(name).and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Refusal::value(BAD_PARAMETER, format!("{name} must be seconds as a string"))
        }),
    };
    let now = state.clock.now();
    match (seconds("mute_end_timestamp")?, seconds("mute_seconds")?) {
        (None, None) => Err(Refusal::value(
            BAD_PARAMETER,
            "one of mute_end_timestamp and mute_seconds is needed",
        )),
        (Some(0), _) | (None, Some(0)) => Ok(None),
        (Some(end), _) => {
            let end = end.saturating_mul(1000);
            if end <= now {
                let why = "mute_end_timestamp is in the past";
                return Err(Refusal::value(502_005, why));
            }
            Ok(Some(end))
        }
        (None, Some(seconds)) => Ok(Some(now.saturating_add(seconds.saturating_mul(1000)))),
    }
}
