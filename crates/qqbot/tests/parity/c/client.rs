//! Options, login, identity, frames, and the REST client.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use qq_emulator::{Emulator, Fault, Say};
use qqbot::cache::{Cache, Eviction};
use qqbot::http::RetryPolicy;
use qqbot::prelude::*;
use serde_json::Value;

use super::support::{
    Echo, answer_to, assert_no_violations, builder, builder_with, client, eventually,
};
use super::transport::{Transport, calls, received_frames, stop};

#[tokio::test]
async fn c1_client_options() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let intents = Intents::default().with_group_and_c2c();
        let cache = Cache::builder()
            .channels(|channels| channels.capacity(1).eviction(Eviction::Oldest))
            .build();
        let options = builder_with(&emulator, intents)
            .timeout(Duration::from_secs(2))
            .retry(RetryPolicy::never())
            .wait_for_channels(Duration::from_secs(10))
            .cache(cache);
        let running = transport.run(&emulator, options).await;
        let client = &running.client;
        if transport == Transport::Gateway {
            assert_eq!(emulator.sessions()[0].intents, u64::from(intents.bits()));
        }

        // What was waited for is known, within the limits.
        for guild in &emulator.world().guilds {
            assert!(client.cache().guild(&guild.id.as_str().into()).is_some());
        }
        assert!(emulator.world().guilds[0].channels.len() > 1);
        assert_eq!(client.cache().stats().channels.entries, 1);

        // The REST client has its options, too.
        let before = calls(&emulator, "get_me");
        emulator.fault(Fault::route("get_me").status(503)).unwrap();
        let error = client.api().me().await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert_eq!(calls(&emulator, "get_me"), before + 1, "no retry");
        emulator.clear_faults();
        emulator.fault(Fault::route("get_me").blackhole()).unwrap();
        assert!(client.api().me().await.unwrap_err().is_timeout());
        stop(running).await;
    }
}

/// Counts the guilds it knows when it is ready.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Option<u64>>>);

impl EventHandler for Counter {
    async fn ready(&self, ctx: Context, _ready: Ready) {
        *self.0.lock().unwrap() = Some(ctx.cache().stats().guilds.entries);
    }
}

#[tokio::test]
async fn c1_wait_for_guilds_delays_ready() {
    let pause = Duration::from_millis(300);
    for waits in [true, false] {
        let emulator = Emulator::builder().start().await.unwrap();
        let expected = if waits {
            emulator.world().guilds.len()
        } else {
            0
        };
        emulator
            .fault(Fault::route("list_my_guilds").delay(pause))
            .unwrap();
        let counter = Counter::default();
        let mut options = builder(&emulator);
        if waits {
            options = options.wait_for_guilds(Duration::from_secs(10));
        }
        let began = tokio::time::Instant::now();
        let options = options.handler(counter.clone());
        let running = Transport::Gateway.run(&emulator, options).await;
        assert_eq!(began.elapsed() >= pause, waits, "{:?}", began.elapsed());
        eventually("ready", || counter.0.lock().unwrap().is_some()).await;
        assert_eq!(*counter.0.lock().unwrap(), Some(expected as u64));
        assert_eq!(calls(&emulator, "list_my_guilds") > 0, waits);
        stop(running).await;
    }
}

#[tokio::test]
async fn c6_start_and_stop() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let bot = Echo::default();
        let options = builder(&emulator).handler(bot.clone());
        let running = transport.run(&emulator, options).await;
        emulator.say(Say::c2c("in between")).await;
        answer_to(&emulator, "in between").await;
        assert!(!running.task.is_finished(), "start returns at the end only");
        stop(running).await;
        eventually("the platform sees the end", || {
            emulator.sessions().iter().all(|session| !session.connected)
        })
        .await;
        emulator.say(Say::c2c("too late")).await;
        assert_eq!(bot.calls("in between"), 1);
        assert_eq!(bot.calls("too late"), 0);
    }
}

#[tokio::test]
async fn c7_user_and_readiness() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let idle = client(&emulator, Echo::default());
        assert!(idle.user().is_none() && !idle.is_ready() && idle.ready_at().is_none());

        let before = SystemTime::now();
        let options = builder(&emulator).handler(Echo::default());
        let running = transport.run(&emulator, options).await;
        let client = Arc::clone(&running.client);
        let (me, user) = (&emulator.world().bots[0], client.user().unwrap());
        assert_eq!(user.id.to_string(), me.id);
        assert_eq!(*user.username, *me.name);
        assert!(client.is_ready());
        let since = client.ready_at().unwrap();
        assert!(before <= since && since <= SystemTime::now());

        stop(running).await;
        assert!(!client.is_ready() && client.ready_at().is_none());
    }
}

