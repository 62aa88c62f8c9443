//! Rules that let people join by themselves.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{BAD_PARAMETER, join_requests};
use crate::clock::{self, rfc3339};
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body, pages};
use crate::violations::Finding;
use crate::world::store::groups::{Strategies, Strategy};

const YEAR: u64 = 365 * 24 * 3600 * 1000;
/// Groups of one rule.
const MOST_GROUPS: usize = 100;
/// Numbers of one rule, and of one call.
const MOST_NUMBERS: usize = 100_000;
const MOST_NUMBERS_AT_ONCE: usize = 10_000;

/// The newest first.
pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let strategies = state.store.strategies.all.iter().rev();
    let all: Vec<Value> = strategies.map(view).collect();
    let (page, next) = pages::page(call, &all, 20, 50, BAD_PARAMETER)?;
    Ok(json!({"strategies": page, "next_cursor": next}))
}

pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    if state.store.strategies.all.len() >= Strategies::MOST {
        return Err(Refusal::value(
            BAD_PARAMETER,
            "a bot has at most 20 strategies",
        ));
    }
    let (openids, ids) = groups(fields)?;
    if openids.is_empty() == ids.is_empty() {
        let why = "exactly one of group_openids and group_ids is needed";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let now = state.clock.now();
    let mut strategy = Strategy {
        id: format!("st_{}", state.ids.hex(10)),
        group_openids: openids,
        group_ids: ids,
        enabled: true,
        expire_at: rfc3339(now.saturating_add(YEAR)),
        created_at: now,
        updated_at: now,
        remark: String::new(),
        whitelist: BTreeSet::new(),
    };
    change(&mut strategy, fields)?;
    let answer = json!({
        "strategy_id": strategy.id,
        "is_enable": on_off(strategy.enabled),
        "expire_at": strategy.expire_at,
    });
    state.store.strategies.all.push(strategy);
    Ok(answer)
}

