//! Typed ids that never mix.
//!
//! Every id of the platform is text on the wire. [`Id`] keeps the two common forms without a heap
//! allocation (decimal snowflakes as a `u64`, 32-digit upper-case hexadecimal openids as 16 bytes) and
//! any other text behind a shared pointer, so a clone never copies text. Whatever goes in comes out
//! byte for byte.
//!
//! ```
//! use qq_model::id::{GroupOpenid, GuildId};
//!
//! let group = GroupOpenid::new("FEC0ACE0EE8970E6BC3ADAFB5BEC6152");
//! assert_eq!(group.to_string(), "FEC0ACE0EE8970E6BC3ADAFB5BEC6152");
//! assert_eq!(GuildId::new("11586990140073229091").as_u64(), Some(11586990140073229091));
//! ```
//!
//! Two kinds of id are two types:
//!
//! ```compile_fail
//! use qq_model::id::{GuildId, UserId};
//!
//! fn greet(user: &UserId) {}
//! greet(&GuildId::new("1"));
//! ```

pub mod marker;
mod repr;

use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::repr::Repr;
use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

/// An id of one kind, chosen by the marker type `K`: see [`marker`] and the aliases of this module.
///
/// 24 bytes. Comparison, ordering and hashing agree with the text. The empty id
/// ([`Id::is_empty`], also the default) is how an id that the platform left out appears.
pub struct Id<K> {
    repr: Repr,
    kind: PhantomData<fn(K) -> K>,
}

macro_rules! aliases {
    ($($(#[$doc:meta])* $alias:ident = $marker:ident;)*) => {
        $($(#[$doc])* pub type $alias = Id<marker::$marker>;)*
    };
}

aliases! {
    /// The bot application's id (`AppID` in the console), decimal digits.
    AppId = App;
    /// A guild, decimal; direct messages have a guild id of their own.
    GuildId = Guild;
    /// A channel of a guild, decimal.
    ChannelId = Channel;
    /// A user as guild scenes know them, decimal.
    UserId = User;
    /// A role of a guild, decimal.
    RoleId = Role;
    /// A message, opaque text.
    MessageId = Message;
    /// The outer id of a pushed event, `<EVENT>:<text>`; what `event_id` of a reply takes.
    EventId = Event;
    /// An interaction (`d.id`), a UUID.
    InteractionId = Interaction;
    /// A schedule of a schedule channel.
    ScheduleId = Schedule;
    /// A forum thread.
    ThreadId = Thread;
    /// A comment on a forum thread.
    PostId = Post;
    /// A reply to a forum comment.
    ReplyId = Reply;
    /// A message audit, a UUID.
    AuditId = Audit;
    /// An attachment.
    AttachmentId = Attachment;
    /// A user as one bot sees them in one-to-one chats, 32 hexadecimal digits.
    UserOpenid = UserOpen;
    /// A QQ group as one bot sees it, 32 hexadecimal digits.
    GroupOpenid = GroupOpen;
    /// A member of a QQ group as one bot sees them, 32 hexadecimal digits.
    MemberOpenid = MemberOpen;
    /// A person as the QQ chat at hand knows them: the [`MemberOpenid`] in groups, the [`UserOpenid`] in one-to-one
    /// chats. [`Id::cast`] makes it the one or the other.
    PersonOpenid = PersonOpen;
    /// A user across the bots of one owner, only with a grant.
    UnionOpenid = UnionOpen;
    /// A gateway session (`session_id` of READY), a UUID.
    SessionId = Session;
}

impl<K> Id<K> {
    /// An id from its text, kept byte for byte.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::from_repr(Repr::parse(text.as_ref()))
    }

    /// Whether the platform left this id out or sent it empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.repr, Repr::Empty)
    }

    /// The value of a decimal id; `None` for any other form.
    #[must_use]
    pub const fn as_u64(&self) -> Option<u64> {
        match self.repr {
            Repr::Decimal(n) => Some(n),
            _ => None,
        }
    }

    /// The text of this id, without an allocation.
    #[must_use]
    pub fn text(&self) -> IdText<'_> {
        IdText(self.repr.text())
    }

    /// The same text as another kind of id. The platform sometimes shows one id under two names, as
    /// `author.id` and `author.member_openid`; nothing else should need this.
    #[must_use]
    pub fn cast<L>(self) -> Id<L> {
        Id::from_repr(self.repr)
    }

    const fn from_repr(repr: Repr) -> Self {
        Self {
            repr,
            kind: PhantomData,
        }
    }
}

/// The text of an [`Id`], borrowed from it or formatted on the stack.
pub struct IdText<'a>(repr::Text<'a>);

