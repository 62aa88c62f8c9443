//! Direct conversations are opened; how often a guild takes messages.

use serde_json::json;

use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::reads::find_guild;
use crate::rest::{Answer, Call, body, rights};
use crate::violations::Finding;
use crate::world::{Channel, Direct};

const BAD_PARAMETER: i64 = 50_035;
/// Direct conversations of the whole world.
const MOST: usize = 10_000;

/// One conversation for each user and guild: asking again gives the same.
pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let user = text(fields, "recipient_id").unwrap_or_default();
    let guild = text(fields, "source_guild_id").unwrap_or_default();
    let known = state
        .world
        .guild(guild)
        .ok_or_else(|| Refusal::unknown(10_004, "guild", guild))?;
    if known.member(user).is_none() || state.world.user(user).is_none_or(|known| known.id != user) {
        return Err(Refusal::unknown(304_034, "member", user));
    }
    rights::check_direct(state, user)?;
    let create_time = (state.clock.now() / 1000).to_string();
    let world = &mut state.world;
    let open = world
        .direct
        .iter()
        .position(|direct| direct.user_id == user && direct.src_guild_id == guild);
    let direct = match open {
        Some(place) => &world.direct[place],
        None if world.direct.len() >= MOST => {
            let why = "the emulator opens at most 10000 direct conversations";
            return Err(Refusal::value(304_033, why));
        }
        None => {
            world.direct.push(Direct {
                guild_id: state.ids.snowflake(),
                channel_id: state.ids.channel(),
                user_id: user.to_owned(),
                src_guild_id: guild.to_owned(),
            });
            &world.direct[world.direct.len() - 1]
        }
    };
    Ok(json!({
        "guild_id": direct.guild_id,
        "channel_id": direct.channel_id,
        "create_time": create_time,
    }))
}

pub(super) fn message_setting(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let channels: Vec<&str> = guild
        .channels
        .iter()
        .filter(|channel| channel.kind == Channel::TEXT)
        .map(|channel| channel.id.as_str())
        .collect();
    Ok(json!({
        "disable_create_dm": false,
        "disable_push_msg": state.store.refusing.contains(&guild.id),
        "channel_ids": channels,
        "channel_push_max_num": state.settings.active_per_channel_day,
    }))
}
