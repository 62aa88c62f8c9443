//! `webhook`: addresses of bots, and callbacks that they have to refuse.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{Answer, Json, Refused, members, optional, required};
use crate::platform::Platform;
use crate::webhook::{self, Corrupt, WebhookView};

/// `GET webhook`.
pub(super) async fn list(Shared(platform): Shared<Arc<Platform>>) -> Json<Vec<WebhookView>> {
    Json(platform.read(|state| state.webhooks.view()))
}

/// `POST webhook`.
pub(super) async fn set(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["url", "app_id"])?;
    if !members.contains_key("url") {
        return Err(Refused::because(
            "url: is missing; give an address, or null to remove it",
        ));
    }
    let url = optional(
        &members,
        "url",
        "an address as a string, or null",
        Value::as_str,
    )?;
    let app_id = optional(
        &members,
        "app_id",
        "a bot's app id as a string",
        Value::as_str,
    )?;
    let why = webhook::set(&platform, app_id, url, false).await.err();
    Ok(Json(json!({"ok": why.is_none(), "why": why})))
}

/// `POST webhook/bad`.
pub(super) async fn bad(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["corrupt", "app_id"])?;
    let corrupt = required(
        &members,
        "corrupt",
        "signature, body, timestamp, missing_signature, old_timestamp or appid",
        |value| {
            let name = value.as_str()?;
            Corrupt::ALL.into_iter().find(|kind| kind.as_str() == name)
        },
    )?;
    let app_id = optional(
        &members,
        "app_id",
        "a bot's app id as a string",
        Value::as_str,
    )?;
    let status = webhook::send_bad(&platform, app_id, corrupt)
        .await
        .map_err(Refused::because)?;
    Ok(Json(json!({"status": status})))
}
