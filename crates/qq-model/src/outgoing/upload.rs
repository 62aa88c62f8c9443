//! Uploading media for groups and one-to-one chats: whole, or in parts.
//!
//! What is uploaded for one kind of chat does not work in the other.

use crate::base64;
use crate::request::{BodyError, RequestBody, at_most, not_blank};

/// Over how many bytes of the file [`UploadPrepareRequest::md5_10m`] is taken.
pub const MD5_10M_BYTES: u64 = 10_002_432;
/// The largest file that the platform takes, in bytes; it says 200 MB.
pub const MAX_FILE_BYTES: u64 = 200 * 1024 * 1024;
/// The largest base64 text that the platform takes in one body, in bytes; measured, it says nothing.
pub const MAX_BASE64_BYTES: usize = 10 * 1024 * 1024;

object! {
    /// The body of an upload. Made by [`FileUploadRequest::from_url`] and its siblings: exactly one source.
    pub struct FileUploadRequest {
        /// What kind of file; left out by some when parts are put together.
        pub(crate) file_type: Option<FileType>,
        /// A public address that the platform reads.
        pub(crate) url: Option<Box<str>>,
        /// Sends it at once, unasked, instead of answering with what a message takes.
        pub srv_send_msg: Option<bool>,
        /// The name that is shown for files.
        pub file_name: Option<Box<str>>,
        /// The upload whose parts are put together.
        pub(crate) upload_id: Option<Box<str>>,
        /// The whole file in base64. Undocumented, used by every SDK.
        pub(crate) file_data: Option<Box<str>>,
        /// Retired; known from the Go SDK only.
        pub event_id: Option<crate::id::EventId>,
        /// A text beside it when it is sent at once; known from the Go SDK only.
        pub content: Option<Box<str>>,
        /// The number of the answer when it is sent at once; known from the Go SDK only.
        pub msg_seq: Option<u32>,
    }

    /// An upload is complete.
    pub struct FileUploadResult {
        /// Which file.
        pub file_uuid: Option<Box<str>>,
        /// What a message takes ([`MediaInfo`]): opaque, to be sent back unchanged.
        pub file_info: Option<Box<str>>,
        /// For how many seconds; 0 for ever.
        pub ttl: Option<u64>,
        /// The message, when it was sent at once; else absent or empty.
        pub id: Option<crate::id::MessageId>,
        /// Where it can be read; only for some, else absent or empty.
        pub raw_url: Option<Box<str>>,
    }

    /// What a message says of an upload.
    pub struct MediaInfo {
        /// `file_info` of the upload.
        pub file_info: Box<str>,
    }

    /// The body of beginning an upload in parts. Digests are lower-case hexadecimal digits.
    pub struct UploadPrepareRequest {
        /// What kind of file.
        pub file_type: FileType,
        /// Bytes, as text: a number is refused by some servers.
        pub file_size: Box<str>,
        /// The file's name.
        pub file_name: Box<str>,
        /// MD5 of the file.
        pub md5: Box<str>,
        /// SHA-1 of the file.
        pub sha1: Box<str>,
        /// MD5 of the first [`MD5_10M_BYTES`] of the file.
        pub md5_10m: Box<str>,
    }

    /// The parts of an upload.
    pub struct UploadPrepareResult {
        /// Which upload.
        pub upload_id: Box<str>,
        /// Bytes per part.
        pub block_size: u64,
        /// The parts.
        pub parts: Vec<UploadPart>,
        /// How to go about it.
        pub upload_config: Option<UploadConfig>,
        /// The same as in `upload_config`, where the official Node SDK reads it.
        pub concurrency: Option<u32>,
        /// The same as in `upload_config`, where the official Node SDK reads it.
        pub retry_timeout: Option<u64>,
    }

    /// A part.
    pub struct UploadPart {
        /// What [`UploadPartFinishRequest::part_index`] repeats. From 0 in the documents, from 1 on the wire: never
        /// to be computed.
        pub index: u64,
        /// Where it goes, by PUT, without any header of the bot's.
        pub presigned_url: Box<str>,
        /// Bytes of this part.
        pub block_size: Option<u64>,
    }

