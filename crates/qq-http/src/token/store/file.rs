//! A token in a file, for processes on one machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qq_model::id::AppId;
use tokio::task::spawn_blocking;

use super::stored::Unread;
use super::{StoredToken, TokenLease, TokenStore, TokenStoreError, TokenStoreFuture};
use crate::random::random;

/// No file that is longer holds one token.
const LONGEST: u64 = 64 * 1024;
/// How long a lease whose end cannot be read is waited for: its writer may be about to write it.
const UNREADABLE_LEASE: Duration = Duration::from_secs(1);

/// Keeps the access token of one bot in a file, so that a restart does not fetch another one.
///
/// Several processes on one machine may share it. The file is replaced as a whole and can be read by its owner
/// only (mode 0600 where the system has modes); beside it a file with the ending `.lock` is there while one of
/// the processes fetches. The folder must exist. What is no stored token is reported, and replaced by the next
/// token that is fetched; a token of another bot is reported and stays.
///
/// ```
/// use qq_http::{HttpClient, TokenFile};
/// use qq_model::Token;
///
/// let http = HttpClient::builder(Token::new("102000000", "secret"))
///     .token_store(TokenFile::new("/var/lib/bot/token.json"))
///     .build()?;
/// # Ok::<(), qq_http::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: Arc<Path>,
}

impl TokenFile {
    /// A token in this file, which need not exist yet. Nothing is read or written here.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into().into(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs file work where it does not hold up the runtime.
    fn run<T: Send + 'static>(
        &self,
        verb: &'static str,
        work: impl FnOnce(&Path) -> Result<T, TokenStoreError> + Send + 'static,
    ) -> TokenStoreFuture<'static, T> {
        let path = Arc::clone(&self.path);
        Box::pin(async move {
            let name = path.display().to_string();
            spawn_blocking(move || work(&path))
                .await
                .unwrap_or_else(|error| Err(TokenStoreError::new(error.to_string())))
                .map_err(|error| {
                    TokenStoreError::new(format!("the token file {name} cannot be {verb}"))
                        .with_source(error)
                })
        })
    }
}

impl TokenStore for TokenFile {
    fn load<'a>(&'a self, app_id: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
        let app_id = app_id.clone();
        self.run("read", move |path| match read(path)? {
            Some(bytes) => StoredToken::from_bytes(&app_id, &bytes).map(Some),
            None => Ok(None),
        })
    }

    fn save<'a>(
        &'a self,
        app_id: &'a AppId,
        token: &'a StoredToken,
        seen: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool> {
        let (app_id, bytes, seen) = (app_id.clone(), token.to_bytes(app_id), seen.cloned());
        self.run("written", move |path| {
            let kept = match read(path)?.map(|bytes| StoredToken::read(&app_id, &bytes)) {
                Some(Ok(kept)) => Some(kept),
                Some(Err(Unread::Foreign)) => {
                    return Err(TokenStoreError::new(
                        "it holds the access token of another app id: give each bot a file of its own",
                    ));
                }
                Some(Err(Unread::Corrupt(_))) | None => None,
            };
            if kept != seen {
                return Ok(false);
            }
            replace(path, &bytes)?;
            Ok(true)
        })
    }

    fn lease<'a>(&'a self, _: &'a AppId, at_most: Duration) -> TokenStoreFuture<'a, TokenLease> {
        self.run("locked", move |path| {
            Ok(lease(&beside(path, "lock"), at_most)?)
        })
    }

    fn release<'a>(&'a self, _: &'a AppId, lease: u64) -> TokenStoreFuture<'a, ()> {
        self.run("unlocked", move |path| {
            Ok(release(&beside(path, "lock"), lease)?)
        })
    }
}

