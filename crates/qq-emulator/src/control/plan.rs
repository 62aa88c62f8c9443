//! `faults`: the plan of what goes wrong.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{Answer, Json, Refused};
use crate::faults::{self, FaultView};
use crate::platform::Platform;

/// `GET faults`.
pub(super) async fn list(Shared(platform): Shared<Arc<Platform>>) -> Json<Vec<FaultView>> {
    Json(platform.read(|state| state.faults.view()))
}

/// `POST faults`.
pub(super) async fn add(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Value> {
    let faults = faults::parse(&body).map_err(Refused::because)?;
    let added = faults.len();
    platform
        .update(|state| state.faults.add(faults))
        .map(|()| Json(json!({"added": added})))
        .map_err(Refused::because)
}

/// `DELETE faults/{place}`: the one at this place of the plan, from 1.
pub(super) async fn remove(
    Shared(platform): Shared<Arc<Platform>>,
    Path(place): Path<String>,
) -> Answer<Value> {
    let removed = platform.update(|state| {
        let place = place.parse::<usize>().ok()?.checked_sub(1)?;
        state.faults.remove(place)
    });
    match removed {
        Some(()) => Ok(Json(json!({"removed": 1}))),
        None => Err(Refused::because(format!(
            "place: there is no fault {place:?}; GET faults lists them, the first is 1"
        ))),
    }
}

/// `DELETE faults`.
pub(super) async fn clear(Shared(platform): Shared<Arc<Platform>>) -> Json<Value> {
    let removed = platform.update(|state| state.faults.clear());
    Json(json!({"removed": removed}))
}
