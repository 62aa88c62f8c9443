//! Faults of the gateway, pressed by hand. Each answers `{"connections": n}`.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::error::{Answer, Json, Refused, members, optional, required};
use crate::gateway::{Fault, Target, apply};
use crate::platform::Platform;

/// `POST gateway/close`.
pub(super) async fn close(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let members = members(&body, &["code", "session"])?;
    let code = required(
        &members,
        "code",
        "a close code that a client can see: 1000 to 1003, 1005 (a close without a code), 1006 (no \
         close at all, as gateway/drop does), 1007 to 1014, 3000 to 4999",
        |value| {
            u16::try_from(value.as_u64()?)
                .ok()
                .filter(|code| matches!(code, 1000..=1003 | 1005..=1014 | 3000..=4999))
        },
    )?;
    let fault = match code {
        1006 => Fault::Drop,
        code => Fault::Close(code),
    };
    strike(&platform, &members, fault)
}

/// `POST gateway/drop`.
pub(super) async fn drop_connections(
    Shared(platform): Shared<Arc<Platform>>,
    body: Bytes,
) -> Answer<Value> {
    strike(&platform, &members(&body, &["session"])?, Fault::Drop)
}

/// `POST gateway/reconnect`.
pub(super) async fn reconnect(
    Shared(platform): Shared<Arc<Platform>>,
    body: Bytes,
) -> Answer<Value> {
    strike(&platform, &members(&body, &["session"])?, Fault::Reconnect)
}

/// `POST gateway/invalid-session`.
pub(super) async fn invalid_session(
    Shared(platform): Shared<Arc<Platform>>,
    body: Bytes,
) -> Answer<Value> {
    let members = members(&body, &["resumable", "session"])?;
    let resumable =
        optional(&members, "resumable", "true or false", Value::as_bool)?.unwrap_or(false);
    strike(&platform, &members, Fault::InvalidSession { resumable })
}

fn strike(platform: &Platform, members: &Map<String, Value>, fault: Fault) -> Answer<Value> {
    let session = optional(
        members,
        "session",
        "a session id as a string",
        Value::as_str,
    )?;
    let target = session.map_or(Target::Everybody, Target::Session);
    platform
        .update(|state| apply(state, target, fault))
        .map(|connections| Json(json!({"connections": connections})))
        .map_err(Refused::because)
}
