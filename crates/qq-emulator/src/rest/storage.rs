//! The storage behind uploads: takes parts at their presigned addresses, gives files back.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use bytes::Bytes;
use http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::uploads::{content_type, md5_hex};
use super::{client_name, read, request_log, router};
use crate::faults;
use crate::platform::{Actor, Platform, State};
use crate::violations::Finding;

pub(crate) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/file/{uuid}", get(download))
        .route("/{upload_id}/{index}", put(faults::rest::handle_part))
}

/// `PUT presigned_url`.
pub(crate) async fn take_part(platform: Arc<Platform>, request: Request) -> Response {
    let path = request.uri().path().trim_matches('/').to_owned();
    let (upload_id, index) = path.rsplit_once('/').unwrap_or_default();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let client = client_name(&request);
    let (parts, body) = request.into_parts();
    let bytes = read(body).await;
    let query = router::query(&query);
    let signature = query
        .iter()
        .find(|(name, _)| name == "sign")
        .map(|(_, value)| value.as_str());
    platform.update(|state| {
        let taken = match bytes {
            Some(bytes) => take(state, upload_id, index, signature, bytes),
            None => Err((StatusCode::BAD_REQUEST, "the part could not be read".into())),
        };
        let status = taken
            .as_ref()
            .map_or_else(|(status, _)| *status, |_| StatusCode::OK);
        let trace_id = state.call_ids.hex(32);
        let log = request_log::Entry::of_part(&parts);
        log.to_recording(state, status, &serde_json::Value::Null);
        let request = log.record(state, status, None, &trace_id);
        match taken {
            Ok(etag) => (StatusCode::OK, [(ETAG, etag)]).into_response(),
            Err((status, why)) => {
                let actor = Actor {
                    client,
                    session: None,
                    request: Some(request),
                };
                let finding = Finding::error(
                    "rest.upload.put",
                    "a part goes unchanged to the address it was given",
                    why.clone(),
                );
                state.record(&actor, finding);
                (status, why).into_response()
            }
        }
    })
}

/// Keeps the bytes; gives the `ETag`.
fn take(
    state: &mut State,
    upload_id: &str,
    index: &str,
    signature: Option<&str>,
    bytes: Bytes,
) -> Result<String, (StatusCode, String)> {
    let now = state.clock.now();
    let memory = state.settings.file_memory;
    let room = state.store.uploads.has_room(bytes.len(), memory);
    let Some(upload) = state.store.uploads.prepared(upload_id, now) else {
        let why = format!("the upload {upload_id:?} is not known, or has expired");
        return Err((StatusCode::FORBIDDEN, why));
    };
    if signature != Some(upload.signature.as_str()) {
        return Err((StatusCode::FORBIDDEN, "the signature is wrong".into()));
    }
    let Some(place) = index.parse().ok().and_then(|index| upload.place(index)) else {
        return Err((StatusCode::NOT_FOUND, format!("there is no part {index:?}")));
    };
    let length = upload.length(place);
    if bytes.len() != length {
        let why = format!("part {index} has {length} bytes, {} came", bytes.len());
        return Err((StatusCode::BAD_REQUEST, why));
    }
    if !room {
        let why = "the emulator keeps no more parts; see the setting file_memory".into();
        return Err((StatusCode::INSUFFICIENT_STORAGE, why));
    }
    let etag = format!("\"{}\"", md5_hex(&bytes));
    upload.parts[place].bytes = Some(bytes);
    state.store.uploads.make_room(memory);
    Ok(etag)
}

/// `GET` of `raw_url`, and of any file by its `file_uuid`.
async fn download(Shared(platform): Shared<Arc<Platform>>, Path(uuid): Path<String>) -> Response {
    let found = platform.read(|state| {
        let file = state.store.uploads.by_uuid(&uuid)?;
        Some((file.bytes.clone(), file.url.clone(), file.name.clone()))
    });
    match found {
        Some((Some(bytes), _, name)) => {
            let headers = [(CONTENT_TYPE, content_type(&bytes))];
            let mut response = (headers, Body::from(bytes)).into_response();
            // Whoever uploads is not trusted: the browser shows it, and runs nothing of it.
            let headers = response.headers_mut();
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            let alone = HeaderValue::from_static("default-src 'none'; sandbox");
            headers.insert(CONTENT_SECURITY_POLICY, alone);
            // A name that does not fit into a header is left out.
            let plain = !name.is_empty() && !name.contains(['"', '\\']);
            let named = format!("inline; filename=\"{name}\"");
            if let (true, Ok(value)) = (plain && name.is_ascii(), HeaderValue::from_str(&named)) {
                response.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
            response
        }
        Some((None, Some(url), _)) => (StatusCode::FOUND, [(LOCATION, url)]).into_response(),
        Some((None, None, _)) => (StatusCode::GONE, "its bytes had to make room").into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file").into_response(),
    }
}