pub(super) fn modify(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let now = state.clock.now();
    let known = find(state, call)?;
    let mut strategy = known.clone();
    change(&mut strategy, fields)?;
    if let Some(Value::Object(action)) = fields.get("group_action") {
        let (openids, ids) = groups(action)?;
        let adds = match text(action, "op") {
            Some("add") => true,
            Some("del") => false,
            _ => {
                let why = "group_action.op must be add or del";
                return Err(Refusal::value(BAD_PARAMETER, why));
            }
        };
        // In the form of the creation, and in that one only.
        let by_openid = !strategy.group_openids.is_empty() || strategy.group_ids.is_empty();
        if by_openid == openids.is_empty() || by_openid != ids.is_empty() {
            let why = "group_action: groups come in the form they had at the creation";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
        strategy.group_openids.retain(|id| !openids.contains(id));
        strategy.group_ids.retain(|id| !ids.contains(id));
        if adds {
            strategy.group_openids.extend(openids);
            strategy.group_ids.extend(ids);
        }
        if strategy.group_openids.len().max(strategy.group_ids.len()) > MOST_GROUPS {
            let why = "group_action: a strategy has at most 100 groups";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
    }
    strategy.updated_at = now;
    let answer = json!({
        "is_enable": on_off(strategy.enabled),
        "expire_at": strategy.expire_at,
    });
    known.clone_from(&strategy);
    Ok(answer)
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let id = find(state, call)?.id.clone();
    state.store.strategies.all.retain(|known| known.id != id);
    Ok(json!({}))
}

/// Lets in those on the list who ask already. The platform takes minutes, the emulator none.
pub(super) fn execute(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let now = state.clock.now();
    let strategy = find(state, call)?.clone();
    let over = clock::parse(&strategy.expire_at).is_some_and(|end| end <= now);
    if !strategy.enabled || over {
        let why = "strategy_id: the strategy is off or has expired";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let mut admitted = Vec::new();
    for group in &state.world.groups {
        if group.bot_role == "member" || !strategy.group_openids.contains(&group.id) {
            continue;
        }
        let requests = group.join_requests.iter();
        let listed = requests.filter(|request| strategy.whitelist.contains(&request.user.id));
        admitted.extend(listed.map(|request| (group.id.clone(), request.clone())));
    }
    for (group, request) in admitted {
        join_requests::admit(state, &group, &request);
    }
    Ok(json!({}))
}

pub(super) fn change_whitelist(
    state: &mut State,
    call: &Call,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let now = state.clock.now();
    let strategy = find(state, call)?;
    let users = fields.get("whitelist_users").and_then(Value::as_array);
    let users: Vec<&str> = users
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let number = |user: &&str| !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit());
    if !(1..=MOST_NUMBERS_AT_ONCE).contains(&users.len()) || !users.iter().all(number) {
        let why = "whitelist_users must have 1 to 10000 numbers as strings";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    match text(fields, "op") {
        Some("add") => {
            let new = users
                .iter()
                .filter(|user| !strategy.whitelist.contains(**user));
            if strategy.whitelist.len() + new.count() > MOST_NUMBERS {
                let why = "whitelist_users: a strategy has at most 100000 numbers";
                return Err(Refusal::value(BAD_PARAMETER, why));
            }
            strategy
                .whitelist
                .extend(users.into_iter().map(str::to_owned));
        }
        Some("del") => strategy
            .whitelist
            .retain(|known| !users.contains(&known.as_str())),
        _ => return Err(Refusal::value(BAD_PARAMETER, "op must be add or del")),
    }
    strategy.updated_at = now;
    Ok(json!({
        "strategy_id": strategy.id,
        "whitelist_user_count": strategy.whitelist.len(),
        "updated_at": rfc3339(now),
    }))
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Strategy, Box<Refusal>> {
    let id = call.param("strategy_id");
    let strategies = &mut state.store.strategies;
    strategies
        .get_mut(id)
        .ok_or_else(|| Refusal::unknown(BAD_PARAMETER, "strategy", id))
}

/// The groups of a body, by openid and by number.
fn groups(fields: &Map<String, Value>) -> Result<(Vec<String>, Vec<Value>), Box<Refusal>> {
    let list = |name: &str| fields.get(name).and_then(Value::as_array);
    let openids: Vec<String> = list("group_openids")
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let ids = list("group_ids").cloned().unwrap_or_default();
    if openids.len() > MOST_GROUPS || ids.len() > MOST_GROUPS {
        let why = "group_openids and group_ids: at most 100";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    Ok((openids, ids))
}

fn change(strategy: &mut Strategy, fields: &Map<String, Value>) -> Result<(), Box<Refusal>> {
    match text(fields, "is_enable") {
        None => {}
        Some("on") => strategy.enabled = true,
        Some("off") => strategy.enabled = false,
        Some(_) => return Err(Refusal::value(BAD_PARAMETER, "is_enable must be on or off")),
    }
    if let Some(at) = text(fields, "expire_at") {
        if clock::parse(at).is_none() {
            return Err(Refusal::value(BAD_PARAMETER, "expire_at must be RFC 3339"));
        }
        at.clone_into(&mut strategy.expire_at);
    }
    if let Some(remark) = fields.get("remark").and_then(Value::as_str) {
        if remark.chars().count() > 255 {
            let why = "remark has at most 255 characters";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
        remark.clone_into(&mut strategy.remark);
    }
    Ok(())
}

fn on_off(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}

fn view(strategy: &Strategy) -> Value {
    let mut view = json!({
        "strategy_id": strategy.id,
        "group_openids": strategy.group_openids,
        "group_ids": strategy.group_ids,
        "whitelist_user_count": strategy.whitelist.len(),
        "is_enable": on_off(strategy.enabled),
        "expire_at": strategy.expire_at,
        "created_at": rfc3339(strategy.created_at),
        "updated_at": rfc3339(strategy.updated_at),
    });
    if !strategy.remark.is_empty() {
        view["remark"] = strategy.remark.as_str().into();
    }
    view
}
