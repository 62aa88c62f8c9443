//! Calls with a query: what is asked for is set on the call itself.

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::path::encode;
use super::{Call, CallFuture, Items, Paged, Pages, Request};
use crate::client::HttpClient;
use crate::error::Error;
use crate::response::Response;
use crate::route::Route;

/// What a [`QueryCall`] asks for, and what comes back. The platform's queries implement it.
pub trait Query: Clone + Debug + PartialEq + Serialize + Send + Unpin + 'static {
    /// What comes back.
    type Answer: Send + 'static;

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode): the body is not of this form.
    fn read(response: &Response) -> Result<Self::Answer, Error>;

    /// Whether the members go into a JSON body as well: official documents and official SDKs differ on one call.
    const IS_BODY_TOO: bool = false;
}

/// A call with a query that was not made yet; awaiting it makes it.
///
/// Calls whose answers come in pages answer the first page, or the one that was asked for;
/// [`pages`](Self::pages) and [`items`](Self::items) go on to the end.
///
/// # Cancel safety
///
/// Dropping the future gives the call up; what was already written stays written.
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct QueryCall<Q> {
    pub(super) http: HttpClient,
    route: Route,
    parameters: Vec<Box<str>>,
    pub(super) query: Q,
    timeout: Option<Duration>,
}

impl<Q: Query> QueryCall<Q> {
    pub(crate) const fn new(
        http: HttpClient,
        route: Route,
        parameters: Vec<Box<str>>,
        query: Q,
    ) -> Self {
        Self {
            http,
            route,
            parameters,
            query,
            timeout: None,
        }
    }

    /// Asks for what this query says, in place of what was set.
    pub fn query(mut self, query: Q) -> Self {
        self.query = query;
        self
    }

    /// Another deadline for each call than the client's, from the moment it is awaited.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which names the field.
    pub fn try_into_request(self) -> Result<Request, Error> {
        self.request()
    }

    pub(crate) fn map(mut self, change: impl FnOnce(Q) -> Q) -> Self {
        self.query = change(self.query);
        self
    }

    pub(super) fn call(&self) -> Call<Q::Answer> {
        let call = Call::new(&self.http, self.request(), Q::read);
        match self.timeout {
            Some(timeout) => call.timeout(timeout),
            None => call,
        }
    }

    fn request(&self) -> Result<Request, Error> {
        let parameters: Vec<&str> = self.parameters.iter().map(|id| &**id).collect();
        let request = Request::new(self.route, &parameters)?.query_of(&self.query)?;
        if Q::IS_BODY_TOO {
            return request.json(&self.query);
        }
        Ok(request)
    }
}

impl<Q: Paged> QueryCall<Q> {
    /// One page after the other, to the end.
    pub fn pages(self) -> Pages<Q> {
        Pages::new(self)
    }

    /// One entry after the other, to the end.
    pub fn items(self) -> Items<Q> {
        Items::new(self.pages())
    }
}

impl<Q: Query> IntoFuture for QueryCall<Q> {
    type Output = Result<Q::Answer, Error>;
    type IntoFuture = CallFuture<Q::Answer>;

    fn into_future(self) -> Self::IntoFuture {
        self.call().into_future()
    }
}

/// The members that are set, as a query without its question mark.
pub(super) fn write<T: Serialize + ?Sized>(query: &T) -> Result<String, Error> {
    let unwritable = || Error::invalid_request("the query has a member that is no text or number");
    let Value::Object(members) =
        serde_json::to_value(query).map_err(|error| unwritable().with_source(error))?
    else {
        return Err(unwritable());
    };
    let mut text = String::new();
    for (name, value) in &members {
        let value = match value {
            Value::Null => continue,
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::String(value) => value.clone(),
            Value::Array(_) | Value::Object(_) => return Err(unwritable()),
        };
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(&value, &mut text);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_encoded_and_absent_ones_left_out() {
        let query =
            json!({"after": "a&b=1 \u{e9}#", "limit": 400, "hidetip": true, "cursor": null});
        assert_eq!(
            write(&query).unwrap(),
            "after=a%26b%3D1%20%C3%A9%23&hidetip=true&limit=400"
        );
        assert_eq!(write(&json!({})).unwrap(), "");
        for query in [json!({"x": []}), json!({"x": {}}), json!(1)] {
            let error = write(&query).unwrap_err();
            assert!(error.to_string().contains("the query"), "{error}");
        }
    }
}
