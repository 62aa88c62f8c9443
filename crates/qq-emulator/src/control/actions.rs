//! `POST actions`: people, and the bot, come and go.

use std::sync::Arc;

use axum::extract::State as Shared;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::error::{Answer, Json, Refused, members, optional, required};
use super::speak::scene;
use crate::acts::{Act, Done, perform};
use crate::platform::Platform;
use crate::speech::Say;

/// `POST actions`.
pub(super) async fn action(Shared(platform): Shared<Arc<Platform>>, body: Bytes) -> Answer<Done> {
    let members = members(
        &body,
        &["action", "scene", "conversation", "author", "words"],
    )?;
    let act = act(&members)?;
    let mut place = Say::new(scene(&members)?, "");
    place.conversation = text(&members, "conversation", "an id from GET world")?;
    place.author = text(&members, "author", "a user's id from GET world")?;
    platform.wait_for_backlog().await;
    platform
        .update(|state| perform(state, &place, &act))
        .map(Json)
        .map_err(Refused::because)
}

fn text(members: &Map<String, Value>, name: &str, wanted: &str) -> Result<Option<String>, Refused> {
    optional(members, name, wanted, |value| {
        value.as_str().map(str::to_owned)
    })
}

fn act(members: &Map<String, Value>) -> Result<Act, Refused> {
    let names = Act::NAMES.join(", ");
    let name = required(members, "action", &names, Value::as_str)?;
    Ok(match name {
        "join" => Act::Join,
        "leave" => Act::Leave,
        "ask_to_join" => Act::AskToJoin {
            words: text(members, "words", "what they say")?.unwrap_or_default(),
        },
        "add_friend" | "remove_friend" => Act::Befriend(name == "add_friend"),
        "allow_messages" | "refuse_messages" => Act::Allow(name == "allow_messages"),
        "mute_bot" | "unmute_bot" => Act::Mute(name == "mute_bot"),
        "add_bot" | "remove_bot" => Act::Bring(name == "add_bot"),
        "enter" | "exit" => Act::Listen(name == "enter"),
        other => {
            let why = format!("action: there is no {other:?}; give {names}");
            return Err(Refused::because(why));
        }
    })
}
