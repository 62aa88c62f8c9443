//! Messages to send.

mod body;
mod markdown;
pub(crate) mod sent;
pub(crate) mod wire;

pub use self::body::{BodyError, MessageBody, ReplyTo};
pub use self::markdown::{MarkdownParam, MessageMarkdown};
pub use self::sent::{MessageExtInfo, SentMessage};
pub use self::wire::{GuildMessageBody, MsgType, V2MessageBody};
