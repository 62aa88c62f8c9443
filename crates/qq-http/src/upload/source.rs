//! Where the bytes of an upload come from, and opening that.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use qq_model::outgoing::{FileDigests, FileType};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::content::{Content, PIECE, off_runtime};
use super::digest::Digests;
use super::policy::{UploadPolicy, noun};
use crate::error::Error;
use crate::random::random;

/// What to upload.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient, group: &str) -> Result<(), qq_http::Error> {
/// use qq_http::Upload;
/// use qq_model::outgoing::FileType;
///
/// let group = http.group(group);
/// let picture = group.clone().upload(Upload::file("holiday.jpg")).await?;
/// group.send(&picture).await?;
/// # Ok(())
/// # }
/// ```
pub struct Upload(pub(super) Source);

pub(super) enum Source {
    Url(String),
    Bytes(Bytes),
    File(PathBuf),
    Reader {
        reader: Pin<Box<dyn AsyncRead + Send>>,
        size: Option<u64>,
    },
}

impl Upload {
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

    /// A file, which is read twice: for its digests, and for its parts.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// A reader of unknown length.
    ///
    /// The platform wants the digests before the bytes, and a reader can be read once. What is smaller than
    /// [`UploadPolicy::chunked_from`] stays in memory; the rest goes through a temporary file, which has no name
    /// while it is used where the system allows that, and is gone with the upload. A reader that goes on beyond
    /// the limit of its kind is refused there.
    #[must_use]
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self(Source::Reader {
            reader: Box::pin(reader),
            size: None,
        })
    }

    /// A reader of so many bytes: like [`reader`](Self::reader), and what is too large is refused before anything
    /// is read. A reader that ends before, or has more, is an error.
    #[must_use]
    pub fn reader_with_size(reader: impl AsyncRead + Send + 'static, bytes: u64) -> Self {
        Self(Source::Reader {
            reader: Box::pin(reader),
            size: Some(bytes),
        })
    }

    /// What sort of source it is, for logs.
    pub(super) const fn sort(&self) -> &'static str {
        match &self.0 {
            Source::Url(_) => "url",
            Source::Bytes(_) => "bytes",
            Source::File(_) => "file",
            Source::Reader { .. } => "reader",
        }
    }

    /// The name that the source has by itself.
    pub(super) fn own_name(&self) -> Option<String> {
        let name = match &self.0 {
            Source::File(path) => path.file_name()?.to_string_lossy().into_owned(),
            Source::Url(url) => {
                let path = url.split(['?', '#']).next()?;
                let (_, path) = path.split_once("://")?;
                path.split_once('/')?.1.rsplit('/').next()?.to_owned()
            }
            Source::Bytes(_) | Source::Reader { .. } => return None,
        };
        (!name.trim().is_empty()).then_some(name)
    }
}

/// Bytes with their digests.
pub(super) struct Opened {
    pub(super) content: Content,
    pub(super) digests: FileDigests,
}

