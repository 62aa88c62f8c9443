#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
//! A shard against the emulator over real sockets: every fault, no event lost or doubled, no violation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qq_gateway::{
    AckMode, Backoff, CloseMode, InMemoryIdentifyQueue, Shard, ShardBuilder, ShardError,
};
use qq_model::access_token::AccessTokenFuture;
use qq_model::event::Event;
use qq_model::{AccessToken, AccessTokenError, BearerToken, Dispatch, Intents};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Tokens of the emulator, fetched anew only when one was refused.
struct Tokens {
    address: String,
    body: String,
    current: Mutex<Option<BearerToken>>,
}

impl Tokens {
    fn of(emulator: &Emulator) -> Arc<Self> {
        let body =
            serde_json::json!({"appId": emulator.app_id(), "clientSecret": emulator.secret()});
        Arc::new(Self {
            address: format!("127.0.0.1:{}", emulator.port()),
            body: body.to_string(),
            current: Mutex::new(None),
        })
    }

    async fn fetch(&self) -> std::io::Result<BearerToken> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let request = format!(
            "POST /app/getAppAccessToken HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            self.address,
            self.body.len(),
            self.body
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let json = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let json = &json[json.find('{').unwrap_or(0)..=json.rfind('}').unwrap_or(0)];
        let answer: Value = serde_json::from_str(json)?;
        Ok(BearerToken::new(answer["access_token"].as_str().unwrap()))
    }
}

impl AccessToken for Tokens {
    fn get(&self) -> AccessTokenFuture<'_> {
        Box::pin(async move {
            let known = self.current.lock().unwrap().clone();
            if let Some(token) = known {
                return Ok(token);
            }
            let token = self.fetch().await.map_err(AccessTokenError::transient)?;
            *self.current.lock().unwrap() = Some(token.clone());
            Ok(token)
        })
    }

    fn refused(&self, token: &BearerToken) {
        let mut current = self.current.lock().unwrap();
        if current.as_ref() == Some(token) {
            *current = None;
        }
    }
}

fn builder(emulator: &Emulator) -> ShardBuilder {
    let url = format!("{}/websocket", emulator.base_url().replace("http", "ws"));
    let mut backoff = Backoff::default();
    backoff.first = Duration::from_millis(100);
    // No session of these tests lives long enough to be called stable.
    backoff.cap = Duration::from_millis(300);
    Shard::builder(
        url,
        Tokens::of(emulator),
        Intents::default().with_group_and_c2c(),
    )
    .backoff(backoff)
    .identify_queue(Arc::new(InMemoryIdentifyQueue::unlimited(64)))
}

async fn next(shard: &mut Shard) -> Result<Dispatch, ShardError> {
    match timeout(Duration::from_secs(30), shard.next()).await {
        Ok(Some(item)) => item,
        Ok(None) => panic!("the stream ended"),
        Err(_) => panic!(
            "no item within 30 s: {:?}, {:?}",
            shard.status(),
            shard.stats()
        ),
    }
}

/// Reads until READY or RESUMED; what was said before that, and how often something went wrong.
async fn live(shard: &mut Shard, name: &str, said: &mut Vec<String>) -> u32 {
    let mut errors = 0;
    loop {
        match next(shard).await {
            Ok(Dispatch {
                event: Event::C2CMessageCreate(message),
                ..
            }) => said.push(message.content.to_string()),
            Ok(dispatch) => {
                assert_eq!(dispatch.event.name(), name);
                return errors;
            }
            Err(error) => {
                assert!(!error.is_fatal(), "{error}");
                errors += 1;
            }
        }
    }
}

async fn hear(shard: &mut Shard, said: &mut Vec<String>) {
    match next(shard).await {
        Ok(Dispatch {
            event: Event::C2CMessageCreate(message),
            ..
        }) => said.push(message.content.to_string()),
        other => panic!("{other:?}"),
    }
}

/// Says something that was not said before.
async fn say(emulator: &Emulator, expected: &mut Vec<String>) {
    let text = format!("message {}", expected.len());
    emulator.say(Say::c2c(text.clone())).await;
    expected.push(text);
}

