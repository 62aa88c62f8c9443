//! Audio and live channels.

use crate::id::{ChannelId, GuildId, UserId};
use crate::request::{BodyError, RequestBody, not_blank};

object! {
    /// The body of playing audio in a voice channel. Made by [`AudioControl::start`] and its siblings: only a
    /// start has an address.
    pub struct AudioControl {
        /// What to play.
        pub(crate) audio_url: Option<Box<str>>,
        /// What the channel shows.
        pub(crate) text: Option<Box<str>>,
        /// What to do.
        pub(crate) status: AudioStatus,
    }

    /// Audio began or ended, or the bot took or left the microphone: the payload of `AUDIO_*`.
    pub struct AudioAction {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// What is played; absent for microphones.
        pub audio_url: Option<Box<str>>,
        /// What the channel shows; absent for microphones.
        pub text: Option<Box<str>>,
    }

    /// Somebody entered or left an audio or live channel: the payload of `AUDIO_OR_LIVE_CHANNEL_MEMBER_*`.
    pub struct AudioOrLiveChannelMember {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// What kind of channel; not the numbers of [`ChannelType`](crate::channel::ChannelType).
        pub channel_type: AudioChannelType,
        /// Who.
        pub user_id: UserId,
    }
}

open_enum! {
    /// What to do with audio.
    pub enum AudioStatus: i64 {
        /// Play.
        Start = 0,
        /// Pause.
        Pause = 1,
        /// Go on.
        Resume = 2,
        /// Stop.
        Stop = 3,
    }

    /// The kinds of channels whose members are watched.
    pub enum AudioChannelType: i64 {
        /// Voice.
        Voice = 2,
        /// A live stream.
        Live = 5,
    }
}

impl AudioControl {
    /// Plays what is at this address, and shows this text.
    #[must_use]
    pub fn start(audio_url: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self {
            audio_url: Some(audio_url.into()),
            text: Some(text.into()),
            status: AudioStatus::Start,
            ..Self::default()
        }
    }

    /// Pauses.
    #[must_use]
    pub fn pause() -> Self {
        Self::only(AudioStatus::Pause)
    }

    /// Goes on after a pause.
    #[must_use]
    pub fn resume() -> Self {
        Self::only(AudioStatus::Resume)
    }

    /// Stops.
    #[must_use]
    pub fn stop() -> Self {
        Self::only(AudioStatus::Stop)
    }

    /// What to do.
    #[must_use]
    pub const fn status(&self) -> AudioStatus {
        self.status
    }

    fn only(status: AudioStatus) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }
}

impl RequestBody for AudioControl {
    fn validate(&self) -> Result<(), BodyError> {
        if self.status == AudioStatus::Start {
            return not_blank("audio_url", self.audio_url.as_deref().unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_start_has_an_address() {
        assert_eq!(json!(AudioControl::pause()), json!({"status": 1}));
        assert_eq!(
            AudioControl::start("", "x").validate().unwrap_err().field(),
            "audio_url"
        );
    }
}
