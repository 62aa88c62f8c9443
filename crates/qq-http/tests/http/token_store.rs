//! Tokens that outlive a process, or are shared by several.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use qq_http::{StoredToken, TokenFile, TokenLease, TokenStore, TokenStoreError, TokenStoreFuture};
use qq_model::id::AppId;
use qq_model::{AccessToken, BearerToken};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::{APP_ID, LIFETIME, Received, Reply, Server, log};

/// A server that answers only calls with a good token.
fn strict() -> Server {
    let tokens = Arc::new(std::sync::OnceLock::new());
    let own = Arc::clone(&tokens);
    let server = Server::new(move |request: &Received| {
        let own: &crate::support::TokenService = own.get().unwrap();
        if own.accepts(request) {
            Reply::json(200, &json!({"id": "1", "username": "bot"}))
        } else {
            Reply::json(401, &json!({"code": 11243, "message": "token"}))
        }
    });
    let _ = tokens.set(server.tokens.clone());
    server
}

/// A store with leases, in memory.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Option<StoredToken>>,
    lease: Mutex<Option<(u64, Instant)>>,
    number: AtomicU64,
    saves: AtomicUsize,
}

impl Shelf {
    fn kept(&self) -> Option<StoredToken> {
        self.kept.lock().unwrap().clone()
    }

    fn put(&self, token: &str, left: Duration) {
        let token = StoredToken::new(BearerToken::new(token), SystemTime::now() + left);
        *self.kept.lock().unwrap() = Some(token);
    }

    fn saves(&self) -> usize {
        self.saves.load(Ordering::Relaxed)
    }
}

