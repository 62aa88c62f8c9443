//! Pictures, voices, videos and files of received messages.

use std::borrow::Cow;

use crate::id::AttachmentId;

object! {
    /// Media of a guild message.
    pub struct MessageAttachment {
        /// The address as sent, often without a scheme; see [`https_url`](Self::https_url).
        pub url: Box<str>,
        /// Which attachment.
        pub id: Option<AttachmentId>,
        /// The media type.
        pub content_type: Option<Box<str>>,
        /// The file's name.
        pub filename: Option<Box<str>>,
        /// Bytes.
        pub size: Option<u64>,
        /// Pixels.
        pub width: Option<u32>,
        /// Pixels.
        pub height: Option<u32>,
        /// Seen as an empty text.
        pub content: Option<Box<str>>,
    }

    /// Media of a group or one-to-one message.
    pub struct Attachment {
        /// `voice`, `file`, or a media type such as `image/png`.
        pub content_type: Box<str>,
        /// The address as sent; see [`https_url`](Self::https_url). It expires within minutes to hours.
        pub url: Option<Box<str>>,
        /// The file's name.
        pub filename: Option<Box<str>>,
        /// Bytes.
        pub size: Option<u64>,
        /// Pixels.
        pub width: Option<u32>,
        /// Pixels.
        pub height: Option<u32>,
        /// A voice as WAV.
        pub voice_wav_url: Option<Box<str>>,
        /// What was said in a voice, as the platform heard it.
        pub asr_refer_text: Option<Box<str>>,
        /// Seen as an empty text.
        pub content: Option<Box<str>>,
    }
}

impl MessageAttachment {
    /// The address with a scheme.
    #[must_use]
    pub fn https_url(&self) -> Cow<'_, str> {
        with_scheme(&self.url)
    }
}

impl Attachment {
    /// The address with a scheme.
    #[must_use]
    pub fn https_url(&self) -> Option<Cow<'_, str>> {
        self.url
            .as_deref()
            .filter(|url| !url.is_empty())
            .map(with_scheme)
    }
}

fn with_scheme(url: &str) -> Cow<'_, str> {
    if url.is_empty() || url.contains("://") {
        Cow::Borrowed(url)
    } else {
        Cow::Owned(format!("https://{url}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scheme_is_added() {
        assert_eq!(with_scheme("gchat.example/a"), "https://gchat.example/a");
        assert_eq!(with_scheme("http://a/b"), "http://a/b");
    }
}
