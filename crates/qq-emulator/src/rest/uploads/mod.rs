//! Media of groups and C2C: uploaded first, then sent by its `file_info`.

mod chunked;
mod format;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http::StatusCode;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};
use sha1::Sha1;

pub(crate) use format::content_type;

use super::content::text;
use super::error::Refusal;
use super::messages::{self, Outgoing};
use super::{Answer, Call, Handler, body, replies, rights};
use crate::clock::Millis;
use crate::platform::State;
use crate::violations::Finding;
use crate::world::messages::Scene;
use crate::world::store::uploads::File;

/// The code of a call with bad parameters.
const BAD_PARAMETER: i64 = 40_034_125;
/// No file is larger.
const MOST_BYTES: usize = 200 * 1024 * 1024;
/// What an upload that cannot be is answered with.
const UNSUPPORTED: i64 = 10_000;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "upload_c2c_file" => |state, call, findings| upload(state, call, Scene::C2c, findings),
        "upload_group_file" => |state, call, findings| upload(state, call, Scene::Group, findings),
        "c2c_upload_prepare" => {
            |state, call, findings| chunked::prepare(state, call, Scene::C2c, findings)
        }
        "group_upload_prepare" => {
            |state, call, findings| chunked::prepare(state, call, Scene::Group, findings)
        }
        "c2c_upload_part_finish" => {
            |state, call, findings| chunked::finish_part(state, call, Scene::C2c, findings)
        }
        "group_upload_part_finish" => {
            |state, call, findings| chunked::finish_part(state, call, Scene::Group, findings)
        }
        _ => return None,
    })
}

/// The conversation that a call uploads for.
fn conversation<'a>(state: &State, call: &'a Call, scene: Scene) -> Result<&'a str, Box<Refusal>> {
    let name = match scene {
        Scene::Group => "group_openid",
        _ => "user_openid",
    };
    let conversation = call.param(name);
    messages::check_conversation(state, scene, conversation)?;
    if scene == Scene::Group && rights::is_muted(state, conversation) {
        return Err(rights::refuse(850_018, "the bot is muted in the group"));
    }
    Ok(conversation)
}

/// What a file consists of, before it has a `file_info`.
struct Source {
    name: String,
    file_type: i64,
    bytes: Option<Bytes>,
    url: Option<String>,
    merged: bool,
}

fn upload(state: &mut State, call: &Call, scene: Scene, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let conversation = conversation(state, call, scene)?;
    let upload_id = text(fields, "upload_id");
    let mut source = match (upload_id, text(fields, "file_data"), text(fields, "url")) {
        (Some(id), _, _) => chunked::merge(state, call, scene, conversation, id)?,
        (None, Some(data), _) => decode(state, fields, data)?,
        (None, None, Some(url)) => elsewhere(fields, url)?,
        (None, None, None) => {
            return Err(refuse(
                BAD_PARAMETER,
                "one of url, file_data and upload_id is needed",
            ));
        }
    };
    source.file_type = format::settle(source.file_type, source.bytes.as_deref(), &state.settings)?;
    if !source.merged {
        let size = source.bytes.as_ref().map_or(0, Bytes::len) as u64;
        spend_volume(state, call, size)?;
    }
    let sends = fields.get("srv_send_msg").and_then(Value::as_bool) == Some(true);
    if sends {
        replies::spend_active(state, scene, conversation, fields)?;
    }
    let mut answer = keep(state, call, scene, source);
    if sends {
        let mut fields = Map::new();
        fields.insert("msg_type".into(), 7.into());
        fields.insert("media".into(), json!({"file_info": answer["file_info"]}));
        let message = Outgoing {
            app_id: call.app_id.clone(),
            scene,
            conversation: conversation.to_owned(),
            fields,
            raw: None,
            reply_to: None,
            id: None,
            file: None,
        };
        answer["id"] = messages::deliver(state, &message)["id"].clone();
    }
    Ok(answer)
}

