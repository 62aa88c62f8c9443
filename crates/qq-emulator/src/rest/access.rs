//! Who may call a route, and how often.

use http::StatusCode;

use super::Call;
use super::error::Refusal;
use crate::platform::State;
use crate::violations::Finding;
use crate::world::Guild;

/// Roles of a guild that administer it.
const ADMINISTRATORS: [&str; 2] = ["2", "4"];

/// Checks the table's conditions for the route.
pub(super) fn check(state: &mut State, call: &Call) -> Result<(), Box<Refusal>> {
    check_rate(state, call)?;
    let terms = call.route.terms;
    if terms.private_domain && !state.settings.private_domain {
        return Err(refuse(11_253, "the bot is not of the private domain"));
    }
    if terms.invited && !state.settings.invited {
        return Err(refuse(11_253, "the bot was not invited to this call"));
    }
    if terms.guild_administrator && !administers_guild(state, call) {
        return Err(refuse(
            11_282,
            "the bot is no administrator of the guild: it has neither role 2 nor role 4",
        ));
    }
    if terms.group_administrator && !administers_group(state, call) {
        return Err(refuse(11_703, "the bot is no administrator of the group"));
    }
    Ok(())
}

fn check_rate(state: &mut State, call: &Call) -> Result<(), Box<Refusal>> {
    let (Some(rate), true) = (call.route.rate, state.settings.route_limits) else {
        return Ok(());
    };
    let now = state.clock.now();
    // Messages to channels are counted for each channel, and have a number of their own.
    let (key, code) = if call.route.id == "send_channel_message" {
        let channel = call.param("channel_id");
        (format!("rate/{}/{channel}", call.route.id), 20_028)
    } else {
        let key = format!("rate/{}/{}", call.app_id, call.route.id);
        (key, 100_017)
    };
    if state.quotas.used_up(&key, now, rate.window, rate.calls) {
        let why = format!("{} calls within {} ms", rate.calls, rate.window);
        return Err(
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, code).finding(Finding::warn(
                "rest.rate",
                "a route is called at most as often as its page says",
                why,
            )),
        );
    }
    state.quotas.done(key, now);
    Ok(())
}

/// A guild that does not exist is the handler's matter.
fn administers_guild(state: &State, call: &Call) -> bool {
    let world = &state.world;
    let guild_id = match world.channel(call.param("channel_id")) {
        Some(channel) => &channel.guild_id,
        None => call.param("guild_id"),
    };
    let (Some(guild), Some(bot)) = (world.guild(guild_id), world.bot(&call.app_id)) else {
        return true;
    };
    administers(guild, &bot.id)
}

/// Whether a member has a role that administers the guild.
pub(super) fn administers(guild: &Guild, user: &str) -> bool {
    guild.member(user).is_some_and(|member| {
        member
            .roles
            .iter()
            .any(|role| ADMINISTRATORS.contains(&role.as_str()))
    })
}

fn administers_group(state: &State, call: &Call) -> bool {
    state
        .world
        .groups
        .iter()
        .find(|group| group.id == call.param("group_openid"))
        .is_none_or(|group| group.bot_role != "member")
}

fn refuse(code: i64, why: &str) -> Box<Refusal> {
    Refusal::code(code).finding(Finding::warn(
        "rest.permission",
        "a bot calls what it may call",
        why,
    ))
}
