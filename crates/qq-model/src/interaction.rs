//! Interactions: buttons, menus, feedback, authorisations.
//!
//! Two ids: the interaction's own id acknowledges it ([`InteractionAck`], once, within 3 seconds), the outer id
//! of the event answers it.

use serde_json::Value;

use crate::id::{
    AppId, ChannelId, GroupOpenid, GuildId, InteractionId, MemberOpenid, MessageId, UnionOpenid,
    UserId, UserOpenid,
};
use crate::message::Conversation;
use crate::request::RequestBody;
use crate::timestamp::Timestamp;

object! {
    /// An interaction: the payload of `INTERACTION_CREATE`.
    pub struct Interaction {
        /// What the acknowledgement names; not what `event_id` of a reply takes.
        pub id: InteractionId,
        /// The bot's application.
        pub application_id: Option<AppId>,
        /// What kind.
        pub kind: InteractionType = "type",
        /// `c2c`, `group` or `guild`; see also [`conversation`](Self::conversation).
        pub scene: Option<Box<str>>,
        /// Where; absent in authorisations.
        pub chat_type: Option<ChatType>,
        /// When.
        pub timestamp: Option<Timestamp>,
        /// The version of this format.
        pub version: Option<i64>,
        /// In guilds.
        pub guild_id: Option<GuildId>,
        /// In guilds.
        pub channel_id: Option<ChannelId>,
        /// In one-to-one chats.
        pub user_openid: Option<UserOpenid>,
        /// In groups.
        pub group_openid: Option<GroupOpenid>,
        /// Who, in groups.
        pub group_member_openid: Option<MemberOpenid>,
        /// The user across bots of one owner; observed, undocumented.
        pub union_openid: Option<UnionOpenid>,
        /// What happened.
        pub data: InteractionData,
    }

    /// The details of an interaction.
    pub struct InteractionData {
        /// What kind; absent in authorisations.
        pub kind: Option<InteractionDataType> = "type",
        /// Which command; search only, known from the Go SDK only.
        pub name: Option<Box<str>>,
        /// What happened.
        pub resolved: Option<Box<InteractionResolved>>,
    }

    /// What happened. Which members are there depends on the kind.
    pub struct InteractionResolved {
        /// `data` of the button.
        pub button_data: Option<Box<str>>,
        /// `id` of the button.
        pub button_id: Option<Box<str>>,
        /// Who, in guilds.
        pub user_id: Option<UserId>,
        /// Which menu entry.
        pub feature_id: Option<Box<str>>,
        /// Which message.
        pub message_id: Option<MessageId>,
        /// Whether they liked it.
        pub feedback_opt: Option<FeedbackOpt>,
        /// Whether the feedback is set: 1, else 0.
        pub checked: Option<i64>,
        /// `ENTER_STORY`, `QUIT_STORY`, or what to do with the model.
        pub action: Option<Box<str>>,
        /// The context of a feedback.
        pub message_scene: Option<Box<crate::message::MessageScene>>,
        /// An authorisation.
        pub authorize_data: Option<AuthorizeData>,
        /// What was searched for; known from the Go SDK only.
        pub keyword: Option<Box<str>>,
        /// A request to pass on; known from the Go SDK only.
        pub request: Option<Box<str>>,
        /// Who; known from the Go SDK only.
        pub member_nick: Option<Box<str>>,
    }

    /// An authorisation.
    pub struct AuthorizeData {
        /// Where it was given: `setting` or `dialog`; `friend_del` was observed.
        pub opt_scene: Option<Box<str>>,
        /// For what: `c2c_push` or `group_push`.
        pub scope: Option<Box<str>>,
        /// Whether it was given; observed, undocumented.
        pub switch: Option<bool>,
    }

    /// The body of acknowledging an interaction: once, within 3 seconds, or the button keeps spinning. Needed
    /// for [`InteractionType::InlineKeyboard`] and [`InteractionType::QuickMenu`].
    pub struct InteractionAck {
        /// What came of it.
        pub code: Option<InteractionAckCode>,
        /// More; used by searches only.
        pub data: Option<Value>,
    }
}

