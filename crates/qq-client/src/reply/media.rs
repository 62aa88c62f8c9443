//! Pictures, videos, voices and files to answer with.

use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use qq_http::Upload;

use crate::BotError;
use crate::error::ErrorKind;

/// The largest picture that is read for a guild scene, where it goes in one body.
const LARGEST_PICTURE: u64 = 20 * 1024 * 1024;

/// What to send with [`Context::send_media`](crate::Context::send_media): an address, bytes or a file.
///
/// In groups and one-to-one chats it is uploaded first; large files in parts. Guild scenes take pictures only, of at
/// most 20 MiB here, and the host of an address must be registered in the console.
#[derive(Debug)]
pub struct Media(Source);

#[derive(Debug)]
enum Source {
    Url(String),
    Bytes(Bytes),
    File(PathBuf),
}

/// A picture for a guild scene.
pub(crate) enum Picture {
    Url(String),
    Bytes(Bytes),
}

impl Media {
    /// A public `http` or `https` address, which the platform reads.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self(Source::Url(url.into()))
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Source::Bytes(bytes.into()))
    }

    /// A file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    pub(crate) fn into_upload(self) -> Upload {
        match self.0 {
            Source::Url(url) => Upload::url(url),
            Source::Bytes(bytes) => Upload::bytes(bytes),
            Source::File(path) => Upload::file(path),
        }
    }

    pub(crate) async fn into_picture(self) -> Result<Picture, BotError> {
        let path = match self.0 {
            Source::Url(url) => return Ok(Picture::Url(url)),
            Source::Bytes(bytes) => return Ok(Picture::Bytes(bytes)),
            Source::File(path) => path,
        };
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            let mut file = std::fs::File::open(path)?.take(LARGEST_PICTURE + 1);
            file.read_to_end(&mut bytes).map(|_| bytes)
        });
        let failed =
            |cause| BotError::with_source(ErrorKind::Io, "the picture cannot be read", cause);
        let bytes = match read.await {
            Ok(read) => read.map_err(failed)?,
            Err(ended) => return Err(failed(std::io::Error::other(ended))),
        };
        if bytes.len() as u64 > LARGEST_PICTURE {
            return Err(BotError::new(
                ErrorKind::InvalidRequest,
                "the picture is larger than 20 MiB, which no guild scene takes",
            ));
        }
        Ok(Picture::Bytes(bytes.into()))
    }
}