impl TokenStore for Shelf {
    fn load<'a>(&'a self, app_id: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
        assert_eq!(&*app_id.text(), APP_ID);
        Box::pin(async { Ok(self.kept()) })
    }

    fn save<'a>(
        &'a self,
        _: &'a AppId,
        token: &'a StoredToken,
        seen: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool> {
        Box::pin(async move {
            let mut kept = self.kept.lock().unwrap();
            let is_as_seen = kept.as_ref() == seen;
            if is_as_seen {
                *kept = Some(token.clone());
                self.saves.fetch_add(1, Ordering::Relaxed);
            }
            Ok(is_as_seen)
        })
    }

    fn lease<'a>(&'a self, _: &'a AppId, at_most: Duration) -> TokenStoreFuture<'a, TokenLease> {
        Box::pin(async move {
            let (mut lease, now) = (self.lease.lock().unwrap(), Instant::now());
            if let Some((_, end)) = *lease
                && now < end
            {
                return Ok(TokenLease::Held(end - now));
            }
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            *lease = Some((number, now + at_most));
            Ok(TokenLease::Granted(number))
        })
    }

    fn release<'a>(&'a self, _: &'a AppId, number: u64) -> TokenStoreFuture<'a, ()> {
        Box::pin(async move {
            let mut lease = self.lease.lock().unwrap();
            lease.take_if(|(own, _)| *own == number);
            Ok(())
        })
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("qq-store-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> TokenFile {
        TokenFile::new(self.0.join("token.json"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn call_from(clients: &[qq_http::HttpClient], times: usize) {
    let mut calls = JoinSet::new();
    for http in clients {
        for _ in 0..times {
            let http = http.clone();
            calls.spawn(async move { http.me().await });
        }
    }
    while let Some(result) = calls.join_next().await {
        result.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_takes_over_the_token_of_the_file() {
    let (server, folder) = (strict(), Folder::new());
    for _ in 0..3 {
        let http = server.builder().token_store(folder.file()).build().unwrap();
        http.me().await.unwrap();
    }
    assert_eq!(server.token_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_processes_with_one_store_make_one_fetch() {
    let folder = Folder::new();
    let shelf = Arc::new(Shelf::default());
    let stores: [(Arc<dyn TokenStore>, Arc<dyn TokenStore>); 2] = [
        (shelf.clone(), shelf.clone()),
        (Arc::new(folder.file()), Arc::new(folder.file())),
    ];
    for (first, second) in stores {
        // Connections take their time, so that the second process finds nothing yet.
        let server = strict().on_connect(|_| Ok(Duration::from_secs(3)));
        let clients =
            [first, second].map(|store| server.builder().token_store(store).build().unwrap());
        call_from(&clients, 50).await;
        assert_eq!(server.token_calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn five_processes_take_no_more_fetches_than_one() {
    let (server, shelf) = (strict(), Arc::new(Shelf::default()));
    let client = || server.builder().token_store(shelf.clone()).build().unwrap();
    let clients: [_; 5] = std::array::from_fn(|_| client());
    let end = Instant::now() + LIFETIME * 3;
    while Instant::now() < end {
        for http in &clients {
            http.me().await.unwrap();
        }
        sleep(Duration::from_millis(fastrand::u64(1000..20_000))).await;
    }
    let fetches = server.token_calls();
    assert!((3..=4).contains(&fetches), "{fetches}");
    assert_eq!(shelf.saves(), fetches);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_is_replaced() {
    let (server, shelf) = (strict(), Arc::new(Shelf::default()));
    shelf.put("canary-token-old", Duration::ZERO);
    let http = server.builder().token_store(shelf.clone()).build().unwrap();
    http.me().await.unwrap();
    assert_eq!(server.received().len(), 1, "the old one was not tried");
    let kept = shelf.kept().unwrap();
    assert_eq!(kept.token(), &http.access_token().get().await.unwrap());
    let left = kept.expires_at().duration_since(SystemTime::now()).unwrap();
    assert!(left > LIFETIME - Duration::from_secs(30) && left <= LIFETIME);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_in_the_store_too() {
    let (server, shelf) = (strict(), Arc::new(Shelf::default()));
    shelf.put("canary-token-refused", LIFETIME);
    let clients: [_; 2] =
        std::array::from_fn(|_| server.builder().token_store(shelf.clone()).build().unwrap());
    call_from(&clients, 50).await;
    assert_eq!(server.token_calls(), 1, "one process replaced it for both");
    assert!(shelf.kept().unwrap().token().expose() != "canary-token-refused");
    // The same in the middle of its life: the other process finds what the first one left.
    server.tokens.revoke();
    sleep(Duration::from_secs(5)).await;
    call_from(&clients, 50).await;
    assert_eq!((server.token_calls(), shelf.saves()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_file_is_named_and_replaced() {
    log::record();
    let (server, folder) = (strict(), Folder::new());
    std::fs::write(folder.file().path(), "{\"access_token\": \"canary").unwrap();
    let build = || server.builder().token_store(folder.file()).build().unwrap();
    build().me().await.unwrap();
    build().me().await.unwrap();
    assert_eq!(server.token_calls(), 1);
    let log = log::recorded();
    assert!(
        log.contains("token.json cannot be read: it holds no access token"),
        "{log}"
    );
}

/// A store that fails, or does not answer.
struct Broken {
    is_silent: bool,
}

impl Broken {
    fn fail<T: Send>(&self) -> TokenStoreFuture<'_, T> {
        Box::pin(async {
            if self.is_silent {
                std::future::pending::<()>().await;
            }
            Err(TokenStoreError::new("the store is away"))
        })
    }
}

impl TokenStore for Broken {
    fn load<'a>(&'a self, _: &'a AppId) -> TokenStoreFuture<'a, Option<StoredToken>> {
        self.fail()
    }

    fn save<'a>(
        &'a self,
        _: &'a AppId,
        _: &'a StoredToken,
        _: Option<&'a StoredToken>,
    ) -> TokenStoreFuture<'a, bool> {
        self.fail()
    }

    fn lease<'a>(&'a self, _: &'a AppId, _: Duration) -> TokenStoreFuture<'a, TokenLease> {
        self.fail()
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_stops_nothing() {
    for is_silent in [false, true] {
        log::record();
        let server = strict();
        let store = Broken { is_silent };
        let http = server.builder().token_store(store).build().unwrap();
        let begun = Instant::now();
        http.me().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(7), "{is_silent}");
        assert_eq!(server.token_calls(), 1);
        let log = log::recorded();
        let why = if is_silent {
            "no answer within"
        } else {
            "the store is away"
        };
        assert!(log.contains("the token store cannot be read") && log.contains(why));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_with_the_lease_holds_up_the_others_for_a_while_only() {
    let (server, shelf) = (strict(), Arc::new(Shelf::default()));
    let app_id = AppId::new(APP_ID);
    for (lease, longest) in [(8, 9), (1_000_000, 16)] {
        *shelf.kept.lock().unwrap() = None;
        *shelf.lease.lock().unwrap() = None;
        shelf
            .lease(&app_id, Duration::from_secs(lease))
            .await
            .unwrap();
        let before = server.token_calls();
        let begun = Instant::now();
        let http = server.builder().token_store(shelf.clone()).build().unwrap();
        http.me().await.unwrap();
        assert_eq!(server.token_calls(), before + 1);
        let took = begun.elapsed();
        assert!(
            took > Duration::from_secs(7),
            "the lease was respected: {took:?}"
        );
        assert!(took < Duration::from_secs(longest), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_gives_the_lease_back() {
    let (server, shelf) = (strict(), Arc::new(Shelf::default()));
    server.tokens.fail(|| Some(Reply::Break(Vec::new())));
    let http = server.builder().token_store(shelf.clone()).build().unwrap();
    http.me().await.unwrap_err();
    assert!(shelf.lease.lock().unwrap().is_none());
    assert!(shelf.kept().is_none());
}