const MARK: &str = r#"{"op":1,"d":null}"#;

/// How many marks reached each shard.
async fn marks(emulator: &Emulator) -> [usize; 2] {
    let mark: Value = serde_json::from_str(MARK).unwrap();
    let frames = received_frames(emulator).await;
    [0, 1].map(|shard| {
        let sessions = emulator.sessions();
        let session = sessions.iter().find(|session| session.shard[0] == shard);
        let id = session.unwrap().id.as_str();
        let is_mark = |frame: &&Value| frame["session"] == id && frame["data"] == mark;
        frames.iter().filter(is_mark).count()
    })
}

async fn expect_marks(emulator: &Emulator, wanted: [usize; 2]) {
    let end = tokio::time::Instant::now() + super::support::DEADLINE;
    loop {
        let seen = marks(emulator).await;
        if seen == wanted {
            return;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "{seen:?} instead of {wanted:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn c8_send_to_gateway_and_to_shard() {
    let emulator = Emulator::builder()
        .heartbeat_interval(Duration::from_secs(600))
        .settings(|settings| {
            settings.shards = 2;
            settings.max_concurrency = 2;
        })
        .start()
        .await
        .unwrap();
    let idle = client(&emulator, Echo::default());
    let error = idle.send_to_gateway(MARK).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);

    let options = builder(&emulator).handler(Echo::default());
    let running = Transport::Gateway.run(&emulator, options).await;
    let client = &running.client;
    eventually("both shards", || client.sessions().len() == 2).await;
    assert_eq!(client.send_to_gateway(MARK).unwrap(), 2);
    expect_marks(&emulator, [1, 1]).await;
    client.send_to_shard(1, MARK).unwrap();
    expect_marks(&emulator, [1, 2]).await;
    let error = client.send_to_shard(2, MARK).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);

    let large = format!(r#"{{"op":1,"d":"{}"}}"#, "x".repeat(5000));
    for frame in ["no json", "{}", &large] {
        let error = client.send_to_gateway(frame).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
    }
    expect_marks(&emulator, [1, 2]).await;
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn c12_no_presence_on_connect() {
    let emulator = Emulator::builder().start().await.unwrap();
    let options = builder(&emulator).handler(Echo::default());
    let running = Transport::Gateway.run(&emulator, options).await;
    let frames = received_frames(&emulator).await;
    let identify = frames.iter().find(|frame| frame["data"]["op"] == 2);
    let payload = identify.unwrap()["data"]["d"].as_object().unwrap();
    for key in payload.keys() {
        let is_known = ["token", "intents", "shard", "properties"].contains(&key.as_str());
        assert!(is_known, "the platform does not know {key:?}");
    }
    assert_no_violations(&emulator);
    stop(running).await;
}

#[tokio::test]
async fn c13_doctor_tells_what_the_platform_says() {
    let emulator = Emulator::builder().start().await.unwrap();
    let intents = Intents::default().with_group_and_c2c();
    let idle = builder_with(&emulator, intents).build().unwrap();
    let checkup = idle.doctor().check().await;
    assert!(checkup.is_healthy(), "{checkup}");
    let me = &emulator.world().bots[0];
    assert_eq!(&*checkup.app_id, emulator.app_id());
    assert_eq!(checkup.identity.as_ref().unwrap().id.to_string(), me.id);
    let gateway = checkup.gateway.as_ref().unwrap();
    assert!(gateway.url.contains(&emulator.port().to_string()));
    assert!(gateway.session_start_limit.remaining > 0);
    assert_eq!(checkup.granted, Some(intents));

    // A bot that runs can ask, too, without a session of its own.
    let options = builder_with(&emulator, intents).handler(Echo::default());
    let running = Transport::Gateway.run(&emulator, options).await;
    let sessions = emulator.sessions().len();
    let checkup = running.client.doctor().without_session().check().await;
    assert!(
        checkup.is_healthy() && checkup.granted.is_none(),
        "{checkup}"
    );
    assert_eq!(emulator.sessions().len(), sessions);
    assert!(running.client.is_ready());
    stop(running).await;
}

#[tokio::test]
async fn c15_clones_of_the_rest_client_are_cheap() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let api = client.api().clone();
    assert_eq!(size_of_val(&api), size_of::<usize>(), "one pointer");
    drop(client);
    let asks = (0..50).map(|_| {
        let api = api.clone();
        tokio::spawn(async move { api.me().await.map(|me| me.username) })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(&*ask.await.unwrap().unwrap(), "robin");
    }
    assert_eq!(calls(&emulator, "get_me"), 50);
    assert_eq!(calls(&emulator, "get_app_access_token"), 1, "one token");
    assert_no_violations(&emulator);
}
