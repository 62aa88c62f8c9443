//! People, and the bot, come and go.

use serde_json::{Value, json};

use super::Done;
use crate::clock::rfc3339;
use crate::platform::State;
use crate::rest;
use crate::speech::{self, Place, Say};
use crate::world::messages::Scene;
use crate::world::{Channel, Direct, GroupMember, Guild, GuildMember, JoinRequest};

/// People who may ask to join one group at once.
const MOST_REQUESTS: usize = 1_000;

fn done(event: (String, usize)) -> Done {
    Done {
        event_id: event.0,
        ..Done::default()
    }
}

/// The guild of a channel.
fn guild_of(state: &State, at: &Place) -> String {
    let channel = state.world.channel(&at.conversation);
    channel.map_or_else(String::new, |channel| channel.guild_id.clone())
}

fn push(state: &mut State, name: &str, d: &Value) -> Done {
    done(speech::push_event(state, name, None, d, None))
}

pub(super) fn join(state: &mut State, scene: Scene, at: &Place) -> Result<Done, String> {
    let joined_at = rfc3339(state.clock.now());
    let user = &at.author;
    match scene {
        Scene::Group => {
            let banned = state.store.groups.get(&at.conversation);
            if banned.is_some_and(|notes| notes.is_banned(&user.openid)) {
                return Err("author: is on the group's blacklist".into());
            }
            let group = state
                .world
                .group_mut(&at.conversation)
                .ok_or("conversation: no group")?;
            if group.members.iter().any(|m| m.openid == user.openid) {
                return Err("author: is a member already".into());
            }
            group
                .join_requests
                .retain(|request| request.user.openid != user.openid);
            group.members.push(GroupMember {
                openid: user.openid.clone(),
                role: "member".into(),
                joined_at,
            });
            Ok(tell_group(state, "GROUP_MEMBER_ADD", at))
        }
        Scene::Channel => {
            let guild_id = guild_of(state, at);
            let banned = state.store.guilds.get(&guild_id);
            if banned.is_some_and(|notes| notes.banned.contains(&user.id)) {
                return Err("author: is on the guild's blacklist".into());
            }
            let guild = state
                .world
                .guild_mut(&guild_id)
                .ok_or("conversation: no guild")?;
            if guild.member(&user.id).is_some() {
                return Err("author: is a member already".into());
            }
            guild.members.push(GuildMember {
                user_id: user.id.clone(),
                roles: vec!["1".into()],
                joined_at,
            });
            open_direct(state, &user.id, &guild_id);
            tell_guild(state, "GUILD_MEMBER_ADD", &guild_id, &user.id)
        }
        Scene::C2c | Scene::Direct => Err("scene: join a group, or a channel's guild".into()),
    }
}

/// A member of a guild can write to the bot alone.
fn open_direct(state: &mut State, user: &str, guild: &str) {
    if state
        .world
        .direct
        .iter()
        .any(|direct| direct.user_id == user)
    {
        return;
    }
    let direct = Direct {
        guild_id: state.ids.snowflake(),
        channel_id: state.ids.channel(),
        user_id: user.to_owned(),
        src_guild_id: guild.to_owned(),
    };
    state.world.direct.push(direct);
}

pub(super) fn leave(state: &mut State, scene: Scene, at: &Place) -> Result<Done, String> {
    let nobody = "author: is no member";
    match scene {
        Scene::Group => {
            let group = state
                .world
                .group_mut(&at.conversation)
                .ok_or("conversation: no group")?;
            let place = group
                .members
                .iter()
                .position(|m| m.openid == at.author.openid);
            group.members.remove(place.ok_or(nobody)?);
            let notes = state.store.group(&at.conversation);
            notes.muted.remove(&at.author.openid);
            Ok(tell_group(state, "GROUP_MEMBER_REMOVE", at))
        }
        Scene::Channel => {
            let guild_id = guild_of(state, at);
            let user = &at.author.id;
            let guild = state
                .world
                .guild(&guild_id)
                .ok_or("conversation: no guild")?;
            if guild.member(user).is_none() {
                return Err(nobody.into());
            }
            let told = tell_guild(state, "GUILD_MEMBER_REMOVE", &guild_id, user);
            if let Some(guild) = state.world.guild_mut(&guild_id) {
                guild.members.retain(|member| member.user_id != *user);
                for channel in guild.channels.iter().map(|channel| channel.id.clone()) {
                    if let Some(notes) = state.store.channels.get_mut(&channel) {
                        notes.listen(user, false);
                    }
                }
            }
            state.store.guild(&guild_id).muted.remove(user);
            told
        }
        Scene::C2c | Scene::Direct => Err("scene: leave a group, or a channel's guild".into()),
    }
}

