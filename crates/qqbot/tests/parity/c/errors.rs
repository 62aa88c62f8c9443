//! Each kind of error, as it really comes about.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use qqbot::http::RetryPolicy;
use qqbot::prelude::*;
use tokio::time::timeout;

use super::support::{DEADLINE, Echo, builder, client, eventually};
use super::transport::{Transport, calls, stop};

/// What `start` says, which must fail.
async fn start_failure<H: EventHandler>(client: &Client<H>) -> BotError {
    let result = timeout(DEADLINE, client.start()).await;
    result.unwrap().unwrap_err()
}

#[tokio::test]
async fn c14_errors_can_occur_not_ready() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let error = client.stop().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error:?}");
    let error = client.send_to_gateway(r#"{"op":1,"d":null}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error:?}");
}

#[tokio::test]
async fn c14_errors_can_occur_invalid_token() {
    // One that cannot be right is found before anything is sent,
    let error = Client::new(Token::new("1", ""), Intents::default(), (), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken, "{error:?}");

    // one that is wrong by the platform,
    let emulator = Emulator::builder().start().await.unwrap();
    let wrong = Client::builder(Token::new(emulator.app_id(), "wrong"), Intents::default())
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .build()
        .unwrap();
    let error = start_failure(&wrong).await;
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
    assert_eq!(calls(&emulator, "get_app_access_token"), 1);
    assert!(emulator.sessions().is_empty());

    // and one that the gateway refuses whenever it is renewed ends the bot, too.
    emulator.fault(Fault::event("READY").close(4004)).unwrap();
    let error = start_failure(&client(&emulator, Echo::default())).await;
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
}

#[tokio::test]
async fn c14_errors_can_occur_already_started() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let options = builder(&emulator).handler(Echo::default());
        let running = transport.run(&emulator, options).await;
        let error = running.client.start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyStarted, "{error:?}");
        assert!(running.client.is_ready(), "the first run goes on");
        stop(running).await;
    }
}

#[tokio::test]
async fn c14_errors_can_occur_api_with_code_and_message() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let error = client.channels().fetch(12_345).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
    let answered = emulator.requests().last().unwrap().clone();
    let rest = error.rest().unwrap();
    assert!(answered.code.is_some() && rest.code() == answered.code);
    assert!(rest.message().is_some_and(|message| !message.is_empty()));
    assert_eq!(rest.trace_id(), Some(&*answered.trace_id));
}

#[tokio::test]
async fn c14_errors_can_occur_http() {
    let emulator = Emulator::builder().start().await.unwrap();
    let options = builder(&emulator).retry(RetryPolicy::never());
    let client = options.build().unwrap();
    emulator.fault(Fault::route("get_me").html(502)).unwrap();
    let error = client.users().fetch_me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Http, "{error:?}");
    let rest = error.rest().unwrap();
    assert_eq!(rest.status().map(|status| status.as_u16()), Some(502));
    assert_eq!(rest.code(), None);
}

#[tokio::test]
async fn c14_errors_can_occur_rate_limit_after_all_attempts() {
    let emulator = Emulator::builder().start().await.unwrap();
    let policy = RetryPolicy::default()
        .attempts(2)
        .cap(Duration::from_secs(1));
    let client = builder(&emulator).retry(policy).build().unwrap();
    client.users().fetch_me().await.unwrap();
    let limited = Fault::route("get_me").status(429);
    emulator.fault(limited.header("retry-after", "1")).unwrap();
    let error = client.users().fetch_me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    assert!(error.is_retryable());
    assert!(error.retry_after().is_some(), "{error:?}");
    assert_eq!(calls(&emulator, "get_me"), 3, "tried twice");
}

#[tokio::test]
async fn c14_errors_can_occur_network() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = builder(&emulator).retry(RetryPolicy::never());
    let client = client.build().unwrap();
    emulator.stop().await;
    let error = client.users().fetch_me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");
}

#[tokio::test]
async fn c14_errors_can_occur_gateway() {
    let emulator = Emulator::builder().start().await.unwrap();
    emulator.fault(Fault::event("READY").close(4914)).unwrap();
    let error = start_failure(&client(&emulator, Echo::default())).await;
    assert_eq!(error.kind(), ErrorKind::Gateway, "{error:?}");
    assert!(error.gateway().unwrap().is_fatal());
    assert!(format!("{error:?}").contains("4914"), "{error:?}");
}

/// Keeps what its answers came to.
#[derive(Clone, Default)]
struct Answerer(Arc<Mutex<Option<BotError>>>);

impl EventHandler for Answerer {
    async fn c2c_message_create(&self, ctx: Context, _message: C2CMessage) {
        let error = ctx.reply("hello").await.unwrap_err();
        *self.0.lock().unwrap() = Some(error);
    }
}

#[tokio::test]
async fn c14_errors_can_occur_other() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        // As if another process had used every number that this one tries.
        let used = Fault::route("send_c2c_message").status(400);
        emulator.fault(used.code(40_054_005)).unwrap();
        let bot = Answerer::default();
        let options = builder(&emulator).handler(bot.clone());
        let running = transport.run(&emulator, options).await;
        emulator.say(Say::c2c("hello")).await;
        eventually("the error", || bot.0.lock().unwrap().is_some()).await;
        let error = bot.0.lock().unwrap().take().unwrap();
        assert_eq!(error.kind(), ErrorKind::Other, "{error:?}");
        assert!(error.to_string().contains("another process"), "{error:?}");
        assert!(calls(&emulator, "send_c2c_message") > 1);
        assert!(emulator.outbox().is_empty());
        stop(running).await;
    }
}
