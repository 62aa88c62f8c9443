//! Announcements of guilds, and the retired ones of channels.

use serde_json::{Value, json};

use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::reads::{find_channel, find_guild};
use crate::rest::{Answer, Call, body, history, safety};
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 501_001;
/// Recommended channels of one announcement.
const MOST: usize = 3;

/// A message or recommended channels; each takes the place of what was there.
pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    safety::check(state, 501_014, fields.values())?;
    let guild = find_guild(state, call)?;
    let in_guild = |id: &str| guild.channels.iter().any(|known| known.id == id);
    let kind = fields.get("announces_type").and_then(Value::as_i64);
    let kind = kind.unwrap_or(0);
    if !matches!(kind, 0 | 1) {
        let why = "announces_type must be 0 or 1";
        return Err(Refusal::value(501_019, why));
    }
    let channels = fields.get("recommend_channels").and_then(Value::as_array);
    let announce = if let Some(message) = text(fields, "message_id") {
        let channel = text(fields, "channel_id").filter(|id| in_guild(id));
        let channel = channel.ok_or_else(|| {
            let why = "channel_id must be the channel of the message";
            Refusal::value(BAD_PARAMETER, why)
        })?;
        history::find(state, channel, message, 501_008, 501_010)?;
        json!({
            "guild_id": guild.id,
            "channel_id": channel,
            "message_id": message,
            "announces_type": kind,
            "recommend_channels": [],
        })
    } else {
        let channels = channels.filter(|list| !list.is_empty()).ok_or_else(|| {
            let why = "one of message_id and recommend_channels is needed";
            Refusal::value(BAD_PARAMETER, why)
        })?;
        if channels.len() > MOST {
            let why = "recommend_channels: at most 3 channels";
            return Err(Refusal::value(501_016, why));
        }
        for channel in channels {
            if !channel["channel_id"].as_str().is_some_and(in_guild) {
                let why = "recommend_channels: a channel_id is not one of the guild";
                return Err(Refusal::value(501_018, why));
            }
        }
        json!({
            "guild_id": guild.id,
            "channel_id": channels[0]["channel_id"],
            "message_id": "",
            "announces_type": kind,
            "recommend_channels": channels,
        })
    };
    let guild = guild.id.clone();
    state.store.guild(&guild).announce = Some(announce.clone());
    Ok(announce)
}

/// By the message's id, or `all`.
pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?.id.clone();
    let id = call.param("message_id");
    let announce = &mut state.store.guild(&guild).announce;
    if id != "all"
        && announce
            .as_ref()
            .is_none_or(|announce| announce["message_id"] != id)
    {
        return Err(Refusal::unknown(501_007, "announcement of message", id));
    }
    *announce = None;
    Ok(Value::Null)
}

pub(super) fn create_in_channel(
    state: &mut State,
    call: &Call,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let channel = find_channel(state, call)?;
    let message = text(fields, "message_id").unwrap_or_default();
    history::find(state, &channel.id, message, 501_008, 501_010)?;
    let answer = json!({
        "guild_id": channel.guild_id,
        "channel_id": channel.id,
        "message_id": message,
    });
    let channel = channel.id.clone();
    state.store.channel(&channel).announce = Some(message.to_owned());
    Ok(answer)
}

pub(super) fn delete_in_channel(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?.id.clone();
    let id = call.param("message_id");
    let announce = &mut state.store.channel(&channel).announce;
    if id != "all" && announce.as_deref() != Some(id) {
        return Err(Refusal::unknown(501_003, "announcement of message", id));
    }
    *announce = None;
    Ok(Value::Null)
}
