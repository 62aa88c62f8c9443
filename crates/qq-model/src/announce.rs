//! Announcements of guilds.

use crate::id::{ChannelId, GuildId, MessageId};
use crate::request::{BodyError, RequestBody, each, has_id, max_len, not_empty};

object! {
    /// An announcement: a message, or recommended channels.
    pub struct Announces {
        /// The guild.
        pub guild_id: Option<GuildId>,
        /// The channel of the message; may be empty.
        pub channel_id: Option<ChannelId>,
        /// The message; empty for recommendations.
        pub message_id: Option<MessageId>,
        /// What kind of announcement.
        pub announces_type: Option<AnnouncesType>,
        /// The recommended channels.
        pub recommend_channels: Vec<RecommendChannel>,
    }

    /// A recommended channel.
    pub struct RecommendChannel {
        /// The channel; everybody must see it.
        pub channel_id: ChannelId,
        /// What it is recommended with.
        pub introduce: Box<str>,
    }

    /// The body of announcing something in a guild. Made by [`CreateAnnounce::message`] or
    /// [`CreateAnnounce::channels`]: the two kinds replace each other.
    pub struct CreateAnnounce {
        /// The message to announce.
        pub(crate) message_id: Option<MessageId>,
        /// Its channel.
        pub(crate) channel_id: Option<ChannelId>,
        /// What kind of announcement.
        pub announces_type: Option<AnnouncesType>,
        /// The channels to recommend; replaces all others.
        pub(crate) recommend_channels: Vec<RecommendChannel>,
    }

    /// The body of announcing a message in its channel. Retired in 2022: pin it instead.
    pub struct CreateChannelAnnounce {
        /// The message.
        pub message_id: MessageId,
    }
}

open_enum! {
    /// The kinds of announcements.
    pub enum AnnouncesType: i64 {
        /// For members.
        Member = 0,
        /// For those who arrive.
        Welcome = 1,
    }
}

/// How many channels may be recommended.
pub const MAX_RECOMMENDED_CHANNELS: usize = 3;

impl RecommendChannel {
    /// This channel, with these words.
    #[must_use]
    pub fn new(channel: impl Into<ChannelId>, introduce: impl Into<Box<str>>) -> Self {
        Self {
            channel_id: channel.into(),
            introduce: introduce.into(),
            ..Self::default()
        }
    }
}

impl CreateAnnounce {
    /// Announces this message of this channel.
    #[must_use]
    pub fn message(channel: impl Into<ChannelId>, message: impl Into<MessageId>) -> Self {
        Self {
            message_id: Some(message.into()),
            channel_id: Some(channel.into()),
            ..Self::default()
        }
    }

    /// Recommends these channels, at most [`MAX_RECOMMENDED_CHANNELS`].
    #[must_use]
    pub fn channels(channels: impl IntoIterator<Item = RecommendChannel>) -> Self {
        Self {
            recommend_channels: channels.into_iter().collect(),
            ..Self::default()
        }
    }
}

setters! { CreateAnnounce {
    /// What kind of announcement; for members by default.
    announces_type: AnnouncesType,
}}

impl CreateChannelAnnounce {
    /// Announces this message.
    #[must_use]
    pub fn new(message: impl Into<MessageId>) -> Self {
        Self {
            message_id: message.into(),
            ..Self::default()
        }
    }
}

impl RequestBody for CreateAnnounce {
    fn validate(&self) -> Result<(), BodyError> {
        if let Some(message) = &self.message_id {
            has_id("message_id", message)?;
            return match &self.channel_id {
                Some(channel) => has_id("channel_id", channel),
                None => Err(BodyError::new("channel_id", "must be there")),
            };
        }
        not_empty("recommend_channels", &self.recommend_channels)?;
        max_len(
            "recommend_channels",
            &self.recommend_channels,
            MAX_RECOMMENDED_CHANNELS,
        )?;
        each(&self.recommend_channels, |channel| {
            has_id("recommend_channels.channel_id", &channel.channel_id)
        })
    }
}

impl RequestBody for CreateChannelAnnounce {
    fn validate(&self) -> Result<(), BodyError> {
        has_id("message_id", &self.message_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_three_channels_and_none_without_id() {
        let body = |ids: &[&str]| {
            CreateAnnounce::channels(ids.iter().map(|id| RecommendChannel::new(*id, "x")))
        };
        body(&["1", "2", "3"]).validate().unwrap();
        assert_eq!(
            body(&["1", "2", "3", "4"]).validate().unwrap_err().size(),
            Some(4)
        );
        assert_eq!(body(&["1", ""]).validate().unwrap_err().index(), Some(1));
        assert!(body(&[]).validate().is_err());
    }
}