fn tell_group(state: &mut State, event: &str, at: &Place) -> Done {
    let d = json!({
        "timestamp": state.clock.now() / 1000,
        "group_openid": at.conversation,
        "member_openid": at.author.openid,
        "user_openid": at.author.openid,
    });
    push(state, event, &d)
}

fn tell_guild(state: &mut State, event: &str, guild: &str, user: &str) -> Result<Done, String> {
    let d = rest::member_event(state, guild, user, user).ok_or("author: is no member")?;
    Ok(push(state, event, &d))
}

pub(super) fn ask_to_join(
    state: &mut State,
    scene: Scene,
    at: &Place,
    words: &str,
) -> Result<Done, String> {
    if scene != Scene::Group {
        return Err("scene: one asks to join groups only".into());
    }
    let id = state.ids.hex(160);
    let at_time = rfc3339(state.clock.now());
    let group = state
        .world
        .group_mut(&at.conversation)
        .ok_or("conversation: no group")?;
    if group.members.iter().any(|m| m.openid == at.author.openid) {
        return Err("author: is a member already".into());
    }
    if group.join_requests.len() >= MOST_REQUESTS {
        return Err(format!(
            "conversation: {MOST_REQUESTS} people ask to join already"
        ));
    }
    group
        .join_requests
        .retain(|request| request.user.openid != at.author.openid);
    let request = JoinRequest {
        id: id.clone(),
        user: at.author.clone(),
        message: words.to_owned(),
        at: at_time.clone(),
    };
    group.join_requests.push(request);
    let d = json!({
        "group_openid": at.conversation,
        "join_request_id": id,
        "member_openid": at.author.openid,
        "username": at.author.name,
        "apply_at": at_time,
        "apply_source": "self_apply",
        "verify_info": {"method": "verify_message", "verify_message": words},
    });
    Ok(push(state, "GROUP_JOIN_REQUEST", &d))
}

pub(super) fn befriend(state: &mut State, at: &Place, friend: bool) -> Done {
    let openid = &at.author.openid;
    let mut d = json!({
        "openid": openid,
        "timestamp": state.clock.now() / 1000,
        "author": {"union_openid": ""},
    });
    if friend {
        d["scene"] = 1001.into();
        d["scene_param"] = "".into();
        return push(state, "FRIEND_ADD", &d);
    }
    push(state, "FRIEND_DEL", &d)
}

pub(super) fn allow(
    state: &mut State,
    scene: Scene,
    at: &Place,
    allow: bool,
) -> Result<Done, String> {
    let timestamp = state.clock.now() / 1000;
    let change = if allow { "RECEIVE" } else { "REJECT" };
    // The store learns from the event who refuses.
    match scene {
        Scene::C2c => {
            let d = json!({"openid": at.author.openid, "timestamp": timestamp});
            Ok(push(state, &format!("C2C_MSG_{change}"), &d))
        }
        Scene::Group => {
            let d = json!({
                "group_openid": at.conversation,
                "op_member_openid": at.author.openid,
                "timestamp": timestamp,
            });
            Ok(push(state, &format!("GROUP_MSG_{change}"), &d))
        }
        // No event tells of these two.
        Scene::Channel => {
            let guild = guild_of(state, at);
            refuse(state, guild, !allow)
        }
        Scene::Direct => refuse(state, at.author.id.clone(), !allow),
    }
}

/// Remembers a guild, or a user of the guild side, as refusing.
fn refuse(state: &mut State, id: String, refuses: bool) -> Result<Done, String> {
    let refusing = &mut state.store.refusing;
    if refuses {
        refusing.insert(id);
    } else {
        refusing.remove(&id);
    }
    Ok(Done::default())
}

/// The platform tells the bot nothing of this, either.
pub(super) fn mute(
    state: &mut State,
    scene: Scene,
    at: &Place,
    mute: bool,
) -> Result<Done, String> {
    if scene != Scene::Group {
        return Err("scene: only groups mute the bot".into());
    }
    state.store.group(&at.conversation).bot_muted = mute;
    Ok(Done::default())
}

