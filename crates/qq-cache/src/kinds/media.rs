//! Uploaded media, until the platform forgets them.

use std::time::Duration;

use qq_model::message::Scene;

use super::Visible;
use crate::Cache;
use crate::clock::{Nanos, nanos};
use crate::store::{Kind, Snapshot};

/// What was uploaded for which scene.
///
/// A file that was uploaded for one-to-one chats does not work in groups, nor the other way round; within a
/// scene it works for every target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaKey {
    scene: Scene,
    source: Box<str>,
}

impl MediaKey {
    /// `source` tells one file from another: its address, or a digest of its bytes with its type.
    #[must_use]
    pub fn new(scene: Scene, source: impl Into<Box<str>>) -> Self {
        Self {
            scene,
            source: source.into(),
        }
    }
}

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedMedia {
    file_info: Box<str>,
}

impl CachedMedia {
    /// What a message's `media.file_info` takes.
    #[must_use]
    pub const fn file_info(&self) -> &str {
        &self.file_info
    }
}

/// A file and when it is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Until {
    media: CachedMedia,
    deadline: Option<Nanos>,
}

impl Snapshot for Until {
    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn heap_bytes(&self) -> usize {
        self.media.file_info.len()
    }

    fn is_past_deadline(&self, now: Nanos) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}

pub(crate) struct MediaFiles;

impl Kind for MediaFiles {
    type Owner = ();
    type Key = MediaKey;
    type Value = Until;
    const INDEXED: bool = false;
    const SCOPED: bool = false;
    const DEADLINES: bool = true;

    fn key_heap_bytes(key: &MediaKey) -> usize {
        key.source.len()
    }
}

impl Visible for MediaFiles {
    type Seen = CachedMedia;

    fn show<R>(_: &MediaKey, value: &Until, look: impl FnOnce(&CachedMedia) -> R) -> R {
        look(&value.media)
    }
}

/// The most by which an entry ends before the platform forgets the file.
const MARGIN: Duration = Duration::from_secs(30);

impl Cache {
    /// The `file_info` of an uploaded file that the platform still knows.
    ///
    /// Ends a tenth of its time early, at most 30 seconds, so that a message sent with it arrives in time.
    #[must_use]
    pub fn media(&self, key: &MediaKey) -> Option<CachedMedia> {
        self.kinds.media.get(None, key).map(|until| until.media)
    }

    /// Keeps the result of an upload. `ttl` is the answer's member of this name, in seconds: 0 means that the
    /// platform sets no end, and then only the limits of the kind apply.
    pub fn insert_media(&self, key: &MediaKey, file_info: impl Into<Box<str>>, ttl: u64) {
        let lifetime = Duration::from_secs(ttl);
        let lifetime = lifetime.saturating_sub(MARGIN.min(lifetime / 10));
        let deadline = (ttl > 0).then(|| self.kinds.media.now().saturating_add(nanos(lifetime)));
        let media = CachedMedia {
            file_info: file_info.into(),
        };
        self.kinds
            .media
            .insert(None, key, Until { media, deadline });
    }

    /// Forgets an uploaded file, as after a send that was refused because of it.
    pub fn remove_media(&self, key: &MediaKey) -> bool {
        self.kinds.media.remove(None, key).is_some()
    }
}
