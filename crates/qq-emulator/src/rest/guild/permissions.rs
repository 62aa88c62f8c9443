//! What users and roles may do in a channel.

use serde_json::{Map, Value, json};

use super::roles;
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::find_channel;
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 301_000;
const VIEW: u64 = 1;
const MANAGE: u64 = 2;
const SPEAK: u64 = 4;
const LIVE: u64 = 8;

/// Whose permissions.
enum Whose<'a> {
    User(&'a str),
    Role(&'a str),
}

impl Whose<'_> {
    fn key(&self) -> String {
        match self {
            Self::User(id) => format!("user/{id}"),
            Self::Role(id) => format!("role/{id}"),
        }
    }
}

pub(super) fn of_user(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    get(state, call, &Whose::User(call.param("user_id")))
}

pub(super) fn of_role(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    get(state, call, &Whose::Role(call.param("role_id")))
}

pub(super) fn change_user(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    change(state, call, &Whose::User(call.param("user_id")), findings)
}

pub(super) fn change_role(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    change(state, call, &Whose::Role(call.param("role_id")), findings)
}

/// Makes a user an administrator of one channel, or no longer.
pub(super) fn manage(state: &mut State, channel: &str, user: &str, give: bool) {
    let permissions = &mut state.store.channel(channel).permissions;
    let mask = permissions
        .entry(Whose::User(user).key())
        .or_insert(VIEW | SPEAK);
    if give {
        *mask |= MANAGE;
    } else {
        *mask &= !MANAGE;
    }
}

fn get(state: &State, call: &Call, whose: &Whose<'_>) -> Answer {
    let mask = current(state, call, whose)?;
    let mut answer = json!({
        "channel_id": call.param("channel_id"),
        "permissions": mask.to_string(),
    });
    match whose {
        Whose::User(id) => answer["user_id"] = (*id).into(),
        Whose::Role(id) => answer["role_id"] = (*id).into(),
    }
    Ok(answer)
}

/// The mask; what was never changed follows from the roles.
fn current(state: &State, call: &Call, whose: &Whose<'_>) -> Result<u64, Box<Refusal>> {
    let channel = find_channel(state, call)?;
    let guild = state
        .world
        .guild(&channel.guild_id)
        .ok_or_else(|| Refusal::unknown(10_004, "guild", &channel.guild_id))?;
    let administers = match whose {
        Whose::User(id) => guild
            .member(id)
            .ok_or_else(|| Refusal::unknown(301_006, "member", id))?
            .roles
            .iter()
            .any(|role| matches!(role.as_str(), "2" | "4")),
        Whose::Role(id) => {
            roles::find(guild, id)?;
            matches!(*id, "2" | "4")
        }
    };
    let usual = if administers {
        VIEW | MANAGE | SPEAK
    } else {
        VIEW | SPEAK
    };
    let notes = state.store.channels.get(&channel.id);
    Ok(notes
        .and_then(|notes| notes.permissions.get(&whose.key()))
        .copied()
        .unwrap_or(usual))
}

fn change(
    state: &mut State,
    call: &Call,
    whose: &Whose<'_>,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let before = current(state, call, whose)?;
    let (add, remove) = (mask(fields, "add")?, mask(fields, "remove")?);
    if add.is_none() && remove.is_none() {
        let why = "one of add and remove is needed";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let (add, remove) = (add.unwrap_or(0), remove.unwrap_or(0));
    if (add | remove) & MANAGE != 0 {
        let why = "add and remove: the permission to manage (2) cannot be changed";
        return Err(Refusal::value(301_003, why));
    }
    let notes = state.store.channel(call.param("channel_id"));
    notes
        .permissions
        .insert(whose.key(), (before | add) & !remove);
    Ok(Value::Null)
}

fn mask(fields: &Map<String, Value>, name: &str) -> Result<Option<u64>, Box<Refusal>> {
    let Some(text) = fields.get(name).and_then(Value::as_str) else {
        return Ok(None);
    };
    text.parse()
        .ok()
        .filter(|mask| mask & !(VIEW | MANAGE | SPEAK | LIVE) == 0)
        .map(Some)
        .ok_or_else(|| {
            let why = format!("{name} must be a decimal mask of 1, 4 and 8");
            Refusal::value(BAD_PARAMETER, why)
        })
}
