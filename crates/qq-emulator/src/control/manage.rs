//! The emulator itself: reset, tokens, settings, time.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{Answer, Json, Refused, members, required};
use crate::clock::rfc3339_millis;
use crate::platform::Platform;
use crate::recording::replay::ReplayView;
use crate::settings::Settings;

/// `GET replay`.
pub(super) async fn replay(Shared(platform): Shared<Arc<Platform>>) -> Json<ReplayView> {
    Json(platform.read(|state| state.replay))
}

/// `POST reset`.
pub(super) async fn reset(Shared(platform): Shared<Arc<Platform>>) -> Json<Value> {
    platform.reset();
    Json(json!({}))
}

/// `POST tokens/expire`.
pub(super) async fn expire_tokens(Shared(platform): Shared<Arc<Platform>>) -> Json<Value> {
    let expired = platform.update(|state| state.tokens.revoke_all());
    Json(json!({"expired": expired}))
}

/// `GET settings`.
pub(super) async fn settings(Shared(platform): Shared<Arc<Platform>>) -> Json<Settings> {
    Json(platform.read(|state| state.settings.clone()))
}

/// `PATCH settings`.
pub(super) async fn change_settings(
    Shared(platform): Shared<Arc<Platform>>,
    body: Bytes,
) -> Answer<Settings> {
    let changes: Value = serde_json::from_slice(&body)
        .map_err(|why| Refused::because(format!("body: send a JSON object ({why})")))?;
    platform.update(|state| {
        state.settings.patch(&changes).map_err(Refused::because)?;
        Ok(Json(state.settings.clone()))
    })
}

/// `GET clock`.
pub(super) async fn clock(Shared(platform): Shared<Arc<Platform>>) -> Json<Value> {
    Json(clock_view(&platform))
}

/// `POST clock`.
pub(super) async fn advance_clock(
    Shared(platform): Shared<Arc<Platform>>,
    body: Bytes,
) -> Answer<Value> {
    let members = members(&body, &["advance_ms"])?;
    let by = required(
        &members,
        "advance_ms",
        "how many milliseconds to move forward",
        Value::as_u64,
    )?;
    platform.advance(by);
    Ok(Json(clock_view(&platform)))
}

fn clock_view(platform: &Platform) -> Value {
    platform.read(|state| {
        json!({
            "now": rfc3339_millis(state.clock.now()),
            "advanced_ms": state.clock.skipped(),
        })
    })
}
