//! Forum channels: threads, comments (posts) on them, replies to comments.
//!
//! Contents come in four shapes; [`ForumContent`] is all of them and reads lazily.

mod content;
pub(crate) mod rich_object;
pub(crate) mod rich_text;
pub(crate) mod thread;

pub use self::content::ForumContent;
pub use self::rich_object::{
    AtChannel, AtGuild, AtInfo, AtRole, AtType, AtUser, ForumEmojiInfo, RichObject, RichType,
    TextInfo, UrlInfo,
};
pub use self::rich_text::{
    Alignment, Elem, ElemType, ImageElem, Paragraph, ParagraphProps, PlatImage, PlatVideo,
    RichText, TextElem, TextProps, UrlElem, VideoElem,
};
pub use self::thread::{
    ForumAuditResult, ForumAuditType, OpenForumEvent, Post, PostInfo, PutThread, PutThreadResult,
    Reply, ReplyInfo, Thread, ThreadDetail, ThreadFormat, ThreadInfo, ThreadList,
};
