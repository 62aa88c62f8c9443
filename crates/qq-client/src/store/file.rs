//! Stores in a folder, for one process that must survive restarts.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::future::ready;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fs4::{FileExt, TryLockError};
use qq_gateway::Session;

use super::journal::Journal;
use super::{
    Begun, DedupeStore, QuoteStore, SessionKey, SessionSave, SessionStore, StoreError, StoreFuture,
    StoredSession,
};
use crate::{ReplySave, ReplyStore, StoredReply};

/// How many events are remembered.
const EVENTS: usize = 200_000;
/// How many messages' answers.
const REPLIES: usize = 100_000;
/// How many messages that may be quoted. They are in memory, too.
const QUOTES: usize = 10_000;
/// How many shards.
const SESSIONS: usize = 65_536;
/// How long a session is of any use to anybody.
const SESSION_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder that keeps what must survive the process: a [`SessionStore`], a [`DedupeStore`], a [`ReplyStore`] and a
/// [`QuoteStore`] in one. With the first three, a process that takes over after a crash handles what was not handled, and sends no answer twice. Clones
/// share it.
///
/// What was written survives a crash of the process; [`synced`](Self::synced) makes it survive one of the machine, at
/// the price of a write to the disk for each event. One process at a time: a second one is told so. Files are small
/// lines of text, written anew when most of them is of no use any more.
///
/// ```no_run
/// # fn build(token: qq_model::Token, intents: qq_model::Intents) -> Result<(), Box<dyn std::error::Error>> {
/// use qq_client::{Client, FileStore};
///
/// let store = FileStore::open("state")?;
/// let client = Client::builder(token, intents)
///     .session_store(store.clone())
///     .dedupe_store(store.clone())
///     .reply_store(store.clone())
///     .quote_store(store)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileStore {
    shared: Arc<Shared>,
}

struct Shared {
    sessions: Mutex<Journal>,
    events: Mutex<Journal>,
    replies: Mutex<Journal>,
    quotes: Mutex<Journal>,
    /// Locked as long as it is open.
    _lock: File,
}

impl FileStore {
    /// Opens a folder, or makes it.
    ///
    /// # Errors
    ///
    /// [`FileStoreError`]: another process has it open, a file is damaged, or the system says no.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, FileStoreError> {
        Self::with(folder.as_ref(), false)
    }

    /// The same; every write waits until the disk has it.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn synced(folder: impl AsRef<Path>) -> Result<Self, FileStoreError> {
        Self::with(folder.as_ref(), true)
    }

    fn with(folder: &Path, is_synced: bool) -> Result<Self, FileStoreError> {
        fs::create_dir_all(folder).map_err(|error| FileStoreError::io(folder, error))?;
        let lock = lock(&folder.join("lock"))?;
        let open =
            |name, capacity| Journal::open(folder.join(name), capacity, is_synced).map(Mutex::new);
        Ok(Self {
            shared: Arc::new(Shared {
                sessions: open("sessions.jsonl", SESSIONS)?,
                events: open("events.jsonl", EVENTS)?,
                replies: open("replies.jsonl", REPLIES)?,
                quotes: open("quotes.jsonl", QUOTES)?,
                _lock: lock,
            }),
        })
    }
}

impl SessionStore for FileStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<StoredSession>> {
        let load = || {
            let sessions = guard(&self.shared.sessions);
            let Some(entry) = sessions.get(&key.to_string()) else {
                return Ok(None);
            };
            let session = serde_json::from_str(&entry.value).map_err(StoreError::new)?;
            let revision = entry.revision;
            Ok(Some(StoredSession { session, revision }))
        };
        Box::pin(ready(load()))
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        session: &'a Session,
        expected: Option<u64>,
    ) -> StoreFuture<'a, SessionSave> {
        let save = || {
            let key = key.to_string();
            let mut sessions = guard(&self.shared.sessions);
            if sessions.get(&key).map(|entry| entry.revision) != expected {
                return Ok(SessionSave::Conflict);
            }
            let value = serde_json::to_string(session).map_err(StoreError::new)?;
            let saved = sessions.set(&key, &value, SESSION_LIFE);
            saved
                .map(SessionSave::Saved)
                .map_err(|error| failed(&sessions, error))
        };
        Box::pin(ready(save()))
    }
}

