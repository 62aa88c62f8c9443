//! Sending a message.

use std::time::Duration;

use bytes::Bytes;
use qq_model::id::{EventId, MessageId};
use qq_model::message::{Conversation, MessageReference, Scene};
use qq_model::outgoing::{MessageBody, ReplyTo};

use super::{CallFuture, Repeat, Request};
use crate::client::HttpClient;
use crate::error::Error;
use crate::observer::OutgoingMessage;
use crate::route::Route;
use crate::sent::Sent;
use crate::upload::ImagePart;

/// A message that was not sent yet; awaiting it sends it.
///
/// Without [`reply_to`](Self::reply_to) or [`reply_to_event`](Self::reply_to_event) it is an active message and
/// counts against the active quota.
///
/// A send is repeated by itself only where that cannot show a message twice: before anything was written, or
/// when it carries [`reply_to`](Self::reply_to) and [`msg_seq`](Self::msg_seq) in a group or one-to-one chat,
/// where the platform refuses the second.
///
/// # Errors
///
/// [`Error::is_outcome_unknown`] says whether the message may have been sent all the same.
///
/// # Cancel safety
///
/// Dropping the future gives up waiting; a message that was already written may still be sent.
#[derive(Debug)]
#[must_use = "a message is sent when it is awaited"]
pub struct SendMessage {
    http: HttpClient,
    to: Conversation,
    body: MessageBody,
    image: Option<ImagePart>,
    timeout: Option<Duration>,
}

impl SendMessage {
    pub(crate) const fn new(http: HttpClient, to: Conversation, body: MessageBody) -> Self {
        Self {
            http,
            to,
            body,
            image: None,
            timeout: None,
        }
    }

    /// Answers a received message: passive, within its window and number of answers.
    pub fn reply_to(self, message: impl Into<MessageId>) -> Self {
        self.map(|body| body.reply_to(ReplyTo::Message(message.into())))
    }

    /// Answers an event that allows it, by the outer id of its payload.
    pub fn reply_to_event(self, event: impl Into<EventId>) -> Self {
        self.map(|body| body.reply_to(ReplyTo::Event(event.into())))
    }

    /// The number of this answer among those to the same message, from 1. Guild scenes have none.
    pub fn msg_seq(self, number: u32) -> Self {
        self.map(|body| body.msg_seq(number))
    }

    /// Quotes another message.
    pub fn reference(self, reference: MessageReference) -> Self {
        self.map(|body| body.reference(reference))
    }

    /// A picture beside it, as bytes: PNG, JPEG and what else the platform shows. Guild scenes only, where the text
    /// may then be empty; groups and one-to-one chats take an [`upload`](crate::GroupScope::upload). The
    /// platform does not print how large it may be (304020 when it is too large).
    pub fn image_bytes(mut self, picture: impl Into<Bytes>) -> Self {
        self.image = Some(ImagePart(picture.into()));
        self
    }

    /// Another deadline for this call than the client's, from the moment it is awaited. At least five seconds
    /// are wise: a slow answer does not mean that the message was not sent.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which names the field and what to do: an
    /// empty id, an empty message, content that this kind of chat does not have.
    pub fn try_into_request(self) -> Result<Request, Error> {
        self.request()
    }

    fn request(&self) -> Result<Request, Error> {
        let body = &self.body;
        let (route, id, scene) = match &self.to {
            Conversation::Channel(id) => (
                Route::SendChannelMessage,
                id.text().to_string(),
                Scene::Channel,
            ),
            Conversation::Direct(id) => {
                (Route::SendDmsMessage, id.text().to_string(), Scene::Direct)
            }
            Conversation::Group(id) => {
                (Route::SendGroupMessage, id.text().to_string(), Scene::Group)
            }
            Conversation::C2C(id) => (Route::SendC2CMessage, id.text().to_string(), Scene::C2C),
        };
        let is_v2 = matches!(scene, Scene::Group | Scene::C2C);
        let request = Request::new(route, &[&id])?.answer(body.target().is_some());
        let invalid = |what: String| Error::invalid_request(what).labelled(&request.label());
        match body.validate() {
            // A picture speaks for itself.
            Err(error) if !(self.image.is_some() && error.field() == "content") => {
                return Err(invalid(error.to_string()));
            }
            _ => {}
        }
        body.validate_scene(scene)
            .map_err(|error| invalid(error.to_string()))?;
        if let Some(image) = &self.image {
            if is_v2 {
                return Err(invalid(
                    "file_image is for guild scenes: upload it and send what the upload answers"
                        .to_owned(),
                ));
            }
            return image.request(request, body);
        }
        if !is_v2 {
            return request.json(&body.guild());
        }
        let is_numbered =
            matches!(body.target(), Some(ReplyTo::Message(_))) && body.sequence().is_some();
        let repeat = if is_numbered {
            Repeat::SameSequence
        } else {
            Repeat::Unsent
        };
        Ok(request.json(&body.v2())?.repeat(repeat))
    }

