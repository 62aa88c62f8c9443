//! Recalled messages.

use super::Message;
use crate::user::User;

object! {
    /// A guild message was recalled: the payload of `MESSAGE_DELETE`, `PUBLIC_MESSAGE_DELETE` and
    /// `DIRECT_MESSAGE_DELETE`.
    pub struct MessageDelete {
        /// What is left of the message: its ids and its sender.
        pub message: Message,
        /// Who recalled it; only the id.
        pub op_user: User,
    }
}
