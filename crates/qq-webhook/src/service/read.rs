//! Reading bodies: not too large, not too slow, and not too many at once.

use std::error::Error as StdError;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::body::Body;

use crate::error::{Error, ErrorKind};

/// How much is reserved for a body before any of it is there, whatever its length is said to be.
const FIRST_RESERVE: usize = 4096;

/// The limits of bodies, and how much of them is in memory.
pub(super) struct Reader {
    /// Of one body, in bytes.
    pub(super) limit: usize,
    /// For one body.
    pub(super) deadline: Duration,
    /// Of all bodies together, in bytes.
    pub(super) limit_of_all: usize,
    pub(super) in_memory: Arc<AtomicUsize>,
}

impl Reader {
    /// The whole body, with the room that it takes; the room is free again when it is dropped.
    pub(super) async fn read<B>(&self, body: B) -> Result<(Bytes, Room), Error>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.limit {
            return Err(ErrorKind::BodyTooLarge.into());
        }
        tokio::time::timeout(self.deadline, self.read_all(body, announced))
            .await
            .unwrap_or_else(|_| Err(ErrorKind::BodyTimeout.into()))
    }

    async fn read_all<B>(&self, body: B, announced: usize) -> Result<(Bytes, Room), Error>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut body = pin!(body);
        let mut room = Room {
            bytes: 0,
            in_memory: Arc::clone(&self.in_memory),
        };
        // A copy in a piece of its own: the frames are parts of the connection's read buffer.
        let mut whole = Vec::with_capacity(announced.min(FIRST_RESERVE));
        while let Some(frame) =
            std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
        {
            let frame =
                frame.map_err(|error| Error::with_source(ErrorKind::BodyInterrupted, error))?;
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            if data.remaining() > self.limit - whole.len() {
                return Err(ErrorKind::BodyTooLarge.into());
            }
            room.grow(data.remaining(), self.limit_of_all)?;
            while data.has_remaining() {
                let chunk = data.chunk();
                whole.extend_from_slice(chunk);
                let length = chunk.len();
                data.advance(length);
            }
        }
        whole.shrink_to_fit();
        Ok((whole.into(), room))
    }
}

/// The part of the memory for bodies that one body has.
pub(super) struct Room {
    bytes: usize,
    in_memory: Arc<AtomicUsize>,
}

impl Room {
    fn grow(&mut self, bytes: usize, limit: usize) -> Result<(), ErrorKind> {
        let before = self.in_memory.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) > limit {
            return Err(ErrorKind::Overloaded);
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.in_memory.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
