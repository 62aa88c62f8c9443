//! The webhook sessions that came before the console's callback address.

use qq_model::gateway::{CreateWebhookSession, HttpReady, HttpSession};
use qq_model::id::SessionId;
use serde::Serialize;

use super::at::At;
use crate::error::Error;
use crate::request::{self, Call, Query, QueryCall};
use crate::response::Response;
use crate::route::Route;

/// The webhook sessions of a bot: [`HttpClient::webhook_sessions`](crate::HttpClient::webhook_sessions). Legacy;
/// known from SDKs only. Set the callback address in the console instead.
#[derive(Clone, Debug)]
pub struct WebhookSessions(pub(super) At);

impl WebhookSessions {
    /// Opens a session.
    pub fn create(&self, session: &CreateWebhookSession) -> Call<HttpReady> {
        self.0
            .write(Route::CreateWebhookSession, session, |response| {
                request::having(response, "session_id", |ready: &HttpReady| {
                    ready.session_id.is_empty()
                })
            })
    }

    /// The sessions.
    pub fn list(&self) -> Call<Vec<HttpSession>> {
        self.0.list(Route::ListWebhookSessions)
    }

    /// Does something with all sessions, such as `check`; answers them.
    pub fn check(&self, action: impl Into<Box<str>>) -> QueryCall<CheckWebhookSessions> {
        let query = CheckWebhookSessions {
            action: action.into(),
        };
        self.0.query(Route::CheckWebhookSessions, query)
    }

    /// Ends a session.
    pub fn delete(&self, session: impl Into<SessionId>) -> Call<()> {
        self.0.and(session.into()).act(Route::DeleteWebhookSession)
    }
}

/// The query of [`WebhookSessions::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckWebhookSessions {
    /// What to do.
    pub action: Box<str>,
}

impl Query for CheckWebhookSessions {
    type Answer = Vec<HttpSession>;

    fn read(response: &Response) -> Result<Vec<HttpSession>, Error> {
        request::list(response)
    }
}
