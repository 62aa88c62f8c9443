//! Values in few bytes, for the kinds of which there are very many.

mod member;
mod moment;
mod text;

pub(crate) use self::member::{MemberNews, PackedMember};
pub(crate) use self::text::PackedText;
