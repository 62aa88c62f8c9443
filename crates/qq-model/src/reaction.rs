//! Emoji, and reactions with them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ChannelId, GuildId, UserId};
use crate::user::User;
use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

object! {
    /// An emoji.
    pub struct Emoji {
        /// The number of a system emoji; for the others the code point in decimal, or the emoji itself.
        pub id: Box<str>,
        /// Which of the two.
        pub kind: EmojiType = "type",
    }

    /// What was reacted to.
    pub struct ReactionTarget {
        /// The id of a message, a thread, a post or a reply.
        pub id: Box<str>,
        /// Which of them.
        pub kind: ReactionTargetType = "type",
    }

    /// Somebody reacted, or took it back: the payload of `MESSAGE_REACTION_*`.
    pub struct MessageReaction {
        /// Who.
        pub user_id: UserId,
        /// In which guild.
        pub guild_id: GuildId,
        /// In which channel.
        pub channel_id: ChannelId,
        /// To what.
        pub target: ReactionTarget,
        /// With what.
        pub emoji: Emoji,
    }

    /// A page of the users who reacted.
    pub struct ReactionUsers {
        /// The users; only id, name and avatar.
        pub users: Vec<User>,
        /// What the next page takes.
        pub cookie: Option<Box<str>>,
        /// Whether this is the last page.
        pub is_end: bool,
    }

    /// The query of the users who reacted.
    pub struct ListReactionUsers {
        /// `cookie` of the previous page.
        pub cookie: Option<Box<str>>,
        /// How many, at most 50, 20 by default; the first page decides for all.
        pub limit: Option<u32>,
    }
}

open_enum! {
    /// The kinds of emoji.
    pub enum EmojiType: i64 {
        /// A numbered face of the platform.
        System = 1,
        /// A Unicode emoji.
        Emoji = 2,
    }

    /// What can be reacted to.
    pub enum ReactionTargetKind: i64 {
        /// A message.
        Message = 0,
        /// A forum thread.
        Thread = 1,
        /// A comment on a thread.
        Post = 2,
        /// A reply to a comment.
        Reply = 3,
    }
}

setters! { ListReactionUsers {
    /// Goes on where the previous page ended.
    cookie: Box<str>,
    /// How many, at most 50.
    limit: u32,
}}

impl Emoji {
    /// A numbered face of the platform.
    #[must_use]
    pub fn system(number: u32) -> Self {
        Self {
            id: number.to_string().into(),
            kind: EmojiType::System,
            ..Self::default()
        }
    }

    /// A Unicode emoji, by its first code point, as reaction calls take it.
    ///
    /// ```
    /// use qq_model::reaction::Emoji;
    ///
    /// assert_eq!(&*Emoji::unicode('\u{2600}').id, "9728");
    /// ```
    #[must_use]
    pub fn unicode(emoji: char) -> Self {
        Self {
            id: u32::from(emoji).to_string().into(),
            kind: EmojiType::Emoji,
            ..Self::default()
        }
    }

    /// The character of a Unicode emoji, whether it came as a number or as itself.
    #[must_use]
    pub fn as_char(&self) -> Option<char> {
        if self.kind != EmojiType::Emoji {
            return None;
        }
        match self.id.parse::<u32>() {
            Ok(code) => char::from_u32(code),
            Err(_) => self.id.chars().next(),
        }
    }
}

/// What was reacted to, in the form in which it came: documents print a number, the wire has names such as
/// `ReactionTargetType_MSG`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReactionTargetType(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    Number(i64),
    Name(Box<str>),
}

/// The names on the wire, the third misspelled as the platform has it.
const NAMES: [(&str, ReactionTargetKind); 5] = [
    ("ReactionTargetType_MSG", ReactionTargetKind::Message),
    ("ReactionTargetType_FEED", ReactionTargetKind::Thread),
    ("ReactionTargetType_COMMNENT", ReactionTargetKind::Post),
    ("ReactionTargetType_COMMENT", ReactionTargetKind::Post),
    ("ReactionTargetType_REPLY", ReactionTargetKind::Reply),
];

impl ReactionTargetType {
    /// What it means; a name that this version does not know is `Unknown(-1)`.
    #[must_use]
    pub fn kind(&self) -> ReactionTargetKind {
        match &self.0 {
            Form::Number(number) => ReactionTargetKind::from(*number),
            Form::Name(name) => NAMES
                .iter()
                .find(|(known, _)| **known == **name)
                .map(|(_, kind)| *kind)
                .or_else(|| name.trim().parse::<i64>().ok().map(Into::into))
                .unwrap_or(ReactionTargetKind::Unknown(-1)),
        }
    }
}

impl From<ReactionTargetKind> for ReactionTargetType {
    fn from(kind: ReactionTargetKind) -> Self {
        Self(Form::Number(kind.value()))
    }
}

impl PartialEq<ReactionTargetKind> for ReactionTargetType {
    fn eq(&self, other: &ReactionTargetKind) -> bool {
        self.kind() == *other
    }
}

impl Default for ReactionTargetType {
    fn default() -> Self {
        ReactionTargetKind::Message.into()
    }
}

impl fmt::Debug for ReactionTargetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Number(_) => self.kind().fmt(f),
            Form::Name(name) => write!(f, "{:?} ({name:?})", self.kind()),
        }
    }
}

impl FromScalar for ReactionTargetType {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text(name) => Some(Self(Form::Name(name.into()))),
            other => i64::from_scalar(other).map(|number| Self(Form::Number(number))),
        }
    }
}

impl<'de> Lenient<'de> for ReactionTargetType {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

impl<'de> Deserialize<'de> for ReactionTargetType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map(Option::unwrap_or_default)
    }
}

impl Serialize for ReactionTargetType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Number(number) => serializer.serialize_i64(*number),
            Form::Name(name) => serializer.serialize_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_mean_the_same_and_stay_as_they_came() {
        for (json, kind) in [
            ("2", ReactionTargetKind::Post),
            ("\"2\"", ReactionTargetKind::Post),
            ("\"ReactionTargetType_COMMNENT\"", ReactionTargetKind::Post),
            ("\"ReactionTargetType_MSG\"", ReactionTargetKind::Message),
            ("9", ReactionTargetKind::Unknown(9)),
            ("\"new\"", ReactionTargetKind::Unknown(-1)),
        ] {
            let target: ReactionTargetType = serde_json::from_str(json).unwrap();
            assert_eq!(target, kind, "{json}");
            assert_eq!(serde_json::to_string(&target).unwrap(), json);
        }
    }

    #[test]
    fn both_forms_of_a_unicode_emoji_are_read() {
        let number: Emoji = serde_json::from_str(r#"{"id":"128516","type":2}"#).unwrap();
        let itself: Emoji = serde_json::from_str(r#"{"id":"😄","type":2}"#).unwrap();
        assert_eq!(
            (number.as_char(), itself.as_char()),
            (Some('😄'), Some('😄'))
        );
        assert_eq!(Emoji::system(4).as_char(), None);
    }
}