    /// How to go about an upload.
    pub struct UploadConfig {
        /// How many parts at once; 1 by default.
        pub concurrency: Option<u32>,
        /// For how many seconds to repeat a part; 300 by default.
        pub retry_timeout: Option<u64>,
        /// How many seconds between repeats; 1 by default.
        pub retry_delay: Option<u64>,
    }

    /// The body of finishing a part.
    pub struct UploadPartFinishRequest {
        /// Which upload.
        pub upload_id: Box<str>,
        /// Which part, as the platform numbered it.
        pub part_index: u64,
        /// The part's own bytes, as text.
        pub block_size: Box<str>,
        /// MD5 of the part, in lower-case hexadecimal digits.
        pub md5: Box<str>,
    }
}

open_enum! {
    /// The kinds of files.
    pub enum FileType: i64 {
        /// A picture: PNG, JPEG; the newest pages list GIF, WebP and BMP as well.
        Image = 1,
        /// A video: MP4.
        Video = 2,
        /// A voice: SILK.
        Voice = 3,
        /// Any file.
        File = 4,
    }
}

impl FileType {
    /// Above this many bytes the platform turns the file into [`FileType::File`].
    #[must_use]
    pub const fn soft_limit(self) -> u64 {
        const MIB: u64 = 1024 * 1024;
        match self {
            Self::Image | Self::Voice => 20 * MIB,
            Self::Video => 30 * MIB,
            Self::File | Self::Unknown(_) => MAX_FILE_BYTES,
        }
    }
}

impl FileUploadRequest {
    /// A file that the platform reads from a public address.
    #[must_use]
    pub fn from_url(file_type: FileType, url: impl Into<Box<str>>) -> Self {
        Self {
            file_type: Some(file_type),
            url: Some(url.into()),
            srv_send_msg: Some(false),
            ..Self::default()
        }
    }

    /// A whole file, written as base64: a third larger than its bytes, and at most [`MAX_BASE64_BYTES`].
    #[must_use]
    pub fn from_bytes(file_type: FileType, bytes: &[u8]) -> Self {
        Self {
            file_type: Some(file_type),
            file_data: Some(base64::encode(bytes).into()),
            srv_send_msg: Some(false),
            ..Self::default()
        }
    }

    /// Puts the parts of an upload together.
    #[must_use]
    pub fn merge(file_type: FileType, upload_id: impl Into<Box<str>>) -> Self {
        Self {
            file_type: Some(file_type),
            upload_id: Some(upload_id.into()),
            srv_send_msg: Some(false),
            ..Self::default()
        }
    }
}

setters! { FileUploadRequest {
    /// Sends it at once, unasked, instead of answering with what a message takes.
    srv_send_msg: bool,
    /// The name that is shown for files.
    file_name: Box<str>,
}}

impl FileUploadResult {
    /// What a message says of this upload; `None` when it was sent at once.
    #[must_use]
    pub fn media(&self) -> Option<MediaInfo> {
        let file_info = self.file_info.as_deref().filter(|info| !info.is_empty())?;
        Some(MediaInfo::new(file_info))
    }
}

impl MediaInfo {
    /// An upload by its `file_info`.
    #[must_use]
    pub fn new(file_info: impl Into<Box<str>>) -> Self {
        Self {
            file_info: file_info.into(),
            ..Self::default()
        }
    }
}

impl UploadPrepareRequest {
    /// A file with its size in bytes and its digests in lower-case hexadecimal digits.
    #[must_use]
    pub fn new(
        file_type: FileType,
        file_name: impl Into<Box<str>>,
        file_size: u64,
        digests: FileDigests,
    ) -> Self {
        Self {
            file_type,
            file_size: file_size.to_string().into(),
            file_name: file_name.into(),
            md5: digests.md5,
            sha1: digests.sha1,
            md5_10m: digests.md5_10m,
            ..Self::default()
        }
    }
}

/// The digests of a file, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigests {
    /// MD5 of the file.
    pub md5: Box<str>,
    /// SHA-1 of the file.
    pub sha1: Box<str>,
    /// MD5 of the first [`MD5_10M_BYTES`] of the file.
    pub md5_10m: Box<str>,
}

