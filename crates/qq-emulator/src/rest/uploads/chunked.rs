//! Uploads in parts.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::{
    BAD_PARAMETER, MOST_BYTES, Source, UNSUPPORTED, conversation, format, md5_hex, refuse,
    sha1_hex, spend_volume,
};
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;
use crate::world::messages::Scene;
use crate::world::store::uploads::{Part, Prepared};

/// More parts than this are not handed out: the blocks are too small for the file.
const MOST_PARTS: usize = 10_000;

/// `upload_prepare`: hands out the addresses for the parts.
pub(super) fn prepare(
    state: &mut State,
    call: &Call,
    scene: Scene,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let conversation = conversation(state, call, scene)?;
    let file_type = fields.get("file_type").and_then(Value::as_i64).unwrap_or(0);
    format::settle(file_type, None, &state.settings)?;
    let size: usize = text(fields, "file_size")
        .and_then(|size| size.parse().ok())
        .filter(|size| *size > 0)
        .ok_or_else(|| {
            refuse(
                BAD_PARAMETER,
                "file_size must be a number of bytes, at least 1",
            )
        })?;
    if size > MOST_BYTES {
        return Err(refuse(850_031, "a file has at most 200 MiB"));
    }
    let digest = |name: &str, length: usize| {
        text(fields, name)
            .filter(|hex| hex.len() == length && hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(str::to_ascii_lowercase)
            .ok_or_else(|| {
                refuse(
                    BAD_PARAMETER,
                    &format!("{name} must be {length} hex digits"),
                )
            })
    };
    let (md5, sha1) = (digest("md5", 32)?, digest("sha1", 40)?);
    let md5_10m = digest("md5_10m", 32)?;
    // The digest of the first 10002432 bytes is that of the whole file if there are no more.
    if size <= 10_002_432 && md5_10m != md5 {
        return Err(refuse(
            BAD_PARAMETER,
            "md5_10m is the digest of the first 10002432 bytes: of this file the same as md5",
        ));
    }
    let block = state.settings.upload_block_size;
    let count = size.div_ceil(block);
    if count > MOST_PARTS {
        return Err(refuse(
            BAD_PARAMETER,
            "file_size needs more than 10000 parts",
        ));
    }
    spend_volume(state, call, size as u64)?;
    let now = state.clock.now();
    let instant = state.store.uploads.known(&md5, &sha1, size);
    let upload_id = format!("upload_{}", state.ids.hex(24));
    let upload = Prepared {
        app_id: call.app_id.clone(),
        scene,
        conversation: conversation.to_owned(),
        name: text(fields, "file_name").unwrap_or_default().to_owned(),
        file_type,
        size,
        md5,
        sha1,
        block,
        first_index: state.settings.upload_first_index,
        parts: vec![Part::default(); if instant.is_some() { 0 } else { count }],
        signature: state.ids.hex(32),
        expires: now.saturating_add(state.settings.upload_life),
        instant,
    };
    let parts: Vec<Value> = (upload.first_index..)
        .zip(0..upload.parts.len())
        .map(|(index, place)| {
            json!({
                "index": index,
                "presigned_url": format!(
                    "{}/cos/{upload_id}/{index}?sign={}",
                    call.base_url, upload.signature
                ),
                "block_size": upload.length(place).to_string(),
            })
        })
        .collect();
    let answer = json!({
        "upload_id": upload_id,
        "block_size": block.to_string(),
        "parts": parts,
        "upload_config": {"concurrency": 1, "retry_timeout": 300, "retry_delay": 1},
    });
    state.store.uploads.prepare(upload_id, upload, now);
    Ok(answer)
}

/// `upload_part_finish`; may be repeated.
pub(super) fn finish_part(
    state: &mut State,
    call: &Call,
    scene: Scene,
    findings: &mut Vec<Finding>,
) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let conversation = conversation(state, call, scene)?;
    if state.settings.upload_part_failures > 0 {
        state.settings.upload_part_failures -= 1;
        return Err(Refusal::code(40_093_001));
    }
    let id = text(fields, "upload_id").unwrap_or_default();
    let upload = find(state, call, scene, conversation, id)?;
    let index = fields.get("part_index").and_then(Value::as_u64);
    let place = index.and_then(|index| upload.place(index)).ok_or_else(|| {
        let (first, count) = (upload.first_index, upload.parts.len());
        wrong_part(format!(
            "part_index: there are {count} parts, the first is {first}"
        ))
    })?;
    let length = upload.length(place);
    if text(fields, "block_size").and_then(|size| size.parse().ok()) != Some(length) {
        return Err(wrong_part(format!(
            "block_size: part {place} of {id} has {length} bytes"
        )));
    }
    let Some(bytes) = &upload.parts[place].bytes else {
        return Err(Refusal::code(40_093_001).finding(Finding::warn(
            "rest.upload.part",
            "a part is sent before it is finished",
            "the part has not been sent to its address",
        )));
    };
    let given = text(fields, "md5").unwrap_or_default();
    if !given.eq_ignore_ascii_case(&md5_hex(bytes)) {
        return Err(wrong_part("md5: is not that of the bytes received".into()));
    }
    upload.parts[place].finished = true;
    Ok(json!({}))
}

fn wrong_part(why: String) -> Box<Refusal> {
    Refusal::code(UNSUPPORTED)
        .message(why.clone())
        .finding(Finding::error(
            "rest.upload.part",
            "a part is finished with its own index, length and MD5",
            why,
        ))
}

fn find<'a>(
    state: &'a mut State,
    call: &Call,
    scene: Scene,
    conversation: &str,
    id: &str,
) -> Result<&'a mut Prepared, Box<Refusal>> {
    let now = state.clock.now();
    state
        .store
        .uploads
        .prepared(id, now)
        .filter(|upload| {
            upload.scene == scene
                && upload.conversation == conversation
                && upload.app_id == call.app_id
        })
        .ok_or_else(|| {
            Refusal::code(UNSUPPORTED).finding(Finding::error(
                "rest.upload.id",
                "upload_id is of this conversation, and neither used nor expired",
                format!("upload_id {id:?} is not known here"),
            ))
        })
}

/// Puts the parts together.
pub(super) fn merge(
    state: &mut State,
    call: &Call,
    scene: Scene,
    conversation: &str,
    id: &str,
) -> Result<Source, Box<Refusal>> {
    let upload = find(state, call, scene, conversation, id)?;
    if let Some(missing) = upload.parts.iter().position(|part| !part.finished) {
        let index = missing + upload.first_index as usize;
        return Err(Refusal::code(40_093_001).finding(Finding::error(
            "rest.upload.part",
            "all parts are finished before the upload is",
            format!("part {index} is not finished"),
        )));
    }
    let bytes: Bytes = match &upload.instant {
        Some(bytes) => bytes.clone(),
        None => {
            let mut whole = BytesMut::with_capacity(upload.size);
            for part in upload.parts.iter().filter_map(|part| part.bytes.as_ref()) {
                whole.extend_from_slice(part);
            }
            whole.freeze()
        }
    };
    if md5_hex(&bytes) != upload.md5 || sha1_hex(&bytes) != upload.sha1 {
        return Err(wrong_part(
            "md5 or sha1: is not that of the whole file".into(),
        ));
    }
    let source = Source {
        name: upload.name.clone(),
        file_type: upload.file_type,
        bytes: Some(bytes),
        url: None,
        merged: true,
    };
    // A file of the wrong kind cannot be finished by trying again.
    state.store.uploads.finish(id);
    Ok(source)
}
