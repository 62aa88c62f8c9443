//! How a body is written for the two generations of send calls.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::body::{Content, MessageBody, ReplyTo};
use crate::request::{BodyError, RequestBody};

open_enum! {
    /// The kinds of group and one-to-one messages.
    pub enum MsgType: i64 {
        /// Text.
        Text = 0,
        /// Text with a picture; known from SDKs only.
        Mixed = 1,
        /// Markdown.
        Markdown = 2,
        /// A template card.
        Ark = 3,
        /// An embed card.
        Embed = 4,
        /// Known from the Go SDK only.
        At = 5,
        /// "Typing", one-to-one chats only.
        InputNotify = 6,
        /// An uploaded file.
        Media = 7,
        /// Known from one SDK only.
        Card = 8,
    }
}

/// A [`MessageBody`] as groups and one-to-one chats take it.
#[derive(Clone, Copy, Debug)]
pub struct V2MessageBody<'a>(&'a MessageBody);

/// A [`MessageBody`] as guild channels and guild direct messages take it: without kind and number.
#[derive(Clone, Copy, Debug)]
pub struct GuildMessageBody<'a>(&'a MessageBody);

impl MessageBody {
    /// This body as groups and one-to-one chats take it.
    #[must_use]
    pub const fn v2(&self) -> V2MessageBody<'_> {
        V2MessageBody(self)
    }

    /// This body as guild scenes take it.
    #[must_use]
    pub const fn guild(&self) -> GuildMessageBody<'_> {
        GuildMessageBody(self)
    }

    fn msg_type(&self) -> MsgType {
        match self.content {
            Content::Text(_) | Content::Image { .. } => MsgType::Text,
            Content::Markdown(_) => MsgType::Markdown,
            Content::Ark(_) => MsgType::Ark,
            Content::Embed(_) => MsgType::Embed,
            Content::Media { .. } => MsgType::Media,
            Content::InputNotify(_) => MsgType::InputNotify,
        }
    }

    fn serialize_shared<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match &self.content {
            Content::Text(text) => map.serialize_entry("content", text)?,
            Content::Markdown(markdown) => map.serialize_entry("markdown", markdown)?,
            Content::Ark(ark) => map.serialize_entry("ark", ark)?,
            Content::Embed(embed) => map.serialize_entry("embed", embed)?,
            Content::Media { media, text } => {
                if !text.is_empty() {
                    map.serialize_entry("content", text)?;
                }
                map.serialize_entry("media", media)?;
            }
            Content::Image { url, text } => {
                if !text.is_empty() {
                    map.serialize_entry("content", text)?;
                }
                map.serialize_entry("image", url)?;
            }
            Content::InputNotify(notify) => map.serialize_entry("input_notify", notify)?,
        }
        if let Some(keyboard) = &self.keyboard {
            map.serialize_entry("keyboard", keyboard)?;
        }
        if let Some(reference) = &self.reference {
            map.serialize_entry("message_reference", reference)?;
        }
        match &self.reply_to {
            Some(ReplyTo::Message(id)) => map.serialize_entry("msg_id", id),
            Some(ReplyTo::Event(id)) => map.serialize_entry("event_id", id),
            None => Ok(()),
        }
    }
}

impl RequestBody for V2MessageBody<'_> {
    fn validate(&self) -> Result<(), BodyError> {
        self.0.validate()
    }
}

impl RequestBody for GuildMessageBody<'_> {
    fn validate(&self) -> Result<(), BodyError> {
        self.0.validate()
    }
}

impl Serialize for V2MessageBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("msg_type", &self.0.msg_type())?;
        self.0.serialize_shared(&mut map)?;
        if let Some(number) = self.0.msg_seq {
            map.serialize_entry("msg_seq", &number)?;
        }
        if self.0.wakeup {
            map.serialize_entry("is_wakeup", &true)?;
        }
        if let Some(extras) = &self.0.extras {
            if let Some(prompt) = &extras.prompt_keyboard {
                map.serialize_entry("prompt_keyboard", prompt)?;
            }
            if let Some(button) = &extras.action_button {
                map.serialize_entry("action_button", button)?;
            }
            if let Some(id) = &extras.subscribe_id {
                map.serialize_entry("subscribe_id", id)?;
            }
            if let Some(id) = extras.feature_id {
                map.serialize_entry("feature_id", &id)?;
            }
        }
        map.end()
    }
}

impl Serialize for GuildMessageBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.serialize_shared(&mut map)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::outgoing::MessageMarkdown;

    #[test]
    fn each_generation_gets_its_own_form() {
        let body = MessageBody::text("hi")
            .reply_to(ReplyTo::Event("E:1".into()))
            .msg_seq(3);
        assert_eq!(
            json!(body.v2()),
            json!({"msg_type": 0, "content": "hi", "event_id": "E:1", "msg_seq": 3})
        );
        assert_eq!(
            json!(body.guild()),
            json!({"content": "hi", "event_id": "E:1"})
        );
    }

    #[test]
    fn markdown_excludes_content() {
        let native = MessageBody::markdown(MessageMarkdown::native("# hi").verify_images());
        assert_eq!(
            json!(native.v2()),
            json!({"msg_type": 2, "markdown": {"content": "# hi", "force_verify_image_resource": true}})
        );
        let template = MessageBody::markdown(MessageMarkdown::template(
            "1_2",
            [("k".to_owned(), "v".to_owned())],
        ));
        assert_eq!(
            json!(template.guild()),
            json!({"markdown": {"custom_template_id": "1_2", "params": [{"key": "k", "values": ["v"]}]}})
        );
    }
}
