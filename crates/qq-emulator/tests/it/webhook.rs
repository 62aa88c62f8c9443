//! Events pushed to a bot over HTTP.

use std::sync::Arc;
use std::time::Duration;

use qq_emulator::{Corrupt, Emulator, Fault, RetryTimestamp, Say, WebhookDelivery};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::callbacks::{BROKEN, Bot, Callback, EMPTY, OK, ok, proof};
use crate::client::{Gateway, MESSAGES, STEP, codes, control, start};

/// Waits until that many events are settled, one way or the other.
async fn settled(emulator: &Emulator, count: u64) {
    let wait = async {
        loop {
            let view = &emulator.webhooks()[0];
            if view.delivered + view.lost >= count && view.queued == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(STEP, wait).await.expect("settled in time");
}

async fn quick() -> Emulator {
    let emulator = start().await;
    emulator.change_settings(|settings| {
        settings.webhook_retry_ms = 5;
        // A loaded machine is slow to answer; tests of silence shorten it.
        settings.webhook_timeout = 30_000;
    });
    emulator
}

#[tokio::test]
async fn events_arrive_signed_as_the_platform_signs_them() {
    let emulator = quick().await;
    let bot = Bot::start(emulator.secret(), |_, _| OK.into()).await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    {
        let seen = bot.seen.lock().unwrap();
        assert_eq!(seen[0].json()["op"], 13);
        assert!(seen[0].body.starts_with(r#"{"d":{"#), "{}", seen[0].body);
        assert!(seen[0].is_signed_with(emulator.secret()));
        assert_eq!(
            seen[0].json()["d"]["plain_token"].as_str().unwrap().len(),
            20
        );
    }
    let said = emulator.say(Say::c2c("a < b & c")).await;
    let event = bot.events(1).await.remove(0);
    assert!(
        event.head.starts_with("POST /qq HTTP/1.1"),
        "{}",
        event.head
    );
    for (name, value) in [
        ("User-Agent", "QQBot-Callback"),
        ("Content-Type", "application/json"),
        ("X-Bot-Appid", emulator.app_id()),
        ("X-Signature-Method", "Ed25519"),
    ] {
        assert_eq!(event.header(name), Some(value), "{name}");
    }
    assert_eq!(event.header("X-Tps-trace-ID").unwrap().len(), 32);
    assert!(event.is_signed_with(emulator.secret()));
    assert!(!event.is_signed_with("another secret"));
    let prefix = format!(r#"{{"op":0,"id":"{}","d":{{"#, said.event_id);
    assert!(event.body.starts_with(&prefix), "{}", event.body);
    assert!(
        event.body.contains(r"a \u003c b \u0026 c"),
        "{}",
        event.body
    );
    let body = event.json();
    assert_eq!(body["t"], "C2C_MESSAGE_CREATE");
    assert_eq!(body["d"]["id"], said.message_id);
    assert!(body.get("s").is_none());
    settled(&emulator, 1).await;
    assert!(codes(&emulator).is_empty(), "{:?}", codes(&emulator));
}

#[tokio::test]
async fn many_events_arrive_in_order_and_in_each_scene() {
    let emulator = quick().await;
    let bot = Bot::start(emulator.secret(), |_, _| OK.into()).await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..20 {
        for say in [
            Say::group("x"),
            Say::c2c("x"),
            Say::channel("x"),
            Say::direct("x"),
        ] {
            ids.push(emulator.say(say).await.event_id);
        }
    }
    let events = bot.events(80).await;
    let got: Vec<String> = events
        .iter()
        .map(|event| event.json()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(got, ids);
    let mut kinds: Vec<Value> = events
        .iter()
        .take(4)
        .map(|e| e.json()["t"].clone())
        .collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "GROUP_AT_MESSAGE_CREATE",
            "C2C_MESSAGE_CREATE",
            "AT_MESSAGE_CREATE",
            "DIRECT_MESSAGE_CREATE"
        ]
    );
    settled(&emulator, 80).await;
    assert_eq!(emulator.webhooks()[0].delivered, 80);
}

#[tokio::test]
async fn an_address_that_does_not_prove_itself_is_refused_with_the_reason() {
    let emulator = quick().await;
    let good = Bot::start(emulator.secret(), |_, _| OK.into()).await;
    emulator.set_webhook(Some(&good.url)).await.unwrap();
    let secret = emulator.secret().to_owned();
    let other_token = move |_: usize, callback: &Callback| {
        let mut answer: Value = serde_json::from_str(&proof(&secret, &callback.json())).unwrap();
        answer["plain_token"] = "other".into();
        ok(&answer.to_string())
    };
    let bad = [
        (
            Bot::raw(|_, _| BROKEN.into()).await,
            "status: answer op 13 with 200, not 500",
        ),
        (Bot::raw(|_, _| ok("no")).await, "body: answer op 13 with"),
        (Bot::raw(|_, _| ok("{}")).await, "plain_token: is missing"),
        (Bot::raw(other_token).await, "plain_token: answer the one"),
        (
            Bot::raw(|_, callback| ok(&proof("wrong", &callback.json()))).await,
            "signature: is wrong",
        ),
        (
            Bot::raw(|_, _| String::new()).await,
            "url: no answer within 200 ms",
        ),
    ];
    for (bot, why) in &bad {
        let silent = why.contains("no answer");
        emulator.change_settings(|settings| {
            settings.webhook_timeout = if silent { 200 } else { 30_000 };
        });
        let error = emulator.set_webhook(Some(&bot.url)).await.unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
    emulator.change_settings(|settings| settings.webhook_timeout = 30_000);
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = emulator
        .set_webhook(Some(&format!("http://{closed}/")))
        .await
        .unwrap_err();
    assert!(error.starts_with("url: no answer: "), "{error}");
    assert_eq!(
        emulator.webhooks()[0].url,
        good.url,
        "the earlier one stays"
    );

    let mut why = Vec::new();
    for url in ["http://10.1.2.3/", &good.url] {
        let answer = control(&emulator, "POST", "webhook", &json!({"url": url})).await;
        assert_eq!(answer.status, 200);
        why.push(answer.json());
    }
    assert_eq!(why[0]["ok"], false);
    assert!(
        why[0]["why"]
            .as_str()
            .unwrap()
            .starts_with("url: 10.1.2.3 is not this machine")
    );
    assert_eq!(why[1], json!({"ok": true, "why": null}));
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_three_times_with_the_same_id() {
    let fail = ok(r#"{"op":12,"d":1}"#);
    for (answer, code) in [
        (BROKEN.to_owned(), "webhook.status"),
        (String::new(), "webhook.timeout"),
        (fail, "webhook.ack_failure"),
        (
            "HTTP/1.1 302 Go\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".into(),
            "webhook.status",
        ),
        ("garbage\r\n\r\n".into(), "webhook.unreachable"),
    ] {
        let emulator = quick().await;
        let silent = answer.is_empty();
        let bot = Bot::start(emulator.secret(), move |_, _| answer.clone()).await;
        emulator.set_webhook(Some(&bot.url)).await.unwrap();
        if silent {
            emulator.change_settings(|settings| settings.webhook_timeout = 200);
        }
        emulator.say(Say::c2c("x")).await;
        settled(&emulator, 1).await;
        let events = bot.events(3).await;
        assert_eq!(events.len(), 3, "{code}");
        assert!(events.iter().all(|event| event.body == events[0].body));
        assert_eq!(codes(&emulator), [code, code, code, "webhook.lost"]);
        assert_eq!(emulator.webhooks()[0].lost, 1);
    }
}

#[tokio::test]
async fn a_repeated_push_is_signed_anew_or_as_before() {
    for kind in [RetryTimestamp::Fresh, RetryTimestamp::First] {
        let emulator = quick().await;
        emulator.change_settings(|settings| {
            settings.webhook_retry_timestamp = kind;
            settings.webhook_retry_ms = 1_100;
        });
        let bot = Bot::start(emulator.secret(), |n, _| {
            if n == 2 { BROKEN.into() } else { OK.into() }
        })
        .await;
        emulator.set_webhook(Some(&bot.url)).await.unwrap();
        emulator.say(Say::c2c("x")).await;
        let events = bot.events(2).await;
        let same =
            events[0].header("x-signature-timestamp") == events[1].header("x-signature-timestamp");
        assert_eq!(same, kind == RetryTimestamp::First);
        assert!(events[1].is_signed_with(emulator.secret()));
        settled(&emulator, 1).await;
        assert_eq!(codes(&emulator), ["webhook.status"]);
    }
}

#[tokio::test]
async fn other_acknowledgements_are_tolerated_and_noted() {
    let emulator = quick().await;
    let bot = Bot::start(emulator.secret(), |n, _| match n {
        2 | 5 => EMPTY.into(),
        3 => ok(r#"{"d":{},"op":12}"#),
        _ => OK.into(),
    })
    .await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    for n in 1..=3 {
        emulator.say(Say::c2c("x")).await;
        settled(&emulator, n).await;
    }
    assert_eq!(codes(&emulator), ["webhook.ack_empty", "webhook.ack_form"]);
    emulator.change_settings(|settings| settings.webhook_empty_ack = false);
    emulator.say(Say::c2c("x")).await;
    settled(&emulator, 4).await;
    assert_eq!(bot.events(5).await.len(), 5, "pushed again");
}

#[tokio::test]
async fn bad_callbacks_are_bad_in_one_way_each() {
    let emulator = quick().await;
    let none = control(
        &emulator,
        "POST",
        "webhook/bad",
        &json!({"corrupt": "body"}),
    )
    .await;
    assert_eq!(none.status, 400);
    let bot = Bot::start(emulator.secret(), |n, _| {
        if n % 2 == 0 { BROKEN.into() } else { OK.into() }
    })
    .await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    for corrupt in Corrupt::ALL {
        for (status, found) in [(500, 0), (200, 1)] {
            let before = emulator.violations().len();
            let body = json!({"corrupt": corrupt.as_str()});
            let answer = control(&emulator, "POST", "webhook/bad", &body).await;
            assert_eq!(answer.json(), json!({"status": status}), "{corrupt:?}");
            assert_eq!(emulator.violations().len(), before + found);
        }
        let events = bot.events(1).await;
        let last = events.last().unwrap();
        let at: u64 = last
            .header("x-signature-timestamp")
            .unwrap()
            .parse()
            .unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let signed =
            last.header("x-signature-ed25519").is_some() && last.is_signed_with(emulator.secret());
        let valid = matches!(corrupt, Corrupt::OldTimestamp | Corrupt::AppId);
        assert_eq!(signed, valid, "{corrupt:?}");
        assert_eq!(at + 600 < now, corrupt == Corrupt::OldTimestamp);
        let ours = last.header("x-bot-appid") == Some(emulator.app_id());
        assert_eq!(ours, corrupt != Corrupt::AppId);
        last.json();
    }
    let accepted = codes(&emulator);
    assert_eq!(accepted[3], "webhook.forged_accepted");
    assert_eq!(
        accepted[4..],
        ["webhook.old_accepted", "webhook.appid_accepted"]
    );
    let wrong = control(&emulator, "POST", "webhook/bad", &json!({"corrupt": "x"})).await;
    assert!(
        wrong.body.contains("corrupt: give signature, body"),
        "{}",
        wrong.body
    );
}

#[tokio::test]
async fn sessions_get_the_events_as_well_or_not() {
    let emulator = quick().await;
    let bot = Bot::start(emulator.secret(), |_, _| OK.into()).await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    let (mut gateway, _) = Gateway::ready(&emulator, MESSAGES).await;
    emulator.say(Say::c2c("x")).await;
    assert_eq!(gateway.frame().await["t"], "C2C_MESSAGE_CREATE");
    emulator.change_settings(|settings| {
        settings.webhook_delivery = WebhookDelivery::WebhookOnly;
    });
    emulator.say(Say::c2c("x")).await;
    assert_eq!(bot.events(2).await.len(), 2);
    gateway.quiet().await;
    emulator.change_settings(|settings| settings.webhook_intents = 1 << 30);
    emulator.say(Say::c2c("x")).await;
    emulator.say(Say::channel("x")).await;
    assert_eq!(bot.events(3).await[2].json()["t"], "AT_MESSAGE_CREATE");
    emulator.set_webhook(None).await.unwrap();
    emulator.say(Say::c2c("x")).await;
    assert_eq!(gateway.frame().await["t"], "C2C_MESSAGE_CREATE");
    assert!(emulator.webhooks().is_empty());
}

#[tokio::test]
async fn several_bots_share_an_address_and_each_has_its_key() {
    let mut world = qq_emulator::World::default();
    let mut second = world.bots[0].clone();
    second.app_id = "102000002".into();
    second.secret = "another".into();
    world.bots.push(second);
    let emulator = crate::client::start_with(crate::client::quick().world(world)).await;
    let bot = Bot::raw(|_, callback| {
        let secret = match callback.header("x-bot-appid") {
            Some("102000002") => "another",
            _ => qq_emulator::DEFAULT_SECRET,
        };
        assert!(callback.is_signed_with(secret));
        match callback.json()["op"].as_i64() {
            Some(13) => ok(&proof(secret, &callback.json())),
            _ => OK.into(),
        }
    })
    .await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    emulator
        .set_webhook_of("102000002", Some(&bot.url))
        .await
        .unwrap();
    emulator.say(Say::c2c("x")).await;
    let mut app_ids: Vec<String> = bot
        .events(2)
        .await
        .iter()
        .map(|event| event.header("x-bot-appid").unwrap().to_owned())
        .collect();
    app_ids.sort();
    assert_eq!(app_ids, ["102000001", "102000002"]);
    let unknown = emulator
        .set_webhook_of("1", Some(&bot.url))
        .await
        .unwrap_err();
    assert!(unknown.starts_with("app_id: there is no bot"), "{unknown}");
}

#[tokio::test]
async fn the_queue_is_bounded_and_a_reset_forgets_it() {
    let emulator = quick().await;
    emulator.change_settings(|settings| {
        settings.webhook_queue = 2;
        settings.webhook_timeout = 60_000;
    });
    let bot = Bot::start(emulator.secret(), |_, _| String::new()).await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    for _ in 0..5 {
        emulator.say(Say::c2c("x")).await;
    }
    bot.events(1).await;
    let view = emulator.webhooks().remove(0);
    assert_eq!((view.queued, view.lost), (2, 3));
    assert_eq!(codes(&emulator), ["webhook.queue_full"; 3]);
    emulator.reset();
    assert!(emulator.webhooks().is_empty());
    let begun = tokio::time::Instant::now();
    emulator.stop().await;
    assert!(
        begun.elapsed() < STEP,
        "a call under way does not delay the end"
    );
}

#[tokio::test]
async fn an_address_of_the_start_is_tried_until_it_answers_and_survives_a_reset() {
    let ready = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let gate = Arc::clone(&ready);
    let bot = Bot::raw(move |_, callback| {
        if !gate.load(std::sync::atomic::Ordering::Relaxed) {
            return BROKEN.into();
        }
        match callback.json()["op"].as_i64() {
            Some(13) => ok(&proof(qq_emulator::DEFAULT_SECRET, &callback.json())),
            _ => OK.into(),
        }
    })
    .await;
    let emulator = Emulator::builder()
        .webhook(&bot.url)
        .unwrap()
        .start()
        .await
        .unwrap();
    let set = async {
        while codes(&emulator).is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(codes(&emulator), ["webhook.check"]);
        ready.store(true, std::sync::atomic::Ordering::Relaxed);
        while emulator.webhooks().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(STEP, set).await.expect("set in time");
    emulator.reset();
    emulator.say(Say::c2c("x")).await;
    assert_eq!(bot.events(1).await.len(), 1);
    assert!(Emulator::builder().webhook("127.0.0.1:80").is_err());
}

#[tokio::test]
async fn planned_faults_hit_callbacks() {
    let emulator = quick().await;
    let secret = emulator.secret().to_owned();
    let known = secret.clone();
    let bot = Bot::raw(
        move |_, callback| match callback.body.contains("\"op\":13") {
            true => ok(&proof(&known, &callback.json())),
            false => OK.into(),
        },
    );
    let bot = bot.await;
    emulator.set_webhook(Some(&bot.url)).await.unwrap();
    let event = "C2C_MESSAGE_CREATE";
    for fault in [
        Fault::webhook(event).nth(1).duplicate(),
        Fault::webhook("*").nth(2).reorder(),
        Fault::webhook(event).nth(4).discard(),
        Fault::webhook(event).nth(5).malformed(),
        Fault::webhook(event).nth(6).frame("{\"op\":99}"),
        Fault::webhook("GROUP_ADD_ROBOT").discard(),
        Fault::webhook(event)
            .nth(7)
            .delay(Duration::from_millis(80)),
    ] {
        emulator.fault(fault).unwrap();
    }
    let begun = tokio::time::Instant::now();
    for n in 1..=7 {
        emulator.say(Say::c2c(n.to_string())).await;
    }
    settled(&emulator, 8).await;
    assert!(begun.elapsed() >= Duration::from_millis(80));
    let seen = bot.seen.lock().unwrap().clone();
    let mut said = Vec::new();
    for callback in seen.iter().skip(1) {
        assert!(callback.is_signed_with(&secret), "{callback:?}");
        let json = serde_json::from_str::<Value>(&callback.body).unwrap_or_default();
        said.push(match (&json["d"]["content"], &json["op"]) {
            (Value::String(content), _) => content.clone(),
            (_, Value::Null) => "half".to_owned(),
            (_, op) => op.to_string(),
        });
    }
    // The second fell behind the third, the fourth never came.
    assert_eq!(said, ["1", "1", "3", "2", "half", "99", "7"]);
    assert_eq!(emulator.webhooks()[0].lost, 1);
    for (fault, why) in [
        (
            Fault::webhook("*").status(500),
            "action: callbacks take delay",
        ),
        (
            Fault::webhook("*").session("x").discard(),
            "webhook: excludes route",
        ),
    ] {
        assert!(emulator.fault(fault).unwrap_err().starts_with(why));
    }
}
