//! What there is and what has happened.

use std::sync::Arc;

use axum::extract::{RawQuery, State as Shared};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::{Answer, Json, Refused};
use super::shown;
use crate::platform::Platform;
use crate::views::{OutboxEntry, RequestEntry, SessionView};
use crate::violations::Violation;
use crate::world::{Channel, World, file};

/// The world, and all channels of all guilds once more in one list.
#[derive(Debug, Serialize)]
pub(super) struct WorldView {
    version: u32,
    #[serde(flatten)]
    world: World,
    channels: Vec<Channel>,
}

pub(super) async fn world(Shared(platform): Shared<Arc<Platform>>) -> Json<WorldView> {
    Json(platform.read(|state| WorldView {
        version: file::VERSION,
        channels: state.world.channels().cloned().collect(),
        world: state.world.clone(),
    }))
}

pub(super) async fn outbox(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<Box<RawValue>>> {
    let after = after(query.as_deref())?;
    let entries: Vec<OutboxEntry> =
        platform.read(|state| state.outbox.after(after).cloned().collect());
    entries
        .iter()
        .map(|entry| {
            sent_view(entry).map_err(|why| Refused::because(format!("entry {}: {why}", entry.n)))
        })
        .collect::<Result<_, _>>()
        .map(Json)
}

/// The entry with its body as the text that was received.
fn sent_view(entry: &OutboxEntry) -> serde_json::Result<Box<RawValue>> {
    let Some(raw) = &entry.raw else {
        return serde_json::value::to_raw_value(entry);
    };
    let mut rest = serde_json::to_value(entry)?;
    if let Some(members) = rest.as_object_mut() {
        members.remove("body");
    }
    let rest = rest.to_string();
    let open = rest.strip_suffix('}').unwrap_or(&rest);
    let text = format!("{open},\"body\":{}}}", raw.get());
    RawValue::from_string(text)
}

pub(super) async fn requests(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<RequestEntry>> {
    let after = after(query.as_deref())?;
    Ok(Json(platform.read(|state| {
        state.requests.after(after).cloned().collect()
    })))
}

pub(super) async fn violations(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<Violation>> {
    let after = after(query.as_deref())?;
    Ok(Json(platform.read(|state| {
        state.violations.after(after).cloned().collect()
    })))
}

pub(super) async fn frames(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Answer<Vec<Value>> {
    let after = after(query.as_deref())?;
    Ok(Json(platform.read(|state| {
        let frames = state.feed.frames.after(after);
        frames.map(|frame| shown::frame(state, frame)).collect()
    })))
}

pub(super) async fn sessions(Shared(platform): Shared<Arc<Platform>>) -> Json<Vec<SessionView>> {
    Json(platform.sessions())
}

pub(super) async fn timeline(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
) -> Answer<Value> {
    let after = after(query.as_deref())?;
    Ok(Json(platform.read(|state| {
        json!({
            "items": state.timeline.after(after).collect::<Vec<_>>(),
            "last": state.timeline.last(),
        })
    })))
}

/// `after=N` of the query; 0 without one.
pub(super) fn after(query: Option<&str>) -> Result<u64, Refused> {
    let mut after = 0;
    for pair in query.unwrap_or_default().split('&') {
        match pair.split_once('=') {
            Some(("after", number)) => {
                after = number.parse().map_err(|_| {
                    Refused::because("after: give the number of the last entry you have")
                })?;
            }
            _ if pair.is_empty() => {}
            _ => {
                return Err(Refused::because(format!(
                    "{pair}: unknown; this call takes after=N"
                )));
            }
        }
    }
    Ok(after)
}
