//! Calls by what they are about: a group, a user, a channel, a direct conversation.

mod at;
mod bot;
mod channel;
mod channel_message;
mod direct;
mod forum;
mod group;
mod group_member;
mod guild;
mod interaction;
mod join_approval;
mod member;
mod menu;
mod panel;
mod role;
mod schedule;
mod user;
mod voice;
mod webhook_session;

use qq_model::id::{ChannelId, GroupOpenid, GuildId, UserOpenid};
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;

use self::at::At;
pub use self::channel::{ChannelAnnounces, ChannelMessages, ChannelPins};
pub use self::channel_message::ChannelMessageScope;
pub use self::direct::DirectMessageScope;
pub use self::forum::{ChannelThreads, ThreadScope};
pub use self::group::GroupMessageScope;
pub use self::group_member::GroupMemberScope;
pub use self::guild::{GuildAnnounces, GuildScope};
pub use self::interaction::InteractionScope;
pub use self::join_approval::{JoinApprovalStrategies, JoinApprovalStrategyScope};
pub use self::member::{ChannelMemberScope, GuildMemberScope};
pub use self::menu::MenuScope;
pub use self::panel::{PanelIdScope, Panels};
pub use self::role::{ChannelRoleScope, GuildRoleScope};
pub use self::schedule::{ChannelSchedules, ScheduleScope};
pub use self::user::UserMessageScope;
pub use self::webhook_session::{CheckWebhookSessions, WebhookSessions};
use crate::client::HttpClient;
use crate::request::SendMessage;
use crate::stream::StreamBuilder;
use crate::upload::{Target, Upload, UploadFile};

macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident($id:ty) = $conversation:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $scope {
            http: HttpClient,
            id: $id,
        }

        impl $scope {
            pub(crate) const fn new(http: HttpClient, id: $id) -> Self {
                Self { http, id }
            }

            /// Where the calls of this scope go.
            fn at(&self) -> At {
                At::new(&self.http, &self.id)
            }

            #[doc = concat!("A message to this ", $what, ".")]
            pub fn send(self, body: impl Into<MessageBody>) -> SendMessage {
                SendMessage::new(self.http, Conversation::$conversation(self.id), body.into())
            }
        }
    )*};
}

scopes! {
    /// One QQ group: [`HttpClient::group`].
    GroupScope(GroupOpenid) = Group, "group";
    /// One user in one-to-one chats: [`HttpClient::user`].
    UserScope(UserOpenid) = C2C, "user";
    /// One guild channel: [`HttpClient::channel`].
    ChannelScope(ChannelId) = Channel, "channel";
    /// One guild direct conversation: [`HttpClient::direct`].
    DirectScope(GuildId) = Direct, "conversation";
}

impl GroupScope {
    /// Uploads a file for messages to groups: this one and others.
    pub fn upload(self, upload: Upload) -> UploadFile {
        UploadFile::new(self.http, Target::Group(self.id), upload)
    }
}

impl UserScope {
    /// Uploads a file for one-to-one messages: to this user and others.
    pub fn upload(self, upload: Upload) -> UploadFile {
        UploadFile::new(self.http, Target::User(self.id), upload)
    }

    /// A message that grows while it is written.
    pub fn stream(self) -> StreamBuilder {
        StreamBuilder::new(self.http, self.id)
    }
}

/// One chat of any scene: [`HttpClient::conversation`].
#[derive(Clone, Debug)]
pub struct ConversationScope {
    http: HttpClient,
    conversation: Conversation,
}

impl ConversationScope {
    pub(crate) const fn new(http: HttpClient, conversation: Conversation) -> Self {
        Self { http, conversation }
    }

    /// A message to this chat, by the route of its scene.
    pub fn send(self, body: impl Into<MessageBody>) -> SendMessage {
        SendMessage::new(self.http, self.conversation, body.into())
    }
}