/// The bot comes back into a group or guild that it was thrown out of.
pub(super) fn bring(state: &mut State, place: &Say) -> Result<Done, String> {
    let key = place.conversation.as_deref();
    let author = place
        .author
        .as_deref()
        .and_then(|key| state.world.user(key));
    let author = author.or(state.world.users.first()).cloned();
    let author = author.ok_or("author: the world has no users")?;
    let named = |known: &str, name: &str| key.is_none_or(|key| key == known || key == name);
    let nowhere = "conversation: the bot was not thrown out of there";
    match place.scene() {
        Scene::Group => {
            let left = &mut state.world.left_groups;
            let index = left.iter().position(|group| named(&group.id, &group.name));
            let group = left.remove(index.ok_or(nowhere)?);
            let d = json!({
                "group_openid": group.id,
                "op_member_openid": author.openid,
                "timestamp": state.clock.now() / 1000,
            });
            state.world.groups.push(group);
            Ok(push(state, "GROUP_ADD_ROBOT", &d))
        }
        Scene::Channel => {
            let left = &mut state.world.left_guilds;
            let inside = |guild: &Guild| guild.channels.iter().any(|c| named(&c.id, &c.name));
            let index = left
                .iter()
                .position(|guild| named(&guild.id, &guild.name) || inside(guild));
            let guild = left.remove(index.ok_or(nowhere)?);
            let d = guild_event(state, &guild, &author.id);
            state.world.guilds.push(guild);
            Ok(push(state, "GUILD_CREATE", &d))
        }
        Scene::C2c | Scene::Direct => Err("scene: bring the bot into a group or a guild".into()),
    }
}

/// The group or guild stays as it is, without the bot: it can be brought back.
pub(super) fn throw_out(state: &mut State, scene: Scene, at: &Place) -> Result<Done, String> {
    match scene {
        Scene::Group => {
            let groups = &mut state.world.groups;
            let index = groups.iter().position(|group| group.id == at.conversation);
            let group = groups.remove(index.ok_or("conversation: no group")?);
            let d = json!({
                "group_openid": group.id,
                "op_member_openid": at.author.openid,
                "timestamp": state.clock.now() / 1000,
            });
            state.world.left_groups.push(group);
            let told = push(state, "GROUP_DEL_ROBOT", &d);
            // The event has made it known as a conversation.
            state.adopted.remove(Scene::Group, &at.conversation);
            Ok(told)
        }
        Scene::Channel => {
            let guild_id = guild_of(state, at);
            let guilds = &mut state.world.guilds;
            let index = guilds.iter().position(|guild| guild.id == guild_id);
            let guild = guilds.remove(index.ok_or("conversation: no guild")?);
            let d = guild_event(state, &guild, &at.author.id);
            for channel in &guild.channels {
                state.adopted.remove(Scene::Channel, &channel.id);
            }
            state.world.left_guilds.push(guild);
            Ok(push(state, "GUILD_DELETE", &d))
        }
        Scene::C2c | Scene::Direct => Err("scene: throw the bot out of a group or a guild".into()),
    }
}

fn guild_event(state: &State, guild: &Guild, op_user: &str) -> Value {
    let bot = state.world.bots.first().map_or("", |bot| &bot.id);
    let mut d = rest::guild_view(guild, bot);
    d["op_user_id"] = op_user.into();
    d
}

pub(super) fn listen(
    state: &mut State,
    scene: Scene,
    at: &Place,
    enter: bool,
) -> Result<Done, String> {
    let channel = match scene {
        Scene::Channel => state.world.channel(&at.conversation),
        _ => None,
    };
    let channel = channel
        .filter(|channel| matches!(channel.kind, Channel::VOICE | Channel::LIVE))
        .ok_or("conversation: give a voice or live channel of a guild")?;
    let d = json!({
        "guild_id": channel.guild_id,
        "channel_id": channel.id,
        "channel_type": channel.kind,
        "user_id": at.author.id,
    });
    let id = channel.id.clone();
    // The store learns from the event who listens, where notes exist.
    state.store.channel(&id);
    let event = if enter {
        "AUDIO_OR_LIVE_CHANNEL_MEMBER_ENTER"
    } else {
        "AUDIO_OR_LIVE_CHANNEL_MEMBER_EXIT"
    };
    Ok(push(state, event, &d))
}