impl DedupeStore for FileStore {
    fn begin<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, Begun> {
        let begin = || {
            let mut events = guard(&self.shared.events);
            match events.get(key).map(|entry| &*entry.value) {
                Some(HANDLED) => Ok(Begun::Handled),
                Some(_) => Ok(Begun::Again),
                None => match events.set(key, BEGUN, keep_for) {
                    Ok(_) => Ok(Begun::New),
                    Err(error) => Err(failed(&events, error)),
                },
            }
        };
        Box::pin(ready(begin()))
    }

    fn handled<'a>(&'a self, key: &'a str, keep_for: Duration) -> StoreFuture<'a, ()> {
        let mut events = guard(&self.shared.events);
        let done = match events.set(key, HANDLED, keep_for) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&events, error)),
        };
        Box::pin(ready(done))
    }
}

impl ReplyStore for FileStore {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<StoredReply>> {
        let replies = guard(&self.shared.replies);
        let stored = replies.get(key).map(|entry| StoredReply {
            value: entry.value.clone(),
            revision: entry.revision,
        });
        Box::pin(ready(Ok(stored)))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        expected: Option<u64>,
        keep_for: Duration,
    ) -> StoreFuture<'a, ReplySave> {
        let save = || {
            let mut replies = guard(&self.shared.replies);
            if replies.get(key).map(|entry| entry.revision) != expected {
                return Ok(ReplySave::Conflict);
            }
            match replies.set(key, value, keep_for) {
                Ok(revision) => Ok(ReplySave::Saved(revision)),
                Err(error) => Err(StoreError::new(FileStoreError::io(replies.path(), error))),
            }
        };
        Box::pin(ready(save()))
    }
}

impl QuoteStore for FileStore {
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Box<str>>> {
        let quotes = guard(&self.shared.quotes);
        let message = quotes.get(key).map(|entry| entry.value.clone());
        Box::pin(ready(Ok(message)))
    }

    fn save<'a>(
        &'a self,
        key: &'a str,
        message: &'a str,
        keep_for: Duration,
    ) -> StoreFuture<'a, ()> {
        let mut quotes = guard(&self.shared.quotes);
        let saved = match quotes.set(key, message, keep_for) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&quotes, error)),
        };
        Box::pin(ready(saved))
    }
}

const BEGUN: &str = "b";
const HANDLED: &str = "h";

