//! What the platform says of a message that it took.

use crate::id::MessageId;
use crate::timestamp::Timestamp;

object! {
    /// A message that was sent.
    pub struct SentMessage {
        /// Its id, which a recall takes; left out for some kinds.
        pub id: MessageId,
        /// When it was sent.
        pub timestamp: Option<Timestamp>,
        /// More about it; groups and one-to-one chats only.
        pub ext_info: Option<MessageExtInfo>,
        /// The audit that it waits for, in an older form of answer.
        pub audit_id: Option<Box<str>>,
        /// What the sender is told about the audit, in an older form of answer.
        pub audit_tips: Option<Box<str>>,
        /// How many characters a stream may still send.
        pub remain_msg_len: Option<i64>,
    }

    /// A frame of a stream that was taken.
    pub struct StreamMessageResult {
        /// The stream; what the following frames name.
        pub id: Box<str>,
        /// When.
        pub timestamp: Option<Timestamp>,
        /// More about it.
        pub ext_info: Option<MessageExtInfo>,
        /// How many characters the stream may still have; often absent.
        pub remain_msg_len: Option<i64>,
    }

    /// More about a sent message.
    pub struct MessageExtInfo {
        /// What a later [`MessageReference`](crate::message::MessageReference) quotes it by.
        pub ref_idx: Option<Box<str>>,
    }
}
