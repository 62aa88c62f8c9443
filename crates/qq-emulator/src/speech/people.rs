//! Somebody new comes.

use serde_json::json;

use super::push_event;
use crate::clock::rfc3339;
use crate::feed::Signal;
use crate::platform::State;
use crate::world::{Direct, GroupMember, GuildMember, User};

/// Users that a world may have.
const MOST: usize = 10_000;
/// The longest name, in characters.
const MOST_NAME: usize = 32;

/// Adds a user to the world who is nowhere a member yet.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn stranger(state: &mut State, name: &str) -> Result<User, String> {
    let user = check(state, name)?;
    state.world.users.push(user.clone());
    state.feed.signal(Signal::World);
    Ok(user)
}

/// Adds a user to the world: a friend of the bot, a member of every group and guild.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn join(state: &mut State, name: &str) -> Result<User, String> {
    let user = check(state, name)?;
    state.world.users.push(user.clone());
    let now = state.clock.now();
    let joined_at = rfc3339(now);
    let d = json!({
        "openid": user.openid, "timestamp": now / 1000, "scene": 1001, "scene_param": "",
        "author": {"union_openid": ""},
    });
    push_event(state, "FRIEND_ADD", None, &d, None);
    let groups = state.world.groups.iter_mut();
    let groups: Vec<String> = groups
        .map(|group| {
            group.members.push(GroupMember {
                openid: user.openid.clone(),
                role: "member".into(),
                joined_at: joined_at.clone(),
            });
            group.id.clone()
        })
        .collect();
    for group in groups {
        let d = json!({
            "timestamp": now / 1000, "group_openid": group,
            "member_openid": user.openid, "user_openid": user.openid,
        });
        push_event(state, "GROUP_MEMBER_ADD", None, &d, None);
    }
    let guilds = state.world.guilds.iter_mut();
    let guilds: Vec<String> = guilds
        .map(|guild| {
            guild.members.push(GuildMember {
                user_id: user.id.clone(),
                roles: vec!["1".into()],
                joined_at: joined_at.clone(),
            });
            guild.id.clone()
        })
        .collect();
    for guild in &guilds {
        let d = json!({
            "guild_id": guild, "joined_at": joined_at, "nick": user.name, "op_user_id": user.id,
            "roles": ["1"],
            "user": {
                "id": user.id, "username": user.name, "avatar": user.avatar, "bot": false,
            },
        });
        push_event(state, "GUILD_MEMBER_ADD", None, &d, None);
    }
    if let Some(guild) = guilds.into_iter().next() {
        let direct = Direct {
            guild_id: state.ids.snowflake(),
            channel_id: state.ids.channel(),
            user_id: user.id.clone(),
            src_guild_id: guild,
        };
        state.world.direct.push(direct);
    }
    state.feed.signal(Signal::World);
    Ok(user)
}

/// Somebody new of this name.
fn check(state: &mut State, name: &str) -> Result<User, String> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > MOST_NAME || name.chars().any(char::is_control) {
        return Err(format!("name: give 1 to {MOST_NAME} characters"));
    }
    if state.world.users.iter().any(|known| known.name == name) {
        return Err(format!(
            "name: there is a user {name:?} already; give another"
        ));
    }
    if state.world.users.len() >= MOST {
        return Err(format!(
            "name: the world has {MOST} users; POST reset begins anew"
        ));
    }
    Ok(User {
        id: state.ids.snowflake(),
        openid: state.ids.openid(),
        name: name.to_owned(),
        avatar: format!("https://example.com/avatar/{}.png", state.world.users.len()),
    })
}
