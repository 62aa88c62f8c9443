//! Voice channels: what is played, and who is there.

use serde_json::{Value, json};

use super::push;
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, find_channel, member_view};
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;
use crate::world::Channel;

const BAD_PARAMETER: i64 = 50_035;

/// 0 starts, 1 pauses, 2 goes on, 3 stops.
pub(super) fn control(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = voice(state, call)?.id.clone();
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let status = fields.get("status").and_then(Value::as_i64);
    let playing = &mut state.store.channel(&channel).playing;
    match status {
        Some(0) => {
            let url = text(fields, "audio_url").ok_or_else(|| {
                Refusal::value(BAD_PARAMETER, "audio_url: a start (status 0) needs it")
            })?;
            let played = json!({
                "audio_url": url,
                "text": text(fields, "text").unwrap_or_default(),
            });
            *playing = Some(played.clone());
            announce(state, call, "AUDIO_START", &played);
        }
        Some(1..=3) if playing.is_none() => {
            let why = "status: nothing is played";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
        Some(3) => {
            let played = playing.take().unwrap_or_default();
            announce(state, call, "AUDIO_FINISH", &played);
        }
        Some(1 | 2) => {}
        _ => {
            let why = "status must be 0, 1, 2 or 3";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
    }
    Ok(json!({}))
}

pub(super) fn mic_on(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    mic(state, call, true)
}

pub(super) fn mic_off(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    mic(state, call, false)
}

fn mic(state: &mut State, call: &Call, on: bool) -> Answer {
    let channel = voice(state, call)?.id.clone();
    let bot = bot_id(state, call);
    let notes = state.store.channel(&channel);
    let was_on = notes.listeners.contains(&bot);
    notes.listen(&bot, on);
    if was_on != on {
        let event = if on { "AUDIO_ON_MIC" } else { "AUDIO_OFF_MIC" };
        announce(state, call, event, &Value::Null);
    }
    Ok(json!({}))
}

pub(super) fn members(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = voice(state, call)?;
    let Some(guild) = state.world.guild(&channel.guild_id) else {
        return Ok(json!([]));
    };
    let notes = state.store.channels.get(&channel.id);
    Ok(notes
        .into_iter()
        .flat_map(|notes| &notes.listeners)
        .filter_map(|user| guild.member(user))
        .map(|member| member_view(member, &state.world))
        .collect())
}

pub(super) fn online_nums(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = voice(state, call)?;
    let notes = state.store.channels.get(&channel.id);
    Ok(json!({"online_nums": notes.map_or(0, |notes| notes.listeners.len())}))
}

fn voice<'a>(state: &'a State, call: &Call) -> Result<&'a Channel, Box<Refusal>> {
    let channel = find_channel(state, call)?;
    if matches!(channel.kind, Channel::VOICE | Channel::LIVE) {
        Ok(channel)
    } else {
        let why = "channel_id: not a voice or live channel";
        Err(Refusal::value(10_003, why))
    }
}

fn announce(state: &mut State, call: &Call, event: &str, played: &Value) {
    let channel = call.param("channel_id");
    let guild = state.world.channel(channel);
    let guild = guild.map_or("0", |channel| &channel.guild_id);
    let mut d = json!({"guild_id": guild, "channel_id": channel});
    for name in ["audio_url", "text"] {
        if let Some(value) = played.get(name) {
            d[name] = value.clone();
        }
    }
    push(state, event, &d);
}
