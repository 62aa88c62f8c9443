//! Uploads for groups and one-to-one chats: one call, whatever the bytes come from.
//!
//! An address goes to the platform as it is. Bytes, files and readers are hashed; what is small goes in one body,
//! the rest in parts to the storage that the platform names. What was uploaded already, for the same kind of chat,
//! is not sent again while it is good.

mod body;
mod cache;
mod chunked;
mod content;
mod digest;
mod multipart;
mod plan;
mod policy;
mod progress;
mod source;
mod storage;
mod target;

use std::fmt;
use std::time::Duration;

use qq_model::outgoing::{FileType, FileUploadRequest, FileUploadResult, MediaInfo, MessageBody};
use tokio::time::timeout;
use tracing::Instrument;

use self::cache::Key;
pub(crate) use self::cache::UploadCache;
pub(crate) use self::multipart::ImagePart;
pub use self::policy::{UploadLimits, UploadPolicy};
use self::progress::Reporter;
pub use self::progress::{UploadProgress, UploadStep};
pub use self::source::Upload;
use self::source::{Opened, Source, open, unreadable};
pub(crate) use self::storage::Storage;
pub(crate) use self::target::Target;
use crate::client::HttpClient;
use crate::error::{Error, Reach};
use crate::request::{CallFuture, Request};
use crate::response::Response;

/// The deadline of each call of the API within an upload: the platform may read an address meanwhile.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// An upload that was not made yet; awaiting it makes it.
///
/// ```no_run
/// # async fn run(http: qq_http::HttpClient, group: &str) -> Result<(), qq_http::Error> {
/// use qq_http::Upload;
/// use qq_model::outgoing::FileType;
///
/// let report = http
///     .group(group)
///     .upload(Upload::file("report.pdf"))
///     .kind(FileType::File)
///     .progress(|progress| println!("{:?} {}", progress.step, progress.bytes))
///     .await?;
/// http.group(group).send(&report).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for what is too large or empty, before anything
/// is sent; [`ErrorKind::Io`](crate::ErrorKind::Io) when the source cannot be read; the platform's own otherwise.
/// An upload shows nothing to anybody, so that it may always be made again.
///
/// # Cancel safety
///
/// Dropping the future ends the upload: no task goes on, and a temporary file is gone.
#[must_use = "an upload is made when it is awaited"]
pub struct UploadFile {
    http: HttpClient,
    target: Target,
    upload: Upload,
    kind: Option<FileType>,
    name: Option<String>,
    policy: UploadPolicy,
    reporter: Reporter,
    is_fresh: bool,
}

/// What the platform has, and what a message takes: `http.group(id).send(&uploaded)`.
///
/// It works in the kind of chat that it was uploaded for, in as many chats as one likes, until it ends.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Opaque; messages carry it unchanged.
    pub file_info: Box<str>,
    /// The platform's name of the file.
    pub uuid: Option<Box<str>>,
    /// For how long it is good, from now on. `None`: without end, or the platform did not say.
    pub ttl: Option<Duration>,
    /// A signed address to read it from; images, videos and voices that went in parts only.
    pub raw_url: Option<Box<str>>,
    /// Whether it was uploaded before and nothing was sent now.
    pub is_cached: bool,
}

/// What the parts of an upload have in common.
struct Job {
    http: HttpClient,
    target: Target,
    kind: FileType,
    name: Box<str>,
    policy: UploadPolicy,
}

/// An upload whose name, kind and target are known to be good.
struct Plan {
    job: Job,
    upload: Upload,
    reporter: Reporter,
    is_fresh: bool,
}

impl UploadFile {
    pub(crate) fn new(http: HttpClient, target: Target, upload: Upload) -> Self {
        Self {
            http,
            target,
            upload,
            kind: None,
            name: None,
            policy: UploadPolicy::default(),
            reporter: Reporter::default(),
            is_fresh: false,
        }
    }