    async fn send(&self) -> Result<Sent, Error> {
        let request = self.request()?;
        Sent::read(&self.http.run(&request, self.timeout).await?)
    }

    fn map(self, change: impl FnOnce(MessageBody) -> MessageBody) -> Self {
        Self {
            body: change(self.body),
            ..self
        }
    }
}

impl IntoFuture for SendMessage {
    type Output = Result<Sent, Error>;
    type IntoFuture = CallFuture<Sent>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let outcome = self.send().await;
            let message = OutgoingMessage {
                conversation: &self.to,
                body: &self.body,
                has_image: self.image.is_some(),
            };
            let observer = &self.http.inner().observer;
            observer.sent(&message, outcome.as_ref());
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use qq_model::Token;
    use qq_model::outgoing::{MediaInfo, MessageMarkdown};
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;

    fn http() -> HttpClient {
        HttpClient::new(Token::new("1", "s")).unwrap()
    }

    fn written(message: SendMessage) -> (String, Value, Repeat) {
        let request = message.try_into_request().unwrap();
        assert_eq!(request.method(), "POST");
        let body = serde_json::from_slice(request.body().unwrap()).unwrap();
        (request.path().to_owned(), body, request.repeatable())
    }

    #[test]
    fn each_scene_has_its_route_and_form() {
        let http = http();
        assert_eq!(
            written(http.group("G").send("hi").reply_to("m").msg_seq(2)),
            (
                "/v2/groups/G/messages".into(),
                json!({"msg_type": 0, "content": "hi", "msg_id": "m", "msg_seq": 2}),
                Repeat::SameSequence
            )
        );
        assert_eq!(
            written(
                http.user("U")
                    .send(MessageMarkdown::native("# hi"))
                    .reply_to_event("E:1")
                    .msg_seq(1)
            ),
            (
                "/v2/users/U/messages".into(),
                json!({"msg_type": 2, "markdown": {"content": "# hi"}, "event_id": "E:1", "msg_seq": 1}),
                Repeat::Unsent
            )
        );
        let guild = json!({"content": "hi", "msg_id": "m"});
        assert_eq!(
            written(
                http.channel("7")
                    .messages()
                    .send("hi")
                    .reply_to("m")
                    .msg_seq(2)
            ),
            ("/channels/7/messages".into(), guild.clone(), Repeat::Unsent)
        );
        assert_eq!(
            written(http.direct(9).send("hi").reply_to("m")),
            ("/dms/9/messages".into(), guild, Repeat::Unsent)
        );
        for (to, path) in [
            (Conversation::Channel(1.into()), "/channels/1/messages"),
            (Conversation::Direct(2.into()), "/dms/2/messages"),
            (Conversation::Group("g".into()), "/v2/groups/g/messages"),
            (Conversation::C2C("u".into()), "/v2/users/u/messages"),
        ] {
            assert_eq!(written(http.conversation(&to).send("x")).0, path);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let http = http();
        for (message, field) in [
            (http.group("").send("hi"), "group_openid"),
            (http.user("").send("hi"), "user_openid"),
            (http.channel("").send("hi"), "channel_id"),
            (http.direct("").send("hi"), "guild_id"),
            (http.group("g").send(" "), "content"),
            (http.group("g").send("hi").msg_seq(0), "msg_seq"),
            (http.group("g").send("hi").reply_to(""), "msg_id"),
            (
                http.channel("1")
                    .send(MessageBody::media(MediaInfo::new("f"))),
                "media is for groups",
            ),
            (
                http.group("g")
                    .send(MessageBody::image("https://x.example/a.png")),
                "image is for guild scenes",
            ),
            (
                http.group("g").send(MessageBody::text("hi").wakeup()),
                "is_wakeup is for one-to-one chats",
            ),
            (
                http.channel("1")
                    .send(MessageBody::text("").wakeup())
                    .image_bytes("png"),
                "is_wakeup is for one-to-one chats",
            ),
            (http.user("u").send("hi").image_bytes("png"), "file_image"),
        ] {
            let error = message.try_into_request().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(field), "{error}");
            assert!(error.route().is_some());
        }
    }
}
