//! The client against the emulator, over real sockets. The emulator judges what it gets by its own copy of the
//! platform's tables.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

use std::time::Duration;

use qq_emulator::{Emulator, OutboxEntry, Said, Say, Scene};
use qq_http::{Advice, ErrorKind, HttpClient, HttpClientBuilder, Sent};
use qq_model::message::Conversation;
use qq_model::outgoing::MessageMarkdown;
use qq_model::{Environment, Token};
use serde_json::json;

async fn emulator() -> Emulator {
    Emulator::builder().start().await.unwrap()
}

fn builder(emulator: &Emulator, secret: &str) -> HttpClientBuilder {
    HttpClient::builder(Token::new(emulator.app_id(), secret))
        .environment(Environment::custom(emulator.base_url()).unwrap())
}

fn client(emulator: &Emulator) -> HttpClient {
    builder(emulator, emulator.secret()).build().unwrap()
}

fn conversation(scene: Scene, id: &str) -> Conversation {
    match scene {
        Scene::Channel => Conversation::Channel(id.into()),
        Scene::Direct => Conversation::Direct(id.into()),
        Scene::Group => Conversation::Group(id.into()),
        Scene::C2c => Conversation::C2C(id.into()),
        other => panic!("a scene that is not in the model: {other:?}"),
    }
}

async fn said_everywhere(emulator: &Emulator) -> Vec<(Scene, Said)> {
    let mut said = Vec::new();
    for (scene, say) in [
        (Scene::Group, Say::group("hello")),
        (Scene::C2c, Say::c2c("hello")),
        (Scene::Channel, Say::channel("hello")),
        (Scene::Direct, Say::direct("hello")),
    ] {
        said.push((scene, emulator.say(say).await));
    }
    said
}

#[tokio::test]
async fn the_bot_and_its_gateway_are_found() {
    let emulator = emulator().await;
    let http = client(&emulator);
    assert_eq!(
        *http.me().await.unwrap().username,
        *emulator.world().bots[0].name
    );
    let url = http.gateway().await.unwrap().url;
    assert!(url.starts_with("ws://127.0.0.1:"), "{url}");
    let gateway = http.gateway_bot().await.unwrap();
    assert_eq!(
        (
            gateway.url,
            gateway.shards,
            gateway.session_start_limit.max_concurrency
        ),
        (url, 1, 1)
    );
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn answers_and_active_messages_arrive_in_each_scene() {
    let emulator = emulator().await;
    let http = client(&emulator);
    for (scene, said) in said_everywhere(&emulator).await {
        let chat = http.conversation(&conversation(scene, &said.conversation));
        let before = emulator.outbox().len();
        let answer = chat
            .clone()
            .send("answer")
            .reply_to(said.message_id.as_str())
            .msg_seq(1)
            .await
            .unwrap();
        let active = chat.clone().send(String::from("active")).await.unwrap();
        let again = chat
            .send(MessageMarkdown::native("# again"))
            .reply_to(said.message_id.as_str())
            .msg_seq(2)
            .await
            .unwrap();
        let outbox = emulator.outbox().split_off(before);
        assert_eq!(
            outbox.iter().map(OutboxEntry::text).collect::<Vec<_>>(),
            ["answer", "active", "# again"],
            "{scene:?}"
        );
        for (entry, sent) in outbox.iter().zip([&answer, &active, &again]) {
            assert_eq!(
                (entry.scene, &entry.conversation),
                (scene, &said.conversation)
            );
            assert_eq!(sent.id().unwrap(), entry.message_id.as_str());
            assert!(matches!(sent, Sent::Delivered(_)) && sent.time().is_some());
        }
        assert_eq!(
            outbox[0].reply_to.as_deref(),
            Some(said.message_id.as_str())
        );
        assert_eq!(outbox[1].reply_to, None);
    }
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
}

#[tokio::test]
async fn refusals_come_with_their_code_and_advice() {
    let emulator = emulator().await;
    let http = client(&emulator);
    let said = emulator.say(Say::group("hello")).await;
    let group = || http.group(said.conversation.as_str());
    let answer = |number| {
        group()
            .send("answer")
            .reply_to(said.message_id.as_str())
            .msg_seq(number)
    };
    answer(1).await.unwrap();
    let error = answer(1).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.advice()),
        (ErrorKind::Api, Advice::Duplicate),
        "{error}"
    );
    assert!(
        error.has_code(40_054_005) && error.trace_id().is_some() && error.status().unwrap() == 400,
        "{error:?}"
    );

    emulator.advance(Duration::from_secs(600));
    let error = answer(2).await.unwrap_err();
    assert_eq!(error.advice(), Advice::WindowClosed, "{error}");

    let error = http
        .group("0123456789ABCDEF0123456789ABCDEF")
        .send("hi")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.advice()),
        (ErrorKind::Api, Advice::InvalidRequest),
        "{error}"
    );
    assert!(error.has_code(11255), "{error}");

    emulator.change_settings(|settings| settings.active_per_minute = 1);
    group().send("one").await.unwrap();
    let error = group().send("two").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    assert!(
        error.is_retryable() && !error.is_outcome_unknown(),
        "{error}"
    );
    assert_eq!(emulator.outbox().len(), 2);
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_without_the_caller_noticing() {
    let emulator = emulator().await;
    let http = client(&emulator);
    http.me().await.unwrap();
    emulator.expire_tokens();
    let calls = (0..32).map(|_| tokio::spawn(http.me().into_future()));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let requests = emulator.requests();
    let fetches = requests
        .iter()
        .filter(|request| request.path == "/app/getAppAccessToken")
        .count();
    assert_eq!(fetches, 2, "{requests:?}");
}

#[tokio::test]
async fn a_lifetime_may_be_a_number() {
    let emulator = Emulator::builder()
        .settings(|settings| settings.expires_in_as_number = true)
        .start()
        .await
        .unwrap();
    client(&emulator).me().await.unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_named() {
    let emulator = emulator().await;
    let wrong = builder(&emulator, "wrong").build().unwrap();
    let stranger = HttpClient::builder(Token::new("999", "wrong"))
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .build()
        .unwrap();
    for (http, advice) in [(wrong, Advice::Configuration), (stranger, Advice::Fatal)] {
        let error = http.me().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.advice()),
            (ErrorKind::Authentication, advice),
            "{error}"
        );
        assert_eq!(error.route(), Some("/app/getAppAccessToken"));
    }
}

#[tokio::test]
async fn a_server_that_went_away_is_a_network_failure() {
    let emulator = emulator().await;
    let http = client(&emulator);
    http.me().await.unwrap();
    emulator.stop().await;
    let error = http.me().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Network, 3),
        "{error}"
    );
    let error = http.group("g").send("hi").await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Network,
        "nothing was written: {error}"
    );
}

#[tokio::test]
async fn any_path_can_be_called() {
    let emulator = emulator().await;
    let said = emulator.say(Say::c2c("hello")).await;
    let path = format!("/v2/users/{}/messages", said.conversation);
    let body = json!({"msg_type": 0, "content": "raw", "msg_id": said.message_id});
    let response = client(&emulator)
        .request(qq_http::Method::POST, path, Some(body))
        .await
        .unwrap();
    let id: serde_json::Value = response.json().unwrap();
    assert_eq!(id["id"], emulator.outbox()[0].message_id.as_str());
    assert!(response.trace_id().is_some());
}
