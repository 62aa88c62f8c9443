//! Channels of guilds.

use crate::id::{ChannelId, GuildId, UserId};
use crate::permission::Permissions;
use crate::request::{BodyError, RequestBody, not_blank};
use crate::wire::Patch;

object! {
    /// A channel of a guild, from REST and in `CHANNEL_*` events.
    ///
    /// Everything but `id`, `guild_id`, `name` and `type` may be absent; unset ids come as `"0"`.
    pub struct Channel {
        /// Which channel.
        pub id: ChannelId,
        /// Its guild.
        pub guild_id: GuildId,
        /// Its name.
        pub name: Box<str>,
        /// What kind of channel.
        pub kind: ChannelType = "type",
        /// What kind of text channel.
        pub sub_type: Option<ChannelSubType>,
        /// Where it stands, from 1; absent in some events.
        pub position: Option<i64>,
        /// The category it stands in; `"0"` for none.
        pub parent_id: Option<ChannelId>,
        /// Who made it; may be `"0"`.
        pub owner_id: Option<UserId>,
        /// Who sees it.
        pub private_type: Option<PrivateType>,
        /// Who may write in it.
        pub speak_permission: Option<SpeakPermission>,
        /// Which application, for application channels.
        pub application_id: Option<ApplicationId>,
        /// What this bot may do in it.
        pub permissions: Option<Permissions>,
        /// Who did it; in events only.
        pub op_user_id: Option<UserId>,
        /// Who sees a private channel; in requests only.
        pub private_user_ids: Vec<UserId>,
    }

    /// How many people are in a voice or live channel.
    pub struct OnlineNums {
        /// The number of people.
        pub online_nums: u64,
    }

    /// The body of creating a channel. Private-domain bots that are administrators only.
    pub struct CreateChannel {
        /// The name.
        pub name: Box<str>,
        /// What kind of channel.
        pub kind: ChannelType = "type",
        /// What kind of text channel.
        pub sub_type: Option<ChannelSubType>,
        /// Where it stands, from 1, and from 2 for a category; at the end by default. The server renumbers.
        pub position: Option<i64>,
        /// The category it stands in.
        pub parent_id: Option<ChannelId>,
        /// Who sees it.
        pub private_type: Option<PrivateType>,
        /// Who sees a private channel.
        pub private_user_ids: Vec<UserId>,
        /// Who may write in it.
        pub speak_permission: Option<SpeakPermission>,
        /// Which application, for application channels.
        pub application_id: Option<ApplicationId>,
    }

    /// The body of changing a channel: what is not set stays. Private-domain bots that are administrators only.
    pub struct ModifyChannel {
        /// The name.
        pub name: Patch<Box<str>>,
        /// Where it stands.
        pub position: Patch<i64>,
        /// The category it stands in.
        pub parent_id: Patch<ChannelId>,
        /// Who sees it.
        pub private_type: Patch<PrivateType>,
        /// Who may write in it.
        pub speak_permission: Patch<SpeakPermission>,
    }
}

open_enum! {
    /// The kinds of channels.
    pub enum ChannelType: i64 {
        /// Text.
        Text = 0,
        /// Reserved.
        Reserved1 = 1,
        /// Voice.
        Voice = 2,
        /// Reserved.
        Reserved3 = 3,
        /// A category of channels.
        Category = 4,
        /// A live stream.
        Live = 10005,
        /// An application.
        Application = 10006,
        /// A forum.
        Forum = 10007,
    }

    /// The kinds of text channels.
    pub enum ChannelSubType: i64 {
        /// Chat.
        Chat = 0,
        /// Announcements.
        Announcement = 1,
        /// A guide for new members.
        Guide = 2,
        /// Finding company for games.
        Gaming = 3,
    }

    /// Who sees a channel.
    pub enum PrivateType: i64 {
        /// Everyone.
        Public = 0,
        /// The owner and administrators.
        AdminOnly = 1,
        /// The owner, administrators and chosen members.
        AdminAndMembers = 2,
    }

    /// Who may write in a channel.
    pub enum SpeakPermission: i64 {
        /// Not set.
        Invalid = 0,
        /// Everyone.
        Everyone = 1,
        /// The owner, administrators and chosen members.
        AdminAndMembers = 2,
    }

    /// The applications of application channels.
    pub enum ApplicationId: str {
        /// No application channel.
        None = "0",
        /// The game hall of Honor of Kings.
        Honor = "1000000",
        /// Small games.
        MiniGames = "1000001",
        /// Polls.
        Vote = "1000010",
        /// The calendar.
        Schedule = "1000050",
        /// The game hall of QQ Speed.
        Speed = "1000051",
        /// The game hall of Call of Duty Mobile.
        CoDM = "1000070",
        /// The game hall of Game for Peace.
        Peace = "1010000",
    }
}

impl CreateChannel {
    /// A channel of this name and kind.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, kind: ChannelType) -> Self {
        Self {
            name: name.into(),
            kind,
            ..Self::default()
        }
    }

    /// Shows a private channel to these members.
    #[must_use]
    pub fn private_user_ids(mut self, ids: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        self.private_user_ids = ids.into_iter().map(Into::into).collect();
        self
    }
}

setters! { CreateChannel {
    /// What kind of text channel.
    sub_type: ChannelSubType,
    /// Where it stands, from 1.
    position: i64,
    /// The category it stands in.
    parent_id: ChannelId,
    /// Who sees it.
    private_type: PrivateType,
    /// Who may write in it.
    speak_permission: SpeakPermission,
    /// Which application.
    application_id: ApplicationId,
}}

setters! { ModifyChannel {
    /// Renames it.
    name: Box<str>,
    /// Moves it.
    position: i64,
    /// Moves it to this category.
    parent_id: ChannelId,
    /// Who sees it.
    private_type: PrivateType,
    /// Who may write in it.
    speak_permission: SpeakPermission,
}}

impl RequestBody for CreateChannel {
    fn validate(&self) -> Result<(), BodyError> {
        not_blank("name", &self.name)?;
        if self.kind == ChannelType::Category && self.position.is_some_and(|position| position < 2)
        {
            return Err(BodyError::new(
                "position",
                "of a category must be at least 2",
            ));
        }
        Ok(())
    }
}

impl RequestBody for ModifyChannel {
    fn validate(&self) -> Result<(), BodyError> {
        self.name
            .value()
            .map_or(Ok(()), |name| not_blank("name", name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_channel_can_be_made_public_and_nothing_else_changes() {
        let body = ModifyChannel::default().private_type(PrivateType::Public);
        assert_eq!(json!(body), json!({"private_type": 0}));
    }

    #[test]
    fn a_category_stands_second_or_later() {
        let body = CreateChannel::new("c", ChannelType::Category).position(1);
        assert_eq!(body.validate().unwrap_err().field(), "position");
        body.position(2).validate().unwrap();
    }
}
