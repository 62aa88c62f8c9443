//! Calls that carry nothing but their route.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Request;
use crate::client::HttpClient;
use crate::error::Error;
use crate::response::Response;

/// What awaiting a call does.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A call that was not made yet; awaiting it makes it.
///
/// # Cancel safety
///
/// Dropping the future gives the call up; what was already written stays written.
#[must_use = "a call is made when it is awaited"]
pub struct Call<T> {
    http: HttpClient,
    request: Result<Request, Error>,
    timeout: Option<Duration>,
    decode: fn(&Response) -> Result<T, Error>,
}

impl<T> Call<T> {
    /// A call whose answer is read by `decode`.
    pub(crate) fn new(
        http: &HttpClient,
        request: Result<Request, Error>,
        decode: fn(&Response) -> Result<T, Error>,
    ) -> Self {
        Self {
            http: http.clone(),
            request,
            timeout: None,
            decode,
        }
    }

    /// Another deadline for this call than the client's, from the moment it is awaited.
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
        self.request
    }
}

impl<T: 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        Box::pin(async move { (self.decode)(&self.http.run(&self.request?, self.timeout).await?) })
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
