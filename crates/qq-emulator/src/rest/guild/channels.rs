//! Channels are made, changed and deleted.

use serde_json::{Map, Value, json};

use super::push;
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, channel_view, find_channel, find_guild};
use crate::rest::{Answer, Call, body, safety};
use crate::violations::Finding;
use crate::world::messages::Scene;
use crate::world::{Channel, Guild};

const BAD_PARAMETER: i64 = 50_035;
/// Channels of one guild.
const MOST: usize = 500;
const KINDS: [u32; 6] = [
    Channel::TEXT,
    Channel::VOICE,
    Channel::CATEGORY,
    Channel::LIVE,
    Channel::APPLICATION,
    Channel::FORUM,
];

pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    if guild.channels.len() >= MOST {
        return Err(Refusal::value(200_011, "a guild has at most 500 channels"));
    }
    let kind = number(fields, "type")?.unwrap_or(Channel::TEXT);
    if !KINDS.contains(&kind) {
        let why = format!("type must be one of {KINDS:?}");
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let mut channel = Channel {
        id: String::new(),
        guild_id: guild.id.clone(),
        name: String::new(),
        kind,
        position: u32::MAX,
        sub_type: 0,
        parent_id: "0".into(),
        owner_id: bot_id(state, call),
        private_type: 0,
        speak_permission: 1,
        application_id: "0".into(),
        private_user_ids: Vec::new(),
    };
    change(guild, &mut channel, fields)?;
    if channel.name.is_empty() {
        return Err(Refusal::value(200_016, "name is empty"));
    }
    safety::check(state, 200_011, fields.values())?;
    loop {
        channel.id = state.ids.channel();
        if state.world.channel(&channel.id).is_none() {
            break;
        }
    }
    let id = channel.id.clone();
    if let Some(guild) = state.world.guild_mut(call.param("guild_id")) {
        let position = channel.position;
        guild.channels.push(channel);
        place(guild, &id, position);
    }
    announce(state, call, "CHANNEL_CREATE", &id);
    view(state, &id)
}

pub(super) fn modify(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let mut channel = find_channel(state, call)?.clone();
    if let Some(guild) = state.world.guild(&channel.guild_id) {
        change(guild, &mut channel, fields)?;
    }
    if channel.name.is_empty() {
        return Err(Refusal::value(200_016, "name is empty"));
    }
    safety::check(state, 200_011, fields.values())?;
    let (id, position) = (channel.id.clone(), channel.position);
    let guild_id = channel.guild_id.clone();
    if let Some(known) = state.world.channel_mut(&id) {
        *known = channel;
    }
    if fields.get("position").is_some_and(|value| !value.is_null())
        && let Some(guild) = state.world.guild_mut(&guild_id)
    {
        place(guild, &id, position);
    }
    announce(state, call, "CHANNEL_UPDATE", &id);
    view(state, &id)
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?.clone();
    announce(state, call, "CHANNEL_DELETE", &channel.id);
    if let Some(guild) = state.world.guild_mut(&channel.guild_id) {
        guild.channels.retain(|known| known.id != channel.id);
        for child in &mut guild.channels {
            if child.parent_id == channel.id {
                child.parent_id = "0".into();
            }
        }
        renumber(guild);
    }
    state.store.channels.remove(&channel.id);
    state.seqs.remove(&channel.id);
    state.adopted.remove(Scene::Channel, &channel.id);
    Ok(json!({}))
}

/// Takes over the members that are present.
fn change(
    guild: &Guild,
    channel: &mut Channel,
    fields: &Map<String, Value>,
) -> Result<(), Box<Refusal>> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if let Some(name) = text("name") {
        name.clone_into(&mut channel.name);
    }
    if let Some(position) = number(fields, "position")? {
        let least = if channel.kind == Channel::CATEGORY {
            2
        } else {
            1
        };
        if position < least {
            let why = format!("position must be at least {least}");
            return Err(Refusal::value(200_017, why));
        }
        channel.position = position;
    }
    if let Some(parent) = text("parent_id").filter(|parent| *parent != channel.parent_id) {
        let parent = if parent.is_empty() { "0" } else { parent };
        if channel.kind == Channel::CATEGORY && parent != "0" {
            let why = "parent_id: a category has no category";
            return Err(Refusal::value(130_008, why));
        }
        let known = guild
            .channels
            .iter()
            .any(|known| known.id == parent && known.kind == Channel::CATEGORY);
        if parent != "0" && !known {
            let why = "parent_id must be a category of the guild, or 0";
            return Err(Refusal::value(200_019, why));
        }
        parent.clone_into(&mut channel.parent_id);
    }
    for (name, most, target) in [
        ("private_type", 2, &mut channel.private_type),
        ("speak_permission", 2, &mut channel.speak_permission),
        ("sub_type", 3, &mut channel.sub_type),
    ] {
        if let Some(value) = number(fields, name)? {
            if value > most {
                let why = format!("{name} must be at most {most}");
                return Err(Refusal::value(BAD_PARAMETER, why));
            }
            *target = value;
        }
    }
    if let Some(application) = text("application_id") {
        application.clone_into(&mut channel.application_id);
    }
    if let Some(users) = fields.get("private_user_ids").and_then(Value::as_array) {
        channel.private_user_ids = users
            .iter()
            .filter_map(Value::as_str)
            .filter(|id| guild.member(id).is_some())
            .map(str::to_owned)
            .collect();
    }
    Ok(())
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<u32>, Box<Refusal>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => {
                let why = format!("{name} must be a small positive number");
                Err(Refusal::value(BAD_PARAMETER, why))
            }
        },
    }
}

/// Puts a channel at its position; the others make room, as the server renumbers.
fn place(guild: &mut Guild, id: &str, position: u32) {
    for channel in &mut guild.channels {
        if channel.id == id {
            channel.position = position;
        } else if channel.position >= position {
            channel.position = channel.position.saturating_add(1);
        }
    }
    renumber(guild);
}

/// Positions count from 1 without gaps.
fn renumber(guild: &mut Guild) {
    let mut order: Vec<(u32, usize)> = guild
        .channels
        .iter()
        .enumerate()
        .map(|(index, channel)| (channel.position, index))
        .collect();
    order.sort_unstable();
    for ((_, index), position) in order.into_iter().zip(1..) {
        guild.channels[index].position = position;
    }
}

fn announce(state: &mut State, call: &Call, event: &str, id: &str) {
    let operator = bot_id(state, call);
    if let Some(channel) = state.world.channel(id) {
        let d = json!({
            "id": channel.id,
            "guild_id": channel.guild_id,
            "name": channel.name,
            "type": channel.kind,
            "sub_type": channel.sub_type,
            "position": channel.position,
            "owner_id": channel.owner_id,
            "op_user_id": operator,
        });
        push(state, event, &d);
    }
}

fn view(state: &State, id: &str) -> Answer {
    state
        .world
        .channel(id)
        .map(channel_view)
        .ok_or_else(|| Refusal::unknown(200_013, "channel", id))
}
