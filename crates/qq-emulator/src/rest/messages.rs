//! The four routes that send a message.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::content::present;
use super::error::Refusal;
use super::{Answer, Call, Handler, body, content, quotes, replies, rights, safety, uploads};
use crate::clock::{rfc3339, rfc3339_millis};
use crate::feed::{Audit, Signal, Typing};
use crate::platform::State;
use crate::settings::MessageAudit;
use crate::speech;
use crate::views::{Author, OutboxEntry, TimelineItem};
use crate::violations::Finding;
use crate::world::events::unescape_html;
use crate::world::messages::{Answerable, Scene};
use crate::world::store::uploads::File;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "send_group_message" => |state, call, findings| send(state, call, Scene::Group, findings),
        "send_c2c_message" => |state, call, findings| send(state, call, Scene::C2c, findings),
        "send_channel_message" => {
            |state, call, findings| send(state, call, Scene::Channel, findings)
        }
        "send_dms_message" => |state, call, findings| send(state, call, Scene::Direct, findings),
        _ => return None,
    })
}

/// A message on its way to a conversation.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) app_id: String,
    pub(super) scene: Scene,
    pub(super) conversation: String,
    pub(super) fields: Map<String, Value>,
    /// The text of the body, where it is one.
    pub(super) raw: Option<Box<RawValue>>,
    pub(super) reply_to: Option<String>,
    /// The message's id, if it has one already.
    pub(super) id: Option<String>,
    /// The picture that came with it.
    pub(super) file: Option<Bytes>,
}

/// Sends a message into a conversation.
fn send(state: &mut State, call: &Call, scene: Scene, findings: &mut Vec<Finding>) -> Answer {
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
    rights::check(state, scene, conversation, &call.app_id)?;
    content::check(scene, fields, findings)?;
    content::check_grants(scene, fields, &state.settings)?;
    safety::check(state, banned_code(scene), fields.values())?;
    quotes::check(state, scene, conversation, fields)?;
    uploads::check_media(state, scene, fields)?;
    let reply = replies::check(state, scene, conversation, fields, findings)?;
    match &reply {
        Some(reply) => replies::record(state, reply),
        None => replies::spend_active(state, scene, conversation, fields)?,
    }
    let message = Outgoing {
        app_id: call.app_id.clone(),
        scene,
        conversation: conversation.to_owned(),
        fields: fields.clone(),
        raw: call.body.raw.clone(),
        reply_to: reply.map(|reply| reply.to),
        id: None,
        file: call.body.file.clone(),
    };
    let audited = scene.is_guild_side() || state.settings.message_audit_everywhere;
    if audited && state.settings.message_audit != MessageAudit::Off {
        return Err(audit(state, message));
    }
    Ok(deliver(state, &message))
}

/// What a message with a banned word is answered with.
pub(super) fn banned_code(scene: Scene) -> i64 {
    if scene.is_guild_side() {
        1_100_101
    } else {
        40_034_006
    }
}

/// Keeps the message back for a while; gives the answer that says so.
fn audit(state: &mut State, message: Outgoing) -> Box<Refusal> {
    let audit_id = state.ids.uuid();
    let code = if message.reply_to.is_some() {
        304_024
    } else {
        304_023
    };
    let answer = Refusal::new(StatusCode::ACCEPTED, code)
        .data(json!({"message_audit": {"audit_id": audit_id}}));
    let outcome = state.settings.message_audit;
    let created = rfc3339(state.clock.now());
    let mut shown = Audit {
        audit_id: audit_id.clone(),
        at: rfc3339_millis(state.clock.now()),
        scene: message.scene.as_str(),
        conversation: message.conversation.clone(),
        app_id: message.app_id.clone(),
        reply_to: message.reply_to.clone(),
        body: Value::Object(message.fields.clone()),
        state: "pending",
    };
    state.feed.signal(Signal::Audit(Box::new(shown.clone())));
    let after = Duration::from_millis(state.settings.message_audit_ms);
    state.put_off(after, move |state| {
        let mut d = json!({
            "audit_id": audit_id,
            "audit_time": rfc3339(state.clock.now()),
            "create_time": created,
        });
        match message.scene {
            Scene::Group => d["group_openid"] = message.conversation.as_str().into(),
            Scene::C2c => d["user_openid"] = message.conversation.as_str().into(),
            Scene::Channel | Scene::Direct => {
                let (channel, guild) = place(state, message.scene, &message.conversation);
                d["channel_id"] = channel.into();
                d["guild_id"] = guild.into();
            }
        }
        let event = match outcome {
            MessageAudit::Pass => {
                let sent = deliver(state, &message);
                d["message_id"] = sent["id"].clone();
                "MESSAGE_AUDIT_PASS"
            }
            MessageAudit::Reject => "MESSAGE_AUDIT_REJECT",
            MessageAudit::Never | MessageAudit::Off => return,
        };
        speech::push_event(state, event, None, &d, None);
        shown.state = match outcome {
            MessageAudit::Pass => "passed",
            _ => "rejected",
        };
        state.feed.signal(Signal::Audit(Box::new(shown)));
    });
    answer
}

