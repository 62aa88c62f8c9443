//! Bodies: one that knows whether it was taken, and reading one within a limit.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// A request's body. It says when the connection took it, which tells a request that was never written from one
/// whose outcome is unknown.
#[derive(Debug)]
pub(crate) struct Outgoing {
    data: Option<Bytes>,
    taken: Option<Arc<AtomicBool>>,
}

impl Outgoing {
    pub(crate) const fn empty() -> Self {
        Self {
            data: None,
            taken: None,
        }
    }

    pub(super) const fn new(data: Bytes, taken: Arc<AtomicBool>) -> Self {
        Self {
            data: Some(data),
            taken: Some(taken),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(taken) = &self.taken {
            taken.store(true, Ordering::Release);
        }
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is longer than this.
    TooLong(usize),
    /// The connection broke.
    Broken(hyper::Error),
}

/// Reads a body of at most so many bytes. One that comes in one piece is not copied.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong(limit));
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else {
            continue;
        };
        if first.len() + whole.len() + data.len() > limit {
            return Err(Unread::TooLong(limit));
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}
