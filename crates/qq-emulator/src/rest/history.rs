//! Messages that were sent: shown, edited, taken back.

use serde_json::{Map, Value, json};

use super::content::{self, present, text};
use super::error::Refusal;
use super::messages::{self, Outgoing};
use super::reads::{bot_id, find_channel, limit};
use super::{Answer, Call, Handler, body, safety};
use crate::clock::rfc3339;
use crate::platform::State;
use crate::speech;
use crate::violations::Finding;
use crate::world::messages::{Answerable, Scene};

const BAD_PARAMETER: i64 = 50_035;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "list_channel_messages" => list,
        "get_dms_message" => get_direct,
        "edit_channel_message" => edit,
        "delete_channel_message" => |state, call, _| recall_in_guild(state, call, Scene::Channel),
        "delete_dms_message" => |state, call, _| recall_in_guild(state, call, Scene::Direct),
        "delete_group_message" => |state, call, _| recall(state, call, Scene::Group),
        "delete_c2c_message" => |state, call, _| recall(state, call, Scene::C2c),
        "post_channel_setting_guide" => {
            |state, call, findings| setting_guide(state, call, Scene::Channel, findings)
        }
        "post_dms_setting_guide" => {
            |state, call, findings| setting_guide(state, call, Scene::Direct, findings)
        }
        _ => return None,
    })
}

/// A message of a conversation as the guild-side routes show it.
pub(super) fn find<'a>(
    state: &'a State,
    conversation: &str,
    id: &str,
    unknown: i64,
    elsewhere: i64,
) -> Result<&'a Value, Box<Refusal>> {
    let message = state.memory.get(id).filter(|message| !message.recalled);
    let message = message.ok_or_else(|| Refusal::unknown(unknown, "message", id))?;
    if message.conversation.as_deref() != Some(conversation) {
        return Err(Refusal::unknown(elsewhere, "message of this channel", id));
    }
    let body = message.body.as_ref();
    body.ok_or_else(|| Refusal::unknown(unknown, "message", id))
}

/// The newest first; around, before or after a message.
fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = find_channel(state, call)?;
    let limit = limit(call, 20, 20)?;
    let all: Vec<(&str, &Value)> = state.memory.shown(&channel.id).collect();
    let mut anchors = ["around", "before", "after"]
        .into_iter()
        .filter_map(|name| Some((name, call.query(name).filter(|id| !id.is_empty())?)));
    let (anchor, rest) = (anchors.next(), anchors.next());
    if rest.is_some() {
        let why = "around, before and after exclude each other";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let range = match anchor {
        None => 0..limit,
        Some((name, id)) => {
            let place = all.iter().position(|(known, _)| *known == id);
            let place = place.ok_or_else(|| Refusal::unknown(306_002, "message", id))?;
            match name {
                "before" => place + 1..place + 1 + limit,
                "after" => place.saturating_sub(limit)..place,
                _ => {
                    let start = place.saturating_sub(limit / 2);
                    start..start + limit
                }
            }
        }
    };
    let end = range.end.min(all.len());
    let page = all.get(range.start.min(end)..end).unwrap_or_default();
    Ok(page.iter().map(|(_, message)| (*message).clone()).collect())
}

fn get_direct(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let id = call.param("message_id");
    find(state, call.param("guild_id"), id, 304_026, 304_026).cloned()
}

/// Only own messages with buttons.
fn edit(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let (channel, id) = (call.param("channel_id"), call.param("message_id"));
    find(state, channel, id, 306_002, 306_007)?;
    let bot = bot_id(state, call);
    let message = state.memory.get(id);
    if message.is_none_or(|message| message.author != bot) {
        let why = "message_id: only own messages can be edited";
        return Err(Refusal::value(50_051, why));
    }
    if message.is_none_or(|message| !message.has_keyboard) {
        let why = "message_id: only messages with a keyboard can be edited";
        return Err(Refusal::value(50_049, why));
    }
    let keyboard = present(fields, "keyboard");
    let keyboard = keyboard.ok_or_else(|| Refusal::value(50_050, "keyboard is empty"))?;
    if let Some(markdown) = present(fields, "markdown") {
        let mut parts = Map::new();
        parts.insert("markdown".into(), markdown.clone());
        parts.insert("keyboard".into(), keyboard.clone());
        content::check(Scene::Channel, &parts, findings)?;
        content::check_grants(Scene::Channel, &parts, &state.settings)?;
    }
    safety::check(state, 3_300_006, fields.values())?;
    let edited = rfc3339(state.clock.now());
    let mut answer = Value::Null;
    if let Some(body) = state.memory.get_mut(id).and_then(|m| m.body.as_mut()) {
        body["edited_timestamp"] = edited.into();
        answer = body.clone();
    }
    if let Some(item) = state.timeline.find_mut(|item| item.message_id == id) {
        let body = item.body.get_or_insert_with(|| json!({}));
        body["keyboard"] = keyboard.clone();
        if let Some(markdown) = present(fields, "markdown") {
            body["markdown"] = markdown.clone();
            if let Some(text) = markdown["content"].as_str() {
                text.clone_into(&mut item.content);
            }
        }
    }
    state.feed.message(id);
    Ok(answer)
}

