//! What a message says, independent of where it goes.

use super::extras::{ActionButton, InputNotify, PromptKeyboard};
use super::keyboard::Keyboard;
use super::markdown::MessageMarkdown;
use super::upload::MediaInfo;
use crate::id::{EventId, MessageId};
use crate::message::{MessageArk, MessageEmbed, MessageReference, Scene};
use crate::request::{BodyError, not_blank};

/// A message to send: one kind of content, and what it answers.
///
/// The same body goes to every scene; how it is written differs, see [`v2`](Self::v2) and
/// [`guild`](Self::guild).
///
/// ```
/// use qq_model::outgoing::{MessageBody, ReplyTo};
///
/// let body = MessageBody::text("Pong!").reply_to(ReplyTo::Message("ROBOT1.0_x".into())).msg_seq(2);
/// assert_eq!(
///     serde_json::to_string(&body.v2()).unwrap(),
///     r#"{"msg_type":0,"content":"Pong!","msg_id":"ROBOT1.0_x","msg_seq":2}"#,
/// );
/// ```
#[doc(alias = "MessageParams")]
#[derive(Clone, Debug, PartialEq)]
pub struct MessageBody {
    pub(super) content: Content,
    pub(super) keyboard: Option<Box<Keyboard>>,
    pub(super) reply_to: Option<ReplyTo>,
    pub(super) msg_seq: Option<u32>,
    pub(super) reference: Option<MessageReference>,
    pub(super) wakeup: bool,
    pub(super) extras: Option<Box<Extras>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Text(String),
    Markdown(Box<MessageMarkdown>),
    Ark(Box<MessageArk>),
    Embed(Box<MessageEmbed>),
    Media { media: MediaInfo, text: String },
    Image { url: String, text: String },
    InputNotify(InputNotify),
}

/// What few messages have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extras {
    pub(super) prompt_keyboard: Option<PromptKeyboard>,
    pub(super) action_button: Option<ActionButton>,
    pub(super) subscribe_id: Option<String>,
    pub(super) feature_id: Option<u64>,
}

/// What a passive message answers. A message without one is active and counts against the active quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplyTo {
    /// A received message.
    Message(MessageId),
    /// An event that allows replies, by its outer id.
    Event(EventId),
}

impl MessageBody {
    /// Plain text. Guild scenes read mentions and entities in it; see [`escape`](crate::message::escape).
    #[doc(alias = "new_text")]
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// Markdown; a text is native markdown.
    #[must_use]
    pub fn markdown(markdown: impl Into<MessageMarkdown>) -> Self {
        Self::new(Content::Markdown(Box::new(markdown.into())))
    }

    /// A template card. Needs a grant.
    #[must_use]
    pub fn ark(ark: MessageArk) -> Self {
        Self::new(Content::Ark(Box::new(ark)))
    }

    /// An embed card. In groups and one-to-one chats older documents only.
    #[must_use]
    pub fn embed(embed: MessageEmbed) -> Self {
        Self::new(Content::Embed(Box::new(embed)))
    }

    /// An upload. Groups and one-to-one chats only, and only the kind that it was uploaded for.
    #[must_use]
    pub fn media(media: MediaInfo) -> Self {
        Self::media_with_text(media, "")
    }

    /// An upload with a text beside it; shown with pictures only.
    #[must_use]
    pub fn media_with_text(media: MediaInfo, text: impl Into<String>) -> Self {
        Self::new(Content::Media {
            media,
            text: text.into(),
        })
    }

    /// A picture that the platform copies from this address. Guild scenes only; the host must be registered in
    /// the console (304003).
    #[must_use]
    pub fn image(url: impl Into<String>) -> Self {
        Self::image_with_text(url, "")
    }