/// Takes the lock of a folder, and writes into it who has it.
fn lock(path: &Path) -> Result<File, FileStoreError> {
    let failed = |error| FileStoreError::io(path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    match FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Who it is helps, and is not needed.
            let _ = file.read_to_string(&mut owner);
            return Err(FileStoreError::in_use(path, owner.trim()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

fn failed(journal: &Journal, error: io::Error) -> StoreError {
    StoreError::new(FileStoreError::io(journal.path(), error))
}

/// A journal is whole after every statement that can panic.
fn guard(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a [`FileStore`] cannot be used.
#[non_exhaustive]
pub enum FileStoreError {
    /// Another process has the folder open, or this one has twice.
    InUse {
        /// The lock.
        path: Box<Path>,
        /// The id of that process, where it is known.
        process: Option<u32>,
    },
    /// A line that nobody wrote like this: the disk, or somebody's editor. Remove the line, or the file; what it kept is
    /// forgotten then.
    Corrupt {
        /// The file.
        path: Box<Path>,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        cause: Box<str>,
    },
    /// The system said no.
    Io {
        /// The file or folder.
        path: Box<Path>,
        /// What it said.
        source: io::Error,
    },
}

impl FileStoreError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }

    pub(super) fn corrupt(path: &Path, line: usize, error: &serde_json::Error) -> Self {
        Self::Corrupt {
            path: path.into(),
            line,
            cause: error.to_string().into(),
        }
    }

    fn in_use(path: &Path, owner: &str) -> Self {
        Self::InUse {
            path: path.into(),
            process: owner.parse().ok(),
        }
    }
}

/// As `Display`: a program whose `main` returns one says what to do.
impl fmt::Debug for FileStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FileStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path, process } => {
                write!(f, "{} is locked by ", path.display())?;
                match process {
                    Some(process) => write!(f, "process {process}")?,
                    None => f.write_str("another process")?,
                }
                f.write_str(": stop it, or give this one a folder of its own")
            }
            Self::Corrupt { path, line, cause } => {
                let path = path.display();
                write!(
                    f,
                    "{path}, line {line}, is damaged ({cause}): remove the line or the file"
                )
            }
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for FileStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use qq_model::Timestamp;
    use qq_model::gateway::ShardId;

    use super::*;

    /// A folder of this test, empty.
    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("qq-client-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    const LIFE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_was_written_is_there_for_the_next_process() {
        let folder = folder("next");
        let key = SessionKey {
            app_id: "102000000".into(),
            shard: ShardId::ONE,
        };
        let session = Session {
            id: "082ee18c".into(),
            sequence: 42,
            shard: ShardId::ONE,
            intents: qq_model::Intents::default(),
            saved_at: Timestamp::from_unix_seconds(1_700_000_000),
        };
        let store = FileStore::open(&folder).unwrap();
        assert_eq!(store.begin("message/1", LIFE).await.unwrap(), Begun::New);
        assert_eq!(store.begin("message/2", LIFE).await.unwrap(), Begun::New);
        store.handled("message/1", LIFE).await.unwrap();
        let SessionSave::Saved(revision) = SessionStore::save(&store, &key, &session, None)
            .await
            .unwrap()
        else {
            panic!("not saved");
        };
        let again = SessionStore::save(&store, &key, &session, None)
            .await
            .unwrap();
        assert_eq!(again, SessionSave::Conflict);
        drop(store);
        let store = FileStore::open(&folder).unwrap();
        assert_eq!(
            store.begin("message/1", LIFE).await.unwrap(),
            Begun::Handled
        );
        assert_eq!(store.begin("message/2", LIFE).await.unwrap(), Begun::Again);
        let stored = SessionStore::load(&store, &key).await.unwrap().unwrap();
        assert_eq!(stored, StoredSession { session, revision });
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_second_process_is_told_who_has_the_folder() {
        let folder = folder("second");
        let store = FileStore::open(&folder).unwrap();
        let error = FileStore::open(&folder).unwrap_err();
        let id = std::process::id();
        assert!(matches!(error, FileStoreError::InUse { process: Some(p), .. } if p == id));
        assert!(
            error.to_string().contains(&format!("process {id}")),
            "{error}"
        );
        assert_eq!(format!("{error:?}"), error.to_string());
        drop(store);
        assert!(FileStore::open(&folder).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_torn_end_is_left_out_and_a_damaged_line_is_named() {
        let folder = folder("torn");
        let file = folder.join("events.jsonl");
        let store = FileStore::open(&folder).unwrap();
        for key in ["a", "b", "c"] {
            store.begin(key, LIFE).await.unwrap();
        }
        drop(store);
        let whole = fs::read(&file).unwrap();
        // Cut off anywhere, no line before the cut is lost and none behind it is half there.
        for end in 0..whole.len() {
            fs::write(&file, &whole[..end]).unwrap();
            let lines = whole[..end].iter().filter(|byte| **byte == b'\n').count();
            let store = FileStore::open(&folder).unwrap();
            for (index, key) in ["a", "b", "c"].iter().enumerate() {
                let expected = if index < lines {
                    Begun::Again
                } else {
                    Begun::New
                };
                assert_eq!(
                    store.begin(key, LIFE).await.unwrap(),
                    expected,
                    "{end} {key}"
                );
            }
        }
        let mut damaged = whole.clone();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        damaged[second] = b'X';
        fs::write(&file, damaged).unwrap();
        let error = FileStore::open(&folder).unwrap_err();
        assert!(
            matches!(error, FileStoreError::Corrupt { line: 2, .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("events.jsonl, line 2"),
            "{error}"
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn files_stay_small() {
        let folder = folder("small");
        let store = FileStore::open(&folder).unwrap();
        let long = "x".repeat(200);
        for n in 0..40_000 {
            store
                .handled(&format!("{long}{}", n % 100), LIFE)
                .await
                .unwrap();
        }
        let size = fs::metadata(folder.join("events.jsonl")).unwrap().len();
        assert!(size < 2 << 20, "{size} bytes");
        drop(store);
        let store = FileStore::open(&folder).unwrap();
        let last = format!("{long}99");
        assert_eq!(store.begin(&last, LIFE).await.unwrap(), Begun::Handled);
        fs::remove_dir_all(folder).unwrap();
    }
}
