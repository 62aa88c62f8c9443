//! Members who may not speak.

use serde_json::{Value, json};

use super::{BAD_PARAMETER, MOST_AT_ONCE, find, name};
use crate::clock::{self, Millis, rfc3339};
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;

/// Nobody is muted for longer.
const LONGEST: Millis = 30 * 24 * 3600 * 1000;

pub(super) fn get(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let now = state.clock.now();
    let notes = state.store.groups.get(&group.id);
    let members: Vec<Value> = notes
        .into_iter()
        .flat_map(|notes| &notes.muted)
        .filter(|(_, until)| **until > now)
        .map(|(openid, until)| {
            json!({
                "member_openid": openid,
                "mute_expire_at": rfc3339(*until),
                "username": name(state, openid),
                "union_openid": "",
            })
        })
        .collect();
    Ok(json!({
        "global_rule": {"mode": "none", "schedule_rules": [], "recurring_rules": []},
        "members": members,
    }))
}

/// All changes, or none.
pub(super) fn set(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let group = find(state, call)?;
    let now = state.clock.now();
    let list = fields.get("members").and_then(Value::as_array);
    let list = list.filter(|list| (1..=MOST_AT_ONCE).contains(&list.len()));
    let list =
        list.ok_or_else(|| Refusal::value(BAD_PARAMETER, "members must have 1 to 20 changes"))?;
    let mut changes = Vec::new();
    for change in list {
        let openid = change["member_openid"].as_str().unwrap_or_default();
        let bot = state.world.bots.iter().any(|bot| bot.openid == openid);
        let member = group.members.iter().find(|member| member.openid == openid);
        if bot || member.is_some_and(|member| member.role != "member") {
            let why = format!("members: {openid:?} is owner, administrator or bot");
            return Err(Refusal::value(40_103_004, why));
        }
        if member.is_none() {
            return Err(Refusal::unknown(11_201, "member", openid));
        }
        let until = match change["op"].as_str() {
            Some("add" | "update") => {
                let until = change["mute_expire_at"].as_str().and_then(clock::parse);
                let until = until.filter(|until| *until > now && *until - now <= LONGEST);
                Some(until.ok_or_else(|| {
                    let why = "members: mute_expire_at must be RFC 3339, within the next 30 days";
                    Refusal::value(BAD_PARAMETER, why)
                })?)
            }
            Some("del") => None,
            _ => {
                let why = "members: op must be add, update or del";
                return Err(Refusal::value(BAD_PARAMETER, why));
            }
        };
        changes.push((openid.to_owned(), until));
    }
    let id = group.id.clone();
    let muted = &mut state.store.group(&id).muted;
    for (openid, until) in changes {
        match until {
            Some(until) => muted.insert(openid, until),
            None => muted.remove(&openid),
        };
    }
    Ok(json!({}))
}