open_enum! {
    /// The kinds of interactions.
    pub enum InteractionType: i64 {
        /// A test of the connection; old.
        Ping = 1,
        /// A command; old.
        Command = 2,
        /// A request to pass on; old.
        HttpProxy = 10,
        /// A button was pressed. Wants an acknowledgement.
        InlineKeyboard = 11,
        /// A menu entry was chosen. Wants an acknowledgement.
        QuickMenu = 12,
        /// Thumbs up or down.
        Feedback = 13,
        /// The session was cleared.
        ClearSession = 14,
        /// A story was entered or left.
        Story = 15,
        /// Another model was chosen.
        SwitchModel = 16,
        /// A user granted something.
        UserAuthorize = 18,
        /// A group granted something.
        GroupAuthorize = 19,
        /// A group's grant changed.
        GroupAuthorizeStatus = 20,
    }

    /// The kinds of details.
    pub enum InteractionDataType: i64 {
        /// A search in the input box.
        ChatInputSearch = 9,
        /// A request to pass on; old.
        HttpProxy = 10,
        /// A button.
        InlineKeyboard = 11,
        /// A menu entry.
        QuickMenu = 12,
        /// Feedback.
        Feedback = 13,
        /// The session was cleared.
        ClearSession = 14,
        /// A story.
        Story = 15,
        /// Another model.
        SwitchModel = 16,
        /// A settings page asks for the configuration; observed.
        ConfigQuery = 2001,
        /// A settings page changes the configuration; observed.
        ConfigUpdate = 2002,
    }

    /// What came of an interaction.
    pub enum InteractionAckCode: i64 {
        /// Done.
        Success = 0,
        /// Failed.
        Failed = 1,
        /// Too often.
        TooFrequent = 2,
        /// Done before.
        Duplicate = 3,
        /// Not allowed.
        NoPermission = 4,
        /// For administrators only.
        AdminOnly = 5,
    }

    /// Where an interaction happened.
    pub enum ChatType: i64 {
        /// In a guild.
        Guild = 0,
        /// In a group.
        Group = 1,
        /// In a one-to-one chat.
        C2C = 2,
    }

    /// Thumbs up or down.
    pub enum FeedbackOpt: str {
        /// Up.
        Like = "LIKE",
        /// Down.
        Unlike = "UNLIKE",
    }
}

impl Interaction {
    /// Whether the user's client waits for an acknowledgement.
    #[must_use]
    pub const fn wants_ack(&self) -> bool {
        matches!(
            self.kind,
            InteractionType::InlineKeyboard | InteractionType::QuickMenu
        )
    }

    /// Where it happened, and where an answer goes.
    #[must_use]
    pub fn conversation(&self) -> Option<Conversation> {
        if let Some(group) = self.group_openid.as_ref().filter(|id| !id.is_empty()) {
            return Some(Conversation::Group(group.clone()));
        }
        if let Some(channel) = self.channel_id.as_ref().filter(|id| !id.is_empty()) {
            return Some(Conversation::Channel(channel.clone()));
        }
        self.user_openid
            .as_ref()
            .filter(|id| !id.is_empty())
            .map(|user| Conversation::C2C(user.clone()))
    }

    /// `data` of the pressed button.
    #[must_use]
    pub fn button_data(&self) -> Option<&str> {
        self.data.resolved.as_ref()?.button_data.as_deref()
    }

    /// `id` of the pressed button.
    #[must_use]
    pub fn button_id(&self) -> Option<&str> {
        self.data.resolved.as_ref()?.button_id.as_deref()
    }
}

impl InteractionAck {
    /// What came of it.
    #[must_use]
    pub fn new(code: InteractionAckCode) -> Self {
        Self {
            code: Some(code),
            ..Self::default()
        }
    }
}

setters! { InteractionAck {
    /// More, for searches.
    data: Value,
}}

impl RequestBody for InteractionAck {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_found_in_every_scene() {
        for (json, conversation) in [
            (
                r#"{"group_openid":"G","group_member_openid":"M"}"#,
                Some(Conversation::Group("G".into())),
            ),
            (
                r#"{"user_openid":"U","group_openid":""}"#,
                Some(Conversation::C2C("U".into())),
            ),
            (
                r#"{"guild_id":"1","channel_id":"2"}"#,
                Some(Conversation::Channel("2".into())),
            ),
            ("{}", None),
        ] {
            let interaction: Interaction = serde_json::from_str(json).unwrap();
            assert_eq!(interaction.conversation(), conversation, "{json}");
        }
    }

    #[test]
    fn an_acknowledgement_of_success_has_its_zero() {
        let ack = InteractionAck::new(InteractionAckCode::Success);
        assert_eq!(serde_json::to_string(&ack).unwrap(), r#"{"code":0}"#);
    }
}