    /// A picture that the platform copies from this address, with a text. Guild scenes only.
    #[must_use]
    pub fn image_with_text(url: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Content::Image {
            url: url.into(),
            text: text.into(),
        })
    }

    /// No message: shows that the bot is at work. One-to-one chats only; it counts as an answer.
    #[must_use]
    pub const fn input_notify(notify: InputNotify) -> Self {
        Self::new(Content::InputNotify(notify))
    }

    /// Makes this an answer, and no longer a recall.
    #[must_use]
    pub fn reply_to(mut self, target: ReplyTo) -> Self {
        self.reply_to = Some(target);
        self.wakeup = false;
        self
    }

    /// Makes this a recall: unasked, within 30 days after the user spoke, once per period. One-to-one chats only.
    /// It is no longer an answer.
    #[must_use]
    pub fn wakeup(mut self) -> Self {
        self.wakeup = true;
        self.reply_to = None;
        self
    }

    /// Makes this neither an answer nor a recall: it counts against the active quota.
    #[must_use]
    pub fn active(mut self) -> Self {
        self.wakeup = false;
        self.reply_to = None;
        self.msg_seq = None;
        self
    }

    /// The same with this text for content. What else there is stays: buttons, quotes, what it answers.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.content = Content::Text(text.into());
        self
    }

    /// Markdown as plain text, without its buttons, which need markdown; for chats that take no markdown. `None` when
    /// it is none, or has no text of its own, such as a template.
    #[must_use]
    pub fn plain_text(&self) -> Option<Self> {
        let Content::Markdown(markdown) = &self.content else {
            return None;
        };
        let text = markdown.content.clone()?;
        Some(Self {
            content: Content::Text(text),
            keyboard: None,
            ..self.clone()
        })
    }

    /// Its text, or that of its markdown; empty where it has none.
    #[must_use]
    pub fn content(&self) -> &str {
        match &self.content {
            Content::Text(text) | Content::Media { text, .. } | Content::Image { text, .. } => text,
            Content::Markdown(markdown) => markdown.content.as_deref().unwrap_or_default(),
            Content::Ark(_) | Content::Embed(_) | Content::InputNotify(_) => "",
        }
    }

    /// Buttons below it.
    #[must_use]
    pub fn keyboard(mut self, keyboard: Keyboard) -> Self {
        self.keyboard = Some(Box::new(keyboard));
        self
    }

    /// A bar of suggestions. One-to-one chats only; undocumented, known from SDKs.
    #[must_use]
    pub fn prompt_keyboard(mut self, keyboard: impl Into<PromptKeyboard>) -> Self {
        self.extras.get_or_insert_default().prompt_keyboard = Some(keyboard.into());
        self
    }

    /// A bar of feedback. One-to-one chats only; undocumented, known from SDKs.
    #[must_use]
    pub fn action_button(mut self, button: ActionButton) -> Self {
        self.extras.get_or_insert_default().action_button = Some(button);
        self
    }

    /// Sends to a subscriber. One-to-one chats only; known from the Go SDK only.
    #[must_use]
    pub fn subscribe_id(mut self, id: impl Into<String>) -> Self {
        self.extras.get_or_insert_default().subscribe_id = Some(id.into());
        self
    }

    /// Which feature it belongs to. One-to-one chats only; known from the Go SDK only.
    #[must_use]
    pub fn feature_id(mut self, id: u64) -> Self {
        self.extras.get_or_insert_default().feature_id = Some(id);
        self
    }

    /// The number of this answer among those to the same target, from 1. The platform refuses a number that
    /// was used before (40054005). Guild scenes have none and leave it out.
    #[must_use]
    pub const fn msg_seq(mut self, number: u32) -> Self {
        self.msg_seq = Some(number);
        self
    }

    /// Quotes another message.
    #[must_use]
    pub fn reference(mut self, reference: MessageReference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// What this answers.
    #[must_use]
    pub const fn target(&self) -> Option<&ReplyTo> {
        self.reply_to.as_ref()
    }

    /// The number of this answer.
    #[must_use]
    pub const fn sequence(&self) -> Option<u32> {
        self.msg_seq
    }

    /// Whether this is a recall.
    #[must_use]
    pub const fn is_wakeup(&self) -> bool {
        self.wakeup
    }

    /// Whether this is no message but shows that the bot is at work.
    #[must_use]
    pub const fn is_input_notify(&self) -> bool {
        matches!(self.content, Content::InputNotify(_))
    }

    /// Whether it shows an uploaded file or a picture.
    #[must_use]
    pub const fn has_media(&self) -> bool {
        matches!(self.content, Content::Media { .. } | Content::Image { .. })
    }

    /// Checks what the platform would refuse for its form in any scene.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field and what is wrong with it.
    pub fn validate(&self) -> Result<(), BodyError> {
        match &self.content {
            Content::Text(text) => not_blank("content", text)?,
            Content::Markdown(markdown) => markdown.validate()?,
            Content::Ark(ark) if ark.template_id == 0 => {
                return Err(BodyError::new("ark.template_id", "must be there"));
            }
            Content::Embed(embed) if embed.is_blank() => {
                return Err(BodyError::new("embed", "is empty"));
            }
            Content::Ark(_) | Content::Embed(_) => {}
            Content::Media { media, .. } => not_blank("media.file_info", &media.file_info)?,
            Content::Image { url, .. } => not_blank("image", url)?,
            Content::InputNotify(notify) => notify.check()?,
        }
        if let Some(keyboard) = &self.keyboard {
            keyboard.validate()?;
        }
        if let Some(extras) = &self.extras {
            if let Some(prompt) = &extras.prompt_keyboard {
                prompt.keyboard.validate()?;
            }
            if let Some(button) = &extras.action_button {
                button.check()?;
            }
        }
        if self.msg_seq == Some(0) {
            return Err(BodyError::new(
                "msg_seq",
                "is 0: answers are numbered from 1",
            ));
        }
        if self.reply_to.as_ref().is_some_and(ReplyTo::is_empty) {
            return Err(BodyError::new(
                "msg_id or event_id",
                "is empty: what is answered must be named",
            ));
        }
        Ok(())
    }

    /// [`validate`](Self::validate), and what this scene does not have.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field and what is wrong with it.
    pub fn validate_for(&self, scene: Scene) -> Result<(), BodyError> {
        self.validate()?;
        self.validate_scene(scene)
    }

    /// What this scene does not have, and nothing else: for bodies that are not complete by themselves.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field and where it belongs.
    pub fn validate_scene(&self, scene: Scene) -> Result<(), BodyError> {
        let is_guild = matches!(scene, Scene::Channel | Scene::Direct);
        if is_guild && matches!(self.content, Content::Media { .. }) {
            return Err(BodyError::new(
                "media",
                "is for groups and one-to-one chats; guild scenes take image",
            ));
        }
        if !is_guild && matches!(self.content, Content::Image { .. }) {
            return Err(BodyError::new(
                "image",
                "is for guild scenes; groups and one-to-one chats take media",
            ));
        }
        if scene == Scene::C2C {
            return Ok(());
        }
        let extras = self.extras.as_deref();
        let only_c2c = [
            (
                "input_notify",
                matches!(self.content, Content::InputNotify(_)),
            ),
            ("is_wakeup", self.wakeup),
            (
                "prompt_keyboard",
                extras.is_some_and(|extras| extras.prompt_keyboard.is_some()),
            ),
            (
                "action_button",
                extras.is_some_and(|extras| extras.action_button.is_some()),
            ),
            (
                "subscribe_id",
                extras.is_some_and(|extras| extras.subscribe_id.is_some()),
            ),
            (
                "feature_id",
                extras.is_some_and(|extras| extras.feature_id.is_some()),
            ),
        ];
        match only_c2c.into_iter().find(|(_, is_there)| *is_there) {
            Some((field, _)) => Err(BodyError::new(field, "is for one-to-one chats only")),
            None => Ok(()),
        }
    }

    const fn new(content: Content) -> Self {
        Self {
            content,
            keyboard: None,
            reply_to: None,
            msg_seq: None,
            reference: None,
            wakeup: false,
            extras: None,
        }
    }
}

