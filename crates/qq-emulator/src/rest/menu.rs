//! The menu of C2C conversations.

use serde_json::{Value, json};

use super::error::Refusal;
use super::{Answer, Call, Handler, body, safety};
use crate::platform::State;
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 40_030_001;
/// Entries of a menu, and of a sub menu.
const MOST: usize = 10;
const MOST_BELOW: usize = 5;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "get_menu" => get,
        "put_menu" => put,
        "delete_menu" => delete,
        _ => return None,
    })
}

fn get(state: &mut State, _: &Call, _: &mut Vec<Finding>) -> Answer {
    let console = &state.store.console;
    let menu = console.menu.clone().unwrap_or_else(|| json!({}));
    Ok(json!({"menu": menu, "version": console.menu_version}))
}

fn put(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let menu = fields.get("menu").filter(|menu| menu.is_object());
    let menu = menu.ok_or_else(|| Refusal::value(40_030_016, "menu is missing"))?;
    let items = menu["items"].as_array().map_or(&[][..], Vec::as_slice);
    if items.len() > MOST {
        return Err(Refusal::value(40_030_013, "menu.items: at most 10 entries"));
    }
    for item in items {
        check(item, MOST, true)?;
    }
    safety::check(state, 40_030_020, [menu])?;
    let console = &mut state.store.console;
    console.menu = (!items.is_empty()).then(|| menu.clone());
    console.menu_version += 1;
    Ok(json!({"version": console.menu_version}))
}

fn delete(state: &mut State, _: &Call, _: &mut Vec<Finding>) -> Answer {
    let console = &mut state.store.console;
    console.menu = None;
    console.menu_version += 1;
    Ok(json!({}))
}

/// An entry; names on top are shorter than those below.
fn check(item: &Value, longest: usize, on_top: bool) -> Result<(), Box<Refusal>> {
    let name = item["name"].as_str().unwrap_or_default();
    check_name(name, longest)?;
    let needs = |member: &str| match item[member].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => {
            let why = format!("menu: the entry {name:?} needs {member}");
            Err(Refusal::value(40_030_016, why))
        }
    };
    match item["type"].as_str() {
        Some("send_message") => needs("send_message").map(|_| ()),
        Some("link") => check_link(needs("link")?),
        Some("switch") if on_top => match item["switch"]["switch_id"].as_str() {
            Some(id) if !id.is_empty() => Ok(()),
            _ => Err(Refusal::value(
                40_030_016,
                format!("menu: the entry {name:?} needs switch.switch_id"),
            )),
        },
        Some("menu") if on_top => {
            let below = item["sub_menu_items"].as_array();
            let below = below.filter(|below| !below.is_empty()).ok_or_else(|| {
                let why = format!("menu: the entry {name:?} needs sub_menu_items");
                Refusal::value(40_030_016, why)
            })?;
            if below.len() > MOST_BELOW {
                let why = "menu: at most 5 entries in a sub menu";
                return Err(Refusal::value(40_030_013, why));
            }
            below.iter().try_for_each(|item| check(item, 14, false))
        }
        _ => Err(Refusal::value(
            40_030_014,
            format!("menu: the type of the entry {name:?} is not one of the documents"),
        )),
    }
}

/// Checks a name's length in units: a wide character counts 2.
pub(super) fn check_name(name: &str, longest: usize) -> Result<(), Box<Refusal>> {
    if name.is_empty() {
        return Err(Refusal::value(40_030_016, "an entry has no name"));
    }
    if units(name) > longest {
        let why = format!("the name {name:?} is longer than {longest} units");
        return Err(Refusal::value(40_030_013, why));
    }
    Ok(())
}

pub(super) fn units(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

pub(super) fn check_link(link: &str) -> Result<(), Box<Refusal>> {
    if link.starts_with("https://") && link.len() > "https://".len() {
        Ok(())
    } else {
        Err(Refusal::value(40_030_008, "link must start with https://"))
    }
}
