//! The body of a part: read, hashed and written piece by piece.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::content::{Content, Data, PIECE, piece};
use super::digest::hex;
use super::plan::Slice;

/// What became of a body, readable after the connection took it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome(Arc<Mutex<Option<io::Result<Box<str>>>>>);

impl Outcome {
    /// The part's digest, or why it could not be read; `None` when not all of it was taken.
    pub(super) fn take(&self) -> Option<io::Result<Box<str>>> {
        self.lock().take()
    }

    fn set(&self, outcome: io::Result<Box<str>>) {
        *self.lock() = Some(outcome);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<io::Result<Box<str>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Hashed = io::Result<(md5::Context, Bytes)>;

/// One part as the body of a request, in memory that does not grow with it.
pub(super) struct PartBody {
    content: Content,
    at: u64,
    left: u64,
    md5: Option<md5::Context>,
    reading: Option<JoinHandle<Hashed>>,
    outcome: Outcome,
}

impl PartBody {
    pub(super) fn new(content: &Content, slice: &Slice, outcome: Outcome) -> Self {
        Self {
            content: content.clone(),
            at: slice.offset,
            left: slice.size,
            md5: Some(md5::Context::new()),
            reading: None,
            outcome,
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Hashed> {
        if let Some(reading) = &mut self.reading {
            let outcome = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            return Poll::Ready(outcome.unwrap_or_else(|error| Err(io::Error::other(error))));
        }
        let Some(mut md5) = self.md5.take() else {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        };
        let (content, at, len) = (self.content.clone(), self.at, piece(self.left, PIECE));
        let work = move || {
            let piece = content.read(at, len)?;
            md5.consume(&piece);
            Ok((md5, piece))
        };
        if matches!(self.content.data(), Data::Bytes(_)) {
            return Poll::Ready(work());
        }
        self.reading = Some(spawn_blocking(work));
        self.poll_piece(cx)
    }
}

impl Body for PartBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        match ready!(self.poll_piece(cx)) {
            Ok((md5, piece)) => {
                self.at += piece.len() as u64;
                self.left -= piece.len() as u64;
                if self.left == 0 {
                    self.outcome.set(Ok(hex(&*md5.finalize())));
                } else {
                    self.md5 = Some(md5);
                }
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Err(error) => {
                let (kind, text) = (error.kind(), error.to_string());
                self.outcome.set(Err(error));
                Poll::Ready(Some(Err(io::Error::new(kind, text))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
