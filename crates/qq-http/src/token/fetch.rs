//! One fetch of an access token.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Uri};
use qq_model::id::AppId;
use qq_model::{ApiError, BearerToken, Token};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::schedule::{DEFAULT_LIFETIME, Validity, validity};
use super::{Acquired, Flight};
use crate::error::{Error, Redactor};
use crate::random::chance;
use crate::route::Route;
use crate::transport::{Answer, Progress, Transport};

/// Asks the token endpoint. The only place that reads the secret.
pub(crate) struct Fetcher {
    credentials: Token,
    url: Uri,
    user_agent: HeaderValue,
    transport: Transport,
    timeout: Duration,
}

/// A token with its time.
#[derive(Clone)]
pub(crate) struct Fetched {
    pub(super) token: BearerToken,
    authorization: HeaderValue,
    pub(super) started: Instant,
    pub(super) validity: Validity,
}

impl Fetched {
    /// A token that had so much of its life left when it was asked for at `started`.
    pub(super) fn new(
        token: BearerToken,
        started: Instant,
        lifetime: Duration,
    ) -> Result<Self, Error> {
        let mut authorization =
            HeaderValue::from_str(token.authorization().expose()).map_err(|_| {
                Error::decode("the access token has characters that a header cannot carry")
            })?;
        authorization.set_sensitive(true);
        Ok(Self {
            token,
            authorization,
            started,
            validity: validity(started, Instant::now(), lifetime, chance()),
        })
    }

    /// The end of its life, for other processes.
    pub(super) fn ends_at(&self) -> SystemTime {
        SystemTime::now()
            + self
                .validity
                .expires_at
                .saturating_duration_since(Instant::now())
    }

    pub(super) fn acquired(&self, renewal: Option<Flight>) -> Acquired {
        Acquired {
            token: self.token.clone(),
            authorization: self.authorization.clone(),
            renewal,
        }
    }
}

impl Fetcher {
    pub(crate) const fn new(
        credentials: Token,
        url: Uri,
        user_agent: HeaderValue,
        transport: Transport,
        timeout: Duration,
    ) -> Self {
        Self {
            credentials,
            url,
            user_agent,
            transport,
            timeout,
        }
    }

    pub(super) const fn app_id(&self) -> &AppId {
        self.credentials.app_id()
    }

    /// How long a fetch takes at most.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Asks for a token.
    pub(super) async fn fetch(&self) -> Result<Fetched, Error> {
        let started = Instant::now();
        let mut progress = Progress::default();
        let outcome = timeout(
            self.timeout,
            self.transport.exchange(self.request(), &mut progress),
        )
        .await;
        let result = match outcome {
            Ok(Ok(answer)) => self.read(&answer, started),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(progress.timed_out()),
        };
        result.map_err(|error| {
            error
                .during_token_fetch()
                .labelled(&Route::GetAppAccessToken.into())
        })
    }

    fn request(&self) -> http::Request<Option<Bytes>> {
        let body = json!({
            "appId": &*self.credentials.app_id().text(),
            "clientSecret": self.credentials.secret().expose(),
        });
        let mut request = http::Request::new(Some(Bytes::from(body.to_string())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        request
    }

    /// Failures come with status 200 too: a code decides, or that there is no token.
    fn read(&self, answer: &Answer, started: Instant) -> Result<Fetched, Error> {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let redactor = Redactor(&[self.credentials.secret().expose()]);
        if let Ok(api) = serde_json::from_slice::<ApiError>(body)
            && api.is_failure()
        {
            return Err(Error::from_api(
                *status, headers, body, &api, redactor, true,
            ));
        }
        let foreign = || {
            let error = Error::from_http(*status, headers, body, redactor, true);
            // A token that was cut off is a token all the same.
            if memchr::memmem::find(body, b"access_token").is_some() {
                error.without_raw_body()
            } else {
                error
            }
        };
        let value: Value = serde_json::from_slice(body).map_err(|_| foreign())?;
        let token = value["access_token"]
            .as_str()
            .filter(|token| !token.is_empty() && status.is_success());
        let token = BearerToken::new(token.ok_or_else(foreign)?);
        let lifetime = lifetime(&value["expires_in"]).unwrap_or(DEFAULT_LIFETIME);
        let fetched = Fetched::new(token, started, lifetime)?;
        tracing::debug!(lifetime_s = lifetime.as_secs(), "access token fetched");
        Ok(fetched)
    }
}

/// Seconds, as a number or as a text.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        value => value.as_f64()?,
    };
    Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_numbers_or_texts() {
        for (value, seconds) in [
            (json!(7200), Some(7200)),
            (json!("7200"), Some(7200)),
            (json!(" 59.0 "), Some(59)),
            (json!(-5), Some(0)),
            (json!(null), None),
            (json!("soon"), None),
        ] {
            assert_eq!(
                lifetime(&value),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
        assert_eq!(lifetime(&json!("1e99")), Some(Duration::MAX));
        assert_eq!(lifetime(&json!("NaN")), Some(Duration::ZERO));
    }
}
