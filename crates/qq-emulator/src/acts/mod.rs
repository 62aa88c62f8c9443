//! People, and the bot, come and go; and what a user means by "the button yes".
//!
//! Each act changes the world and pushes the events that the platform pushes for it.

pub(crate) mod choose;
mod people;

use serde::Serialize;

use crate::platform::State;
use crate::speech::{Say, find_place};

/// An act of a user in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Becomes a member of the group, or of the channel's guild.
    Join,
    /// Is one no longer.
    Leave,
    /// Asks to become a member of the group.
    AskToJoin { words: String },
    /// Makes the bot a friend, or ends that.
    Befriend(bool),
    /// Switches messages that answer nothing on or off, for oneself, the group or the guild; in a
    /// direct conversation all messages.
    Allow(bool),
    /// Forbids the bot to speak in the group, or ends that.
    Mute(bool),
    /// Brings the bot into the group or guild, or throws it out.
    Bring(bool),
    /// Enters a voice or live channel, or leaves it.
    Listen(bool),
}

impl Act {
    /// The names in JSON.
    pub(crate) const NAMES: [&str; 13] = [
        "join",
        "leave",
        "ask_to_join",
        "add_friend",
        "remove_friend",
        "allow_messages",
        "refuse_messages",
        "mute_bot",
        "unmute_bot",
        "add_bot",
        "remove_bot",
        "enter",
        "exit",
    ];
}

/// What came of an act; the answer of `POST actions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Done {
    /// The id of the event; empty if the act causes none.
    pub event_id: String,
    /// The id with which a click is acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction_id: Option<String>,
    /// The message that was clicked, reacted to or taken back, or that a button has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

/// Does it. `place` is who does it where; its words are not looked at.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) fn perform(state: &mut State, place: &Say, act: &Act) -> Result<Done, String> {
    let done = if *act == Act::Bring(true) {
        people::bring(state, place)?
    } else {
        let at = find_place(state, place)?;
        let scene = place.scene();
        match act {
            Act::Join => people::join(state, scene, &at)?,
            Act::Leave => people::leave(state, scene, &at)?,
            Act::AskToJoin { words } => people::ask_to_join(state, scene, &at, words)?,
            Act::Befriend(friend) => people::befriend(state, &at, *friend),
            Act::Allow(allow) => people::allow(state, scene, &at, *allow)?,
            Act::Mute(mute) => people::mute(state, scene, &at, *mute)?,
            Act::Bring(_) => people::throw_out(state, scene, &at)?,
            Act::Listen(enter) => people::listen(state, scene, &at, *enter)?,
        }
    };
    state.feed.signal(crate::feed::Signal::World);
    Ok(done)
}
