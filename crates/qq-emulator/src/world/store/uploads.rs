//! Uploaded files, and uploads on their way.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::clock::Millis;
use crate::world::messages::Scene;

const DAY: Millis = 24 * 3600 * 1000;
/// Files remembered; of the oldest not even the name stays.
const MOST_FILES: usize = 10_000;
/// Chunked uploads on their way at once.
const MOST_PREPARED: usize = 256;

/// A file that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) uuid: String,
    pub(crate) file_info: String,
    pub(crate) scene: Scene,
    pub(crate) name: String,
    /// `None` for a file that stays where its address says.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) url: Option<String>,
    /// Lower-case hex of MD5 and SHA-1.
    pub(crate) digests: Option<(String, String)>,
    /// When `file_info` dies; `None` for never.
    pub(crate) expires: Option<Millis>,
}

/// A chunked upload.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) app_id: String,
    pub(crate) scene: Scene,
    pub(crate) conversation: String,
    pub(crate) name: String,
    pub(crate) file_type: i64,
    pub(crate) size: usize,
    pub(crate) md5: String,
    pub(crate) sha1: String,
    pub(crate) block: usize,
    pub(crate) first_index: u32,
    pub(crate) parts: Vec<Part>,
    /// Part of the presigned addresses.
    pub(crate) signature: String,
    pub(crate) expires: Millis,
    /// Known already: nothing has to be sent.
    pub(crate) instant: Option<Bytes>,
}

/// One part of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) bytes: Option<Bytes>,
    pub(crate) finished: bool,
}

impl Prepared {
    /// The place of a part in `parts`.
    pub(crate) fn place(&self, index: u64) -> Option<usize> {
        let place = index.checked_sub(self.first_index.into())?;
        usize::try_from(place)
            .ok()
            .filter(|place| *place < self.parts.len())
    }

    /// How many bytes a part has.
    pub(crate) fn length(&self, place: usize) -> usize {
        self.size
            .saturating_sub(place.saturating_mul(self.block))
            .min(self.block)
    }

    fn kept(&self) -> usize {
        let bytes = self.parts.iter().filter_map(|part| part.bytes.as_ref());
        bytes.map(Bytes::len).sum()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    files: VecDeque<File>,
    prepared: HashMap<String, Prepared>,
    volume: HashMap<String, (Millis, u64)>,
}

impl Uploads {
    pub(crate) fn keep(&mut self, file: File, memory: usize) {
        self.files.push_back(file);
        if self.files.len() > MOST_FILES {
            self.files.pop_front();
        }
        self.make_room(memory);
    }

    pub(crate) fn by_uuid(&self, uuid: &str) -> Option<&File> {
        self.files.iter().find(|file| file.uuid == uuid)
    }

    /// What a bot has uploaded; the others have no `file_info`.
    pub(crate) fn by_info(&self, file_info: &str) -> Option<&File> {
        let mut files = self.files.iter();
        files.find(|file| !file_info.is_empty() && file.file_info == file_info)
    }

    /// The bytes of a file with these digests and this size, if they are still kept.
    pub(crate) fn known(&self, md5: &str, sha1: &str, size: usize) -> Option<Bytes> {
        self.files
            .iter()
            .filter(|file| {
                file.digests
                    .as_ref()
                    .is_some_and(|(known_md5, known_sha1)| known_md5 == md5 && known_sha1 == sha1)
            })
            .filter_map(|file| file.bytes.clone())
            .find(|bytes| bytes.len() == size)
    }

    pub(crate) fn prepare(&mut self, id: String, upload: Prepared, now: Millis) {
        self.prepared.retain(|_, upload| upload.expires > now);
        if self.prepared.len() >= MOST_PREPARED {
            let oldest = self.prepared.iter().min_by_key(|(_, known)| known.expires);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.prepared.remove(&oldest);
            }
        }
        self.prepared.insert(id, upload);
    }

    /// An upload that is neither finished nor overdue.
    pub(crate) fn prepared(&mut self, id: &str, now: Millis) -> Option<&mut Prepared> {
        self.prepared
            .get_mut(id)
            .filter(|known| known.expires > now)
    }

    pub(crate) fn finish(&mut self, id: &str) -> Option<Prepared> {
        self.prepared.remove(id)
    }

    /// Whether that many bytes more can be kept: parts of unfinished uploads are never thrown out.
    pub(crate) fn has_room(&self, more: usize, memory: usize) -> bool {
        self.in_parts().saturating_add(more) <= memory
    }

    fn in_parts(&self) -> usize {
        self.prepared.values().map(Prepared::kept).sum()
    }

    /// Forgets the contents of the oldest files beyond the memory.
    pub(crate) fn make_room(&mut self, memory: usize) {
        let in_files: usize = self
            .files
            .iter()
            .filter_map(|file| file.bytes.as_ref())
            .map(Bytes::len)
            .sum();
        let mut kept = in_files + self.in_parts();
        for file in &mut self.files {
            if kept <= memory {
                break;
            }
            if let Some(bytes) = file.bytes.take() {
                kept -= bytes.len();
            }
        }
    }

    /// Counts a bot's bytes of this day, unless they are more than `most`; 0 is no limit.
    pub(crate) fn spend(&mut self, app_id: &str, bytes: u64, now: Millis, most: u64) -> bool {
        let (since, used) = self.volume.entry(app_id.to_owned()).or_insert((now, 0));
        if now.saturating_sub(*since) >= DAY {
            (*since, *used) = (now, 0);
        }
        if most > 0 && used.saturating_add(bytes) > most {
            return false;
        }
        *used = used.saturating_add(bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(uuid: &str, bytes: usize) -> File {
        File {
            uuid: uuid.into(),
            file_info: format!("info-{uuid}"),
            scene: Scene::Group,
            name: String::new(),
            bytes: Some(vec![0; bytes].into()),
            url: None,
            digests: Some((format!("md5-{uuid}"), "sha1".into())),
            expires: None,
        }
    }

    #[test]
    fn the_oldest_contents_go_first() {
        let mut uploads = Uploads::default();
        for uuid in ["a", "b", "c"] {
            uploads.keep(file(uuid, 10), 25);
        }
        assert!(
            uploads
                .by_uuid("a")
                .is_some_and(|file| file.bytes.is_none())
        );
        assert!(uploads.known("md5-a", "sha1", 10).is_none());
        assert!(uploads.known("md5-c", "sha1", 10).is_some());
        assert!(uploads.known("md5-c", "sha1", 11).is_none());
        assert!(uploads.by_info("info-a").is_some());
        uploads.keep(
            File {
                file_info: String::new(),
                ..file("d", 1)
            },
            25,
        );
        assert!(uploads.by_info("").is_none());
    }

    #[test]
    fn the_volume_of_a_day() {
        let mut uploads = Uploads::default();
        assert!(uploads.spend("1", 6, 0, 10));
        assert!(!uploads.spend("1", 5, 0, 10));
        assert!(uploads.spend("2", 5, 0, 10));
        assert!(uploads.spend("1", 5, DAY, 10));
        assert!(uploads.spend("1", u64::MAX, DAY, 0));
    }
}
