//! Quoting another message.

object! {
    /// A quote of another message.
    pub struct MessageReference {
        /// In guild scenes a message id; in groups and one-to-one chats an index `REFIDX_...`
        /// ([`MessageScene::msg_idx`](super::MessageScene::msg_idx), or `ext_info.ref_idx` of a sent message).
        pub message_id: Box<str>,
        /// In guild scenes: send even when the quoted message cannot be read.
        pub ignore_get_message_error: Option<bool>,
    }
}

impl MessageReference {
    /// A quote by message id (guild scenes) or by index (groups and one-to-one chats).
    #[must_use]
    pub fn new(message_id: impl Into<Box<str>>) -> Self {
        Self {
            message_id: message_id.into(),
            ..Self::default()
        }
    }
}
