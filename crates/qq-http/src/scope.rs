//! Calls by what they are about: a group, a user, a channel, a direct conversation.

use qq_model::id::{ChannelId, GroupOpenid, GuildId, UserOpenid};
use qq_model::message::Conversation;
use qq_model::outgoing::MessageBody;

use crate::client::HttpClient;
use crate::request::SendMessage;

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
    /// The messages of one guild channel: [`ChannelScope::messages`].
    ChannelMessages(ChannelId) = Channel, "channel";
    /// One guild direct conversation: [`HttpClient::direct`].
    DirectScope(GuildId) = Direct, "conversation";
}

impl ChannelScope {
    /// The channel's messages.
    #[must_use]
    pub fn messages(self) -> ChannelMessages {
        ChannelMessages::new(self.http, self.id)
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
