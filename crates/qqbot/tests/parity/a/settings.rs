//! A6, A7 and A9 to A12: what a client is made of.

use std::time::Duration;

use qq_emulator::{Emulator, Fault, Say};
use qqbot::http::{Limit, LimitMode, Limits, Route};
use qqbot::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use crate::support::{
    Again, DEADLINE, Echo, answer_to, assert_no_violations, builder, builder_with, client,
    emulator, is_child, run, stop,
};

#[tokio::test]
async fn a6_environments() {
    if is_child() {
        let address = |is_sandbox| {
            let token = Token::new("1", "s");
            let client = Client::new(token, Intents::default(), (), is_sandbox).unwrap();
            client.api().environment().clone()
        };
        assert_eq!(address(false), Environment::production());
        assert_eq!(address(true), Environment::sandbox());
        return;
    }
    let name = concat!(module_path!(), "::a6_environments");
    assert!(Again::start(name, None).ended().await.success());

    assert_eq!(Environment::production().api(), "https://api.bot.qq.com");
    assert_eq!(Environment::legacy().api(), "https://api.sgroup.qq.com");
    assert_eq!(
        Environment::sandbox().api(),
        "https://sandbox.api.sgroup.qq.com"
    );
    Environment::custom("http://bots.example").expect_err("the secret would be shown");
    let emulator = emulator().await;
    let client = client(&emulator, Echo::default());
    assert_eq!(client.api().environment().api(), emulator.base_url());
    assert_eq!(
        *client.api().me().await.unwrap().username,
        *emulator.world().bots[0].name
    );
}

#[tokio::test]
async fn a7_timeout_of_the_whole_call() {
    // A call whose turn comes after its deadline is refused at once, which shows the deadline without waiting for it.
    let emulator = emulator().await;
    for (pause, fits) in [(29, true), (31, false)] {
        let limit = Limit::new("me", Route::GetMe, 1, Duration::from_secs(pause));
        let client = builder(&emulator)
            .limits(Limits::learned().with(limit))
            .build()
            .unwrap();
        client.api().me().await.unwrap();
        let second = timeout(Duration::from_millis(200), client.api().me().into_future()).await;
        assert_eq!(second.is_err(), fits, "{pause} s: {second:?}");
    }

    // The deadline covers the body: bytes that come, but too slowly, do not extend it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _request = stream.read(&mut [0; 4096]).await.unwrap();
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let client = Client::builder(Token::new("1", "s"), Intents::default())
        .environment(Environment::custom(base_url).unwrap())
        .timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let asked = Instant::now();
    let error = timeout(DEADLINE, client.api().me().into_future())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(BotError::from(error).kind(), ErrorKind::Timeout);
    let took = asked.elapsed();
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(3),
        "{took:?}"
    );
    server.abort();
}

#[tokio::test]
async fn a9_rate_limits() {
    let emulator = emulator().await;
    let half_second = Limit::new("me", Route::GetMe, 1, Duration::from_millis(500));
    let limits = || Limits::learned().with(half_second.clone());
    let asked = || {
        let is_me =
            |request: &&qq_emulator::RequestEntry| request.route.as_deref() == Some("get_me");
        emulator.requests().iter().filter(is_me).count()
    };

    let queueing = builder(&emulator).limits(limits()).build().unwrap();
    let begin = Instant::now();
    queueing.api().me().await.unwrap();
    queueing.api().me().await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(500));
    assert_eq!(asked(), 2);

    let failing = limits().mode(LimitMode::FailFast);
    let failing = builder(&emulator).limits(failing).build().unwrap();
    failing.api().me().await.unwrap();
    let error = BotError::from(failing.api().me().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().unwrap() <= Duration::from_millis(500));
    assert_eq!(asked(), 3, "what is refused here is never sent");
    assert_no_violations(&emulator);
}

