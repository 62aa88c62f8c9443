//! Users speak; events are pushed.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::error::{Answer, Json, Refused, members, optional, required};
use crate::platform::Platform;
use crate::speech::{self, Say};
use crate::views::Said;
use crate::world::messages::Scene;

/// `POST messages`.
pub(super) async fn message(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Said> {
    let members = members(
        &body,
        &[
            "scene",
            "content",
            "conversation",
            "author",
            "mention_bot",
            "attachments",
            "reply_to",
        ],
    )?;
    let scene = scene(&members)?;
    let attachments = optional(
        &members,
        "attachments",
        "a list of objects",
        Value::as_array,
    )?;
    let content = match optional(&members, "content", "a string", Value::as_str)? {
        Some(content) => content,
        None if attachments.is_some_and(|list| !list.is_empty()) => "",
        None => {
            return Err(Refused::because(
                "content: is missing; give the text of the message",
            ));
        }
    };
    let mut say = Say::new(scene, content);
    say.conversation = optional(&members, "conversation", "an id from GET world", |value| {
        value.as_str().map(str::to_owned)
    })?;
    say.author = optional(&members, "author", "a user's id from GET world", |value| {
        value.as_str().map(str::to_owned)
    })?;
    say.mention_bot =
        optional(&members, "mention_bot", "true or false", Value::as_bool)?.unwrap_or(true);
    say.attachments = attachments.cloned().unwrap_or_default();
    say.reply_to = optional(&members, "reply_to", "the id of a message", |value| {
        value.as_str().map(str::to_owned)
    })?;
    platform.wait_for_backlog().await;
    platform
        .update(|state| speech::say(state, &say))
        .map(Json)
        .map_err(Refused::because)
}

/// `POST events`.
pub(super) async fn event(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let mut members = members(&body, &["type", "data", "id", "session"])?;
    let data = members
        .remove("data")
        .ok_or_else(|| Refused::because("data: is missing; give d of the event"))?;
    let name = required(&members, "type", "the event's type as a string", |value| {
        value.as_str().filter(|name| !name.is_empty())
    })?;
    let id = optional(&members, "id", "the event id as a string", Value::as_str)?;
    let session = optional(
        &members,
        "session",
        "a session id as a string",
        Value::as_str,
    )?;
    platform.wait_for_backlog().await;
    platform.update(|state| {
        if let Some(session) = session
            && state.gateway.session_by_id(session).is_none()
        {
            return Err(Refused::because(format!(
                "session: there is no session {session:?}; GET sessions lists them"
            )));
        }
        let (event_id, sessions) =
            speech::push_event(state, name, id.map(str::to_owned), &data, session);
        Ok(Json(json!({"event_id": event_id, "sessions": sessions})))
    })
}

/// The member `scene`.
pub(super) fn scene(members: &Map<String, Value>) -> Result<Scene, Refused> {
    let wanted = "group, c2c, channel or direct";
    required(members, "scene", wanted, |value| {
        let name = value.as_str()?;
        Scene::ALL.into_iter().find(|scene| scene.as_str() == name)
    })
}
