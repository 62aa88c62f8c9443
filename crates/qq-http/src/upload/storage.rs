//! The object storage that parts go to. It is not the platform's API: it gets bytes and a length, and nothing of
//! the bot's; and it has connections of its own.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep, timeout};

use super::body::{Outcome, PartBody};
use super::content::Content;
use super::plan::Slice;
use super::policy::UploadPolicy;
use super::source::unreadable;
use crate::error::{Error, Reach};
use crate::request::Label;
use crate::transport::Connector;

const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// The wait before the second attempt, which doubles from there.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How much of an answer is read; the name of a failure stands at its beginning.
const ANSWER_BYTES: usize = 16 * 1024;

/// Connections to the storage.
#[derive(Clone)]
pub(crate) struct Storage(Client<Connector, PartBody>);

/// Why a part was not stored.
pub(super) struct NotStored {
    pub(super) error: Error,
    /// The address is no longer good; a new one may be.
    pub(super) is_expired: bool,
    is_transient: bool,
}

impl Storage {
    pub(crate) fn new(connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .retry_canceled_requests(false)
            .build(connector);
        Self(client)
    }

    /// Stores a part, in as many attempts as the policy allows; its digest.
    pub(super) async fn put(
        &self,
        content: &Content,
        slice: &Slice,
        policy: &UploadPolicy,
    ) -> Result<Box<str>, NotStored> {
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        loop {
            let outcome = timeout(policy.part_timeout, self.attempt(content, slice)).await;
            let failure = match outcome {
                Ok(Ok(digest)) => return Ok(digest),
                Ok(Err(failure)) => failure,
                Err(_) => NotStored::transient(Error::timed_out(
                    Reach::Refused,
                    format!(
                        "a part was not stored within {} s",
                        policy.part_timeout.as_secs()
                    ),
                )),
            };
            if !failure.is_transient || attempt >= policy.attempts {
                let error = failure.error.labelled(&label()).with_attempts(attempt);
                return Err(NotStored { error, ..failure });
            }
            tracing::debug!(
                attempt,
                status = failure.error.status().map(|status| status.as_u16()),
                "part not stored"
            );
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            attempt += 1;
        }
    }

    async fn attempt(&self, content: &Content, slice: &Slice) -> Result<Box<str>, NotStored> {
        let outcome = Outcome::default();
        let mut request = http::Request::new(PartBody::new(content, slice, outcome.clone()));
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = slice.url.clone();
        let answer = self.0.request(request).await;
        let digest = match outcome.take() {
            Some(Err(error)) => return Err(NotStored::final_(unreadable(error))),
            Some(Ok(digest)) => Some(digest),
            None => None,
        };
        let answer = answer.map_err(|error| {
            let cause = root_cause(&error);
            NotStored::transient(
                Error::network(Reach::Refused, format!("a part was not stored: {cause}"))
                    .with_source(error),
            )
        })?;
        let (head, body) = answer.into_parts();
        let body = beginning(body).await;
        match digest {
            Some(digest) if head.status.is_success() => Ok(digest),
            _ => Err(NotStored::refused(head.status, &head.headers, &body)),
        }
    }
}

impl NotStored {
    const fn transient(error: Error) -> Self {
        Self {
            error,
            is_expired: false,
            is_transient: true,
        }
    }

    const fn final_(error: Error) -> Self {
        Self {
            error,
            is_expired: false,
            is_transient: false,
        }
    }

    /// An answer that is no success. Its text stays out of the error but for the storage's name of the failure:
    /// storages repeat the signed address there.
    fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let what = match failure_name(body) {
            Some(name) => format!("the storage refused a part: {name}"),
            None if status.is_success() => "the storage answered before it had the part".to_owned(),
            None => format!("the storage refused a part with status {}", status.as_u16()),
        };
        let trace_id = ["x-cos-request-id", "x-amz-request-id"]
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok());
        Self {
            error: Error::storage(what).with_status(status, trace_id),
            is_expired: matches!(status.as_u16(), 401 | 403 | 404 | 410),
            is_transient: status.is_success()
                || status.is_server_error()
                || matches!(status.as_u16(), 408 | 429),
        }
    }
}

/// `<Code>AccessDenied</Code>` in an answer.
fn failure_name(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("<Code>")?;
    let (name, _) = rest.split_once("</Code>")?;
    let is_name =
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then(|| name.to_owned())
}

/// The beginning of an answer; what cannot be read is left out, since the status has already said enough.
async fn beginning(mut body: Incoming) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.into_data() {
            let left = ANSWER_BYTES - read.len();
            read.extend_from_slice(&data[..data.len().min(left)]);
            if read.len() == ANSWER_BYTES {
                break;
            }
        }
    }
    read
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

const fn label() -> Label {
    Label {
        method: Method::PUT,
        template: "{presigned_url}",
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_failure_and_nothing_else() {
        let body = b"<?xml?><Error><Code>AccessDenied</Code><Message>canary</Message><StringToSign>canary</StringToSign></Error>";
        let failure = NotStored::refused(StatusCode::FORBIDDEN, &HeaderMap::new(), body);
        assert!(failure.is_expired && !failure.is_transient);
        let shown = format!("{} {:?}", failure.error, failure.error);
        assert!(
            shown.contains("AccessDenied") && !shown.contains("canary"),
            "{shown}"
        );
        for body in ["<Code>", "<Code></Code>", "<Code>a b</Code>", "nothing"] {
            assert_eq!(failure_name(body.as_bytes()), None);
        }
    }
}