#[tokio::test]
async fn a10_errors() {
    let emulator = emulator().await;
    let start = |token: Token, base_url: String| async move {
        let client = Client::builder(token, Intents::default())
            .environment(Environment::custom(base_url).unwrap())
            .build()
            .unwrap();
        timeout(DEADLINE, client.start())
            .await
            .unwrap()
            .unwrap_err()
    };
    let wrong = Token::new(emulator.app_id(), "wrong");
    let error = start(wrong, emulator.base_url().to_owned()).await;
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let error = start(Token::new("1", "s"), address).await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error:?}");

    let running = run(client(&emulator, Echo::default())).await;
    emulator.close_session(None, 4914);
    let error = running.task.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gateway, "{error:?}");
    assert_eq!(error.gateway().unwrap().close_code().unwrap().0, 4914);

    let limited = Fault::route("get_me")
        .status(429)
        .header("Retry-After", "60");
    emulator.fault(limited).unwrap();
    let error = BotError::from(running.client.api().me().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));

    let error = running.client.api().guild(1).get().await.unwrap_err();
    let error = BotError::from(error);
    assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
    assert!(error.rest().unwrap().code().is_some(), "{error:?}");
}

#[tokio::test]
async fn a11_intents() {
    let intents = Intents::default()
        .with_public_guild_messages()
        .with_direct_message()
        .with_guilds()
        .with_guild_members();
    let names = Intents::GUILDS | Intents::GUILD_MEMBERS | Intents::PUBLIC_GUILD_MESSAGES;
    assert_eq!(intents, names | Intents::DIRECT_MESSAGE);
    let all = Intents::new()
        .with_guilds()
        .with_guild_members()
        .with_guild_messages()
        .with_guild_message_reactions()
        .with_direct_message()
        .with_open_forums()
        .with_audio_or_live_channel_member()
        .with_enter_aio()
        .with_group_members()
        .with_group_and_c2c()
        .with_interaction()
        .with_message_audit()
        .with_forums()
        .with_audio_action()
        .with_public_guild_messages();
    assert_eq!(all, Intents::all());

    // A platform that grants what every bot has: a newcomer is let in, more is refused.
    let emulator = Emulator::builder()
        .settings(|settings| settings.granted_intents = 1 | 1 << 1 | 1 << 30)
        .start()
        .await
        .unwrap();
    let newcomer = builder_with(&emulator, Intents::default());
    let running = run(newcomer.handler(Echo::default()).build().unwrap()).await;
    let asked = emulator.sessions()[0].intents;
    assert_eq!(asked, u64::from(Intents::default().bits()));
    emulator.say(Say::channel("granted")).await;
    answer_to(&emulator, "granted").await;
    stop(&emulator, running).await;
    let error = builder_with(&emulator, intents).build().unwrap();
    let error = timeout(DEADLINE, error.start()).await.unwrap().unwrap_err();
    assert_eq!(error.gateway().unwrap().close_code().unwrap().0, 4014);
}

#[tokio::test]
async fn a12_token() {
    if is_child() {
        let token = Token::from_env().unwrap();
        assert_eq!(token.app_id().to_string(), qq_emulator::DEFAULT_APP_ID);
        assert_eq!(token.secret().expose(), qq_emulator::DEFAULT_SECRET);
        return;
    }
    let emulator = emulator().await;
    let name = concat!(module_path!(), "::a12_token");
    let process = Again::start(name, Some(&emulator));
    assert!(process.ended().await.success());

    let token = Token::new(emulator.app_id(), emulator.secret());
    assert!(!format!("{token:?} {token:#?}").contains(emulator.secret()));
    let error = Token::new("1", "").validate().unwrap_err();
    assert!(error.field().contains("secret"), "{error}");
    let running = run(client(&emulator, Echo::default())).await;
    let shown = format!("{:?} {:?}", running.client, running.client.api());
    assert!(!shown.contains(emulator.secret()), "{shown}");
    stop(&emulator, running).await;
}
