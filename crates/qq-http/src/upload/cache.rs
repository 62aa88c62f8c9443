//! Uploads that are still good, by what was uploaded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use qq_model::outgoing::FileType;
use tokio::time::Instant;

use super::Uploaded;

/// How many uploads are kept.
const CAPACITY: usize = 512;
/// How long before its end an upload is no longer handed out, so that the message still arrives in time; at most
/// a tenth of its life.
const MARGIN: Duration = Duration::from_secs(30);

/// The uploads of one bot. Nothing is shared between bots, nor between groups and one-to-one chats.
#[derive(Debug, Default)]
pub(crate) struct UploadCache(Mutex<HashMap<Key, Entry>>);

/// What was uploaded, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) is_group: bool,
    pub(super) kind: FileType,
    pub(super) size: u64,
    pub(super) md5: Box<str>,
    pub(super) sha1: Box<str>,
    /// Files are shown with their name, and other kinds without.
    pub(super) name: Option<Box<str>>,
}

#[derive(Debug)]
struct Entry {
    uploaded: Uploaded,
    /// When it is no longer handed out; `None` is never.
    until: Option<Instant>,
    /// When the platform forgets it.
    expires: Option<Instant>,
    used: Instant,
}

impl UploadCache {
    pub(super) fn get(&self, key: &Key) -> Option<Uploaded> {
        let now = Instant::now();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(key)?;
        if entry.until.is_some_and(|until| until <= now) {
            entries.remove(key);
            return None;
        }
        entry.used = now;
        let mut uploaded = entry.uploaded.clone();
        uploaded.is_cached = true;
        uploaded.ttl = entry.expires.map(|expires| expires - now);
        Some(uploaded)
    }

    /// Keeps an upload whose life the platform named; `None` is for ever.
    pub(super) fn put(&self, key: Key, uploaded: &Uploaded, life: Option<Duration>) {
        let now = Instant::now();
        let expires = life.and_then(|life| now.checked_add(life));
        let until = life.and_then(|life| now.checked_add(life - MARGIN.min(life / 10)));
        let entry = Entry {
            uploaded: uploaded.clone(),
            until,
            expires,
            used: now,
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY && !entries.contains_key(&key) {
            entries.retain(|_, entry| entry.until.is_none_or(|until| until > now));
            if entries.len() >= CAPACITY {
                let oldest = entries.iter().min_by_key(|(_, entry)| entry.used);
                let oldest = oldest.map(|(key, _)| key.clone());
                oldest.and_then(|key| entries.remove(&key));
            }
        }
        entries.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn key(name: &str) -> Key {
        Key {
            is_group: true,
            kind: FileType::Image,
            size: 3,
            md5: name.into(),
            sha1: name.into(),
            name: None,
        }
    }

    fn uploaded() -> Uploaded {
        Uploaded {
            file_info: "info".into(),
            uuid: None,
            ttl: None,
            raw_url: None,
            is_cached: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_is_handed_out_until_shortly_before_its_end() {
        let cache = UploadCache::default();
        cache.put(key("a"), &uploaded(), Some(Duration::from_secs(300)));
        cache.put(key("b"), &uploaded(), None);
        advance(Duration::from_secs(269)).await;
        let hit = cache.get(&key("a")).unwrap();
        assert!(hit.is_cached && hit.ttl == Some(Duration::from_secs(31)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(cache.get(&key("a")), None);
        advance(Duration::from_secs(1_000_000)).await;
        assert_eq!(cache.get(&key("b")).unwrap().ttl, None);
    }

    #[tokio::test(start_paused = true)]
    async fn kinds_and_scenes_never_mix() {
        let cache = UploadCache::default();
        cache.put(key("a"), &uploaded(), None);
        for other in [
            Key {
                is_group: false,
                ..key("a")
            },
            Key {
                kind: FileType::File,
                ..key("a")
            },
            Key {
                name: Some("x".into()),
                ..key("a")
            },
            Key {
                size: 4,
                ..key("a")
            },
            key("b"),
        ] {
            assert_eq!(cache.get(&other), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_recently_used_makes_room() {
        let cache = UploadCache::default();
        for n in 0..CAPACITY {
            cache.put(key(&n.to_string()), &uploaded(), None);
            advance(Duration::from_secs(1)).await;
        }
        assert!(cache.get(&key("0")).is_some());
        advance(Duration::from_secs(1)).await;
        cache.put(key("new"), &uploaded(), None);
        assert!(cache.get(&key("0")).is_some() && cache.get(&key("new")).is_some());
        assert_eq!(cache.get(&key("1")), None);
        assert_eq!(cache.0.lock().unwrap().len(), CAPACITY);
    }
}
