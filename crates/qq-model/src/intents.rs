//! Which events a bot asks the gateway for.

use bitflags::bitflags;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{EventKind, EventKinds};
use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

macro_rules! intents {
    ($($(#[$inner:ident $($args:tt)*])* $name:ident = $bit:literal, $with:ident, $approval:literal;)*) => {
        bitflags! {
            /// The classes of events that IDENTIFY subscribes to.
            ///
            /// The gateway refuses a bot that asks for an intent it was not granted
            /// ([`needs_approval`](Self::needs_approval)) with close code 4014 or 4903, so
            /// [`Intents::default()`] is exactly what every bot is granted.
            ///
            /// Webhooks ignore intents: there the events are ticked in the console.
            ///
            /// ```
            /// use qq_model::{EventKind, Intents};
            ///
            /// let intents = Intents::default().with_group_and_c2c();
            /// assert!(intents.kinds().contains(EventKind::GroupAtMessageCreate));
            /// ```
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct Intents: u32 {
                $($(#[$inner $($args)*])* const $name = 1 << $bit;)*
            }
        }

        impl Intents {
            /// Every bit, for the coverage report.
            pub(crate) const VALUES: &'static [crate::describe::Value] =
                &[$(crate::describe::Value::Number(1 << $bit)),*];

            $(
                $(#[$inner $($args)*])*
                #[must_use]
                pub const fn $with(self) -> Self {
                    self.union(Self::$name)
                }
            )*

            /// The intents among these that the platform grants on application only.
            #[must_use]
            pub const fn needs_approval(self) -> Self {
                self.intersection(Self::empty()$(.union(if $approval { Self::$name } else { Self::empty() }))*)
            }
        }
    };
}

intents! {
    /// The bot joins and leaves guilds, guilds and channels change.
    GUILDS = 0, with_guilds, false;
    /// Members join, change and leave guilds.
    GUILD_MEMBERS = 1, with_guild_members, false;
    /// Every message of guild channels. For private-domain bots only.
    GUILD_MESSAGES = 9, with_guild_messages, true;
    /// Emoji reactions to guild messages.
    GUILD_MESSAGE_REACTIONS = 10, with_guild_message_reactions, true;
    /// Guild direct messages (not one-to-one QQ chats).
    DIRECT_MESSAGE = 12, with_direct_message, true;
    /// Forum events without their content, for public-domain bots.
    OPEN_FORUMS_EVENT = 18, with_open_forums, true;
    /// Members enter and leave audio and live channels.
    AUDIO_OR_LIVE_CHANNEL_MEMBER = 19, with_audio_or_live_channel_member, true;
    /// A user opens the chat window. Known from the official Go SDK only, undocumented.
    ENTER_AIO = 23, with_enter_aio, true;
    /// Members join and leave QQ groups, and ask to join.
    GROUP_MEMBER_EVENT = 24, with_group_members, true;
    /// Messages of QQ groups and one-to-one chats, friends, group switches.
    GROUP_AND_C2C_EVENT = 25, with_group_and_c2c, true;
    /// Buttons and other interactions.
    INTERACTION = 26, with_interaction, true;
    /// Outcomes of message audits.
    MESSAGE_AUDIT = 27, with_message_audit, true;
    /// Forum events with their content. For private-domain bots only.
    FORUMS_EVENT = 28, with_forums, true;
    /// Audio playback and microphones.
    AUDIO_ACTION = 29, with_audio_action, true;
    /// Guild messages that mention the bot.
    PUBLIC_GUILD_MESSAGES = 30, with_public_guild_messages, false;
}

impl Intents {
    /// No intents at all, to build up from nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self::empty()
    }

    /// These intents without the given ones.
    #[must_use]
    pub const fn without(self, intents: Self) -> Self {
        self.difference(intents)
    }

    /// The events that these intents enable, control events such as READY included.
    #[must_use]
    pub fn kinds(self) -> EventKinds {
        EventKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.intent().is_none_or(|intent| self.intersects(intent)))
            .collect()
    }
}

impl Default for Intents {
    /// What the platform grants every bot: [`GUILDS`](Self::GUILDS), [`GUILD_MEMBERS`](Self::GUILD_MEMBERS),
    /// [`PUBLIC_GUILD_MESSAGES`](Self::PUBLIC_GUILD_MESSAGES).
    fn default() -> Self {
        Self::GUILDS | Self::GUILD_MEMBERS | Self::PUBLIC_GUILD_MESSAGES
    }
}

impl Serialize for Intents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.bits())
    }
}

impl<'de> Deserialize<'de> for Intents {
    /// Unknown bits are kept.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self::from_bits_retain)
    }
}

impl FromScalar for Intents {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        u32::from_scalar(scalar).map(Self::from_bits_retain)
    }
}

impl<'de> Lenient<'de> for Intents {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_needs_no_approval_and_has_the_documented_value() {
        assert!(Intents::default().needs_approval().is_empty());
        assert_eq!(Intents::default().bits(), 1 << 0 | 1 << 1 | 1 << 30);
    }

    #[test]
    fn documented_examples() {
        assert_eq!(
            Intents::new().with_guilds().with_guild_messages().bits(),
            513
        );
        assert_eq!(
            Intents::new()
                .with_public_guild_messages()
                .with_guild_members()
                .bits(),
            1_073_741_826
        );
    }

    #[test]
    fn intents_enable_their_events_and_no_others() {
        let kinds = Intents::new().with_group_and_c2c().kinds();
        assert!(kinds.contains(EventKind::C2CMessageCreate));
        assert!(kinds.contains(EventKind::Ready));
        assert!(!kinds.contains(EventKind::AtMessageCreate));
    }
}
