//! Who may not come back.

use serde_json::{Value, json};

use super::{BAD_PARAMETER, find, name, openids};
use crate::clock::rfc3339;
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body, pages};
use crate::violations::Finding;

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let notes = state.store.groups.get(&group.id);
    let all: Vec<Value> = notes
        .into_iter()
        .flat_map(|notes| &notes.banned)
        .map(|banned| {
            json!({
                "union_openid": "",
                "member_openid": banned.openid,
                "username": banned.name,
                "banned_at": rfc3339(banned.at),
                "bot": false,
            })
        })
        .collect();
    let (page, next) = pages::page(call, &all, 20, 100, BAD_PARAMETER)?;
    Ok(json!({"users": page, "next_cursor": next}))
}

/// Members cannot be put on it: they fail.
pub(super) fn modify(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let wanted = openids(fields, "member_openids")?;
    let group = find(state, call)?;
    let adds = match text(fields, "op") {
        Some("add") => true,
        Some("del") => false,
        _ => return Err(Refusal::value(BAD_PARAMETER, "op must be add or del")),
    };
    let id = group.id.clone();
    let inside: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|user| group.members.iter().any(|member| member.openid == *user))
        .collect();
    let now = state.clock.now();
    let mut failed = Vec::new();
    for user in wanted {
        let name = name(state, user);
        let notes = state.store.group(&id);
        let done = if adds {
            !inside.contains(&user) && notes.ban(user, &name, now)
        } else {
            let known = notes.is_banned(user);
            notes.banned.retain(|banned| banned.openid != user);
            known
        };
        if !done {
            failed.push(user);
        }
    }
    Ok(json!({"fail_openids": failed}))
}
