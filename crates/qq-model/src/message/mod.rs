//! Received messages of the four scenes.
//!
//! | Scene | Type | Answer goes to |
//! |---|---|---|
//! | guild channel | [`Message`] | the channel |
//! | guild direct message | [`DirectMessage`] | the direct-message guild |
//! | QQ group | [`GroupMessage`] | the group |
//! | one-to-one chat | [`C2CMessage`] | the user |

pub(crate) mod ark;
pub(crate) mod attachment;
pub(crate) mod c2c;
mod chat;
mod conversation;
pub(crate) mod deleted;
pub(crate) mod embed;
pub(crate) mod group;
pub(crate) mod guild;
pub(crate) mod reference;
pub(crate) mod scene;
mod text;

pub use self::ark::{ArkData, ArkType, MessageArk, MessageArkKv, MessageArkObj, MessageArkObjKv};
pub use self::attachment::{Attachment, MessageAttachment};
pub use self::c2c::{C2CMessage, IncomingMessageType, MsgElement, V2User};
pub use self::chat::{ChatMessage, ChatUserId, Media, Mentioned, Quoted};
pub use self::conversation::{Conversation, Scene};
pub use self::deleted::MessageDelete;
pub use self::embed::{MessageEmbed, MessageEmbedField, MessageEmbedThumbnail};
pub use self::group::{
    GroupMessage, MemberRole, Mention, MentionScope, ParallelMessage, ParallelNode,
};
pub use self::guild::{DirectMessage, Message};
pub use self::reference::MessageReference;
pub use self::scene::MessageScene;
pub use self::text::{escape, unescape};
