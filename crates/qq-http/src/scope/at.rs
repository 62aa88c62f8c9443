//! Where the calls of a scope go: the client, and the ids that their paths begin with.

use std::fmt;

use qq_model::id::Id;
use qq_model::request::RequestBody;
use serde::de::DeserializeOwned;

use crate::client::HttpClient;
use crate::error::Error;
use crate::request::{self, Call, Query, QueryCall, Request};
use crate::response::Response;
use crate::route::Route;

/// Reads an answer.
type Read<T> = fn(&Response) -> Result<T, Error>;

#[derive(Clone)]
pub(super) struct At {
    http: HttpClient,
    ids: Vec<Box<str>>,
}

impl At {
    pub(super) fn root(http: &HttpClient) -> Self {
        Self {
            http: http.clone(),
            ids: Vec::new(),
        }
    }

    pub(super) fn new<K>(http: &HttpClient, id: &Id<K>) -> Self {
        Self::root(http).and(id)
    }

    /// One level below.
    pub(super) fn and<K>(&self, id: impl Into<Id<K>>) -> Self {
        self.and_text(&id.into().text())
    }

    /// One level below, where the platform has a text that is no id.
    pub(super) fn and_text(&self, text: &str) -> Self {
        let mut ids = self.ids.clone();
        ids.push(text.into());
        Self {
            http: self.http.clone(),
            ids,
        }
    }

    /// A call without a body whose answer is read by `read`.
    pub(super) fn read<T>(&self, route: Route, read: Read<T>) -> Call<T> {
        Call::new(&self.http, self.request(route), read)
    }

    /// A call with a body whose answer is read by `read`.
    pub(super) fn write<T>(&self, route: Route, body: &impl RequestBody, read: Read<T>) -> Call<T> {
        let request = self
            .request(route)
            .and_then(|request| request.checked_json(body));
        Call::new(&self.http, request, read)
    }

    /// A call without a body for an object.
    pub(super) fn get<T: DeserializeOwned>(&self, route: Route) -> Call<T> {
        self.read(route, request::json)
    }

    /// A call without a body for a list.
    pub(super) fn list<T: DeserializeOwned>(&self, route: Route) -> Call<Vec<T>> {
        self.read(route, request::list)
    }

    /// A call without a body and without an answer.
    pub(super) fn act(&self, route: Route) -> Call<()> {
        self.read(route, request::nothing)
    }

    /// A call with a body and without an answer.
    pub(super) fn put(&self, route: Route, body: &impl RequestBody) -> Call<()> {
        self.write(route, body, request::nothing)
    }

    /// A call with an empty object for a body, and without an answer.
    pub(super) fn put_empty(&self, route: Route) -> Call<()> {
        let request = self
            .request(route)
            .and_then(|request| request.json(&serde_json::Map::new()));
        Call::new(&self.http, request, request::nothing)
    }

    /// A call with a query.
    pub(super) fn query<Q: Query>(&self, route: Route, query: Q) -> QueryCall<Q> {
        QueryCall::new(self.http.clone(), route, self.ids.clone(), query)
    }

    fn request(&self, route: Route) -> Result<Request, Error> {
        let ids: Vec<&str> = self.ids.iter().map(|id| &**id).collect();
        Request::new(route, &ids)
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.ids).finish()
    }
}
