//! Schedules of a calendar channel.

use serde_json::{Map, Value, json};

use crate::clock::Millis;
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, find_channel, member_view};
use crate::rest::{Answer, Call, body, safety};
use crate::violations::Finding;
use crate::world::Channel;

const BAD_PARAMETER: i64 = 302_000;
const DAY: Millis = 24 * 3600 * 1000;
/// Beijing is ahead of UTC by this.
const BEIJING: Millis = 8 * 3600 * 1000;
/// Schedules kept of one channel.
const MOST: usize = 1_000;

/// Those that end after `since`, of the query or the body; without it those of today.
pub(super) fn list(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = calendar(state, call)?;
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let since =
        match call.query("since") {
            Some(text) => Some(text.parse().map_err(|_| {
                Refusal::value(BAD_PARAMETER, "since must be a time in milliseconds")
            })?),
            None => fields.get("since").and_then(Value::as_u64),
        };
    // As other clients do with numbers they do not know.
    let since = since.filter(|since| *since > 0);
    let now = state.clock.now();
    let midnight = (now + BEIJING) / DAY * DAY - BEIJING;
    let fits = |schedule: &Value| match since {
        Some(since) => time(schedule, "end_timestamp") > Some(since),
        None => {
            time(schedule, "end_timestamp") > Some(midnight)
                && time(schedule, "start_timestamp") < Some(midnight + DAY)
        }
    };
    let notes = state.store.channels.get(&channel.id);
    let found: Vec<&Value> = notes
        .into_iter()
        .flat_map(|notes| notes.schedules.values())
        .filter(|schedule| fits(schedule))
        .collect();
    if found.is_empty() && state.settings.empty_schedules_as_null {
        return Ok(Value::Null);
    }
    Ok(json!(found))
}

pub(super) fn get(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = calendar(state, call)?;
    let id = call.param("schedule_id");
    let notes = state.store.channels.get(&channel.id);
    notes
        .and_then(|notes| notes.schedules.get(&id.parse().ok()?))
        .cloned()
        .ok_or_else(|| Refusal::unknown(302_003, "schedule", id))
}

pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = calendar(state, call)?.clone();
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let mut schedule = read(state, &channel, fields)?;
    let now = state.clock.now();
    let key = format!("schedules/{}", call.app_id);
    let guild_key = format!("schedules/guild/{}", channel.guild_id);
    let most = state.settings.schedules_per_guild_day;
    if state.quotas.used_up(&guild_key, now, DAY, most) {
        let why = "the guild has got its schedules of this day";
        return Err(Refusal::value(302_021, why));
    }
    let most = state.settings.schedules_per_day;
    if state.quotas.used_up(&key, now, DAY, most)
        || state.store.channel(&channel.id).schedules.len() >= MOST
    {
        return Err(Refusal::value(
            302_012,
            "the bot has made its schedules of this day",
        ));
    }
    state.quotas.done(key, now);
    state.quotas.done(guild_key, now);
    let id = state.ids.snowflake();
    schedule["id"] = id.as_str().into();
    schedule["creator"] = creator(state, call, &channel);
    if let Ok(id) = id.parse() {
        let schedules = &mut state.store.channel(&channel.id).schedules;
        schedules.insert(id, schedule.clone());
    }
    Ok(schedule)
}

pub(super) fn modify(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = calendar(state, call)?.clone();
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let mut schedule = read(state, &channel, fields)?;
    let id = call.param("schedule_id");
    let schedules = &mut state.store.channel(&channel.id).schedules;
    let known = id.parse().ok().and_then(|id| schedules.get_mut(&id));
    let known = known.ok_or_else(|| Refusal::unknown(302_011, "schedule", id))?;
    schedule["id"] = id.into();
    schedule["creator"] = known["creator"].clone();
    known.clone_from(&schedule);
    Ok(schedule)
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = calendar(state, call)?.id.clone();
    let id = call.param("schedule_id");
    let schedules = &mut state.store.channel(&channel).schedules;
    match id.parse().ok().and_then(|id| schedules.remove(&id)) {
        Some(_) => Ok(Value::Null),
        None => Err(Refusal::unknown(302_011, "schedule", id)),
    }
}

fn calendar<'a>(state: &'a State, call: &Call) -> Result<&'a Channel, Box<Refusal>> {
    let channel = find_channel(state, call)?;
    if channel.is_calendar() {
        Ok(channel)
    } else {
        let why = "channel_id: not a calendar channel (type 10006, application_id 1000050)";
        Err(Refusal::value(BAD_PARAMETER, why))
    }
}

/// The schedule of a body, checked, without what the platform adds.
fn read(
    state: &State,
    channel: &Channel,
    fields: &Map<String, Value>,
) -> Result<Value, Box<Refusal>> {
    let none = Map::new();
    let given = fields.get("schedule").and_then(Value::as_object);
    let given = given.unwrap_or(&none);
    let whole = Value::Object(given.clone());
    safety::check(state, 302_013, [&whole])?;
    let moment = |name: &str| {
        time(&whole, name).ok_or_else(|| {
            let why = format!("schedule.{name} must be milliseconds as a string");
            Refusal::value(BAD_PARAMETER, why)
        })
    };
    let (start, end) = (moment("start_timestamp")?, moment("end_timestamp")?);
    if start < state.clock.now() {
        let why = "schedule.start_timestamp is in the past";
        return Err(Refusal::value(302_015, why));
    }
    if end <= start {
        let why = "schedule.end_timestamp is not after start_timestamp";
        return Err(Refusal::value(302_016, why));
    }
    if end - start > 7 * DAY {
        return Err(Refusal::value(302_014, "schedule: longer than 7 days"));
    }
    let jump = text(given, "jump_channel_id").unwrap_or("0");
    if jump != "0" {
        let code = match state.world.channel(jump) {
            None => Some(302_024),
            Some(target) if target.guild_id != channel.guild_id => Some(302_022),
            Some(target) if target.is_calendar() => Some(302_023),
            Some(_) => None,
        };
        if let Some(code) = code {
            let why = "schedule.jump_channel_id must be another channel of the guild, or 0";
            return Err(Refusal::value(code, why));
        }
    }
    let remind = text(given, "remind_type").unwrap_or("0");
    if !matches!(remind, "0" | "1" | "2" | "3" | "4" | "5") {
        let why = "schedule.remind_type must be a string from 0 to 5";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let name = text(given, "name").unwrap_or_default();
    if name.is_empty() {
        return Err(Refusal::value(BAD_PARAMETER, "schedule.name is empty"));
    }
    Ok(json!({
        "name": name,
        "description": text(given, "description").unwrap_or_default(),
        "start_timestamp": start.to_string(),
        "end_timestamp": end.to_string(),
        "jump_channel_id": jump,
        "remind_type": remind,
    }))
}

fn creator(state: &State, call: &Call, channel: &Channel) -> Value {
    let guild = state.world.guild(&channel.guild_id);
    let member = guild.and_then(|guild| guild.member(&bot_id(state, call)));
    let Some(view) = member.map(|member| member_view(member, &state.world)) else {
        return Value::Null;
    };
    let user = &view["user"];
    json!({
        "user": {"id": user["id"], "username": user["username"], "bot": user["bot"]},
        "nick": view["nick"],
        "joined_at": view["joined_at"],
    })
}

fn time(schedule: &Value, name: &str) -> Option<Millis> {
    schedule[name].as_str()?.parse().ok()
}
