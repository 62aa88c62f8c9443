//! Panels with the bot's commands.

use serde_json::{Map, Value, json};

use super::content::{present, text};
use super::error::Refusal;
use super::menu::{check_link, check_name, units};
use super::{Answer, Call, Handler, body, pages, safety};
use crate::clock::rfc3339;
use crate::platform::State;
use crate::violations::Finding;
use crate::world::store::console::Panel;

const BAD_PARAMETER: i64 = 40_030_001;
const SCOPES: [&str; 4] = ["c2c", "group", "channel", "dm"];
/// Panels of one bot, entries of one panel, targets of one call.
const MOST: usize = 20;
/// Targets of one panel.
const MOST_TARGETS: usize = 1_000;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "list_panels" => list,
        "create_panel" => create,
        "get_panel" => get,
        "update_panel" => update,
        "delete_panel" => delete,
        "update_panel_target" => change_targets,
        _ => return None,
    })
}

/// The newest first.
fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let scope = call.query("scope").unwrap_or_default();
    if !SCOPES.contains(&scope) {
        let why = "scope must be c2c, group, channel or dm";
        return Err(Refusal::value(40_030_011, why));
    }
    let panels = state.store.console.panels.iter().rev();
    let all: Vec<Value> = panels
        .filter(|panel| panel.scope == scope)
        .map(|panel| view(panel, false))
        .collect();
    let (page, next) = pages::page(call, &all, 20, 50, BAD_PARAMETER)?;
    Ok(json!({"records": page, "is_end": next.is_empty(), "next_cursor": next}))
}

fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let scope = text(fields, "scope").unwrap_or_default();
    if !SCOPES.contains(&scope) {
        let why = "scope must be c2c, group, channel or dm";
        return Err(Refusal::value(40_030_011, why));
    }
    let specific = match text(fields, "target_type") {
        None | Some("all") => false,
        Some("specific") if matches!(scope, "c2c" | "group") => true,
        Some("specific") => {
            let why = "target_type: specific is for c2c and group only";
            return Err(Refusal::value(40_030_018, why));
        }
        Some(_) => {
            let why = "target_type must be all or specific";
            return Err(Refusal::value(40_030_012, why));
        }
    };
    let (users, groups) = (
        targets(fields, "user_openids")?,
        targets(fields, "group_openids")?,
    );
    check_targets(scope, specific, &users, &groups)?;
    let content = content(fields)?;
    safety::check(state, 40_030_020, [&content])?;
    if state.store.console.panels.len() >= MOST {
        return Err(Refusal::value(40_030_013, "a bot has at most 20 panels"));
    }
    let now = state.clock.now();
    let id = format!("p_{}", state.ids.hex(12));
    state.store.console.panels.push(Panel {
        id: id.clone(),
        scope: scope.to_owned(),
        specific,
        content,
        version: 1,
        created_at: now,
        updated_at: now,
        users,
        groups,
    });
    Ok(json!({"panel_id": id}))
}

fn get(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    Ok(view(find(state, call)?, true))
}

fn update(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let now = state.clock.now();
    find(state, call)?;
    let content = content(fields)?;
    safety::check(state, 40_030_020, [&content])?;
    let panel = find(state, call)?;
    panel.content = content;
    panel.version += 1;
    panel.updated_at = now;
    Ok(json!({"version": panel.version}))
}

fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let id = find(state, call)?.id.clone();
    state.store.console.panels.retain(|known| known.id != id);
    Ok(json!({}))
}

