//! Embed cards of guild messages.

object! {
    /// An embed card.
    pub struct MessageEmbed {
        /// The title.
        pub title: Option<Box<str>>,
        /// The description.
        pub description: Option<Box<str>>,
        /// What notifications show.
        pub prompt: Option<Box<str>>,
        /// The picture.
        pub thumbnail: Option<MessageEmbedThumbnail>,
        /// The lines.
        pub fields: Vec<MessageEmbedField>,
        /// Known from one SDK only.
        pub timestamp: Option<Box<str>>,
    }

    /// The picture of an embed.
    pub struct MessageEmbedThumbnail {
        /// Its address.
        pub url: Box<str>,
    }

    /// A line of an embed.
    pub struct MessageEmbedField {
        /// The text.
        pub name: Option<Box<str>>,
        /// Known from SDKs only.
        pub value: Option<Box<str>>,
    }
}

impl MessageEmbed {
    /// A card with this title.
    #[must_use]
    pub fn new(title: impl Into<Box<str>>) -> Self {
        Self {
            title: Some(title.into()),
            ..Self::default()
        }
    }

    /// The picture, by its address.
    #[must_use]
    pub fn thumbnail(mut self, url: impl Into<Box<str>>) -> Self {
        self.thumbnail = Some(MessageEmbedThumbnail {
            url: url.into(),
            ..MessageEmbedThumbnail::default()
        });
        self
    }

    /// Adds a line.
    #[must_use]
    pub fn field(mut self, text: impl Into<Box<str>>) -> Self {
        self.fields.push(MessageEmbedField {
            name: Some(text.into()),
            ..MessageEmbedField::default()
        });
        self
    }

    pub(crate) fn is_blank(&self) -> bool {
        let is_blank = |text: &Option<Box<str>>| text.as_deref().is_none_or(str::is_empty);
        is_blank(&self.title)
            && is_blank(&self.description)
            && self.thumbnail.is_none()
            && self.fields.is_empty()
    }
}

setters! { MessageEmbed {
    /// What notifications show.
    prompt: Box<str>,
    /// The description; known from SDKs only.
    description: Box<str>,
}}
