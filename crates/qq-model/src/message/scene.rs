//! The context of a message.

object! {
    /// Where in the client a message was written, and its indexes.
    pub struct MessageScene {
        /// `default`; the Go SDK knows `realtime_voice` and `ai_search`.
        pub source: Option<Box<str>>,
        /// `key=value` texts; see [`ext`](Self::value).
        pub ext: Vec<Box<str>>,
        /// Data of the link or button that led here.
        pub callback_data: Option<Box<str>>,
    }
}

impl MessageScene {
    /// The value of a key of [`ext`](Self::ext). Values may themselves hold `=`.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.ext
            .iter()
            .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }

    /// The index of this message, which a later reply quotes.
    #[must_use]
    pub fn msg_idx(&self) -> Option<&str> {
        self.value("msg_idx")
    }

    /// The index of the message that this one quotes.
    #[must_use]
    pub fn ref_msg_idx(&self) -> Option<&str> {
        self.value("ref_msg_idx")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_the_text_ends() {
        let scene: MessageScene =
            serde_json::from_str(r#"{"ext":["ref_msg_idx=A","msg_idx=REFIDX_88=="]}"#).unwrap();
        assert_eq!(
            (scene.msg_idx(), scene.ref_msg_idx()),
            (Some("REFIDX_88=="), Some("A"))
        );
        assert_eq!(scene.value("msg"), None);
    }
}