fn change_targets(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let now = state.clock.now();
    let panel = find(state, call)?;
    let adds = match text(fields, "op") {
        Some("add") => true,
        Some("del") => false,
        _ => return Err(Refusal::value(40_030_017, "op must be add or del")),
    };
    if !panel.specific {
        let why = "panel_id: a panel for all takes no targets";
        return Err(Refusal::value(40_030_021, why));
    }
    let (users, groups) = (
        targets(fields, "user_openids")?,
        targets(fields, "group_openids")?,
    );
    check_targets(&panel.scope, true, &users, &groups)?;
    for (known, given) in [(&mut panel.users, users), (&mut panel.groups, groups)] {
        known.retain(|id| !given.contains(id));
        if adds {
            if known.len() + given.len() > MOST_TARGETS {
                let why = "a panel has at most 1000 targets";
                return Err(Refusal::value(40_030_013, why));
            }
            known.extend(given);
        }
    }
    panel.updated_at = now;
    Ok(json!({}))
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Panel, Box<Refusal>> {
    let id = call.param("panel_id");
    let mut panels = state.store.console.panels.iter_mut();
    panels
        .find(|panel| panel.id == id)
        .ok_or_else(|| Refusal::unknown(40_030_006, "panel", id))
}

fn targets(fields: &Map<String, Value>, name: &str) -> Result<Vec<String>, Box<Refusal>> {
    let mut targets: Vec<String> = Vec::new();
    let list = fields.get(name).and_then(Value::as_array);
    for id in list.into_iter().flatten().filter_map(Value::as_str) {
        if !targets.iter().any(|known| known == id) {
            targets.push(id.to_owned());
        }
    }
    if targets.len() > MOST {
        let why = format!("{name}: at most 20 in one call");
        return Err(Refusal::value(40_030_013, why));
    }
    Ok(targets)
}

/// Users for C2C, groups for groups, nobody for panels for all.
fn check_targets(
    scope: &str,
    specific: bool,
    users: &[String],
    groups: &[String],
) -> Result<(), Box<Refusal>> {
    let (fitting, other) = match scope {
        "c2c" => (users, groups),
        _ => (groups, users),
    };
    if !specific {
        return if users.is_empty() && groups.is_empty() {
            Ok(())
        } else {
            let why = "target_type all takes neither user_openids nor group_openids";
            Err(Refusal::value(40_030_021, why))
        };
    }
    if !other.is_empty() {
        let why = "user_openids are for the scope c2c, group_openids for group";
        return Err(Refusal::value(40_030_018, why));
    }
    if fitting.is_empty() {
        let why = "a specific panel names user_openids or group_openids";
        return Err(Refusal::value(40_030_016, why));
    }
    Ok(())
}

/// The panel of a body, checked.
fn content(fields: &Map<String, Value>) -> Result<Value, Box<Refusal>> {
    let panel = present(fields, "panel");
    let panel = panel.ok_or_else(|| Refusal::value(40_030_016, "panel is missing"))?;
    let items = panel["items"].as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refusal::value(40_030_016, "panel.items is empty"))?;
    if items.len() > MOST {
        return Err(Refusal::value(
            40_030_013,
            "panel.items: at most 20 entries",
        ));
    }
    for item in items {
        check_name(item["name"].as_str().unwrap_or_default(), 14)?;
        if units(item["desc"].as_str().unwrap_or_default()) > 30 {
            let why = "panel.items: a desc is longer than 30 units";
            return Err(Refusal::value(40_030_013, why));
        }
        match item["type"].as_str() {
            Some("command") => {}
            Some("link") => check_link(item["link"].as_str().unwrap_or_default())?,
            _ => {
                let why = "panel.items: type must be command or link";
                return Err(Refusal::value(40_030_015, why));
            }
        }
    }
    if panel["remark"]
        .as_str()
        .is_some_and(|remark| remark.chars().count() > 255)
    {
        let why = "panel.remark has at most 255 characters";
        return Err(Refusal::value(40_030_013, why));
    }
    Ok(panel.clone())
}

fn view(panel: &Panel, whole: bool) -> Value {
    let mut view = json!({
        "panel_id": panel.id,
        "scope": panel.scope,
        "target_type": if panel.specific { "specific" } else { "all" },
        "panel": panel.content,
        "version": panel.version,
        "created_at": rfc3339(panel.created_at),
        "updated_at": rfc3339(panel.updated_at),
    });
    if whole {
        view["user_openids"] = json!(panel.users);
        view["group_openids"] = json!(panel.groups);
    }
    view
}
