//! Sending from other tasks.

use std::error::Error;
use std::fmt;

use tokio::sync::mpsc;

use crate::CloseMode;

/// Frames that may wait to be sent.
const CAPACITY: usize = 16;

/// Sends frames and close requests through a shard, from any task. Cheap to clone.
///
/// A shard sends while it is polled and its session is live; until then frames wait. Ordinary bots need
/// none: IDENTIFY, RESUME and heartbeats are the shard's own business.
#[derive(Clone)]
pub struct ShardSender {
    frames: mpsc::Sender<Box<str>>,
    close: mpsc::Sender<CloseMode>,
    max_frame: usize,
}

/// Where a shard receives what its senders send.
pub(super) struct Requests {
    pub(super) frames: mpsc::Receiver<Box<str>>,
    pub(super) close: mpsc::Receiver<CloseMode>,
}

impl Requests {
    /// Senders learn that nobody listens any more.
    pub(super) fn end(&mut self) {
        self.frames.close();
        self.close.close();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.close.is_empty()
    }
}

impl ShardSender {
    pub(super) fn new(max_frame: usize) -> (Self, Requests) {
        let (frames, frames_receiver) = mpsc::channel(CAPACITY);
        // One request is enough: a shard closes once.
        let (close, close_receiver) = mpsc::channel(1);
        (
            Self {
                frames,
                close,
                max_frame,
            },
            Requests {
                frames: frames_receiver,
                close: close_receiver,
            },
        )
    }

    /// Queues a frame (JSON text); waits while 16 are waiting.
    ///
    /// # Errors
    ///
    /// [`SendError`] when the frame is too large or the shard has ended.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped before it is ready, the frame is not sent.
    pub async fn send(&self, frame: impl Into<Box<str>>) -> Result<(), SendError> {
        let frame = self.check(frame.into())?;
        self.frames.send(frame).await.map_err(|_| SendError::Closed)
    }

    /// Queues a frame (JSON text) now.
    ///
    /// # Errors
    ///
    /// [`SendError`] when the frame is too large, the queue is full or the shard has ended.
    pub fn try_send(&self, frame: impl Into<Box<str>>) -> Result<(), SendError> {
        let frame = self.check(frame.into())?;
        self.frames.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    /// Asks the shard to close; its stream ends when it has.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] when the shard has ended already.
    pub fn close(&self, mode: CloseMode) -> Result<(), SendError> {
        match self.close.try_send(mode) {
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SendError::Closed),
        }
    }

    /// Whether the shard has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    fn check(&self, frame: Box<str>) -> Result<Box<str>, SendError> {
        if frame.len() > self.max_frame {
            return Err(SendError::TooLarge {
                size: frame.len(),
                limit: self.max_frame,
            });
        }
        Ok(frame)
    }
}

impl fmt::Debug for ShardSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardSender")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// A frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The shard has ended.
    Closed,
    /// Too many frames are waiting.
    Full,
    /// The frame exceeds [`Limits::max_outgoing_frame`](crate::Limits::max_outgoing_frame).
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the shard has ended"),
            Self::Full => write!(
                f,
                "{CAPACITY} frames are waiting to be sent: try again when the shard is connected"
            ),
            Self::TooLarge { size, limit } => {
                write!(
                    f,
                    "the frame has {size} bytes, more than the {limit} of Limits::max_outgoing_frame"
                )
            }
        }
    }
}

impl Error for SendError {}