impl Deref for IdText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for IdText<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Display for IdText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for IdText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self::from_repr(self.repr.clone())
    }
}

impl<K> Default for Id<K> {
    fn default() -> Self {
        Self::from_repr(Repr::Empty)
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.repr == other.repr
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialEq<str> for Id<K> {
    fn eq(&self, other: &str) -> bool {
        &*self.text() == other
    }
}

impl<K> PartialEq<&str> for Id<K> {
    fn eq(&self, other: &&str) -> bool {
        &*self.text() == *other
    }
}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text().cmp(&other.text())
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.repr.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text(), f)
    }
}

impl<K> From<&str> for Id<K> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<K> From<String> for Id<K> {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<K> From<&String> for Id<K> {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl<K> From<u64> for Id<K> {
    fn from(value: u64) -> Self {
        Self::from_repr(Repr::Decimal(value))
    }
}

impl<K> From<&Self> for Id<K> {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl<K> FromStr for Id<K> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map(Option::unwrap_or_default)
    }
}

impl<'de, K> Lenient<'de> for Id<K> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

impl<K> FromScalar for Id<K> {
    #[inline]
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => Some(Self::new(text)),
            Scalar::Unsigned(n) => Some(Self::from(n)),
            Scalar::Signed(n) => Some(Self::new(n.to_string())),
            // A float has lost digits of the id, and a boolean never was one.
            Scalar::Float(_) | Scalar::Bool(_) => None,
        }
    }
}

const _: () = assert!(size_of::<GuildId>() <= 24);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_comes_back_byte_for_byte(text in "\\PC*|[0-9]{0,25}|[0-9A-Fa-f]{32}|0[0-9]{1,19}") {
            let id = MessageId::new(&text);
            prop_assert_eq!(id.to_string(), text.clone());
            prop_assert_eq!(&id, text.as_str());
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<MessageId>(&json).unwrap(), id);
        }

        #[test]
        fn ordering_is_that_of_the_text(a in "[0-9]{1,20}|[0-9A-F]{32}|[a-c]{0,3}", b in "[0-9]{1,20}|[0-9A-F]{32}|[a-c]{0,3}") {
            prop_assert_eq!(MessageId::new(&a).cmp(&MessageId::new(&b)), a.cmp(&b));
            prop_assert_eq!(MessageId::new(&a) == MessageId::new(&b), a == b);
        }
    }

    #[test]
    fn the_two_common_forms_need_no_heap() {
        assert!(matches!(
            GuildId::new("18446744073709551615").repr,
            Repr::Decimal(u64::MAX)
        ));
        assert!(matches!(
            UserOpenid::new("C9F778FE6ADF9D1D1DBE395BF744A33A").repr,
            Repr::Hex(_)
        ));
    }

    #[test]
    fn look_alikes_stay_text() {
        for text in [
            "18446744073709551616",
            "007",
            "+1",
            "c9f778fe6adf9d1d1dbe395bf744a33a",
            " 1",
        ] {
            assert!(matches!(GuildId::new(text).repr, Repr::Text(_)), "{text}");
        }
    }

    #[test]
    fn numbers_and_null_are_read() {
        assert_eq!(
            serde_json::from_str::<GuildId>("11586990140073229091").unwrap(),
            "11586990140073229091"
        );
        assert!(serde_json::from_str::<GuildId>("null").unwrap().is_empty());
        assert!(
            serde_json::from_str::<GuildId>("{\"a\":[1]}")
                .unwrap()
                .is_empty()
        );
    }
}
