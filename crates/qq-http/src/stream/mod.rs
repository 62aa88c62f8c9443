//! Streaming answers: a one-to-one message that grows on the user's screen.

mod builder;
mod error;
mod text;
mod writer;

use std::fmt;

use tokio::runtime::Handle;
use tracing::Instrument;

pub use self::builder::StreamBuilder;
pub use self::error::{StreamError, StreamErrorKind};
use self::writer::Writer;
use crate::error::Error;
use crate::sent::Sent;

/// A message that grows while it is written: [`UserScope::stream`](crate::UserScope::stream).
///
/// Text is taken as it comes and sent in frames, each with the whole text so far and a number that is never used
/// for two texts; so a lost frame loses nothing, and nothing shows twice. A frame that fails for a reason that may pass is
/// made up for by the next one; [`last_error`](Self::last_error) tells of it.
///
/// Unless the last frame arrives, the user's client takes the text back. So the last frame is sent in any case:
///
/// * [`finish`](Self::finish) sends it, and says what became of it;
/// * after a refusal it is sent with what was shown so far;
/// * a handle that is dropped, or whose `finish` is, leaves one short task behind that sends it and ends within
///   [`finish_timeout`](StreamBuilder::finish_timeout). That needs a Tokio runtime; without one a warning is logged.
///   A stream of which nothing can have been shown leaves nothing behind and sends nothing.
///
/// A text longer than the platform takes in one message (`remain_msg_len`) goes on in a further message, with a
/// number of its own.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient, user: &str, message: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let mut answer = http.user(user).stream().reply_to(message).msg_seq(1).start()?;
/// for word in ["Thinking", " takes", " time."] {
///     answer.push(word).await?;
/// }
/// answer.finish().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping the future of [`push`](Self::push) and its siblings keeps their text; a frame that was under way counts
/// as one that may have arrived.
#[must_use = "a stream shows nothing before text is pushed"]
pub struct MessageStream(Option<Box<Writer>>);

/// What became of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Streamed {
    /// The messages, in order; more than one when the text was too long for one, and none when there was no text.
    pub ids: Vec<Box<str>>,
    /// The normal message that was sent instead: [`StreamBuilder::fallback`].
    pub fallback: Option<Sent>,
}

impl MessageStream {
    fn new(writer: Writer) -> Self {
        Self(Some(Box::new(writer)))
    }

    /// Adds text, and sends what has gathered unless a frame was sent a moment ago.
    ///
    /// # Errors
    ///
    /// [`StreamErrorKind::Send`]: the platform refused the stream, which has ended. Failures that may pass are no
    /// errors here.
    pub async fn push(&mut self, text: &str) -> Result<(), StreamError> {
        match &mut self.0 {
            Some(writer) => {
                writer.is_open()?;
                writer.text.push(text);
                writer.advance().await
            }
            None => Ok(()),
        }
    }

    /// Gives the whole text so far, for models that repeat it; otherwise like [`push`](Self::push).
    ///
    /// # Errors
    ///
    /// [`StreamErrorKind::PrefixChanged`]: it does not begin with what was sent already. What was not yet sent
    /// may differ.
    pub async fn set(&mut self, whole: &str) -> Result<(), StreamError> {
        match &mut self.0 {
            Some(writer) => {
                writer.is_open()?;
                writer.text.set(whole)?;
                writer.advance().await
            }
            None => Ok(()),
        }
    }

    /// Sends what has gathered, after the pause that is due. Worth calling when the text pauses.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push).
    pub async fn flush(&mut self) -> Result<(), StreamError> {
        match &mut self.0 {
            Some(writer) => {
                writer.is_open()?;
                writer.flush().await
            }
            None => Ok(()),
        }
    }

    /// Sends the last frame, with the whole text.
    ///
    /// # Errors
    ///
    /// [`StreamErrorKind::Send`]: it did not arrive within the deadline, or was refused. Where it may have arrived
    /// all the same, the source is [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown).
    pub async fn finish(mut self) -> Result<Streamed, StreamError> {
        match &mut self.0 {
            Some(writer) => {
                let outcome = writer.finish().await;
                // Whatever came of it, nothing more is to be done.
                self.0 = None;
                outcome
            }
            None => Ok(Streamed::default()),
        }
    }

    /// The whole text so far, sent or not.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_ref().map_or("", |writer| writer.text.whole())
    }

    /// The last failure of a frame, until one succeeds.
    #[must_use]
    pub fn last_error(&self) -> Option<&Error> {
        self.0.as_ref()?.last_error()
    }
}

/// Sends the last frame, when something may be on the screen.
impl Drop for MessageStream {
    fn drop(&mut self) {
        let Some(mut writer) = self.0.take().filter(|writer| writer.may_show()) else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            tracing::warn!(
                "a stream was dropped unfinished outside of a runtime: its text will be taken back"
            );
            return;
        };
        let end = async move {
            if let Err(error) = writer.finish().await {
                tracing::warn!(%error, "a dropped stream could not be finished");
            }
        };
        drop(runtime.spawn(end.in_current_span()));
    }
}

/// Names the size of the text; the text stays out.
impl fmt::Debug for MessageStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageStream")
            .field("text_bytes", &self.text().len())
            .field("last_error", &self.last_error())
            .finish_non_exhaustive()
    }
}
