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
