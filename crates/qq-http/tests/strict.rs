//! Messages, uploads and streams from end to end against the emulator at its strictest: it refuses what breaks a
//! rule of the platform, also where the platform itself would let it pass.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use qq_emulator::{Emulator, Fault, Say};
use qq_http::{ErrorKind, HttpClient, Limits, RetryPolicy, Upload, UploadPolicy};
use qq_model::message::{Conversation, MessageArk, MessageEmbed};
use qq_model::outgoing::{FileType, MediaInfo, MessageBody, MessageMarkdown};
use qq_model::{Environment, Token};

async fn start() -> Emulator {
    Emulator::builder()
        .settings(|settings| {
            settings.strict = true;
            settings.upload_block_size = 64 * 1024;
            for limit in [
                &mut settings.active_per_minute,
                &mut settings.active_per_day,
                &mut settings.active_per_bot_minute,
                &mut settings.active_per_channel_day,
                &mut settings.active_channels_per_guild_day,
                &mut settings.active_direct_per_user_day,
                &mut settings.active_direct_per_day,
            ] {
                *limit = 1_000_000;
            }
        })
        .start()
        .await
        .unwrap()
}

fn client(emulator: &Emulator) -> HttpClient {
    HttpClient::builder(Token::new(emulator.app_id(), emulator.secret()))
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .limits(Limits::off())
        .retry(RetryPolicy::default().base(Duration::from_millis(10)))
        .build()
        .unwrap()
}

fn assert_flawless(emulator: &Emulator) {
    let violations = emulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

/// Bodies of every kind, good and bad.
fn bodies() -> impl Strategy<Value = MessageBody> {
    let text = || "\\PC{0,40}|[ \t\n]{0,3}|[a-z]{0,5}";
    let content = prop_oneof![
        text().prop_map(MessageBody::text),
        text().prop_map(|text| MessageBody::markdown(MessageMarkdown::native(text))),
        (text(), 0_u32..40)
            .prop_map(|(text, id)| { MessageBody::ark(MessageArk::new(id).value("#DESC#", text)) }),
        (text(), text())
            .prop_map(|(title, line)| MessageBody::embed(MessageEmbed::new(title).field(line))),
        text().prop_map(|text| MessageBody::media(MediaInfo::new(text))),
        (text(), text())
            .prop_map(|(info, text)| MessageBody::media_with_text(MediaInfo::new(info), text)),
        text().prop_map(MessageBody::image),
        text().prop_map(|text| MessageBody::image_with_text("https://x.example/a.png", text)),
    ];
    (content, any::<bool>(), proptest::option::of(0_u32..3)).prop_map(
        |(body, is_wakeup, number)| {
            let body = if is_wakeup { body.wakeup() } else { body };
            match number {
                Some(number) => body.msg_seq(number),
                None => body,
            }
        },
    )
}

/// Nothing that is let out breaks a rule of the platform's about bodies.
#[test]
fn what_passes_here_passes_there() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (emulator, chats) = runtime.block_on(async {
        let emulator = start().await;
        let mut chats = Vec::new();
        for say in [
            Say::group("x"),
            Say::c2c("x"),
            Say::channel("x"),
            Say::direct("x"),
        ] {
            let said = emulator.say(say).await;
            chats.push(said.conversation);
        }
        let chats = [
            Conversation::Group(chats[0].as_str().into()),
            Conversation::C2C(chats[1].as_str().into()),
            Conversation::Channel(chats[2].as_str().into()),
            Conversation::Direct(chats[3].as_str().into()),
        ];
        (emulator, chats)
    });
    let http = client(&emulator);
    let mut runner = TestRunner::new(Config::with_cases(150));
    runner
        .run(&bodies(), |body| {
            for chat in &chats {
                let before = emulator.violations().len();
                let chat = http.conversation(chat);
                let send = || chat.clone().send(body.clone());
                if send().try_into_request().is_err() {
                    continue;
                }
                let outcome = runtime.block_on(send().into_future());
                let mut found = emulator.violations().split_off(before);
                // No body tells whether an upload gave what it carries, or how many came before it.
                found.retain(|violation| {
                    !matches!(&*violation.code, "rest.upload" | "rest.active.quota")
                });
                prop_assert!(found.is_empty(), "{body:?}: {found:?} {outcome:?}");
            }
            Ok(())
        })
        .unwrap();
    let sent = emulator.outbox().len();
    assert!(sent > 50, "{sent} were sent");
}

#[tokio::test]
async fn uploads_arrive_whole_in_parts_and_at_once() {
    let emulator = start().await;
    let said = emulator.say(Say::group("x")).await;
    let bytes: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    let in_parts = UploadPolicy::default().chunked_from(1);
    let upload = |bytes: &[u8], policy: &UploadPolicy| {
        client(&emulator)
            .group(said.conversation.as_str())
            .upload(Upload::bytes(bytes.to_vec()))
            .kind(FileType::File)
            .name("a.bin")
            .policy(policy.clone())
    };
    let calls = |route: &str| {
        let requests = emulator.requests();
        let is_it = |request: &&qq_emulator::RequestEntry| request.route.as_deref() == Some(route);
        requests.iter().filter(is_it).count()
    };

    let whole = upload(&bytes[..1000], &UploadPolicy::default())
        .await
        .unwrap();
    assert_eq!(
        (calls("upload_group_file"), calls("group_upload_prepare")),
        (1, 0)
    );

    // Five parts, of which some fail at first.
    emulator.change_settings(|settings| settings.upload_part_failures = 2);
    let parts = upload(&bytes, &in_parts).await.unwrap();
    assert_eq!(calls("group_upload_prepare"), 1);
    let finished = calls("group_upload_part_finish");
    assert_eq!(finished, 5 + 2, "two of them twice");

    // Another client, which knows nothing of the first one: the platform has it already.
    let instant = upload(&bytes, &in_parts).await.unwrap();
    assert_eq!(
        calls("group_upload_part_finish"),
        finished,
        "no part went again"
    );

    for uploaded in [&whole, &parts, &instant] {
        let chat = client(&emulator).group(said.conversation.as_str());
        chat.send(uploaded).await.unwrap();
    }
    assert_eq!(emulator.outbox().len(), 3);

    // Parts that never succeed end with an error at the upload's deadline, not with a file.
    emulator.change_settings(|settings| settings.upload_part_failures = 1000);
    let policy = in_parts.timeout(Duration::from_secs(2));
    let before = calls("upload_group_file");
    let error = upload(&bytes[1..], &policy).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(
        calls("upload_group_file"),
        before,
        "nothing was put together"
    );
    assert_flawless(&emulator);
}

