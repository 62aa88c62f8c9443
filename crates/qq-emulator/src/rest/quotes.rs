//! Quotes of the guild side: the quoted message exists, and is of the same channel.

use serde_json::{Map, Value};

use super::content::{present, refuse};
use super::error::Refusal;
use crate::platform::State;
use crate::world::messages::Scene;

/// Groups and C2C quote by an index, of which the documents print no refusal.
pub(super) fn check(
    state: &State,
    scene: Scene,
    conversation: &str,
    fields: &Map<String, Value>,
) -> Result<(), Box<Refusal>> {
    let Some(reference) = present(fields, "message_reference").filter(|_| scene.is_guild_side())
    else {
        return Ok(());
    };
    let id = reference["message_id"].as_str().unwrap_or_default();
    if id.is_empty() {
        return Err(refuse(50_048, "message_reference.message_id is empty"));
    }
    let quoted = state.memory.get(id).filter(|message| !message.recalled);
    match quoted.map(|message| message.conversation.as_deref()) {
        Some(Some(known)) if known != conversation => {
            let why = format!("message_reference.message_id: {id:?} is of another conversation");
            Err(refuse(50_038, &why))
        }
        Some(_) => Ok(()),
        None if reference["ignore_get_message_error"] == true => Ok(()),
        None => {
            let why = format!(
                "message_reference.message_id: there is no message {id:?}; \
                 ignore_get_message_error sends all the same"
            );
            Err(refuse(50_039, &why))
        }
    }
}