pub(super) fn check_conversation(
    state: &State,
    scene: Scene,
    conversation: &str,
) -> Result<(), Box<Refusal>> {
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
        Scene::Group if world.left_groups.iter().any(|g| g.id == conversation) => 40_034_101,
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
pub(super) fn deliver(state: &mut State, message: &Outgoing) -> Value {
    let now = state.clock.now();
    let scene = message.scene;
    let message_id = match &message.id {
        Some(id) => id.clone(),
        None if scene.is_guild_side() => state.ids.guild_message(),
        None => state.ids.robot_message(),
    };
    let answer = if scene.is_guild_side() {
        guild_message(state, message, &message_id)
    } else {
        json!({
            "id": message_id,
            "timestamp": rfc3339(now),
            "ext_info": {"ref_idx": state.ids.reference_index()},
        })
    };
    if let Some(bytes) = &message.file {
        keep_picture(state, message, &message_id, bytes.clone());
    }
    let author = author(state, message);
    let capacity = state.settings.message_memory;
    let known = Answerable {
        scene: Some(scene),
        conversation: Some(message.conversation.clone()),
        at: now,
        by_bot: true,
        author: author.id.clone(),
        recalled: false,
        has_keyboard: present(&message.fields, "keyboard").is_some(),
        event: String::new(),
        body: scene.is_guild_side().then(|| answer.clone()),
    };
    state.memory.remember(capacity, message_id.clone(), known);
    let at = rfc3339_millis(now);
    let size = state.settings.log_size;
    let body = Value::Object(message.fields.clone());
    if message.fields.get("msg_type").and_then(Value::as_i64) != Some(6) {
        state.timeline.push(size, |n| TimelineItem {
            n,
            at: at.clone(),
            scene,
            conversation: message.conversation.clone(),
            message_id: message_id.clone(),
            author,
            content: readable(scene, &message.fields),
            reply_to: message.reply_to.clone(),
            recalled: false,
            body: Some(body.clone()),
            attachments: Vec::new(),
            ref_idx: answer["ext_info"]["ref_idx"].as_str().map(str::to_owned),
        });
    } else {
        let typing = Typing {
            conversation: message.conversation.clone(),
            seconds: match &body["input_notify"]["input_type"] {
                kind if kind == 2 => 0,
                _ => body["input_notify"]["input_second"].as_u64().unwrap_or(0),
            },
        };
        state.feed.signal(Signal::Typing(typing));
    }
    state.outbox.push(size, |n| OutboxEntry {
        n,
        at,
        scene,
        conversation: message.conversation.clone(),
        message_id,
        reply_to: message.reply_to.clone(),
        body,
        raw: message.raw.clone(),
    });
    answer
}

/// Keeps the picture of a form to be shown: its address is the message's id.
fn keep_picture(state: &mut State, message: &Outgoing, id: &str, bytes: Bytes) {
    let name = message.fields.get("file_image");
    let name = name.and_then(|file| file["filename"].as_str());
    let file = File {
        uuid: id.to_owned(),
        // It cannot be sent again.
        file_info: String::new(),
        scene: message.scene,
        name: name.unwrap_or_default().to_owned(),
        bytes: Some(bytes),
        url: None,
        digests: None,
        expires: None,
    };
    let memory = state.settings.file_memory;
    state.store.uploads.keep(file, memory);
}

/// The channel and the guild of a guild-side conversation.
fn place(state: &State, scene: Scene, conversation: &str) -> (String, String) {
    let world = &state.world;
    match scene {
        Scene::Direct => (
            world
                .direct(conversation)
                .map_or(conversation, |direct| &direct.channel_id)
                .to_owned(),
            conversation.to_owned(),
        ),
        _ => (
            conversation.to_owned(),
            world
                .channel(conversation)
                .map_or("0", |channel| &channel.guild_id)
                .to_owned(),
        ),
    }
}

/// The `Message` that answers a send on the guild side.
fn guild_message(state: &State, sent: &Outgoing, id: &str) -> Value {
    let (channel_id, guild_id) = place(state, sent.scene, &sent.conversation);
    let fields = &sent.fields;
    let bot = state.world.bot(&sent.app_id);
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
    if sent.scene == Scene::Direct {
        message["direct_message"] = true.into();
    }
    message
}

/// The bot as the author of a message.
fn author(state: &State, message: &Outgoing) -> Author {
    let bot = state.world.bot(&message.app_id);
    let (id, name) = match bot {
        Some(bot) if message.scene.is_guild_side() => (&bot.id, &bot.name),
        Some(bot) => (&bot.openid, &bot.name),
        None => (&message.app_id, &message.app_id),
    };
    Author {
        id: id.clone(),
        name: name.clone(),
        bot: true,
    }
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
