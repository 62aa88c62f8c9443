//! Calls that the route table does not know.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::{CUSTOM, Call, CallFuture, Label, Repeat, Request, as_target};
use crate::client::HttpClient;
use crate::error::Error;
use crate::response::Response;

/// A call to any path, for what the platform adds tomorrow; awaiting it makes it.
///
/// Same host, access token, deadline, repeats and errors as every other call.
#[derive(Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct RawCall(Call<Response>);

impl RawCall {
    pub(crate) fn new(
        http: &HttpClient,
        method: Method,
        path: String,
        body: Option<&Value>,
    ) -> Self {
        Self(Call::new(http, request(method, path, body), |response| {
            Ok(response.clone())
        }))
    }

    /// Another deadline for this call than the client's, from the moment it is awaited.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self(self.0.timeout(timeout))
    }

    /// What would be sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest): the path is none.
    pub fn try_into_request(self) -> Result<Request, Error> {
        self.0.try_into_request()
    }
}

impl IntoFuture for RawCall {
    type Output = Result<Response, Error>;
    type IntoFuture = CallFuture<Response>;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}

fn request(method: Method, path_and_query: String, body: Option<&Value>) -> Result<Request, Error> {
    let repeat = if method.is_safe() {
        Repeat::Idempotent
    } else {
        Repeat::Unsent
    };
    let label = Label {
        method: method.clone(),
        template: CUSTOM,
    };
    let path = path_and_query.split('?').next().unwrap_or_default();
    let why = if !path.starts_with('/') {
        "must start with a slash"
    } else if path.split('/').any(is_step) {
        "must not have . or .. between slashes"
    } else if !path_and_query
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        "must be percent-encoded: it has white space, a fragment or characters other than ASCII"
    } else {
        let request = Request {
            method,
            route: None,
            target: as_target(path_and_query).map_err(|error| error.labelled(&label))?,
            body: None,
            content_type: None,
            repeat,
            is_answer: None,
        };
        return match body {
            Some(body) => request.json(body),
            None => Ok(request),
        };
    };
    Err(Error::invalid_request(format!("the path {why}")).labelled(&label))
}

/// `.` or `..`, in any of the spellings that servers take for it.
fn is_step(segment: &str) -> bool {
    matches!(
        segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "",
            "users",
            "/a/../b",
            "/a/%2E./b",
            "/..",
            "/a b",
            "/é",
            "/a#b",
            "https://other.example/",
        ] {
            let error = request(Method::GET, path.to_owned(), None).unwrap_err();
            assert!(error.to_string().contains("the path"), "{path}: {error}");
        }
        let request = request(
            Method::PUT,
            "/a/%2F?limit=1&x=%20".to_owned(),
            Some(&json!({"k": 1})),
        )
        .unwrap();
        assert_eq!(
            (request.path(), request.query()),
            ("/a/%2F", Some("limit=1&x=%20"))
        );
        assert_eq!(request.body().unwrap(), br#"{"k":1}"#);
    }
}
