//! `POST files`: a file that a user is about to send.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{Answer, Json, Refused};
use crate::platform::Platform;
use crate::rest::uploads::content_type;
use crate::world::messages::Scene;
use crate::world::store::uploads::File;

/// The largest file.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The longest name, in characters.
const MOST_NAME: usize = 200;

/// The body is the file; answers an attachment for `POST messages`.
pub(super) async fn keep(
    Shared(platform): Shared<Arc<Platform>>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer<Value> {
    let bytes = axum::body::to_bytes(body, MOST_BYTES)
        .await
        .map_err(|_| Refused::because("body: a file has at most 16 MiB"))?;
    if bytes.is_empty() {
        return Err(Refused::because("body: is empty; send the file's bytes"));
    }
    let name = name(query.as_deref().unwrap_or_default());
    Ok(Json(keep_file(&platform, name, bytes)))
}

/// Keeps a file, as long as there is memory for it; gives it as an attachment.
pub(crate) fn keep_file(platform: &Platform, name: String, bytes: Bytes) -> Value {
    let kind = content_type(&bytes);
    let size = bytes.len();
    let dimensions = png_size(&bytes);
    let base = platform.base_url();
    let uuid = platform.update(|state| {
        let uuid = state.call_ids.uuid();
        let file = File {
            uuid: uuid.clone(),
            // No bot was given one.
            file_info: String::new(),
            scene: Scene::C2c,
            name: name.clone(),
            bytes: Some(bytes),
            url: None,
            digests: None,
            expires: None,
        };
        let memory = state.settings.file_memory;
        state.store.uploads.keep(file, memory);
        uuid
    });
    let mut attachment = json!({
        "url": format!("{base}/cos/file/{uuid}"),
        "filename": if name.is_empty() { uuid } else { name },
        "content_type": kind,
        "size": size,
    });
    if let Some((width, height)) = dimensions {
        attachment["width"] = width.into();
        attachment["height"] = height.into();
    }
    attachment
}

/// `name` of the query, as it may be shown.
fn name(query: &str) -> String {
    let pairs = crate::rest::query(query);
    let name = pairs.into_iter().find(|(name, _)| name == "name");
    let name = name.map(|(_, value)| value).unwrap_or_default();
    let plain = name.chars().filter(|letter| !letter.is_control());
    plain.take(MOST_NAME).collect()
}

/// Width and height, which a PNG file says in its first chunk.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let number = |at: usize| Some(u32::from_be_bytes(*rest.get(at..)?.first_chunk()?));
    Some((number(8)?, number(12)?))
}