impl ReplyTo {
    fn is_empty(&self) -> bool {
        match self {
            Self::Message(id) => id.is_empty(),
            Self::Event(id) => id.is_empty(),
        }
    }
}

impl From<&str> for MessageBody {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for MessageBody {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for MessageBody {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<std::borrow::Cow<'_, str>> for MessageBody {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::text(text)
    }
}

impl From<MessageMarkdown> for MessageBody {
    fn from(markdown: MessageMarkdown) -> Self {
        Self::markdown(markdown)
    }
}

impl From<MessageArk> for MessageBody {
    fn from(ark: MessageArk) -> Self {
        Self::ark(ark)
    }
}

impl From<MessageEmbed> for MessageBody {
    fn from(embed: MessageEmbed) -> Self {
        Self::embed(embed)
    }
}

impl From<MediaInfo> for MessageBody {
    fn from(media: MediaInfo) -> Self {
        Self::media(media)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_without_content_are_refused_by_field() {
        assert_eq!(
            MessageBody::text(" \n").validate().unwrap_err().field(),
            "content"
        );
        assert_eq!(
            MessageBody::markdown(MessageMarkdown::native(""))
                .validate()
                .unwrap_err()
                .field(),
            "markdown"
        );
        assert_eq!(
            MessageBody::text("a")
                .msg_seq(0)
                .validate()
                .unwrap_err()
                .field(),
            "msg_seq"
        );
        assert_eq!(
            MessageBody::text("a")
                .reply_to(ReplyTo::Message("".into()))
                .validate()
                .unwrap_err()
                .field(),
            "msg_id or event_id"
        );
        MessageBody::text("a").msg_seq(1).validate().unwrap();
    }

    #[test]
    fn an_answer_is_no_recall() {
        let answer = || ReplyTo::Message("M".into());
        let body = MessageBody::text("a").reply_to(answer()).wakeup();
        assert_eq!((body.target(), body.wakeup), (None, true));
        let body = MessageBody::text("a").wakeup().reply_to(answer());
        assert_eq!((body.target(), body.wakeup), (Some(&answer()), false));
    }

    #[test]
    fn markdown_can_be_said_plainly() {
        let body = MessageBody::markdown(MessageMarkdown::native("**hi**"))
            .keyboard(Keyboard::default())
            .reply_to(ReplyTo::Message("M".into()));
        let plain = body.plain_text().unwrap();
        assert_eq!(
            plain,
            MessageBody::text("**hi**").reply_to(ReplyTo::Message("M".into()))
        );
        assert_eq!(plain.plain_text(), None);
        assert_eq!(plain.active(), MessageBody::text("**hi**"));
    }

    #[test]
    fn scenes_refuse_what_they_do_not_have() {
        let refused =
            |body: &MessageBody, scene| body.validate_for(scene).err().map(|error| error.field());
        let media = MessageBody::media(MediaInfo::new("x"));
        assert_eq!(refused(&media, Scene::Channel), Some("media"));
        assert_eq!(refused(&media, Scene::Group), None);
        let image = MessageBody::image("https://a.example/x.png");
        assert_eq!(refused(&image, Scene::C2C), Some("image"));
        assert_eq!(refused(&image, Scene::Direct), None);
        let typing = MessageBody::input_notify(InputNotify::typing(5));
        assert_eq!(refused(&typing, Scene::C2C), None);
        assert_eq!(refused(&typing, Scene::Group), Some("input_notify"));
        let recall = MessageBody::text("a").wakeup();
        assert_eq!(refused(&recall, Scene::Group), Some("is_wakeup"));
        let long = MessageBody::input_notify(InputNotify::typing(61));
        assert_eq!(
            refused(&long, Scene::C2C),
            Some("input_notify.input_second")
        );
    }
}