fn assert_no_violations(emulator: &Emulator) {
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test]
async fn every_fault_is_survived_without_losing_or_doubling_an_event() {
    let emulator = Emulator::builder().port(0).start().await.unwrap();
    let mut shard = builder(&emulator).build().unwrap();
    let mut said = Vec::new();
    live(&mut shard, "READY", &mut said).await;
    let mut expected = Vec::new();
    /// How many connections were hit.
    type Strike = fn(&Emulator) -> usize;
    let faults: [(&str, Strike, &str); 9] = [
        (
            "close 4009",
            |emulator| emulator.close_session(None, 4009),
            "RESUMED",
        ),
        (
            "drop",
            |emulator| emulator.drop_connections(None),
            "RESUMED",
        ),
        ("op 7", |emulator| emulator.reconnect(None), "RESUMED"),
        (
            "op 9 true",
            |emulator| emulator.invalid_session(None, true),
            "RESUMED",
        ),
        (
            "op 9 false",
            |emulator| emulator.invalid_session(None, false),
            "READY",
        ),
        (
            "close 4900",
            |emulator| emulator.close_session(None, 4900),
            "READY",
        ),
        (
            "close 4006",
            |emulator| emulator.close_session(None, 4006),
            "READY",
        ),
        (
            "a worthless token",
            |emulator| {
                emulator.expire_tokens();
                emulator.close_session(None, 4009)
            },
            "RESUMED",
        ),
        (
            "close 1001",
            |emulator| emulator.close_session(None, 1001),
            "RESUMED",
        ),
    ];
    for (fault, strike, back) in faults {
        say(&emulator, &mut expected).await;
        if back == "READY" {
            // What is on its way when a session ends is gone with it.
            hear(&mut shard, &mut said).await;
        }
        assert_eq!(strike(&emulator), 1, "{fault}");
        if back == "RESUMED" {
            // While nobody is connected.
            say(&emulator, &mut expected).await;
        }
        let errors = live(&mut shard, back, &mut said).await;
        assert!(errors >= 1, "{fault}");
        say(&emulator, &mut expected).await;
        hear(&mut shard, &mut said).await;
        assert_eq!(said, expected, "{fault}");
    }
    assert_no_violations(&emulator);
    assert_eq!((shard.stats().repeats, shard.stats().gaps), (0, 0));
    shard.close(CloseMode::Finish).await;
    emulator.stop().await;
}

#[tokio::test]
async fn another_process_takes_up_the_session() {
    let emulator = Emulator::builder().port(0).start().await.unwrap();
    let mut shard = builder(&emulator).build().unwrap();
    let mut said = Vec::new();
    live(&mut shard, "READY", &mut said).await;
    emulator.say(Say::c2c("first")).await;
    hear(&mut shard, &mut said).await;
    let session = shard.close(CloseMode::KeepSession).await;
    drop(shard);
    emulator.say(Say::c2c("second")).await;
    let mut shard = builder(&emulator).session(session).build().unwrap();
    live(&mut shard, "RESUMED", &mut said).await;
    assert_eq!(said, ["first", "second"]);
    assert_no_violations(&emulator);
    emulator.stop().await;
}

/// RESUMED has a number of its own, which no replay brings again: its place is no hole.
#[tokio::test]
async fn what_was_not_handled_behind_a_resumed_comes_without_a_gap() {
    let emulator = Emulator::builder().port(0).start().await.unwrap();
    let mut said = Vec::new();
    let mut shard = builder(&emulator)
        .acknowledge_mode(AckMode::Manual)
        .build()
        .unwrap();
    live(&mut shard, "READY", &mut said).await;
    emulator.say(Say::c2c("first")).await;
    hear(&mut shard, &mut said).await;
    emulator.drop_connections(None);
    live(&mut shard, "RESUMED", &mut said).await;
    emulator.say(Say::c2c("second")).await;
    hear(&mut shard, &mut said).await;
    // Neither was handled when the process ended.
    let session = shard.close(CloseMode::KeepSession).await.unwrap();
    assert_eq!(session.sequence, 1);
    said.clear();
    let mut shard = builder(&emulator).session(session).build().unwrap();
    let errors = live(&mut shard, "RESUMED", &mut said).await;
    assert_eq!((errors, shard.stats().gaps), (0, 0));
    assert_eq!(said, ["first", "second"]);
    assert_no_violations(&emulator);
    emulator.stop().await;
}

#[tokio::test]
async fn heartbeats_satisfy_a_strict_gateway_while_the_consumer_is_stuck() {
    // The emulator closes after twice this: a machine that has much else to do shall not be late.
    let interval = Duration::from_secs(3);
    let emulator = Emulator::builder()
        .port(0)
        .heartbeat_interval(interval)
        .start()
        .await
        .unwrap();
    let mut shard = builder(&emulator).build().unwrap();
    let mut said = Vec::new();
    live(&mut shard, "READY", &mut said).await;
    emulator.say(Say::c2c("waits")).await;
    timeout(3 * interval, shard.keep_alive()).await.unwrap_err();
    timeout(Duration::from_secs(30), hear(&mut shard, &mut said))
        .await
        .unwrap();
    assert!(
        timeout(2 * interval, shard.next()).await.is_err(),
        "nothing went wrong"
    );
    assert!(shard.stats().heartbeats >= 4, "{:?}", shard.stats());
    assert!(shard.stats().round_trip.is_some());
    assert_eq!(shard.stats().connections, 1);
    assert_no_violations(&emulator);
    emulator.stop().await;
}

#[tokio::test]
async fn what_the_gateway_refuses_for_good_ends_the_shard() {
    let emulator = Emulator::builder()
        .port(0)
        .settings(|settings| settings.granted_intents = 1)
        .start()
        .await
        .unwrap();
    let mut shard = builder(&emulator).build().unwrap();
    let error = next(&mut shard).await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(error.close_code().unwrap().0, 4014);
    assert!(shard.next().await.is_none());
    emulator.stop().await;
}
