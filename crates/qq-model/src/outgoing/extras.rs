//! What goes beside a message in one-to-one chats: typing, suggestions, feedback.

use super::Keyboard;
use crate::request::{BodyError, in_range, max_chars};

/// How many seconds an indicator may last.
pub const MAX_INPUT_SECONDS: u32 = 60;
/// How many characters [`ActionButton::callback_data`] may have.
pub const MAX_ACTION_CALLBACK: usize = 128;

object! {
    /// An indicator that the bot is at work. One-to-one chats only; it counts as an answer.
    pub struct InputNotify {
        /// What it is doing.
        pub input_type: InputType,
        /// For how many seconds, 1 to [`MAX_INPUT_SECONDS`].
        pub input_second: u32,
    }

    /// A bar of suggestions. Undocumented; known from SDKs. Its buttons have
    /// [`ButtonStyle::Prompt`](super::ButtonStyle::Prompt) and are commands.
    pub struct PromptKeyboard {
        /// The buttons.
        pub keyboard: Keyboard,
    }

    /// A bar of feedback. Undocumented; known from SDKs.
    pub struct ActionButton {
        /// Retired.
        pub template_id: Option<Box<str>>,
        /// What comes back, at most [`MAX_ACTION_CALLBACK`] characters.
        pub callback_data: Option<Box<str>>,
        /// Shows thumbs.
        pub feedback: Option<bool>,
        /// Shows "read aloud".
        pub tts: Option<bool>,
        /// Shows "again".
        pub re_generate: Option<bool>,
        /// Shows "stop".
        pub stop_generate: Option<bool>,
    }

    /// The older way of streaming, as a member of a message. Undocumented; use
    /// [`StreamMessage`](super::StreamMessage).
    pub struct LegacyStream {
        /// How far it is.
        pub state: LegacyStreamState,
        /// Which stream; absent at first.
        pub id: Option<Box<str>>,
        /// From 1; 0 starts over.
        pub index: i64,
        /// Starts over while it is unfinished.
        pub reset: Option<bool>,
    }
}

open_enum! {
    /// What a bot is doing.
    pub enum InputType: i64 {
        /// Typing.
        Typing = 1,
        /// Nothing any more; known from the Go SDK only.
        Cancel = 2,
        /// Speaking; undocumented.
        Speaking = 3,
        /// Generating; undocumented.
        Generating = 4,
        /// Drawing; undocumented.
        Imagining = 5,
    }

    /// How far an older stream is.
    pub enum LegacyStreamState: i64 {
        /// The text goes on.
        Generating = 1,
        /// The text is complete.
        Done = 10,
        /// The guide goes on.
        GuideGenerating = 11,
        /// The guide is complete.
        GuideDone = 20,
    }
}

impl InputNotify {
    /// Typing for so many seconds.
    #[must_use]
    pub fn typing(seconds: u32) -> Self {
        Self {
            input_type: InputType::Typing,
            input_second: seconds,
            ..Self::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), BodyError> {
        in_range(
            "input_notify.input_second",
            self.input_second.into(),
            1,
            MAX_INPUT_SECONDS.into(),
        )
    }
}

impl From<Keyboard> for PromptKeyboard {
    fn from(keyboard: Keyboard) -> Self {
        Self {
            keyboard,
            ..Self::default()
        }
    }
}

setters! { ActionButton {
    /// What comes back, at most [`MAX_ACTION_CALLBACK`] characters.
    callback_data: Box<str>,
    /// Shows thumbs.
    feedback: bool,
    /// Shows "read aloud".
    tts: bool,
    /// Shows "again".
    re_generate: bool,
    /// Shows "stop".
    stop_generate: bool,
}}

impl ActionButton {
    pub(super) fn check(&self) -> Result<(), BodyError> {
        max_chars(
            "action_button.callback_data",
            self.callback_data.as_deref().unwrap_or_default(),
            MAX_ACTION_CALLBACK,
        )
    }
}
