//! The four routes that send a message.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::content::present;
use super::error::Refusal;
use super::{Answer, Call, body, content, replies};
use crate::clock::{rfc3339, rfc3339_millis};
use crate::platform::State;
use crate::views::{Author, OutboxEntry, TimelineItem};
use crate::violations::Finding;
use crate::world::events::unescape_html;
use crate::world::messages::{Answerable, Scene};

/// The scene that a route sends to.
pub(super) fn scene_of(route: &str) -> Option<Scene> {
    match route {
        "send_group_message" => Some(Scene::Group),
        "send_c2c_message" => Some(Scene::C2c),
        "send_channel_message" => Some(Scene::Channel),
        "send_dms_message" => Some(Scene::Direct),
        _ => None,
    }
}

/// Sends a message into a conversation.
pub(super) fn send(
    state: &mut State,
    call: &Call,
    scene: Scene,
    findings: &mut Vec<Finding>,
) -> Answer {
    let conversation = match scene {
        Scene::Group => call.param("group_openid"),
        Scene::C2c => call.param("user_openid"),
        Scene::Channel => call.param("channel_id"),
        Scene::Direct => call.param("guild_id"),
    };
    let bad_parameter = if scene.is_guild_side() {
        50_035
    } else {
        40_034_125
    };
    let fields = body::check(call, bad_parameter, findings)?;
    check_conversation(state, scene, conversation)?;
    check_online(state, scene, &call.app_id)?;
    content::check(scene, fields, findings)?;
    let reply = replies::check(state, scene, conversation, fields, findings)?;
    match &reply {
        Some(reply) => replies::record(state, reply),
        None => replies::spend_active(state, scene, conversation)?,
    }
    let reply_to = reply.map(|reply| reply.to);
    Ok(deliver(state, call, scene, conversation, fields, reply_to))
}

fn check_conversation(state: &State, scene: Scene, conversation: &str) -> Result<(), Box<Refusal>> {
    let world = &state.world;
    let known = match scene {
        Scene::Group => world.groups.iter().any(|group| group.id == conversation),
        Scene::C2c => world.users.iter().any(|user| user.openid == conversation),
        Scene::Channel => world.channel(conversation).is_some(),
        Scene::Direct => world.direct(conversation).is_some(),
    };
    if known || state.adopted.contains(scene, conversation) {
        return Ok(());
    }
    let code = match scene {
        Scene::Group | Scene::C2c => 11_255,
        Scene::Channel => 10_003,
        Scene::Direct => 304_032,
    };
    Err(Refusal::code(code).finding(Finding::error(
        "rest.conversation",
        "messages go to conversations of the bot",
        format!("there is no {} {conversation:?}", scene.as_str()),
    )))
}

fn check_online(state: &State, scene: Scene, app_id: &str) -> Result<(), Box<Refusal>> {
    let online = || {
        state
            .gateway
            .sessions
            .values()
            .any(|session| session.app_id == app_id && session.connection.is_some())
    };
    if !state.settings.require_session || state.webhooks.has(app_id) || online() {
        return Ok(());
    }
    let code = if scene.is_guild_side() {
        304_018
    } else {
        40_054_016
    };
    Err(Refusal::new(StatusCode::BAD_REQUEST, code))
}

/// Puts it into the outbox and the timeline; answers as the scene's route does.
fn deliver(
    state: &mut State,
    call: &Call,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
    reply_to: Option<String>,
) -> Value {
    let now = state.clock.now();
    let message_id = if scene.is_guild_side() {
        state.ids.guild_message()
    } else {
        state.ids.robot_message()
    };
    let answer = if scene.is_guild_side() {
        guild_message(state, call, scene, conversation, fields, &message_id)
    } else {
        json!({
            "id": message_id,
            "timestamp": rfc3339(now),
            "ext_info": {"ref_idx": state.ids.reference_index()},
        })
    };
    let capacity = state.settings.message_memory;
    let known = Answerable {
        scene: Some(scene),
        conversation: Some(conversation.to_owned()),
        at: now,
        by_bot: true,
        event: String::new(),
        body: scene.is_guild_side().then(|| answer.clone()),
    };
    state.memory.remember(capacity, message_id.clone(), known);
    let typing = fields.get("msg_type").and_then(Value::as_i64) == Some(6);
    if !typing {
        show(
            state,
            call,
            scene,
            conversation,
            fields,
            &message_id,
            reply_to.clone(),
        );
    }
    let at = rfc3339_millis(now);
    state.outbox.push(state.settings.log_size, |n| OutboxEntry {
        n,
        at,
        scene,
        conversation: conversation.to_owned(),
        message_id,
        reply_to,
        body: Value::Object(fields.clone()),
        raw: call.body.raw.clone(),
    });
    answer
}

/// The `Message` that answers a send on the guild side.
fn guild_message(
    state: &State,
    call: &Call,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
    id: &str,
) -> Value {
    let world = &state.world;
    let (channel_id, guild_id) = match scene {
        Scene::Direct => (
            world
                .direct(conversation)
                .map_or(conversation, |direct| &direct.channel_id),
            conversation,
        ),
        _ => (
            conversation,
            world
                .channel(conversation)
                .map_or("0", |channel| &channel.guild_id),
        ),
    };
    let bot = world.bot(&call.app_id);
    let mut message = json!({
        "id": id,
        "channel_id": channel_id,
        "guild_id": guild_id,
        "timestamp": rfc3339(state.clock.now()),
        "tts": false,
        "mention_everyone": false,
        "author": {
            "id": bot.map(|bot| &bot.id),
            "username": bot.map(|bot| &bot.name),
            "avatar": bot.map(|bot| &bot.avatar),
            "bot": true,
        },
        "embeds": [fields.get("embed").filter(|embed| !embed.is_null()).cloned().unwrap_or(json!({}))],
        "pinned": false,
        "type": 0,
        "flags": 0,
    });
    for name in ["content", "ark", "message_reference"] {
        if let Some(value) = present(fields, name) {
            message[name] = value.clone();
        }
    }
    if scene == Scene::Direct {
        message["direct_message"] = true.into();
    }
    message
}

/// Adds it to the timeline.
fn show(
    state: &mut State,
    call: &Call,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
    message_id: &str,
    reply_to: Option<String>,
) {
    let content = readable(scene, fields);
    let author = match state.world.bot(&call.app_id) {
        Some(bot) => Author {
            id: if scene.is_guild_side() {
                bot.id.clone()
            } else {
                bot.openid.clone()
            },
            name: bot.name.clone(),
            bot: true,
        },
        None => Author {
            id: call.app_id.clone(),
            name: call.app_id.clone(),
            bot: true,
        },
    };
    let at = rfc3339_millis(state.clock.now());
    state
        .timeline
        .push(state.settings.log_size, |n| TimelineItem {
            n,
            at,
            scene,
            conversation: conversation.to_owned(),
            message_id: message_id.to_owned(),
            author,
            content,
            reply_to,
            body: Some(Value::Object(fields.clone())),
        });
}

/// The text as a person reads it.
fn readable(scene: Scene, fields: &Map<String, Value>) -> String {
    let text = content::text(fields, "content")
        .or_else(|| present(fields, "markdown")?["content"].as_str());
    match text {
        Some(text) if scene.is_guild_side() => unescape_html(text),
        Some(text) => text.to_owned(),
        None => ["embed", "ark", "image", "file_image", "media", "markdown"]
            .into_iter()
            .find(|part| present(fields, part).is_some())
            .map(|part| format!("[{part}]"))
            .unwrap_or_default(),
    }
}
