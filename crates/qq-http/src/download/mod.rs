//! Downloading received media: only from where media come from, and only so much.
//!
//! Nothing of the bot's is sent: no token, no cookie, no id.

mod body;
mod guard;
mod policy;

pub use self::body::{Downloaded, DownloadedFile, MediaBody};
pub use self::policy::MediaPolicy;

use std::error::Error as StdError;
use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{LOCATION, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use qq_transport::{Connect, Tls};
use tokio::time::{Instant, timeout_at};

use self::guard::{Guard, Private};
use crate::client::HttpClient;
use crate::error::{Error, Reach};
use crate::transport::{CONNECT_TIMEOUT, Connector, Outgoing};

const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How many connections without requests are kept for each host.
const IDLE_CONNECTIONS: usize = 4;

/// Connections for downloads, apart from those of the API.
pub(crate) struct Downloads {
    client: Client<Connector, Outgoing>,
    policy: MediaPolicy,
    user_agent: HeaderValue,
    home: (Box<str>, u16),
}

impl Downloads {
    pub(crate) fn new(
        connect: Arc<dyn Connect>,
        tls: &Tls,
        policy: MediaPolicy,
        user_agent: HeaderValue,
        home: (Box<str>, u16),
    ) -> Self {
        let guard = Guard {
            inner: connect,
            policy: policy.clone(),
            home: home.clone(),
        };
        let connector = Connector::new(Arc::new(guard), tls, CONNECT_TIMEOUT);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self {
            client,
            policy,
            user_agent,
            home,
        }
    }

    /// Whether a download may begin at, or be led to, this address.
    fn check(&self, url: &Uri) -> Result<(), Error> {
        let port = port_of(url).ok_or_else(|| {
            Error::invalid_request("a download's address must begin with https:// or http://")
        })?;
        let host = url.host().unwrap_or_default();
        if host.is_empty() {
            return Err(Error::invalid_request("the download's address has no host"));
        }
        let is_home = (host, port) == (&*self.home.0, self.home.1);
        if is_home || self.policy.allows_host(host) {
            return Ok(());
        }
        Err(Error::invalid_request(format!(
            "{host} is no host that media come from: allow it with MediaPolicy::host if it is"
        )))
    }
}

impl HttpClient {
    /// A file that somebody sent, by the address in its attachment. Where it may come from and how much of it is
    /// taken is said by [`HttpClientBuilder::media`](crate::HttpClientBuilder::media).
    ///
    /// ```no_run
    /// # async fn run(http: qq_http::HttpClient, url: &str) -> Result<(), qq_http::Error> {
    /// let picture = http.download(url).max_bytes(5_000_000).await?;
    /// println!("{} bytes of {:?}", picture.bytes.len(), picture.content_type);
    /// http.download(url).to_file("picture.jpg").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, url: impl Into<String>) -> Download {
        let policy = &self.inner().downloads.policy;
        Download {
            url: url.into(),
            max_bytes: policy.max_bytes,
            timeout: policy.timeout,
            client: self.clone(),
        }
    }
}

/// A file to be downloaded: awaited, it gives the whole file.
///
/// An address expires within minutes to hours, so there is no second attempt.
#[must_use = "nothing is downloaded until it is awaited"]
pub struct Download {
    client: HttpClient,
    url: String,
    max_bytes: u64,
    timeout: Duration,
}

