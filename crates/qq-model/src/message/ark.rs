//! Ark cards: templates that bots send, and cards that people share.

use crate::wire::Texts;

object! {
    /// A template card.
    pub struct MessageArk {
        /// 23, 24, 37, or a granted one.
        pub template_id: u32,
        /// The values of the template's placeholders.
        pub kv: Vec<MessageArkKv>,
    }

    /// A value of a placeholder.
    pub struct MessageArkKv {
        /// The placeholder, such as `#DESC#`.
        pub key: Box<str>,
        /// A plain value.
        pub value: Option<Box<str>>,
        /// A list value.
        pub obj: Vec<MessageArkObj>,
    }

    /// An element of a list value.
    pub struct MessageArkObj {
        /// Its pairs.
        pub obj_kv: Vec<MessageArkObjKv>,
    }

    /// A pair of a list element.
    pub struct MessageArkObjKv {
        /// The name.
        pub key: Box<str>,
        /// The value.
        pub value: Box<str>,
    }

    /// A card that a person shared.
    pub struct ArkData {
        /// A short text.
        pub prompt: Option<Box<str>>,
        /// What kind of card.
        pub ark_type: Option<ArkType>,
        /// The Chinese name of the kind.
        pub ark_name: Option<Box<str>>,
        /// `title`, `desc`, `jump_url`, `preview` and others.
        pub fields: Option<Texts>,
    }
}

impl MessageArk {
    /// A template without values: 23 (list), 24 (picture and text), 37 (large picture), or a granted one.
    #[must_use]
    pub fn new(template_id: u32) -> Self {
        Self {
            template_id,
            ..Self::default()
        }
    }

    /// Adds the value of a placeholder.
    #[must_use]
    pub fn value(mut self, key: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.kv.push(MessageArkKv {
            key: key.into(),
            value: Some(value.into()),
            ..MessageArkKv::default()
        });
        self
    }

    /// Adds the list value of a placeholder: one list of pairs for each element.
    #[must_use]
    pub fn list<K: Into<Box<str>>, V: Into<Box<str>>, E: IntoIterator<Item = (K, V)>>(
        mut self,
        key: impl Into<Box<str>>,
        elements: impl IntoIterator<Item = E>,
    ) -> Self {
        let element = |pairs: E| MessageArkObj {
            obj_kv: pairs
                .into_iter()
                .map(|(key, value)| MessageArkObjKv {
                    key: key.into(),
                    value: value.into(),
                    ..MessageArkObjKv::default()
                })
                .collect(),
            ..MessageArkObj::default()
        };
        self.kv.push(MessageArkKv {
            key: key.into(),
            obj: elements.into_iter().map(element).collect(),
            ..MessageArkKv::default()
        });
        self
    }
}

open_enum! {
    /// The kinds of received cards.
    pub enum ArkType: str {
        /// A web page.
        Tuwen = "tuwen",
        /// A picture and text.
        Feed = "feed",
        /// A mini program.
        Miniapp = "miniapp",
        /// A place.
        Map = "map",
        /// A contact.
        ContactCard = "contact_card",
        /// A video.
        VideoShare = "video_share",
        /// Music.
        MusicTogether = "music_together",
        /// A picture.
        Picture = "picture",
    }
}
