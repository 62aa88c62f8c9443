//! The call that exchanges a bot's credentials for an access token.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::credentials::{Secret, Token};
use crate::describe::{Described, Field, Object};
use crate::wire::Lenient;

/// The body of the call. It holds the secret: no `Debug`, and it is written straight to the request.
#[derive(Clone, Copy)]
pub struct AccessTokenRequest<'a>(&'a Token);

impl<'a> AccessTokenRequest<'a> {
    /// Asks for a token for these credentials.
    #[must_use]
    pub const fn new(token: &'a Token) -> Self {
        Self(token)
    }
}

impl Serialize for AccessTokenRequest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("AccessTokenRequest", 2)?;
        body.serialize_field("appId", self.0.app_id())?;
        body.serialize_field("clientSecret", self.0.secret().expose())?;
        body.end()
    }
}

/// The answer. A failure comes with HTTP 200, a `code` and no token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AccessTokenResponse {
    /// The token; absent on failure.
    #[serde(deserialize_with = "lenient")]
    pub access_token: Option<Secret>,
    /// Seconds that it is still good for, at most 7200; text on the wire. The same token is returned until its
    /// last 60 seconds.
    #[serde(deserialize_with = "lenient")]
    pub expires_in: Option<u64>,
    /// Why there is none.
    #[serde(deserialize_with = "lenient")]
    pub code: Option<i64>,
    /// Why there is none, for people.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Box<str>>,
}

fn lenient<'de, T: Lenient<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(deserializer).map(Option::unwrap_or_default)
}

impl Described for AccessTokenRequest<'_> {
    const OBJECT: Object = Object {
        name: "AccessTokenRequest",
        fields: &[
            Field {
                name: "appId",
                ty: "AppId",
            },
            Field {
                name: "clientSecret",
                ty: "Secret",
            },
        ],
    };
}

impl Described for AccessTokenResponse {
    const OBJECT: Object = Object {
        name: "AccessTokenResponse",
        fields: &[
            Field {
                name: "access_token",
                ty: "Option<Secret>",
            },
            Field {
                name: "expires_in",
                ty: "Option<u64>",
            },
            Field {
                name: "code",
                ty: "Option<i64>",
            },
            Field {
                name: "message",
                ty: "Option<Box<str>>",
            },
        ],
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_in_the_forms_of_the_platform() {
        let token = Token::new("102000000", "canary");
        assert_eq!(
            serde_json::to_string(&AccessTokenRequest::new(&token)).unwrap(),
            r#"{"appId":"102000000","clientSecret":"canary"}"#
        );
        for json in [
            r#"{"access_token":"canary","expires_in":"7200"}"#,
            r#"{"access_token":"canary","expires_in":7200,"new":1,"code":null}"#,
        ] {
            let answer: AccessTokenResponse = serde_json::from_str(json).unwrap();
            assert_eq!(answer.expires_in, Some(7200));
            assert_eq!(answer.access_token.as_ref().unwrap().expose(), "canary");
            assert!(!format!("{answer:?}").contains("canary"));
        }
        let refused: AccessTokenResponse =
            serde_json::from_str(r#"{"code":100007,"message":"x"}"#).unwrap();
        assert!(refused.access_token.is_none() && refused.code == Some(100_007));
    }
}
