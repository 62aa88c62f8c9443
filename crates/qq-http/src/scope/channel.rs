//! One guild channel: itself, its messages, pins and announcements.

use qq_model::announce::{Announces, CreateChannelAnnounce};
use qq_model::channel::{Channel, ModifyChannel, OnlineNums};
use qq_model::id::{ChannelId, MessageId, RoleId, UserId};
use qq_model::message::{Conversation, Message};
use qq_model::message_setting::PostSettingGuide;
use qq_model::outgoing::{ListMessages, MessageBody};
use qq_model::pin::PinsMessage;

use super::at::At;
use super::guild::read_channel;
use super::{ChannelMemberScope, ChannelMessageScope, ChannelRoleScope, ChannelScope};
use crate::client::HttpClient;
use crate::error::Error;
use crate::request::{self, Call, CallFuture, Query, QueryCall, Request, SendMessage};
use crate::response::Response;
use crate::route::Route;
use crate::sent::Sent;

impl ChannelScope {
    /// The channel itself.
    pub fn get(&self) -> Call<Channel> {
        self.at().read(Route::GetChannel, read_channel)
    }

    /// Changes it; what is not set stays. Private-domain bots that are administrators only.
    pub fn modify(&self, channel: &ModifyChannel) -> Call<Channel> {
        self.at().write(Route::ModifyChannel, channel, read_channel)
    }

    /// Deletes it, for good. Private-domain bots that are administrators only.
    pub fn delete(&self) -> Call<()> {
        self.at().act(Route::DeleteChannel)
    }

    /// How many people are in it. Voice and live channels only.
    pub fn online_nums(&self) -> Call<u64> {
        self.at().read(Route::GetChannelOnlineNums, |response| {
            response.json().map(|answer: OnlineNums| answer.online_nums)
        })
    }

    /// A member in this channel.
    pub fn member(&self, user: impl Into<UserId>) -> ChannelMemberScope {
        ChannelMemberScope(self.at().and(user.into()))
    }

    /// A role in this channel.
    pub fn role(&self, role: impl Into<RoleId>) -> ChannelRoleScope {
        ChannelRoleScope(self.at().and(role.into()))
    }

    /// The channel's messages.
    pub fn messages(self) -> ChannelMessages {
        let query = self
            .at()
            .query(Route::ListChannelMessages, ListMessages::default());
        ChannelMessages {
            http: self.http,
            id: self.id,
            query,
        }
    }

    /// One of its messages.
    pub fn message(&self, message: impl Into<MessageId>) -> ChannelMessageScope {
        ChannelMessageScope(self.at().and(message.into()))
    }

    /// Its pinned messages.
    #[must_use]
    pub fn pins(&self) -> ChannelPins {
        ChannelPins(self.at())
    }

    /// Its announcements. Retired in 2022: pin messages instead.
    #[must_use]
    pub fn announces(&self) -> ChannelAnnounces {
        ChannelAnnounces(self.at())
    }

    /// Posts a card that leads administrators to the message settings. Undocumented; official SDKs have it.
    pub fn post_setting_guide(&self, guide: &PostSettingGuide) -> Call<Sent> {
        self.at()
            .write(Route::PostChannelSettingGuide, guide, Sent::read)
    }
}

/// The messages of one guild channel: [`ChannelScope::messages`].
///
/// Awaiting it lists messages around, before or after one of them: exactly one of the three. Undocumented; official
/// SDKs have it.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
/// http.channel(1234).messages().send("hi").await?;
/// let older = http.channel(1234).messages().before("08f1").limit(20).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "messages are listed when it is awaited"]
pub struct ChannelMessages {
    http: HttpClient,
    id: ChannelId,
    query: QueryCall<ListMessages>,
}

impl ChannelMessages {
    /// A message to this channel.
    pub fn send(self, body: impl Into<MessageBody>) -> SendMessage {
        SendMessage::new(self.http, Conversation::Channel(self.id), body.into())
    }

    /// Messages around this one, in place of before and after.
    pub fn around(self, message: impl Into<MessageId>) -> Self {
        self.near(ListMessages::default().around(message))
    }

    /// Messages before this one, in place of around and after.
    pub fn before(self, message: impl Into<MessageId>) -> Self {
        self.near(ListMessages::default().before(message))
    }

    /// Messages after this one, in place of around and before.
    pub fn after(self, message: impl Into<MessageId>) -> Self {
        self.near(ListMessages::default().after(message))
    }

    /// How many, at most 20.
    pub fn limit(mut self, limit: u32) -> Self {
        self.query = self.query.map(|query| query.limit(limit));
        self
    }

    /// What would be sent to list them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which names the field.
    pub fn try_into_request(self) -> Result<Request, Error> {
        self.query.try_into_request()
    }

    fn near(mut self, mut near: ListMessages) -> Self {
        self.query = self.query.map(|query| {
            near.limit = query.limit;
            near
        });
        self
    }
}

impl IntoFuture for ChannelMessages {
    type Output = Result<Vec<Message>, Error>;
    type IntoFuture = CallFuture<Vec<Message>>;

    fn into_future(self) -> Self::IntoFuture {
        self.query.into_future()
    }
}

impl Query for ListMessages {
    type Answer = Vec<Message>;

    fn read(response: &Response) -> Result<Vec<Message>, Error> {
        request::list(response)
    }
}

/// The pinned messages of one channel: [`ChannelScope::pins`].
#[derive(Clone, Debug)]
pub struct ChannelPins(At);

impl ChannelPins {
    /// Which they are.
    pub fn get(&self) -> Call<PinsMessage> {
        self.0.get(Route::ListPins)
    }

    /// Pins a message, as one of at most 20. Answers all of them.
    pub fn add(&self, message: impl Into<MessageId>) -> Call<PinsMessage> {
        self.0.and(message.into()).get(Route::AddPin)
    }

    /// Takes a pin away.
    pub fn delete(&self, message: impl Into<MessageId>) -> Call<()> {
        self.0.and(message.into()).act(Route::DeletePin)
    }

    /// Takes all pins away.
    pub fn clear(&self) -> Call<()> {
        self.0.and_text("all").act(Route::DeletePin)
    }
}

/// The announcements of one channel: [`ChannelScope::announces`]. Retired in 2022.
#[derive(Clone, Debug)]
pub struct ChannelAnnounces(At);

impl ChannelAnnounces {
    /// Announces a message of this channel.
    pub fn create(&self, message: impl Into<MessageId>) -> Call<Announces> {
        let body = CreateChannelAnnounce::new(message);
        self.0
            .write(Route::CreateChannelAnnounce, &body, request::json)
    }

    /// Takes the announcement of this message back.
    pub fn delete(&self, message: impl Into<MessageId>) -> Call<()> {
        self.0.and(message.into()).act(Route::DeleteChannelAnnounce)
    }

    /// Takes back whatever is announced.
    pub fn clear(&self) -> Call<()> {
        self.0.and_text("all").act(Route::DeleteChannelAnnounce)
    }
}
