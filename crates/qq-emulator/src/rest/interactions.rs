//! Acknowledgements of interactions.

use serde_json::{Value, json};

use super::error::Refusal;
use super::{Answer, Call, Handler, body};
use crate::platform::State;
use crate::violations::Finding;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    (route == "put_interaction").then_some(acknowledge as Handler)
}

/// Once for each interaction, by `d.id` of its event.
fn acknowledge(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, 630_001, findings)?;
    let code = fields.get("code").and_then(Value::as_i64).unwrap_or(0);
    let id = call.param("interaction_id");
    let (now, window) = (state.clock.now(), state.settings.interaction_window);
    let Some(interaction) = state.store.interactions.get_mut(id) else {
        return Err(Refusal::code(630_005).finding(Finding::error(
            "rest.interaction.id",
            "an interaction is acknowledged by d.id of its event, not by the event id",
            format!("there is no interaction {id:?}"),
        )));
    };
    if interaction.acknowledged.is_some() {
        return Err(Refusal::code(630_004).finding(Finding::error(
            "rest.interaction.twice",
            "an interaction is acknowledged once",
            format!("{id:?} was acknowledged before"),
        )));
    }
    let age = now.saturating_sub(interaction.at);
    if matches!(interaction.kind, 11 | 12) && window > 0 && age > window {
        return Err(Refusal::code(630_005).finding(Finding::warn(
            "rest.interaction.late",
            "a click is acknowledged before the client gives up",
            format!("{age} ms after the click, the window is {window} ms"),
        )));
    }
    interaction.acknowledged = Some(code);
    let clicked = state
        .store
        .clicks
        .settle(id, |click| click.code = Some(code));
    if let Some(message) = clicked {
        state.feed.message(&message);
    }
    Ok(json!({}))
}