/// The answer is the same when the message was taken back before.
fn recall_in_guild(state: &mut State, call: &Call, scene: Scene) -> Answer {
    if !matches!(call.query("hidetip"), None | Some("" | "true" | "false")) {
        let why = "hidetip must be true or false, in lower case";
        return Err(Refusal::value(306_001, why));
    }
    let conversation = match scene {
        Scene::Direct => call.param("guild_id"),
        _ => call.param("channel_id"),
    };
    let id = call.param("message_id");
    messages::check_conversation(state, scene, conversation)?;
    let message = find(state, conversation, id, 306_002, 306_007)?.clone();
    let known = state.memory.get(id);
    let own = known.is_some_and(|known| known.by_bot);
    if !own && (scene == Scene::Direct || !outranks(state, call, conversation, known)) {
        let why = "message_id: the bot may not recall the messages of this user";
        return Err(Refusal::value(306_004, why));
    }
    let age = known.map_or(0, |known| state.clock.now().saturating_sub(known.at));
    let window = state.settings.guild_recall_window;
    if window > 0 && age > window {
        return Err(too_old(306_011, age, window));
    }
    let operator = bot_id(state, call);
    speech::take_back_in_guild(state, scene, id, &message, &operator);
    Ok(json!({}))
}

/// An administrator may recall what members wrote, not what other administrators wrote.
fn outranks(state: &State, call: &Call, channel: &str, message: Option<&Answerable>) -> bool {
    let channel = state.world.channel(channel);
    let guild = channel.and_then(|channel| state.world.guild(&channel.guild_id));
    let (Some(guild), Some(message)) = (guild, message) else {
        return false;
    };
    let administers = |user: &str| {
        guild.member(user).is_some_and(|member| {
            let mut roles = member.roles.iter();
            roles.any(|role| matches!(role.as_str(), "2" | "4"))
        })
    };
    administers(&bot_id(state, call)) && !administers(&message.author)
}

/// Own messages within two minutes; in groups an administrator recalls those of members, too.
fn recall(state: &mut State, call: &Call, scene: Scene) -> Answer {
    let (conversation, unknown, elsewhere) = match scene {
        Scene::Group => (call.param("group_openid"), 40_061_001, 306_007),
        _ => (call.param("user_openid"), 40_061_002, 306_009),
    };
    let id = call.param("message_id");
    messages::check_conversation(state, scene, conversation)?;
    let message = state
        .memory
        .get(id)
        .filter(|message| message.scene == Some(scene));
    let message = message.ok_or_else(|| Refusal::unknown(unknown, "message", id))?;
    if message.conversation.as_deref() != Some(conversation) {
        return Err(Refusal::unknown(
            elsewhere,
            "message of this conversation",
            id,
        ));
    }
    if message.recalled {
        return Ok(json!({}));
    }
    if !message.by_bot {
        let group = state.world.group(conversation);
        let may = scene == Scene::Group
            && group.is_some_and(|group| {
                let author = group.members.iter().find(|m| m.openid == message.author);
                group.bot_role != "member" && author.is_none_or(|author| author.role == "member")
            });
        if !may {
            let code = if scene == Scene::Group {
                40_062_003
            } else {
                306_008
            };
            let why = "message_id: the bot may not recall the messages of this user";
            return Err(Refusal::value(code, why));
        }
    }
    let age = state.clock.now().saturating_sub(message.at);
    let window = state.settings.recall_window;
    if message.by_bot && age > window {
        return Err(too_old(40_064_004, age, window));
    }
    speech::take_back(state, id);
    Ok(json!({}))
}

fn too_old(code: i64, age: u64, window: u64) -> Box<Refusal> {
    Refusal::code(code).finding(Finding::warn(
        "rest.recall.expired",
        "a message is recalled within its window",
        format!(
            "it is {} s old, the window is {} s",
            age / 1000,
            window / 1000
        ),
    ))
}

/// A card for administrators.
fn setting_guide(
    state: &mut State,
    call: &Call,
    scene: Scene,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, 304_051, findings)?;
    let conversation = match scene {
        Scene::Direct => call.param("guild_id"),
        _ => call.param("channel_id"),
    };
    messages::check_conversation(state, scene, conversation)?;
    if scene == Scene::Channel && text(fields, "content").is_none() {
        return Err(Refusal::value(304_051, "content is empty"));
    }
    let message = Outgoing {
        app_id: call.app_id.clone(),
        scene,
        conversation: conversation.to_owned(),
        fields: fields.clone(),
        raw: call.body.raw.clone(),
        reply_to: None,
        id: None,
        file: None,
    };
    Ok(messages::deliver(state, &message))
}