impl Download {
    /// How many bytes the file may have.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long it may take, redirects and body included.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The file piece by piece, in bounded memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for an address that the
    /// [`MediaPolicy`] does not allow, also for one that a redirect leads to. Otherwise what the server or the network
    /// said, with the status in [`Error::status`].
    pub async fn open(self) -> Result<MediaBody, Error> {
        let deadline = Instant::now() + self.timeout;
        let late = || Error::timed_out(Reach::Refused, "the file did not arrive in time");
        timeout_at(deadline, self.request(deadline))
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    /// The whole file into a file of this machine, in bounded memory. An existing file is replaced when the download
    /// is complete; a failed or dropped download leaves no file.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), a file that is too long, and
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where it cannot be written.
    pub async fn to_file(self, path: impl Into<PathBuf>) -> Result<DownloadedFile, Error> {
        self.open().await?.save(path.into()).await
    }

    async fn request(self, deadline: Instant) -> Result<MediaBody, Error> {
        let downloads = &self.client.inner().downloads;
        let mut url: Uri = self
            .url
            .parse()
            .map_err(|_| Error::invalid_request("the download's address is malformed"))?;
        for _ in 0..=downloads.policy.max_redirects {
            downloads.check(&url)?;
            let mut request = http::Request::new(Outgoing::empty());
            *request.uri_mut() = url.clone();
            request
                .headers_mut()
                .insert(USER_AGENT, downloads.user_agent.clone());
            let response = downloads
                .client
                .request(request)
                .await
                .map_err(unreachable_host)?;
            let status = response.status();
            if status.is_redirection() {
                url = follow(&url, response.headers().get(LOCATION))?;
                continue;
            }
            if !status.is_success() {
                return Err(
                    Error::media(format!("the server of the file answered {status}"))
                        .with_status(status, None),
                );
            }
            let (head, body) = response.into_parts();
            return MediaBody::new(&head.headers, body, &url, self.max_bytes, deadline);
        }
        Err(Error::media(format!(
            "the file's address leads through more than {} redirects",
            downloads.policy.max_redirects
        )))
    }
}

impl IntoFuture for Download {
    type Output = Result<Downloaded, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.open().await?.read().await })
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query of such an address is a key to the file.
        f.debug_struct("Download")
            .field("url", &self.url.split('?').next().unwrap_or_default())
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// The port that an address means; `None` for other schemes than the web's.
fn port_of(url: &Uri) -> Option<u16> {
    let default = match url.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => 443,
        Some(scheme) if *scheme == Scheme::HTTP => 80,
        _ => return None,
    };
    Some(url.port_u16().unwrap_or(default))
}

/// Where a redirect leads.
fn follow(from: &Uri, location: Option<&HeaderValue>) -> Result<Uri, Error> {
    let malformed = || Error::media("the file's address leads to nowhere".to_owned());
    let location = location
        .and_then(|location| location.to_str().ok())
        .ok_or_else(malformed)?;
    let to: Uri = if location.starts_with('/') && !location.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = Some(location.parse().map_err(|_| malformed())?);
        Uri::from_parts(parts).map_err(|_| malformed())?
    } else {
        location.parse().map_err(|_| malformed())?
    };
    if from.scheme() == Some(&Scheme::HTTPS) && to.scheme() != Some(&Scheme::HTTPS) {
        return Err(Error::invalid_request(
            "the file's address leads from https to an unencrypted address",
        ));
    }
    Ok(to)
}

fn unreachable_host(error: hyper_util::client::legacy::Error) -> Error {
    let mut cause: &(dyn StdError + 'static) = &error;
    loop {
        let private = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<Private>());
        if let Some(private) = private {
            return Error::invalid_request(format!("nothing is downloaded: {private}"));
        }
        match cause.source() {
            Some(source) => cause = source,
            None => break,
        }
    }
    let what = format!("the server of the file cannot be reached: {cause}");
    Error::network(Reach::Refused, what).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_on_but_not_out_of_tls() {
        let from: Uri = "https://a.example/x/y?z".parse().unwrap();
        let to = |location: &str| follow(&from, Some(&HeaderValue::from_str(location).unwrap()));
        assert_eq!(to("/b?c").unwrap(), "https://a.example/b?c");
        assert_eq!(to("https://b.example/c").unwrap(), "https://b.example/c");
        for location in [
            "http://a.example/",
            "file:///etc/passwd",
            "//b.example/c",
            "b",
            "",
        ] {
            assert!(to(location).is_err(), "{location}");
        }
        assert!(follow(&from, None).is_err());
    }
}
