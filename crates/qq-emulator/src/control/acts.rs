//! What users do besides speaking: press buttons, react, take back, join.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::error::{Answer, Json, Refused, members, optional, required};
use crate::platform::Platform;
use crate::speech::{self, Button, React};
use crate::world::User;

/// `POST clicks`.
pub(super) async fn click(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["message_id", "button", "row", "column", "author"])?;
    let message = message_id(&members)?;
    let place = |name| {
        optional(&members, name, "a number from 0", |value| {
            usize::try_from(value.as_u64()?).ok()
        })
    };
    let id = optional(&members, "button", "the button's id", Value::as_str)?;
    let button = match (id, place("row")?, place("column")?) {
        (Some(id), None, None) => Button::Id(id),
        (None, Some(row), Some(column)) => Button::At(row, column),
        _ => {
            return Err(Refused::because(
                "button: give the button's id, or row and column, from 0",
            ));
        }
    };
    let author = author(&members)?;
    platform.wait_for_backlog().await;
    let clicked = platform.update(|state| speech::click(state, message, button, author));
    platform.start_later();
    let clicked = clicked.map_err(Refused::because)?;
    Ok(Json(json!({
        "interaction_id": clicked.interaction,
        "event_id": clicked.event_id,
    })))
}

/// `POST reactions`.
pub(super) async fn react(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["message_id", "type", "id", "author", "remove"])?;
    let react = React {
        message: message_id(&members)?,
        author: author(&members)?,
        kind: required(&members, "type", "1 (face) or 2 (emoji)", |value| {
            value.as_i64().filter(|kind| matches!(kind, 1 | 2))
        })?,
        id: required(
            &members,
            "id",
            "the face's number or the emoji's code point",
            |value| value.as_str().filter(|id| (1..=32).contains(&id.len())),
        )?,
        remove: optional(&members, "remove", "true or false", Value::as_bool)?.unwrap_or(false),
    };
    platform.wait_for_backlog().await;
    platform
        .update(|state| speech::react(state, &react))
        .map(|()| Json(json!({})))
        .map_err(Refused::because)
}

/// `POST recalls`.
pub(super) async fn recall(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["message_id"])?;
    let message = message_id(&members)?;
    platform.wait_for_backlog().await;
    platform
        .update(|state| speech::recall(state, message))
        .map(|()| Json(json!({})))
        .map_err(Refused::because)
}

/// `POST users`.
pub(super) async fn join(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<User> {
    let members = members(&body, &["name"])?;
    let name = required(&members, "name", "a name as a string", Value::as_str)?;
    platform.wait_for_backlog().await;
    platform
        .update(|state| speech::join(state, name))
        .map(Json)
        .map_err(Refused::because)
}

fn message_id(members: &Map<String, Value>) -> Result<&str, Refused> {
    required(members, "message_id", "a message's id", Value::as_str)
}

fn author(members: &Map<String, Value>) -> Result<Option<&str>, Refused> {
    optional(
        members,
        "author",
        "a user's id, openid or name",
        Value::as_str,
    )
}
