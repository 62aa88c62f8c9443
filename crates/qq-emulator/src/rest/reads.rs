//! Routes that only look at the world.

use serde_json::{Value, json};

use super::error::Refusal;
use super::{Answer, Call, Handler};
use crate::platform::State;
use crate::violations::Finding;
use crate::world::{Channel, Guild, GuildMember, World};

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "get_me" => get_me,
        "list_my_guilds" => list_my_guilds,
        "get_guild" => get_guild,
        "list_guild_channels" => list_guild_channels,
        "get_channel" => get_channel,
        "list_guild_members" => list_guild_members,
        "get_guild_member" => get_guild_member,
        "get_channel_message" => get_message,
        _ => return None,
    })
}

fn get_me(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let bot = state
        .world
        .bot(&call.app_id)
        .ok_or_else(|| Refusal::code(11_251))?;
    Ok(json!({
        "id": bot.id,
        "username": bot.name,
        "avatar": bot.avatar,
        "bot": true,
        "union_openid": bot.openid,
        "union_user_account": "",
        "share_url": format!("https://example.com/bot/{}", bot.app_id),
        "welcome_msg": "",
    }))
}

/// Sorted by id, so that `after` and `before` end.
fn list_my_guilds(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let mut guilds: Vec<&Guild> = state.world.guilds.iter().collect();
    guilds.sort_by_key(|guild| number(&guild.id));
    let limit = limit(call, 100, 100)?;
    let bot_id = bot_id(state, call);
    let chosen: Vec<&Guild> = match (call.query("before"), call.query("after")) {
        // The platform reverses the list first, then pages; `after` is ignored.
        (Some(before), _) => guilds
            .into_iter()
            .rev()
            .filter(|guild| number(&guild.id) < number(before))
            .take(limit)
            .collect(),
        (None, after) => guilds
            .into_iter()
            .filter(|guild| number(&guild.id) > number(after.unwrap_or("0")))
            .take(limit)
            .collect(),
    };
    Ok(chosen
        .into_iter()
        .map(|guild| guild_view(guild, &bot_id))
        .collect())
}

fn get_guild(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    Ok(guild_view(find_guild(state, call)?, &bot_id(state, call)))
}

fn list_guild_channels(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    Ok(guild.channels.iter().map(channel_view).collect())
}

fn get_channel(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?;
    Ok(channel_view(channel))
}

fn list_guild_members(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let limit = limit(call, 1, 400)?;
    let after = call.query("after").unwrap_or("0");
    let mut members: Vec<&GuildMember> = guild.members.iter().collect();
    members.sort_by_key(|member| number(&member.user_id));
    Ok(members
        .into_iter()
        .filter(|member| number(&member.user_id) > number(after))
        .take(limit)
        .map(|member| member_view(member, &state.world))
        .collect())
}

fn get_guild_member(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let id = call.param("user_id");
    let member = guild
        .member(id)
        .ok_or_else(|| Refusal::unknown(10_001, "member", id))?;
    let mut view = member_view(member, &state.world);
    view["mute"] = is_muted(state, &guild.id, id).into();
    Ok(view)
}

/// Whether the member may not speak now.
fn is_muted(state: &State, guild: &str, user: &str) -> bool {
    let now = state.clock.now();
    state.store.guilds.get(guild).is_some_and(|notes| {
        let until = notes.muted.get(user).copied();
        until
            .max(notes.muted_until)
            .is_some_and(|until| until > now)
    })
}

/// Wrapped in `message`, as most clients expect.
fn get_message(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let (channel, id) = (call.param("channel_id"), call.param("message_id"));
    let message = state
        .memory
        .get(id)
        .filter(|message| message.conversation.as_deref() == Some(channel) && !message.recalled)
        .and_then(|message| message.body.as_ref())
        .ok_or_else(|| Refusal::unknown(304_026, "message", id))?;
    Ok(json!({"message": message}))
}

pub(super) fn find_guild<'a>(state: &'a State, call: &Call) -> Result<&'a Guild, Box<Refusal>> {
    let id = call.param("guild_id");
    state
        .world
        .guild(id)
        .ok_or_else(|| Refusal::unknown(10_004, "guild", id))
}

pub(super) fn find_channel<'a>(state: &'a State, call: &Call) -> Result<&'a Channel, Box<Refusal>> {
    let id = call.param("channel_id");
    state
        .world
        .channel(id)
        .ok_or_else(|| Refusal::unknown(10_003, "channel", id))
}

pub(crate) fn guild_view(guild: &Guild, bot_id: &str) -> Value {
    json!({
        "id": guild.id,
        "name": guild.name,
        "icon": format!("https://example.com/guild/{}.png", guild.id),
        "owner_id": guild.owner_id,
        "owner": guild.owner_id == bot_id,
        "joined_at": guild.joined_at,
        "member_count": guild.members.len(),
        "max_members": 300,
        "description": "",
    })
}

pub(super) fn channel_view(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "guild_id": channel.guild_id,
        "name": channel.name,
        "type": channel.kind,
        "sub_type": channel.sub_type,
        "position": channel.position,
        "parent_id": channel.parent_id,
        "owner_id": channel.owner_id,
        "private_type": channel.private_type,
        "speak_permission": channel.speak_permission,
        "application_id": channel.application_id,
        "permissions": "7",
    })
}

pub(super) fn member_view(member: &GuildMember, world: &World) -> Value {
    let user = user_view(&member.user_id, world);
    json!({
        "nick": user["username"],
        "user": user,
        "roles": member.roles,
        "joined_at": member.joined_at,
    })
}

pub(super) fn user_view(id: &str, world: &World) -> Value {
    let bot = world.bots.iter().find(|bot| bot.id == id);
    let user = world.users.iter().find(|user| user.id == id);
    let (name, avatar) = match (bot, user) {
        (Some(bot), _) => (bot.name.as_str(), bot.avatar.as_str()),
        (None, Some(user)) => (user.name.as_str(), user.avatar.as_str()),
        (None, None) => ("", ""),
    };
    json!({
        "id": id,
        "username": name,
        "avatar": avatar,
        "bot": bot.is_some(),
        "union_openid": "",
        "union_user_account": "",
    })
}

pub(super) fn bot_id(state: &State, call: &Call) -> String {
    state
        .world
        .bot(&call.app_id)
        .map(|bot| bot.id.clone())
        .unwrap_or_default()
}

pub(super) fn limit(call: &Call, default: usize, most: usize) -> Result<usize, Box<Refusal>> {
    let Some(given) = call.query("limit") else {
        return Ok(default);
    };
    given
        .parse()
        .ok()
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| {
            let why = format!("limit must be a number from 1 to {most}");
            Refusal::code(50_035)
                .message(why.clone())
                .finding(Finding::error(
                    "rest.query",
                    "query parameters have documented values",
                    why,
                ))
        })
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}
