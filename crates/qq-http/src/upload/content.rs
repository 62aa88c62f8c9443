//! What is uploaded, once it can be read from anywhere in it: bytes, or a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use qq_model::outgoing::FileDigests;
use tokio::task::spawn_blocking;

use super::digest::Digests;

/// How many bytes are read at once.
pub(super) const PIECE: usize = 64 * 1024;

/// The bytes of an upload; clones are the same ones.
#[derive(Clone, Debug)]
pub(super) struct Content {
    data: Data,
    size: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Bytes(Bytes),
    /// Read piece by piece, by one thread at a time.
    File(Arc<Mutex<File>>),
}

impl Content {
    pub(super) const fn bytes(bytes: Bytes) -> Self {
        let size = bytes.len() as u64;
        Self {
            data: Data::Bytes(bytes),
            size,
        }
    }

    pub(super) fn file(file: File, size: u64) -> Self {
        Self {
            data: Data::File(Arc::new(Mutex::new(file))),
            size,
        }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    pub(super) const fn data(&self) -> &Data {
        &self.data
    }

    /// Its digests. A piece at a time is read away from the runtime's own threads, so that dropping the future ends
    /// it within a piece.
    pub(super) async fn digests(&self, mut progress: impl FnMut(u64)) -> io::Result<FileDigests> {
        let mut digests = Digests::new();
        let mut offset = 0;
        while offset < self.size {
            let len = piece(self.size - offset, 4 * PIECE);
            let content = self.clone();
            (digests, _) = off_runtime(move || {
                digests.update(&content.read(offset, len)?);
                Ok((digests, ()))
            })
            .await?;
            offset += len as u64;
            progress(offset);
        }
        Ok(digests.finish())
    }

    /// All of it, for what is small.
    pub(super) async fn whole(&self) -> io::Result<Bytes> {
        let content = self.clone();
        off_runtime(move || content.read(0, piece(content.size, usize::MAX))).await
    }

    /// So many bytes from there on; blocks.
    pub(super) fn read(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        match &self.data {
            Data::Bytes(bytes) => usize::try_from(offset)
                .ok()
                .and_then(|start| Some(start..start.checked_add(len)?))
                .filter(|range| range.end <= bytes.len())
                .map(|range| bytes.slice(range))
                .ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            Data::File(file) => {
                let mut piece = vec![0; len];
                // A panic under the lock leaves a position, and each read sets its own.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(&mut piece)
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::UnexpectedEof => io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the file became shorter while it was read",
                        ),
                        _ => error,
                    })?;
                Ok(piece.into())
            }
        }
    }
}

/// The size of the next piece.
pub(super) fn piece(left: u64, most: usize) -> usize {
    usize::try_from(left).map_or(most, |left| left.min(most))
}

/// Runs something that blocks for a moment.
pub(super) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(io::Error::other(format!(
            "the runtime ended while a file was read: {error}"
        )))
    })
}
