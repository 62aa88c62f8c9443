//! For programs that have no runtime of their own.

use std::io;

use tokio::runtime::Builder;

/// Runs a future to its end, on a runtime of its own on this thread: for scripts that depend on this crate alone.
///
/// ```no_run
/// use qq_http::{HttpClient, Token};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let http = HttpClient::new(Token::from_env()?)?;
/// let sent = qq_http::block_on(http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("hi").into_future())??;
/// # Ok(())
/// # }
/// ```
///
/// Open connections end with it, and so does whatever a dropped [`MessageStream`](crate::MessageStream) left behind: do
/// all of a script's calls in one future, and `finish` its streams there. Within a Tokio runtime, `.await` is
/// the way; there this function panics, as blocking would hold up the runtime.
///
/// # Errors
///
/// The system gives no runtime, as when it is out of file descriptors.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

#[cfg(test)]
mod tests {
    #[test]
    fn timers_and_sockets_work() {
        let outcome = super::block_on(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            tokio::net::TcpListener::bind("127.0.0.1:0").await.is_ok()
        });
        assert!(outcome.unwrap());
    }
}