impl From<io::Error> for TokenStoreError {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// The file's bytes; one that is not there has none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Puts bytes in the place of the file. Readers see the old file or the new one, never a part.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = beside(path, &format!("{:x}.tmp", random()));
    let written = create(&draft)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // Its failure matters no more.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Two processes that find the same lease at its end may both be granted one; that costs a fetch, no more.
fn lease(path: &Path, at_most: Duration) -> io::Result<TokenLease> {
    let number = random();
    let now = since_epoch();
    let mut is_first = true;
    loop {
        match create(path) {
            Ok(mut file) => {
                write!(file, "{number} {}", (now + at_most).as_millis())?;
                return Ok(TokenLease::Granted(number));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_first => {}
            Err(error) => return Err(error),
        }
        let left = match read(path)?.as_deref().map(parse_lease) {
            None => Duration::ZERO,
            Some(Some((_, end))) => end.saturating_sub(now),
            Some(None) => {
                let written = fs::metadata(path).and_then(|data| data.modified());
                let age = written.ok().and_then(|at| at.elapsed().ok());
                UNREADABLE_LEASE.saturating_sub(age.unwrap_or(UNREADABLE_LEASE))
            }
        };
        // A clock that was set back must not make a lease endless.
        if !left.is_zero() && left <= at_most * 2 {
            return Ok(TokenLease::Held(left));
        }
        is_first = false;
        remove(path)?;
    }
}

fn release(path: &Path, lease: u64) -> io::Result<()> {
    match read(path)?.as_deref().and_then(parse_lease) {
        Some((holder, _)) if holder == lease => remove(path),
        _ => Ok(()),
    }
}

/// The number of a lease, and its end since 1970.
fn parse_lease(bytes: &[u8]) -> Option<(u64, Duration)> {
    let (number, end) = str::from_utf8(bytes).ok()?.split_once(' ')?;
    Some((
        number.parse().ok()?,
        Duration::from_millis(end.parse().ok()?),
    ))
}

/// A new file that only its owner can read.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The path of a file in the same folder, named after this one.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use qq_model::BearerToken;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("qq-token-{:x}", random()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn store(&self) -> TokenFile {
            TokenFile::new(self.0.join("token.json"))
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn app() -> AppId {
        AppId::new("7")
    }

    fn token(text: &str) -> StoredToken {
        StoredToken::new(
            BearerToken::new(text),
            SystemTime::now() + Duration::from_secs(60),
        )
    }

    #[tokio::test]
    async fn it_is_replaced_as_a_whole_if_it_is_what_was_seen() {
        let folder = Folder::new();
        let store = folder.store();
        let (one, two) = (token("one"), token("two"));
        assert_eq!(store.load(&app()).await.unwrap(), None);
        assert!(!store.save(&app(), &one, Some(&two)).await.unwrap());
        assert!(store.save(&app(), &one, None).await.unwrap());
        assert!(!store.save(&app(), &two, None).await.unwrap());
        assert!(store.save(&app(), &two, Some(&one)).await.unwrap());
        assert_eq!(store.load(&app()).await.unwrap(), Some(two));
        assert_eq!(folder.names(), ["token.json"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(store.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn what_is_no_token_is_named_and_replaced() {
        let folder = Folder::new();
        let store = folder.store();
        for bytes in [b"".as_slice(), b"{canary", b"\xff\xff", &[b'['; 200_000]] {
            fs::write(store.path(), bytes).unwrap();
            let error = store.load(&app()).await.unwrap_err().to_string();
            assert!(
                error.contains("token.json cannot be read: it holds no access token"),
                "{error}"
            );
            assert!(!error.contains("canary"));
            assert!(store.save(&app(), &token("new"), None).await.unwrap());
            assert_eq!(
                store.load(&app()).await.unwrap().unwrap().token().expose(),
                "new"
            );
        }
        let foreign = AppId::new("8");
        let error = store.load(&foreign).await.unwrap_err().to_string();
        assert!(error.contains("another app id"), "{error}");
        let saved = store.save(&foreign, &token("foreign"), None).await;
        assert!(saved.unwrap_err().to_string().contains("cannot be written"));
        assert!(
            store.load(&app()).await.unwrap().is_some(),
            "it is still there"
        );
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error() {
        let store = TokenFile::new("/nonexistent-folder/token.json");
        assert_eq!(store.load(&app()).await.unwrap(), None);
        let error = store.save(&app(), &token("t"), None).await.unwrap_err();
        assert!(error.to_string().contains("/nonexistent-folder/token.json"));
        assert!(store.lease(&app(), Duration::from_secs(1)).await.is_err());
    }

    #[tokio::test]
    async fn one_has_the_lease_until_it_is_given_back_or_over() {
        let folder = Folder::new();
        let (store, minute) = (folder.store(), Duration::from_secs(60));
        let TokenLease::Granted(first) = store.lease(&app(), minute).await.unwrap() else {
            panic!("nobody else has it");
        };
        for _ in 0..2 {
            let TokenLease::Held(left) = store.lease(&app(), minute).await.unwrap() else {
                panic!("it is held");
            };
            assert!(left <= minute && left > minute / 2, "{left:?}");
            store.release(&app(), first ^ 1).await.unwrap();
        }
        store.release(&app(), first).await.unwrap();
        assert!(folder.names().is_empty());
        // Over, of another clock, and cut off while it was written.
        let lock = beside(store.path(), "lock");
        for left_behind in ["1 0", "1 99999999999999999", "1"] {
            fs::write(&lock, left_behind).unwrap();
            if left_behind == "1" {
                let held = store.lease(&app(), minute).await.unwrap();
                assert!(matches!(held, TokenLease::Held(left) if left <= UNREADABLE_LEASE));
                let long_ago = SystemTime::now() - minute;
                File::open(&lock).unwrap().set_modified(long_ago).unwrap();
            }
            let TokenLease::Granted(number) = store.lease(&app(), minute).await.unwrap() else {
                panic!("{left_behind:?} is no lease");
            };
            store.release(&app(), number).await.unwrap();
        }
    }
}
