//! Pinned messages of a channel.

use serde_json::{Value, json};

use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::find_channel;
use crate::rest::{Answer, Call, history};
use crate::violations::Finding;

/// Pins of one channel.
const MOST: usize = 20;

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?;
    let notes = state.store.channels.get(&channel.id);
    let pins = notes.map_or(&[][..], |notes| &notes.pins);
    Ok(json!({"guild_id": channel.guild_id, "channel_id": channel.id, "message_ids": pins}))
}

pub(super) fn add(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?.id.clone();
    let message = call.param("message_id");
    history::find(state, &channel, message, 501_008, 501_010)?;
    let pins = &mut state.store.channel(&channel).pins;
    if !pins.iter().any(|known| known == message) {
        if pins.len() >= MOST {
            return Err(Refusal::value(501_013, "a channel has at most 20 pins"));
        }
        pins.insert(0, message.to_owned());
    }
    list(state, call, findings)
}

/// By the message's id, or `all`.
pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?.id.clone();
    let message = call.param("message_id");
    let pins = &mut state.store.channel(&channel).pins;
    let before = pins.len();
    pins.retain(|known| message != "all" && known != message);
    if message != "all" && pins.len() == before {
        return Err(Refusal::unknown(501_012, "pin of message", message));
    }
    Ok(Value::Null)
}
