//! One HTTP exchange: a request out, a whole answer in.

mod body;
mod connector;

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use qq_transport::{Connect, ProxyError, Tls};

pub(crate) use self::body::Outgoing;
use self::body::Unread;
pub(crate) use self::connector::Connector;
use crate::error::{Error, Reach};

/// How long opening a connection may take, TLS included; the call's own deadline may be nearer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without requests is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How many connections without requests are kept.
const IDLE_CONNECTIONS: usize = 256;
/// How often a connection over HTTP/2 is probed while requests wait on it.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the answer to a probe may take; then the connection is given up, with all that waits on it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    client: Client<Connector, Outgoing>,
    connector: Connector,
    max_body: usize,
}

/// A whole answer, of any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// How far an exchange came, readable after it was given up.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Which server it goes to.
    authority: Option<Authority>,
    written: Option<Arc<AtomicBool>>,
    status: Option<StatusCode>,
    trace_id: Option<Box<str>>,
}

impl Transport {
    pub(crate) fn new(connect: Arc<dyn Connect>, tls: &Tls, max_body: usize) -> Self {
        let connector = Connector::new(connect, tls, CONNECT_TIMEOUT);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_keep_alive_interval(PROBE_INTERVAL)
            .http2_keep_alive_timeout(PROBE_TIMEOUT)
            .build(connector.clone());
        Self {
            client,
            connector,
            max_body,
        }
    }

    /// How connections are opened, for another pool of them.
    pub(crate) const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Sends a request and reads the whole answer. Redirects are answers like any other: nothing is sent to a
    /// host that the caller did not name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up; `progress` then tells how far it came.
    pub(crate) async fn exchange(
        &self,
        request: http::Request<Option<Bytes>>,
        progress: &mut Progress,
    ) -> Result<Answer, Error> {
        let (head, body) = request.into_parts();
        *progress = Progress {
            authority: head.uri.authority().cloned(),
            ..Progress::default()
        };
        let body = match body {
            Some(body) => {
                let written = Arc::new(AtomicBool::new(false));
                progress.written = Some(Arc::clone(&written));
                Outgoing::new(body, written)
            }
            None => Outgoing::empty(),
        };
        let response = match self
            .client
            .request(http::Request::from_parts(head, body))
            .await
        {
            Ok(response) => response,
            Err(error) => return Err(no_answer(error, progress)),
        };
        let (head, body) = response.into_parts();
        progress.status = Some(head.status);
        progress.trace_id = crate::error::trace_id(&head.headers).map(Into::into);
        match body::read(body, self.max_body).await {
            Ok(body) => Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            }),
            Err(unread) => Err(unreadable(unread, head.status, progress)),
        }
    }
}

impl Progress {
    /// The error of an exchange that was given up at its deadline.
    pub(crate) fn timed_out(&self) -> Error {
        match self.status {
            Some(status) => {
                Error::timed_out(reach_of(status), "the answer's body did not arrive in time")
                    .with_status(status, self.trace_id.as_deref())
            }
            None if self.may_be_written() => {
                Error::timed_out(Reach::Unknown, "the server did not answer in time")
            }
            None => {
                let what = format!("no connection to {} in time", self.server());
                Error::timed_out(Reach::Unsent, what)
            }
        }
    }

    /// Host and port, as errors name them.
    fn server(&self) -> &str {
        self.authority
            .as_ref()
            .map_or("the server", Authority::as_str)
    }

    /// Whether the server may have got enough of the request to act on it. A body is looked at once the
    /// connection takes it; of a request without one nobody knows.
    fn may_be_written(&self) -> bool {
        self.written
            .as_ref()
            .is_none_or(|written| written.load(Ordering::Acquire))
    }
}

fn no_answer(error: hyper_util::client::legacy::Error, progress: &Progress) -> Error {
    if error.is_connect() {
        let cause = match ProxyError::find(&error) {
            Some(proxy) => proxy.to_string(),
            None => root_cause(&error),
        };
        // What the TLS stack says of an answer that is none of TLS.
        let hint = if cause.contains("InvalidContentType") {
            " (it does not speak TLS there: is it http:// and not https://?)"
        } else {
            ""
        };
        let what = format!("no connection to {}: {cause}{hint}", progress.server());
        return Error::network(Reach::Unsent, what).with_source(error);
    }
    let cause = root_cause(&error);
    let reach = if progress.may_be_written() {
        Reach::Unknown
    } else {
        Reach::Unsent
    };
    Error::network(
        reach,
        format!("the connection broke before the answer: {cause}"),
    )
    .with_source(error)
}

fn unreadable(unread: Unread, status: StatusCode, progress: &Progress) -> Error {
    let reach = reach_of(status);
    let error = match unread {
        Unread::TooLong(limit) => Error::oversized(
            status,
            reach,
            format!("the answer is longer than {limit} bytes"),
        ),
        Unread::Broken(error) => {
            let cause = root_cause(&error);
            Error::network(
                reach,
                format!("the connection broke within the answer: {cause}"),
            )
            .with_source(error)
        }
    };
    error.with_status(status, progress.trace_id.as_deref())
}

/// What a status says while its body is missing: only a client error says that nothing was done.
fn reach_of(status: StatusCode) -> Reach {
    if status.is_client_error() || status.is_redirection() {
        Reach::Refused
    } else {
        Reach::Unknown
    }
}

/// The innermost error, which names the cause; the outer ones name the layers.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
