//! What is said over webhooks beside events.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::gateway::OpCode;

object! {
    /// The payload of the platform's check of a callback address (op 13). It is to be signed only after the
    /// request's own signature was verified: whoever answers blindly signs what anybody sends.
    pub struct WebhookValidation {
        /// The text to sign.
        pub plain_token: Box<str>,
        /// The time to sign it with; seconds as text.
        pub event_ts: Box<str>,
    }

    /// The answer to the check.
    pub struct WebhookValidationReply {
        /// The same text.
        pub plain_token: Box<str>,
        /// The Ed25519 signature of `event_ts` and `plain_token`, in lower-case hexadecimal digits.
        pub signature: Box<str>,
    }
}

impl WebhookValidationReply {
    /// The answer with this signature.
    #[must_use]
    pub fn new(plain_token: impl Into<Box<str>>, signature: impl Into<Box<str>>) -> Self {
        Self {
            plain_token: plain_token.into(),
            signature: signature.into(),
            ..Self::default()
        }
    }
}

/// The answer to a pushed event: `{"op":12,"d":0}`, or `"d":1`, after which the platform pushes it again.
/// An empty answer counts as not delivered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HttpCallbackAck {
    handled: bool,
}

impl HttpCallbackAck {
    /// The event was taken.
    pub const HANDLED: Self = Self { handled: true };
    /// The event was not taken: the platform shall push it again.
    pub const FAILED: Self = Self { handled: false };
}

impl fmt::Debug for HttpCallbackAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.handled { "Handled" } else { "Failed" })
    }
}

impl Serialize for HttpCallbackAck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("op", &OpCode::HttpCallbackAck)?;
        map.serialize_entry("d", &u8::from(!self.handled))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_answers() {
        let json = |ack| serde_json::to_string(&ack).unwrap();
        assert_eq!(json(HttpCallbackAck::HANDLED), r#"{"op":12,"d":0}"#);
        assert_eq!(json(HttpCallbackAck::FAILED), r#"{"op":12,"d":1}"#);
    }
}