/// Opens a source of bytes and takes its digests. What is too large is refused as early as it shows.
pub(super) async fn open(
    source: Source,
    kind: FileType,
    policy: &UploadPolicy,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<Opened, Error> {
    let content = match source {
        Source::Bytes(bytes) => Content::bytes(bytes),
        Source::File(path) => open_file(path).await?,
        Source::Reader { reader, size } => {
            if let Some(size) = size {
                policy.limits.check(kind, size)?;
            }
            return spool(reader, size, kind, policy, progress).await;
        }
        Source::Url(_) => return Err(Error::invalid_request("an address has no bytes here")),
    };
    policy.limits.check(kind, content.size())?;
    let size = content.size();
    let digests = content
        .digests(|read| progress(read, Some(size)))
        .await
        .map_err(unreadable)?;
    Ok(Opened { content, digests })
}

async fn open_file(path: PathBuf) -> Result<Content, Error> {
    let opening = off_runtime(move || {
        // Before it is opened: opening a pipe would wait for its other end.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        Ok(Content::file(file, size))
    });
    opening.await.map_err(unreadable)
}

/// Reads a reader to its end: into memory while it is small, then into a temporary file.
async fn spool(
    mut reader: Pin<Box<dyn AsyncRead + Send>>,
    size: Option<u64>,
    kind: FileType,
    policy: &UploadPolicy,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<Opened, Error> {
    let in_memory = usize::try_from(policy.chunked_from).unwrap_or(usize::MAX);
    let limit = policy.limits.of(kind);
    let mut digests = Digests::new();
    let mut held = Vec::new();
    let mut file: Option<File> = None;
    let mut read = 0_u64;
    loop {
        held.reserve(PIECE);
        let len = reader.read_buf(&mut held).await.map_err(unreadable)?;
        read += len as u64;
        let is_over = match size {
            Some(size) if read > size => {
                return Err(Error::invalid_request(format!(
                    "the reader has more than the {size} bytes that were announced"
                )));
            }
            _ => read > limit,
        };
        if is_over {
            return Err(Error::invalid_request(format!(
                "the {} is too large: more than {limit} bytes",
                noun(kind)
            )));
        }
        progress(read, size);
        if len == 0 {
            break;
        }
        let is_piece = file.is_some() && held.len() >= PIECE;
        if !is_piece && (file.is_some() || held.len() < in_memory) {
            continue;
        }
        let folder = policy.spool_dir.clone();
        (file, held, digests) = off_runtime(move || {
            let mut file = match file {
                Some(file) => file,
                None => temporary(folder.as_deref())?,
            };
            digests.update(&held);
            file.write_all(&held)?;
            // The first piece was as large as what may stay in memory; the next ones are small.
            held.clear();
            held.shrink_to(2 * PIECE);
            Ok((Some(file), held, digests))
        })
        .await
        .map_err(unreadable)?;
    }
    if let Some(size) = size.filter(|size| read < *size) {
        return Err(Error::invalid_request(format!(
            "the reader ended after {read} of the {size} bytes that were announced"
        )));
    }
    policy.limits.check(kind, read)?;
    off_runtime(move || {
        digests.update(&held);
        let content = match file {
            Some(mut file) => {
                file.write_all(&held)?;
                Content::file(file, read)
            }
            None => Content::bytes(held.into()),
        };
        Ok(Opened {
            content,
            digests: digests.finish(),
        })
    })
    .await
    .map_err(unreadable)
}

/// A file that nobody else can open, and that goes away with its last handle, whatever ends the process.
fn temporary(folder: Option<&Path>) -> io::Result<File> {
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let path = folder.join(format!("qq-upload-{:016x}", random()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        #[cfg(windows)]
        {
            const TEMPORARY: u32 = 0x100;
            const DELETE_ON_CLOSE: u32 = 0x0400_0000;
            use std::os::windows::fs::OpenOptionsExt;
            options.attributes(TEMPORARY).custom_flags(DELETE_ON_CLOSE);
        }
        match options.open(&path) {
            Ok(file) => {
                #[cfg(not(windows))]
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts < 8 => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn unreadable(error: io::Error) -> Error {
    Error::io(format!("the upload cannot be read: {error}")).with_source(error)
}

/// Names the kind of source; addresses may be secret.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut source = f.debug_tuple("Upload");
        match &self.0 {
            Source::Url(_) => source.field(&"url"),
            Source::Bytes(bytes) => source.field(&"bytes").field(&bytes.len()),
            Source::File(path) => source.field(path),
            Source::Reader { size, .. } => source.field(&"reader").field(size),
        };
        source.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_paths() {
        for (upload, name) in [
            (Upload::file("/a/小明.png"), Some("小明.png")),
            (Upload::file("/"), None),
            (
                Upload::url("https://a.example/x/y.mp4?sign=1/2#z"),
                Some("y.mp4"),
            ),
            (Upload::url("https://a.example/"), None),
            (Upload::url("https://a.example"), None),
            (Upload::bytes("x"), None),
        ] {
            assert_eq!(upload.own_name().as_deref(), name, "{upload:?}");
        }
        assert!(!format!("{:?}", Upload::url("https://a.example/?sign=canary")).contains("canary"));
    }

    #[test]
    fn a_temporary_file_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("qq-spool-{:x}", random()));
        std::fs::create_dir(&folder).unwrap();
        let mut file = temporary(Some(&folder)).unwrap();
        file.write_all(b"x").unwrap();
        drop(file);
        std::fs::remove_dir(&folder).unwrap();
        let error = temporary(Some(&folder)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
