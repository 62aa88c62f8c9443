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