    /// How it is shown. Without it the ending of the name decides, and what that does not tell is a file.
    pub const fn kind(mut self, kind: FileType) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The name that is shown for files. Without it that of the path or address.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How it is cut, paced and bounded.
    pub fn policy(mut self, policy: UploadPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Is called as it goes on, by the task that awaits it. It must not block.
    pub fn progress(mut self, callback: impl FnMut(UploadProgress) + Send + 'static) -> Self {
        self.reporter = Reporter(Some(Box::new(callback)));
        self
    }

    /// Uploads it even if it was uploaded before, as after the platform refused a `file_info` (304080).
    pub const fn fresh(mut self) -> Self {
        self.is_fresh = true;
        self
    }

    /// What would be sent for an address, or for bytes that go in one body: those take a single call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), which names the field; also for files,
    /// readers and larger bytes, whose calls depend on what they hold and on what the platform answers.
    pub fn try_into_request(self) -> Result<Request, Error> {
        let Plan { job, upload, .. } = self.plan()?;
        match upload.0 {
            Source::Url(url) => job.request(FileUploadRequest::from_url(job.kind, url)),
            Source::Bytes(bytes) if (bytes.len() as u64) < job.policy.chunked_from => {
                job.request(FileUploadRequest::from_bytes(job.kind, &bytes))
            }
            _ => Err(Error::invalid_request(
                "an upload of a file, a reader or so many bytes is no single call: await it",
            )),
        }
    }

    fn plan(self) -> Result<Plan, Error> {
        let named = self.name.or_else(|| self.upload.own_name());
        if named
            .as_ref()
            .is_some_and(|name| name.trim().is_empty() || name.chars().any(char::is_control))
        {
            return Err(Error::invalid_request(
                "name is blank or has control characters: give the name that is shown",
            ));
        }
        let kind = self
            .kind
            .unwrap_or_else(|| kind_of(named.as_deref().unwrap_or_default()));
        let job = Job {
            http: self.http,
            target: self.target,
            kind,
            name: named.unwrap_or_else(|| "file".to_owned()).into(),
            policy: self.policy,
        };
        // An id that is none is found before a large file is read.
        job.target.files()?;
        Ok(Plan {
            job,
            upload: self.upload,
            reporter: self.reporter,
            is_fresh: self.is_fresh,
        })
    }

    async fn run(self) -> Result<Uploaded, Error> {
        let Plan {
            job,
            upload,
            mut reporter,
            is_fresh,
        } = self.plan()?;
        let kind = job.kind;
        if let Source::Url(url) = upload.0 {
            reporter.report(UploadStep::Sending, 0, None);
            let uploaded = job.whole(FileUploadRequest::from_url(kind, url)).await?.0;
            reporter.report(UploadStep::Done, 0, None);
            return Ok(uploaded);
        }
        let opened = open(upload.0, kind, &job.policy, |read, total| {
            reporter.report(UploadStep::Reading, read, total);
        })
        .await?;
        let size = opened.content.size();
        let key = job.key(&opened);
        let cache = &job.http.inner().uploads;
        let cached = cache.get(&key).filter(|_| !is_fresh);
        let uploaded = match cached {
            Some(uploaded) => uploaded,
            None => {
                reporter.report(UploadStep::Sending, 0, Some(size));
                let (uploaded, life) = if size < job.policy.chunked_from {
                    let bytes = opened.content.whole().await.map_err(unreadable)?;
                    job.whole(FileUploadRequest::from_bytes(kind, &bytes))
                        .await?
                } else {
                    job.in_parts(&opened, &mut reporter).await?
                };
                if let Life::Until(life) = life {
                    cache.put(key, &uploaded, life);
                }
                uploaded
            }
        };
        reporter.report(UploadStep::Done, size, Some(size));
        Ok(uploaded)
    }
}

impl Job {
    fn request(&self, body: FileUploadRequest) -> Result<Request, Error> {
        self.target
            .files()?
            .checked_json(&body.file_name(&*self.name))
    }

    /// An upload in one call.
    async fn whole(&self, body: FileUploadRequest) -> Result<(Uploaded, Life), Error> {
        let request = self.request(body)?;
        let response = self.http.run(&request, Some(CALL_TIMEOUT)).await?;
        Uploaded::read(&response)
    }

    fn key(&self, opened: &Opened) -> Key {
        Key {
            is_group: self.target.is_group(),
            kind: self.kind,
            size: opened.content.size(),
            md5: opened.digests.md5.clone(),
            sha1: opened.digests.sha1.clone(),
            name: (self.kind == FileType::File).then(|| self.name.clone()),
        }
    }
}

impl IntoFuture for UploadFile {
    type Output = Result<Uploaded, Error>;
    type IntoFuture = CallFuture<Uploaded>;

