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
///   [`finish_timeout`](StreamBuilder::finish_timeout). It runs on the Tokio runtime where the handle is dropped, or on
///   the one that sent the first frame; if that ends before, a warning is logged.
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
    /// What a later [`MessageReference`](qq_model::message::MessageReference) quotes each of them by, where the platform
    /// said it: one for each of `ids`.
    pub ref_idxs: Vec<Option<Box<str>>>,
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
        let Some(runtime) = Handle::try_current().ok().or_else(|| writer.runtime()) else {
            return;
        };
        let end = async move {
            let mut end = Ending { is_over: false };
            if let Err(error) = writer.finish().await {
                tracing::warn!(%error, "a dropped stream could not be finished");
            }
            end.is_over = true;
        };
        drop(runtime.spawn(end.in_current_span()));
    }
}

/// Says so when a runtime ends before the stream that was left to it.
struct Ending {
    is_over: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_over {
            tracing::warn!(
                "a runtime ended before a stream that was dropped on it: its text will be taken back"
            );
        }
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
