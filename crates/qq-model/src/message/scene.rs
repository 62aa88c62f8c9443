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

    /// The index of the message that this one quotes: `REFIDX_...`, or `TMP_...` for merged records.
    #[must_use]
    pub fn ref_msg_idx(&self) -> Option<&str> {
        self.value("ref_msg_idx")
    }

    /// The token of an authorisation, in groups.
    #[must_use]
    pub fn auth_token(&self) -> Option<&str> {
        self.value("auth_token")
    }

    /// Whether the user switched the search of the web off.
    #[must_use]
    pub fn disables_net_search(&self) -> bool {
        self.is_switched_on("disable_net_search")
    }

    /// Whether a switch of the bot's menu is on ([`MenuSwitch`](crate::menu::MenuSwitch)).
    #[must_use]
    pub fn is_switched_on(&self, switch_id: &str) -> bool {
        self.value(switch_id) == Some("1")
    }

    /// Every key with its value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ext.iter().filter_map(|pair| pair.split_once('='))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_on_with_a_one() {
        let scene: MessageScene =
            serde_json::from_str(r#"{"ext":["a=1","b=0","auth_token=t="]}"#).unwrap();
        assert!(scene.is_switched_on("a") && !scene.is_switched_on("b"));
        assert_eq!(scene.auth_token(), Some("t="));
        assert!(!scene.disables_net_search());
    }

    #[test]
    fn values_end_where_the_text_ends() {
        let scene: MessageScene =
            serde_json::from_str(r#"{"ext":["ref_msg_idx=A","msg_idx=REFIDX_88=="]}"#).unwrap();
        assert_eq!(
            (scene.msg_idx(), scene.ref_msg_idx()),
            (Some("REFIDX_88=="), Some("A"))
        );
        assert_eq!(scene.value("msg"), None);
        assert_eq!(
            scene.pairs().collect::<Vec<_>>(),
            [("ref_msg_idx", "A"), ("msg_idx", "REFIDX_88==")]
        );
    }
}
