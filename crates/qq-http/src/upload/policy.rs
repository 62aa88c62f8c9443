//! How an upload goes about it, and what is too large.

use std::path::PathBuf;
use std::time::Duration;

use qq_model::outgoing::{FileType, MAX_FILE_BYTES};

use crate::error::Error;

const MIB: u64 = 1024 * 1024;
/// Above this a file does not fit into one body: base64 is a third longer.
const LARGEST_WHOLE: u64 = 7 * MIB;

/// How uploads are cut, paced and bounded. Sizes are in bytes.
///
/// There are two deadlines. [`timeout`](Self::timeout) is that of the whole upload, reading and waiting included;
/// [`part_timeout`](Self::part_timeout) is that of one attempt to store one part. Each call of the API within an
/// upload ends after a minute. Whatever comes first ends the attempt, and the whole deadline ends the upload.
///
/// ```
/// use std::time::Duration;
/// use qq_http::UploadPolicy;
///
/// let policy = UploadPolicy::default().concurrency(2).timeout(Duration::from_secs(600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPolicy {
    pub(super) chunked_from: u64,
    pub(super) concurrency: usize,
    pub(super) attempts: u32,
    pub(super) part_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) limits: UploadLimits,
    pub(super) spool_dir: Option<PathBuf>,
}

impl UploadPolicy {
    /// Files of this size or more go in parts, smaller ones in one body; 5 MiB by default, at most 7.
    #[must_use]
    pub fn chunked_from(mut self, bytes: u64) -> Self {
        self.chunked_from = bytes.min(LARGEST_WHOLE);
        self
    }

    /// At most so many parts at once, whatever the server allows; 10 by default, at least 1. Each takes about a
    /// megabyte of memory, whatever its size.
    #[must_use]
    pub fn concurrency(mut self, parts: usize) -> Self {
        self.concurrency = parts.max(1);
        self
    }

    /// Attempts to store one part, the first included; 3 by default, at least 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The deadline of one attempt to store one part; 5 minutes by default.
    #[must_use]
    pub const fn part_timeout(mut self, timeout: Duration) -> Self {
        self.part_timeout = timeout;
        self
    }

    /// The deadline of the whole upload; 30 minutes by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is too large.
    #[must_use]
    pub const fn limits(mut self, limits: UploadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Where readers are written to while their digests are taken; the system's folder for temporary files by
    /// default. A reader takes as much room there as it has bytes, at most the limit of its kind.
    #[must_use]
    pub fn spool_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spool_dir = Some(folder.into());
        self
    }
}

impl Default for UploadPolicy {
    fn default() -> Self {
        Self {
            chunked_from: 5 * MIB,
            concurrency: 10,
            attempts: 3,
            part_timeout: Duration::from_secs(300),
            timeout: Duration::from_secs(30 * 60),
            limits: UploadLimits::default(),
            spool_dir: None,
        }
    }
}

/// The largest files of each kind, in bytes. What is larger is refused before anything is sent.
///
/// The platform's own soft limits are 20 MiB for images and voices and 30 MiB for videos: above it shows the
/// upload as a file instead of what was meant. The hard limit of 200 MiB is the same for all.
///
/// ```
/// use qq_http::UploadLimits;
/// use qq_model::outgoing::FileType;
///
/// assert_eq!(UploadLimits::default().of(FileType::Image), 20 * 1024 * 1024);
/// assert_eq!(UploadLimits::hard_only().of(FileType::Image), 200 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    image: u64,
    video: u64,
    voice: u64,
    file: u64,
}

impl UploadLimits {
    /// The hard limit alone: what is above the soft limit of its kind is uploaded, and the platform shows it as a
    /// file.
    #[must_use]
    pub const fn hard_only() -> Self {
        Self {
            image: MAX_FILE_BYTES,
            video: MAX_FILE_BYTES,
            voice: MAX_FILE_BYTES,
            file: MAX_FILE_BYTES,
        }
    }

    /// Another limit for a kind; never above the hard one.
    #[must_use]
    pub fn with(mut self, kind: FileType, bytes: u64) -> Self {
        let limit = match kind {
            FileType::Image => &mut self.image,
            FileType::Video => &mut self.video,
            FileType::Voice => &mut self.voice,
            _ => &mut self.file,
        };
        *limit = bytes.min(MAX_FILE_BYTES);
        self
    }

    /// The limit of a kind.
    #[must_use]
    pub const fn of(&self, kind: FileType) -> u64 {
        match kind {
            FileType::Image => self.image,
            FileType::Video => self.video,
            FileType::Voice => self.voice,
            _ => self.file,
        }
    }

    /// Refuses what is too large for its kind, or empty.
    pub(super) fn check(&self, kind: FileType, size: u64) -> Result<(), Error> {
        let (limit, noun) = (self.of(kind), noun(kind));
        if size == 0 {
            return Err(Error::invalid_request(format!("the {noun} is empty")));
        }
        if size <= limit {
            return Ok(());
        }
        let fix = if limit < MAX_FILE_BYTES {
            "; FileType::File takes more, and so does UploadLimits::hard_only"
        } else {
            ""
        };
        Err(Error::invalid_request(format!(
            "the {noun} is too large: {size} bytes, the limit is {limit}{fix}"
        )))
    }
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            image: FileType::Image.soft_limit(),
            video: FileType::Video.soft_limit(),
            voice: FileType::Voice.soft_limit(),
            file: MAX_FILE_BYTES,
        }
    }
}

/// What a kind is called in errors.
pub(super) const fn noun(kind: FileType) -> &'static str {
    match kind {
        FileType::Image => "image",
        FileType::Video => "video",
        FileType::Voice => "voice",
        _ => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_is_too_large_is_named_with_its_limit() {
        let limits = UploadLimits::default();
        for (kind, noun, limit) in [
            (FileType::Image, "image", 20),
            (FileType::Video, "video", 30),
            (FileType::Voice, "voice", 20),
            (FileType::File, "file", 200),
        ] {
            let limit = limit * MIB;
            limits.check(kind, limit).unwrap();
            let error = limits.check(kind, limit + 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            for part in [noun.to_owned(), limit.to_string(), (limit + 1).to_string()] {
                assert!(error.to_string().contains(&part), "{error}");
            }
            UploadLimits::hard_only().check(kind, 200 * MIB).unwrap();
            assert!(
                UploadLimits::hard_only()
                    .check(kind, 200 * MIB + 1)
                    .is_err()
            );
            assert!(
                limits
                    .check(kind, 0)
                    .unwrap_err()
                    .to_string()
                    .contains("empty")
            );
        }
    }

    #[test]
    fn no_setting_lifts_the_hard_limits() {
        let limits = UploadLimits::default().with(FileType::Image, u64::MAX);
        assert_eq!(limits.of(FileType::Image), MAX_FILE_BYTES);
        assert_eq!(limits.of(FileType::Video), 30 * MIB);
        let policy = UploadPolicy::default().chunked_from(u64::MAX);
        let encoded = policy.chunked_from.div_ceil(3) * 4;
        assert!(encoded <= qq_model::outgoing::MAX_BASE64_BYTES as u64);
    }
}