impl UploadPartFinishRequest {
    /// A part of this upload, with its own size in bytes and its digest.
    #[must_use]
    pub fn new(
        upload_id: impl Into<Box<str>>,
        part: &UploadPart,
        size: u64,
        md5: impl Into<Box<str>>,
    ) -> Self {
        Self {
            upload_id: upload_id.into(),
            part_index: part.index,
            block_size: size.to_string().into(),
            md5: md5.into(),
            ..Self::default()
        }
    }
}

impl RequestBody for FileUploadRequest {
    fn validate(&self) -> Result<(), BodyError> {
        let sources = [
            ("url", &self.url),
            ("file_data", &self.file_data),
            ("upload_id", &self.upload_id),
        ];
        if sources
            .iter()
            .filter(|(_, source)| source.is_some())
            .count()
            != 1
        {
            return Err(BodyError::new(
                "url, file_data or upload_id",
                "must be there, and only one of them",
            ));
        }
        for (field, source) in sources {
            if let Some(text) = source {
                not_blank(field, text)?;
            }
        }
        if self
            .url
            .as_ref()
            .is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            return Err(BodyError::new("url", "must start with http:// or https://"));
        }
        match &self.file_data {
            Some(data) => at_most("file_data", "bytes of base64", data.len(), MAX_BASE64_BYTES),
            None => Ok(()),
        }
    }
}

impl RequestBody for UploadPrepareRequest {
    fn validate(&self) -> Result<(), BodyError> {
        not_blank("file_name", &self.file_name)?;
        for (field, digest, len) in [
            ("md5", &self.md5, 32),
            ("sha1", &self.sha1, 40),
            ("md5_10m", &self.md5_10m, 32),
        ] {
            is_digest(field, digest, len)?;
        }
        match self.file_size.parse::<u64>() {
            Ok(1..=MAX_FILE_BYTES) => Ok(()),
            Ok(0) | Err(_) => Err(BodyError::new("file_size", "is no number of bytes")),
            Ok(_) => Err(BodyError::new("file_size", "is more than 200 MB")),
        }
    }
}

impl RequestBody for UploadPartFinishRequest {
    fn validate(&self) -> Result<(), BodyError> {
        not_blank("upload_id", &self.upload_id)?;
        is_digest("md5", &self.md5, 32)
    }
}

fn is_digest(field: &'static str, digest: &str, len: usize) -> Result<(), BodyError> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digest.len() == len && digest.bytes().all(is_hex) {
        return Ok(());
    }
    Err(BodyError::new(
        field,
        "is no digest in lower-case hexadecimal digits",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_upload_has_one_source() {
        let body = FileUploadRequest::from_bytes(FileType::Image, b"foobar");
        assert_eq!(
            json!(body),
            json!({"file_type": 1, "srv_send_msg": false, "file_data": "Zm9vYmFy"})
        );
        body.validate().unwrap();
        let two: FileUploadRequest =
            serde_json::from_str(r#"{"url":"https://a.example","upload_id":"x"}"#).unwrap();
        assert!(two.validate().is_err() && FileUploadRequest::default().validate().is_err());
        let odd = FileUploadRequest::from_url(FileType::File, "file:///etc");
        assert_eq!(odd.validate().unwrap_err().field(), "url");
    }

    #[test]
    fn sizes_are_texts_and_indexes_are_repeated() {
        let part: UploadPart = serde_json::from_str(r#"{"index":"1","block_size":"5"}"#).unwrap();
        let body = UploadPartFinishRequest::new("u", &part, 5, "0".repeat(32));
        body.validate().unwrap();
        assert_eq!(json!(body)["block_size"], "5");
        assert_eq!(json!(body)["part_index"], 1);
    }

    #[test]
    fn digests_and_sizes_are_checked() {
        let body = |size, md5: &str| {
            let digests = FileDigests {
                md5: md5.into(),
                sha1: "0".repeat(40).into(),
                md5_10m: "0".repeat(32).into(),
            };
            UploadPrepareRequest::new(FileType::File, "a", size, digests)
        };
        let fine = "a".repeat(32);
        body(1, &fine).validate().unwrap();
        assert_eq!(body(0, &fine).validate().unwrap_err().field(), "file_size");
        assert_eq!(
            body(MAX_FILE_BYTES + 1, &fine)
                .validate()
                .unwrap_err()
                .field(),
            "file_size"
        );
        assert_eq!(
            body(1, &"A".repeat(32)).validate().unwrap_err().field(),
            "md5"
        );
    }
}