    fn into_future(self) -> Self::IntoFuture {
        let span =
            tracing::debug_span!("qq.http.upload", source = self.upload.sort(), kind = ?self.kind);
        let limit = self.policy.timeout;
        let upload = async move {
            timeout(limit, self.run()).await.unwrap_or_else(|_| {
                Err(Error::timed_out(
                    Reach::Refused,
                    format!("the upload did not end within {} s", limit.as_secs_f32()),
                ))
            })
        };
        Box::pin(upload.instrument(span))
    }
}

/// For how long an upload is good.
#[derive(Clone, Copy)]
enum Life {
    /// For so long; `None` is without end.
    Until(Option<Duration>),
    Unknown,
}

impl Uploaded {
    /// What a message says of it.
    #[must_use]
    pub fn media(&self) -> MediaInfo {
        MediaInfo::new(self.file_info.clone())
    }

    fn read(response: &Response) -> Result<(Self, Life), Error> {
        Self::from_result(response.json()?)
            .ok_or_else(|| response.undecodable("the answer has no `file_info`".to_owned()))
    }

    fn from_result(result: FileUploadResult) -> Option<(Self, Life)> {
        let life = match result.ttl {
            None => Life::Unknown,
            Some(0) => Life::Until(None),
            Some(seconds) => Life::Until(Some(Duration::from_secs(seconds))),
        };
        let ttl = match life {
            Life::Until(ttl) => ttl,
            Life::Unknown => None,
        };
        let present = |text: Option<Box<str>>| text.filter(|text| !text.is_empty());
        let uploaded = Self {
            file_info: present(result.file_info)?,
            uuid: present(result.file_uuid),
            ttl,
            raw_url: present(result.raw_url),
            is_cached: false,
        };
        Some((uploaded, life))
    }
}

impl From<&Uploaded> for MessageBody {
    fn from(uploaded: &Uploaded) -> Self {
        Self::media(uploaded.media())
    }
}

impl From<Uploaded> for MessageBody {
    fn from(uploaded: Uploaded) -> Self {
        Self::from(&uploaded)
    }
}

/// The kind that the ending of a name tells.
fn kind_of(name: &str) -> FileType {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" => FileType::Image,
        "mp4" => FileType::Video,
        "silk" | "mp3" | "wav" | "ogg" | "amr" => FileType::Voice,
        _ => FileType::File,
    }
}

/// Keeps the signed address to itself.
impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploaded")
            .field("uuid", &self.uuid)
            .field("ttl", &self.ttl)
            .field("is_cached", &self.is_cached)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFile")
            .field("upload", &self.upload)
            .field("kind", &self.kind)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        for (name, kind) in [
            ("a.PNG", FileType::Image),
            ("a.b.jpeg", FileType::Image),
            ("a.mp4", FileType::Video),
            ("a.silk", FileType::Voice),
            ("a.pdf", FileType::File),
            ("png", FileType::File),
            ("", FileType::File),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn what_takes_one_call_can_be_looked_at() {
        let http = HttpClient::new(qq_model::Token::new("1", "s")).unwrap();
        let upload = |upload| http.group("G").upload(upload).kind(FileType::Image);
        for one in [Upload::url("https://x.example/a.png"), Upload::bytes("png")] {
            let request = upload(one).try_into_request().unwrap();
            assert_eq!(request.path(), "/v2/groups/G/files");
            let body: serde_json::Value = serde_json::from_slice(request.body().unwrap()).unwrap();
            assert_eq!(body["file_type"], 1);
        }
        let many = upload(Upload::bytes("png")).policy(UploadPolicy::default().chunked_from(1));
        for several in [many, upload(Upload::file("a.png"))] {
            let error = several.try_into_request().unwrap_err();
            assert!(error.to_string().contains("no single call"), "{error}");
        }
    }

    #[test]
    fn an_answer_without_file_info_is_no_upload() {
        let read = |json: &str| Uploaded::from_result(serde_json::from_str(json).unwrap());
        assert!(read(r#"{"file_uuid":"u","file_info":"","ttl":300}"#).is_none());
        let (uploaded, life) = read(r#"{"file_info":"i","ttl":"300","raw_url":""}"#).unwrap();
        assert_eq!(uploaded.ttl, Some(Duration::from_secs(300)));
        assert!(uploaded.raw_url.is_none() && matches!(life, Life::Until(Some(_))));
        assert!(matches!(
            read(r#"{"file_info":"i"}"#).unwrap().1,
            Life::Unknown
        ));
        assert!(matches!(
            read(r#"{"file_info":"i","ttl":0}"#).unwrap().1,
            Life::Until(None)
        ));
    }
}
