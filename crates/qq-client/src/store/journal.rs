//! Keys and values in a file that only grows until it is written anew: what was written is there after a crash.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::file::FileStoreError;

/// A file is written anew when it is larger than this and more than half of it is of no use.
const COMPACT_FROM: u64 = 1 << 20;

/// One file of keys and values.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// In bytes.
    len: u64,
    live: u64,
    is_synced: bool,
    capacity: usize,
    entries: HashMap<Box<str>, Entry>,
    by_end: BTreeMap<(u64, u64), Box<str>>,
    revision: u64,
}

/// The value of a key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Box<str>,
    pub(super) revision: u64,
    /// In milliseconds since 1970.
    end: u64,
    /// Bytes in the file.
    len: u64,
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a> {
    #[serde(rename = "k", borrow)]
    key: std::borrow::Cow<'a, str>,
    #[serde(rename = "v", borrow)]
    value: std::borrow::Cow<'a, str>,
    #[serde(rename = "r")]
    revision: u64,
    #[serde(rename = "e")]
    end: u64,
}

impl Journal {
    /// Opens a file, or makes it. A last line that was cut off by a crash is left out.
    pub(super) fn open(
        path: PathBuf,
        capacity: usize,
        is_synced: bool,
    ) -> Result<Self, FileStoreError> {
        let failed = |error| FileStoreError::io(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if whole < text.len() {
            tracing::info!(path = %path.display(), "the last line was cut off and is left out");
            file.set_len(whole as u64).map_err(failed)?;
        }
        let mut journal = Self {
            path,
            file,
            len: whole as u64,
            live: 0,
            is_synced,
            capacity: capacity.max(1),
            entries: HashMap::new(),
            by_end: BTreeMap::new(),
            revision: 0,
        };
        let lines = text[..whole].split(|byte| *byte == b'\n');
        for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
            let read: Line<'_> = serde_json::from_slice(line)
                .map_err(|error| FileStoreError::corrupt(&journal.path, index + 1, &error))?;
            journal.revision = journal.revision.max(read.revision);
            let entry = Entry {
                value: read.value.into(),
                revision: read.revision,
                end: read.end,
                len: line.len() as u64 + 1,
            };
            journal.put(&read.key, entry);
        }
        journal.forget(millis());
        Ok(journal)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        let now = millis();
        self.entries.get(key).filter(|entry| entry.end >= now)
    }

    /// Sets the value of a key for so long; its new revision.
    pub(super) fn set(&mut self, key: &str, value: &str, keep_for: Duration) -> io::Result<u64> {
        let now = millis();
        self.forget(now);
        let revision = self.revision + 1;
        let end = now.saturating_add(u64::try_from(keep_for.as_millis()).unwrap_or(u64::MAX));
        let mut line = serde_json::to_vec(&Line {
            key: key.into(),
            value: value.into(),
            revision,
            end,
        })?;
        line.push(b'\n');
        if let Err(error) = self.write(&line) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.revision = revision;
        self.len += line.len() as u64;
        let entry = Entry {
            value: value.into(),
            revision,
            end,
            len: line.len() as u64,
        };
        self.put(key, entry);
        if self.len > COMPACT_FROM && self.len > self.live * 2 {
            self.compact()?;
        }
        Ok(revision)
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        if self.is_synced {
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn put(&mut self, key: &str, entry: Entry) {
        self.live += entry.len;
        self.by_end.insert((entry.end, entry.revision), key.into());
        if let Some(before) = self.entries.insert(key.into(), entry) {
            self.live -= before.len;
            self.by_end.remove(&(before.end, before.revision));
        }
    }

    /// What is over is forgotten, and then what is over soonest.
    fn forget(&mut self, now: u64) {
        while let Some(first) = self.by_end.first_entry()
            && (first.key().0 < now || self.entries.len() >= self.capacity)
        {
            let key = first.remove();
            if let Some(entry) = self.entries.remove(&key) {
                self.live -= entry.len;
            }
        }
    }

    /// Writes what is of use into a new file, which takes the place of the old one when it is whole.
    fn compact(&mut self) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = io::BufWriter::new(File::create(&fresh)?);
        for (key, entry) in &self.entries {
            serde_json::to_writer(
                &mut file,
                &Line {
                    key: (&**key).into(),
                    value: (&*entry.value).into(),
                    revision: entry.revision,
                    end: entry.end,
                },
            )?;
            file.write_all(b"\n")?;
        }
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_data()?;
        fs::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.len = self.file.metadata()?.len();
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Milliseconds since 1970: what is kept must mean the same to the next process.
fn millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
