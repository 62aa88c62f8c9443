//! Texts of messages: mentions, links, emoji, faces; escaping; splitting what is too long.
//!
//! ```
//! use qq_model::text;
//!
//! let line = format!("{} read {}", text::mention_user(&"7".into()), text::escape("a < b"));
//! assert_eq!(line, "<@!7> read a &lt; b");
//! assert_eq!(text::split("one two", 4), ["one", "two"]);
//! ```

mod border;
mod face;
mod markup;
mod split;
mod split_markdown;

pub use self::face::{Face, faces, without_faces};
pub use self::markup::{
    Entities, Entity, MENTION_EVERYONE, channel_link, emoji, entities, mention_member, mention_user,
};
pub use self::split::split;
pub use self::split_markdown::{MIN_MARKDOWN_LIMIT, split_markdown};
pub use crate::message::{escape, unescape};
pub use crate::request::text_width;
