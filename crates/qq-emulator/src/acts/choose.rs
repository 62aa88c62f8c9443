//! Clicks, reactions and recalls by what a user sees rather than by ids.

use serde_json::Value;

use super::Done;
use crate::platform::State;
use crate::speech::{self, Button, Place, React, Say, find_place};
use crate::views::TimelineItem;
use crate::world::messages::Scene;

/// `action.type` of a button with a command.
const COMMAND: i64 = 2;

/// Presses a button, by id or label, of one message, or of the newest message that has it. A
/// button with a command says the command.
pub(crate) fn click(
    state: &mut State,
    place: &Say,
    button: &str,
    message: Option<&str>,
) -> Result<Done, String> {
    let at = find_place(state, place)?;
    let has = |item: &TimelineItem| item.author.bot && find(item, button).is_some();
    let item = chosen(state, &at, message, has).ok_or_else(|| match message {
        Some(id) => format!("message_id: there is no message {id:?} in this conversation"),
        None => {
            let shown = shown(state, &at);
            format!("button: no message here has a button {button:?}; there are {shown}")
        }
    })?;
    let (row, column, found) = find(item, button).ok_or_else(|| {
        let labels: Vec<String> = buttons(item).map(|(_, _, button)| label(button)).collect();
        let labels = labels.join(", ");
        format!("button: the message has no button {button:?}; there are {labels}")
    })?;
    let message_id = item.message_id.clone();
    if found["action"]["type"] == COMMAND {
        let data = found["action"]["data"].as_str().unwrap_or_default();
        let mut say = Say::new(place.scene(), data).conversation(&at.conversation);
        if matches!(place.scene(), Scene::Group | Scene::Channel) {
            say = say.author(&at.author.id);
        }
        let said = speech::say(state, &say)?;
        return Ok(Done {
            event_id: said.event_id,
            interaction_id: None,
            message_id: Some(said.message_id),
        });
    }
    let author = at.author.id.as_str();
    let clicked = speech::click(state, &message_id, Button::At(row, column), Some(author))?;
    Ok(Done {
        event_id: clicked.event_id,
        interaction_id: Some(clicked.interaction),
        message_id: Some(message_id),
    })
}

/// Reacts to one message, or to the newest of the conversation. `emoji` is a character, or the
/// number of one of the platform's own.
pub(crate) fn react(
    state: &mut State,
    place: &Say,
    emoji: &str,
    message: Option<&str>,
    remove: bool,
) -> Result<Done, String> {
    let at = find_place(state, place)?;
    let (kind, id) = read_emoji(emoji)?;
    let newest = chosen(state, &at, message, |_| true).map(|item| item.message_id.clone());
    let message_id = newest.ok_or("message_id: there is no such message here")?;
    let react = React {
        message: &message_id,
        author: Some(&at.author.id),
        kind,
        id: &id,
        remove,
    };
    speech::react(state, &react)?;
    Ok(Done {
        message_id: Some(message_id),
        ..Done::default()
    })
}

/// Kind and id: 1 and the number of a system emoji, 2 and the code point of a character.
fn read_emoji(emoji: &str) -> Result<(i64, String), String> {
    if !emoji.is_empty() && emoji.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((1, emoji.to_owned()));
    }
    match emoji.chars().next() {
        Some(first) if !first.is_ascii() => Ok((2, u32::from(first).to_string())),
        _ => Err("emoji: give a character such as \"👍\", or a number of the platform's".into()),
    }
}

/// The named message, or the newest one of the conversation that `wanted` accepts.
fn chosen<'a>(
    state: &'a State,
    at: &Place,
    named: Option<&str>,
    wanted: impl Fn(&TimelineItem) -> bool,
) -> Option<&'a TimelineItem> {
    state.timeline.find(|item| {
        let here = item.conversation == at.conversation && !item.recalled;
        here && match named {
            Some(id) => item.message_id == id,
            None => wanted(item),
        }
    })
}

/// Row, column and button.
fn buttons(item: &TimelineItem) -> impl Iterator<Item = (usize, usize, &Value)> {
    let rows = item
        .body
        .iter()
        .flat_map(|body| body["keyboard"]["content"]["rows"].as_array());
    rows.flatten().enumerate().flat_map(|(row, buttons)| {
        let buttons = buttons["buttons"].as_array().into_iter().flatten();
        let placed = buttons.enumerate();
        placed.map(move |(column, button)| (row, column, button))
    })
}

fn find<'a>(item: &'a TimelineItem, wanted: &str) -> Option<(usize, usize, &'a Value)> {
    buttons(item)
        .find(|(_, _, button)| button["id"] == wanted)
        .or_else(|| buttons(item).find(|(_, _, b)| b["render_data"]["label"] == wanted))
}

fn label(button: &Value) -> String {
    button["render_data"]["label"].to_string()
}

/// What could be pressed in this conversation.
fn shown(state: &State, at: &Place) -> String {
    let labels: Vec<String> = state
        .timeline
        .newest()
        .filter(|item| item.conversation == at.conversation && !item.recalled)
        .flat_map(|item| buttons(item).map(|(_, _, button)| label(button)))
        .take(10)
        .collect();
    if labels.is_empty() {
        "none".into()
    } else {
        labels.join(", ")
    }
}
