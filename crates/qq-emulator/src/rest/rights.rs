//! Whether a bot may write into a conversation at all, be it an answer or not.

use super::access;
use super::error::Refusal;
use crate::platform::State;
use crate::violations::Finding;
use crate::world::messages::Scene;

/// `PrivateType`: everybody sees the channel, or nobody but those who administer the guild.
const PUBLIC: u32 = 0;
const ADMINISTRATORS_ONLY: u32 = 1;

pub(super) fn check(
    state: &State,
    scene: Scene,
    conversation: &str,
    app_id: &str,
) -> Result<(), Box<Refusal>> {
    match scene {
        Scene::Group if is_muted(state, conversation) => {
            Err(refuse(40_054_002, "the bot is muted in the group"))
        }
        Scene::C2c if state.store.strangers.contains(conversation) => {
            Err(refuse(40_054_004, "the user has removed the bot"))
        }
        Scene::Channel if !sees(state, conversation, app_id) => {
            let why = "the channel is private and the bot is not among those who see it";
            Err(refuse(1_100_306, why))
        }
        Scene::Direct => {
            let direct = state.world.direct(conversation);
            direct.map_or(Ok(()), |direct| check_direct(state, &direct.user_id))
        }
        Scene::Group | Scene::C2c | Scene::Channel => Ok(()),
    }
}

/// Whether the group has muted the bot.
pub(super) fn is_muted(state: &State, group: &str) -> bool {
    let notes = state.store.groups.get(group);
    notes.is_some_and(|notes| notes.bot_muted)
}

/// Whether this user takes direct messages of the guild side.
pub(super) fn check_direct(state: &State, user: &str) -> Result<(), Box<Refusal>> {
    if state.store.refusing.contains(user) {
        return Err(refuse(304_031, "the user takes no direct messages"));
    }
    Ok(())
}

fn sees(state: &State, channel: &str, app_id: &str) -> bool {
    let world = &state.world;
    let Some(channel) = world.channel(channel) else {
        return true;
    };
    let (Some(guild), Some(bot)) = (world.guild(&channel.guild_id), world.bot(app_id)) else {
        return true;
    };
    channel.private_type == PUBLIC
        || access::administers(guild, &bot.id)
        || (channel.private_type != ADMINISTRATORS_ONLY
            && channel.private_user_ids.contains(&bot.id))
}

pub(super) fn refuse(code: i64, why: &str) -> Box<Refusal> {
    Refusal::code(code).finding(Finding::warn(
        "rest.permission",
        "a bot calls what it may call",
        why,
    ))
}