#[tokio::test]
async fn streams_end_with_their_final_part_however_they_end() {
    let emulator = start().await;
    let http = client(&emulator);
    // What the frames of one stream say of its state, and the text that stays.
    let frames = |from: usize| -> Vec<_> {
        let requests = emulator.requests().split_off(from);
        requests
            .into_iter()
            .filter(|request| request.path.ends_with("/stream_messages"))
            .map(|request| request.body["input_state"].as_u64().unwrap())
            .collect()
    };
    for ending in ["finish", "drop", "error"] {
        let said = emulator.say(Say::c2c("tell me")).await;
        let from = emulator.requests().len();
        let mut stream = http
            .user(said.conversation.as_str())
            .stream()
            .reply_to(said.message_id.as_str())
            .msg_seq(1)
            .throttle(Duration::from_millis(200))
            .start()
            .unwrap();
        stream.push("Once upon a time ").await.unwrap();
        stream.flush().await.unwrap();
        if ending == "error" {
            // One frame is lost on the way; whoever writes leaves with the error.
            let fault = Fault::route("send_c2c_stream_message").nth(1).status(500);
            emulator.fault(fault).unwrap();
        }
        let _ = stream.push("there was a bot.").await;
        let _ = stream.flush().await;
        match ending {
            "finish" => drop(stream.finish().await.unwrap()),
            _ => drop(stream),
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while frames(from).last() != Some(&10) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{ending}: {:?}",
                frames(from)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        emulator.clear_faults();
        let timeline = emulator.timeline();
        let told = timeline.iter().filter(|item| item.author.bot);
        let told: Vec<_> = told.map(|item| item.content.as_str()).collect();
        assert_eq!(
            told.last().copied(),
            Some("Once upon a time there was a bot."),
            "{ending}"
        );
    }
    assert_flawless(&emulator);
}

/// Whatever goes wrong with one call: an answer with a number is shown once and known to be, and a message without one
/// is sent once, and said not to have been only where it was not.
#[tokio::test]
async fn a_fault_neither_doubles_a_message_nor_hides_one() {
    let emulator = start().await;
    let on = || Fault::route("send_group_message").nth(1);
    for fault in [
        on().lose_reply(),
        on().garbage(),
        on().cut_after(5),
        on().html(413),
        on().html(502),
        on().status(500),
        on().status(504),
        on().status(401).code(11_244),
        on().status(429).header("retry-after", "0.1"),
        on().status(200).body(""),
        on().status(400).code(50_055_001),
        on().blackhole(),
    ] {
        let name = format!("{fault:?}");
        let is_final = name.contains("413");
        let is_silent = name.contains("Blackhole");
        let mut policy = RetryPolicy::default().base(Duration::from_millis(10));
        if is_silent {
            policy = policy.attempt_timeout(Duration::from_secs(1));
        }
        let said = emulator.say(Say::group("x")).await;
        // A client of its own, as a refusal of the pace would hold the next one back.
        let http = HttpClient::builder(Token::new(emulator.app_id(), emulator.secret()))
            .environment(Environment::custom(emulator.base_url()).unwrap())
            .limits(Limits::off())
            .retry(policy)
            .build()
            .unwrap();
        let group = || http.group(said.conversation.as_str());
        let shown = || emulator.outbox().len();

        let before = shown();
        emulator.fault(fault.clone()).unwrap();
        let answer = group().send("answer").reply_to(said.message_id.as_str());
        let outcome = answer.msg_seq(1).await;
        assert_eq!(outcome.is_err(), is_final, "{name}: {outcome:?}");
        assert_eq!(shown() - before, usize::from(!is_final), "{name}");
        emulator.clear_faults();
        if is_silent {
            continue;
        }

        let before = shown();
        emulator.fault(fault).unwrap();
        let outcome = group().send("active").await;
        let shown = shown() - before;
        match outcome {
            Ok(_) => assert_eq!(shown, 1, "{name}"),
            Err(error) if error.is_outcome_unknown() => assert!(shown <= 1, "{name}: {error}"),
            Err(error) => assert_eq!(shown, 0, "{name}: {error}"),
        }
        emulator.clear_faults();
    }
    // A number that comes again is how the answer to the first one is found out.
    let mut violations = emulator.violations();
    violations.retain(|violation| violation.code != "rest.reply.repeated");
    assert!(violations.is_empty(), "{violations:?}");
}

#[tokio::test]
async fn a_body_that_a_scene_does_not_have_never_leaves() {
    let emulator = start().await;
    let said = emulator.say(Say::channel("x")).await;
    let before = emulator.requests().len();
    let media = MessageBody::media(MediaInfo::new("info"));
    let channel = client(&emulator).channel(said.conversation.as_str());
    let error = channel.send(media).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("guild scenes take image"),
        "{error}"
    );
    assert_eq!(emulator.requests().len(), before);
}