/// `file_data`: the whole file in base64.
fn decode(state: &State, fields: &Map<String, Value>, data: &str) -> Result<Source, Box<Refusal>> {
    if data.len() > state.settings.file_data_limit {
        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, 850_012)
            .message("call inner proxy error")
            .finding(Finding::error(
                "rest.upload.file_data",
                "large files are uploaded in parts",
                format!("file_data has {} characters", data.len()),
            )));
    }
    let bytes = BASE64.decode(data.as_bytes()).map_err(|why| {
        Refusal::code(850_019).finding(Finding::error(
            "rest.upload.file_data",
            "file_data is plain base64, without data: before it",
            format!("file_data is not base64: {why}"),
        ))
    })?;
    Ok(Source {
        name: text(fields, "file_name").unwrap_or_default().to_owned(),
        file_type: file_type(fields),
        bytes: Some(bytes.into()),
        url: None,
        merged: false,
    })
}

/// `url`: the emulator has no network; the file stays where it is.
fn elsewhere(fields: &Map<String, Value>, url: &str) -> Result<Source, Box<Refusal>> {
    let address = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .filter(|rest| !rest.starts_with('/') && !rest.is_empty());
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    if address.is_none() || !printable {
        return Err(refuse(850_026, "url is no http or https address"));
    }
    Ok(Source {
        name: text(fields, "file_name").unwrap_or_default().to_owned(),
        file_type: file_type(fields),
        bytes: None,
        url: Some(url.to_owned()),
        merged: false,
    })
}

fn file_type(fields: &Map<String, Value>) -> i64 {
    fields.get("file_type").and_then(Value::as_i64).unwrap_or(0)
}

fn spend_volume(state: &mut State, call: &Call, size: u64) -> Result<(), Box<Refusal>> {
    let now = state.clock.now();
    let most = state.settings.upload_daily_volume;
    if state.store.uploads.spend(&call.app_id, size, now, most) {
        return Ok(());
    }
    Err(Refusal::code(40_093_002).finding(Finding::warn(
        "rest.upload.volume",
        "a bot uploads a limited volume per day",
        "the volume of this day is used up",
    )))
}

/// Gives the file its `file_info`, and answers.
fn keep(state: &mut State, call: &Call, scene: Scene, source: Source) -> Value {
    let now = state.clock.now();
    let life = state.settings.file_info_life;
    let uuid = state.ids.uuid();
    let file_info = BASE64.encode(state.ids.hex(48).as_bytes());
    let digests = source
        .bytes
        .as_deref()
        .map(|bytes| (md5_hex(bytes), sha1_hex(bytes)));
    let raw_url = if source.merged && source.file_type != 4 {
        format!("{}/cos/file/{uuid}", call.base_url)
    } else {
        String::new()
    };
    let answer = json!({
        "file_uuid": uuid,
        "file_info": file_info,
        "ttl": life / 1000,
        "id": "",
        "raw_url": raw_url,
    });
    let file = File {
        uuid,
        file_info,
        scene,
        name: source.name,
        bytes: source.bytes,
        url: source.url,
        digests,
        expires: expiry(now, life),
    };
    state.store.uploads.keep(file, state.settings.file_memory);
    answer
}

fn expiry(now: Millis, life: Millis) -> Option<Millis> {
    (life > 0).then(|| now.saturating_add(life))
}

/// Checks `media.file_info` of a message.
pub(super) fn check_media(
    state: &State,
    scene: Scene,
    fields: &Map<String, Value>,
) -> Result<(), Box<Refusal>> {
    if scene.is_guild_side() || fields.get("msg_type").and_then(Value::as_i64) != Some(7) {
        return Ok(());
    }
    let file_info = fields
        .get("media")
        .and_then(|media| media["file_info"].as_str())
        .unwrap_or_default();
    let why = match state.store.uploads.by_info(file_info) {
        None => "media.file_info was not given by an upload",
        Some(file) if file.scene != scene => {
            "media.file_info was given for the other scene: C2C and groups do not mix"
        }
        Some(file) if file.expires.is_some_and(|end| end <= state.clock.now()) => {
            "media.file_info has expired; upload the file again"
        }
        Some(_) => return Ok(()),
    };
    Err(refuse(304_080, why))
}

fn refuse(code: i64, why: &str) -> Box<Refusal> {
    Refusal::code(code).finding(Finding::error(
        "rest.upload",
        "files are uploaded as the documents say",
        why,
    ))
}

pub(super) fn md5_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Md5::digest(bytes))
}

fn sha1_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha1::digest(bytes))
}
