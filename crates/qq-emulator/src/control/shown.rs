//! Messages, streams and frames as the feed shows them.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::rfc3339_millis;
use crate::feed::{Audit, Frame, What};
use crate::platform::State;
use crate::rest::uploads::content_type;
use crate::views::TimelineItem;
use crate::world::messages::Scene;
use crate::world::store::clicks::Click;

/// The longest frame that is shown whole.
const MAX_TEXT: usize = 32 * 1024;
const HIDDEN: &str = "***";

/// A message with what has become of it.
#[derive(Debug, Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    item: &'a TimelineItem,
    reactions: Vec<Value>,
    clicks: Vec<Click>,
    /// The file that its `file_info` or form stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<Value>,
}

/// A message of the timeline.
pub(super) fn message(state: &State, item: &TimelineItem) -> Option<String> {
    let reactions = state.store.reactions.of(&item.message_id);
    let shown = Message {
        item,
        reactions: reactions
            .map(|(kind, id, users)| json!({"type": kind, "id": id, "users": users}))
            .collect(),
        clicks: state.store.clicks.of(&item.message_id),
        media: item.body.as_ref().and_then(|body| media(state, item, body)),
    };
    serde_json::to_string(&shown).ok()
}

fn media(state: &State, item: &TimelineItem, body: &Value) -> Option<Value> {
    let uploads = &state.store.uploads;
    let file = match body["media"]["file_info"].as_str() {
        Some(file_info) => uploads.by_info(file_info)?,
        None if body["file_image"].is_object() => uploads.by_uuid(&item.message_id)?,
        None => return None,
    };
    let kind = file.bytes.as_deref().map(content_type);
    let size = file.bytes.as_ref().map(Bytes::len);
    let own = format!("/cos/file/{}", file.uuid);
    let url = match (&file.bytes, &file.url) {
        (None, Some(url)) => url.clone(),
        _ => own,
    };
    Some(json!({"url": url, "filename": file.name, "content_type": kind, "size": size}))
}

/// A stream as it is now; one that is not open any more is `null`.
pub(super) fn stream(state: &State, id: &str) -> Value {
    let Some(stream) = state.store.streams.get(id) else {
        return json!({"id": id, "open": false});
    };
    json!({
        "id": id,
        "open": true,
        "scene": Scene::C2c,
        "conversation": stream.user,
        "author": author(state, &stream.app_id, Scene::C2c),
        "at": rfc3339_millis(stream.begun),
        "text": stream.text,
        "markdown": stream.markdown,
        "reply_to": stream.reply_to,
    })
}

/// A message under audit.
pub(super) fn audit(state: &State, audit: &Audit) -> Value {
    let scene = match audit.scene {
        "direct" => Scene::Direct,
        _ => Scene::Channel,
    };
    json!({
        "id": audit.audit_id,
        "at": audit.at,
        "scene": audit.scene,
        "conversation": audit.conversation,
        "author": author(state, &audit.app_id, scene),
        "reply_to": audit.reply_to,
        "body": audit.body,
        "state": audit.state,
    })
}

fn author(state: &State, app_id: &str, scene: Scene) -> Value {
    let bot = state.world.bot(app_id);
    let id = bot.map_or(app_id, |bot| match scene {
        Scene::Channel | Scene::Direct => &bot.id,
        Scene::Group | Scene::C2c => &bot.openid,
    });
    json!({"id": id, "name": bot.map_or(app_id, |bot| &bot.name), "bot": true})
}

/// A frame, its token hidden.
pub(super) fn frame(state: &State, frame: &Frame) -> Value {
    let session = frame.session.and_then(|n| state.gateway.sessions.get(&n));
    let mut shown = json!({
        "n": frame.n,
        "at": rfc3339_millis(frame.at),
        "connection": frame.connection,
        "session": session.map(|session| &session.id),
    });
    let (kind, text) = match &frame.what {
        What::Opened => ("opened", None),
        What::Gone => ("gone", None),
        What::Closed(Some(code)) => {
            shown["code"] = (*code).into();
            ("closed", None)
        }
        What::Closed(None) => ("dropped", None),
        What::Sent(text) => ("sent", Some(text)),
        What::Received(text) => ("received", Some(text)),
    };
    shown["kind"] = kind.into();
    let Some(text) = text else {
        return shown;
    };
    shown["size"] = text.len().into();
    let parsed = serde_json::from_str::<Value>(text);
    match parsed {
        Ok(mut data) if text.len() <= MAX_TEXT => {
            if let Some(token) = data["d"].get_mut("token") {
                *token = HIDDEN.into();
            }
            shown["data"] = data;
        }
        // What cannot be read may hold a token in a form that cannot be found.
        _ if text.contains("token") && kind == "received" => shown["text"] = HIDDEN.into(),
        _ => shown["text"] = text.chars().take(MAX_TEXT / 4).collect::<String>().into(),
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Origin, Platform};
    use crate::settings::Settings;

    #[test]
    fn no_frame_shows_a_token() {
        let origin = Origin {
            seed: 1,
            settings: Settings::default(),
            world: None,
            faults: Vec::new(),
        };
        let platform = Platform::new(origin, String::new(), false);
        for text in [
            r#"{"op":2,"d":{"token":"QQBot abc","intents":1}}"#,
            r#"{"op":2,"d":{"token":"QQBot abc","#,
        ] {
            let shown = platform.update(|state| {
                state.feed.frame(0, 1, None, What::Received(text.into()));
                let last = state.feed.frames.after(0).last().cloned();
                last.map(|last| frame(state, &last).to_string())
            });
            let shown = shown.unwrap_or_default();
            assert!(shown.contains(HIDDEN) && !shown.contains("abc"), "{shown}");
        }
    }
}
