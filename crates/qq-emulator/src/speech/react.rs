//! Users react to messages.

use serde_json::{Value, json};

use super::push_event;
use crate::platform::State;
use crate::world::messages::Scene;
use crate::world::store::reactions::Reactions;

/// A reaction that a user adds or removes.
#[derive(Debug)]
pub(crate) struct React<'a> {
    pub(crate) message: &'a str,
    /// A user's id, openid or name; the first user if left out.
    pub(crate) author: Option<&'a str>,
    /// 1 for a numbered face, 2 for an emoji.
    pub(crate) kind: i64,
    pub(crate) id: &'a str,
    pub(crate) remove: bool,
}

/// Does it, and pushes the event.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn react(state: &mut State, react: &React<'_>) -> Result<(), String> {
    let known = state.memory.get(react.message);
    let known = known.filter(|known| known.body.is_some() && !known.recalled);
    let message = known.ok_or_else(|| {
        format!(
            "message_id: there is no message {:?} of a channel; GET timeline lists them",
            react.message
        )
    })?;
    if message.scene != Some(Scene::Channel) {
        return Err("message_id: users react to messages of channels only".into());
    }
    let channel = message.conversation.clone().unwrap_or_default();
    let user = super::place::find_author(state, react.author)?.id.clone();
    let reactions = &state.store.reactions;
    let before = reactions.users(react.message, react.kind, react.id);
    if before.contains(&user) != react.remove {
        let why = if react.remove {
            "has not reacted"
        } else {
            "has reacted"
        };
        return Err(format!("id: the user {why} so"));
    }
    if !react.remove && !reactions.has_room(react.message, react.kind, react.id) {
        let most = Reactions::MOST_KINDS;
        return Err(format!(
            "id: a message takes at most {most} kinds of reactions"
        ));
    }
    let guild = state.world.channel(&channel);
    let guild = guild.map_or("0", |channel| &channel.guild_id);
    let target: Value = if state.settings.reaction_target_as_number {
        0.into()
    } else {
        "ReactionTargetType_MSG".into()
    };
    let d = json!({
        "user_id": user,
        "guild_id": guild,
        "channel_id": channel,
        "target": {"id": react.message, "type": target},
        "emoji": {"id": react.id, "type": react.kind},
    });
    let name = if react.remove {
        "MESSAGE_REACTION_REMOVE"
    } else {
        "MESSAGE_REACTION_ADD"
    };
    // It is the event that counts: one that is pushed by hand does the same.
    push_event(state, name, None, &d, None);
    Ok(())
}
