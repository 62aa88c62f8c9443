//! A thousand messages, each answered in a random order of ways, over a network that loses things.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use qq_emulator::{Emulator, Fault, Scene as Place};
use qqbot::client::Media;
use qqbot::http::{Limits, RetryPolicy};
use qqbot::model::outgoing::FileType;
use qqbot::prelude::*;
use tokio::task::JoinSet;

use crate::inbox::{Inbox, Kept, What, c2c, channel, group, stop};
use crate::support::{assert_no_violations, builder, run};

const MESSAGES: usize = 1000;
/// How many are answered at a time.
const ABREAST: usize = 25;
const STATEFUL: [&str; 5] = [
    "send_c2c_message",
    "send_group_message",
    "send_channel_message",
    "send_c2c_stream_message",
    "upload_c2c_file",
];

/// What one way of answering said, and what it was told of it.
struct Said {
    text: String,
    outcome: Result<(), BotError>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_interleavings_send_nothing_twice_and_nothing_too_much() {
    let seed = std::env::var("QQBOT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    println!("QQBOT_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.strict = true;
            settings.log_size = 100_000;
            // Nobody can finish a stream of which the first answer got lost, for its id is in that answer. The platform takes it
            // back after a while, and says so; that is not looked at here, however long this runs.
            settings.stream_life = u64::from(u32::MAX);
        })
        .start()
        .await
        .unwrap();
    let inbox = Inbox::default();
    let retry = RetryPolicy::default()
        .base(Duration::from_millis(2))
        .cap(Duration::from_millis(20));
    let bot = builder(&emulator)
        .retry(retry)
        .limits(Limits::off())
        .handler(inbox.clone());
    let running = run(bot.build().unwrap()).await;

    let mut said = Vec::new();
    for batch in 0..MESSAGES / ABREAST {
        emulator.clear_faults();
        for _ in 0..random.usize(0..5) {
            emulator.fault(fault(&mut random)).unwrap();
        }
        if random.bool() {
            let event = random.choice(["C2C_MESSAGE_CREATE", "GROUP_AT_MESSAGE_CREATE"]);
            let nth = random.u64(1..20);
            emulator
                .fault(Fault::event(event.unwrap()).nth(nth).duplicate())
                .unwrap();
        }
        let mut tasks = JoinSet::new();
        for n in 0..ABREAST {
            let text = format!("m{batch}-{n}");
            let say = random.choice([group as fn(&str) -> _, c2c, c2c, channel]);
            let kept = inbox.say(&emulator, say.unwrap(), &text).await;
            tasks.spawn(answer(kept, text, Rng::with_seed(random.u64(..))));
        }
        while let Some(answers) = tasks.join_next().await {
            said.extend(answers.unwrap());
        }
    }
    emulator.clear_faults();
    stop(running).await;

    let mut shown: HashMap<String, usize> = HashMap::new();
    let mut answers: HashMap<String, u32> = HashMap::new();
    for entry in emulator.outbox() {
        if !entry.text().is_empty() {
            *shown.entry(entry.text().to_owned()).or_default() += 1;
        }
        let count = answers.entry(entry.reply_to.clone().unwrap()).or_default();
        *count += 1;
        let budget = match entry.scene {
            Place::C2c => 4,
            Place::Group => 5,
            _ => u32::MAX,
        };
        assert!(*count <= budget, "{entry:?}");
    }
    let mut delivered = 0;
    for Said { text, outcome } in &said {
        let times = shown.get(text).copied().unwrap_or_default();
        match outcome {
            Ok(()) => assert_eq!(times, 1, "{text}"),
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {
                assert!(times <= 1, "{text}: {error:?}");
            }
            Err(error) => assert_eq!(times, 0, "{text}: {error:?}"),
        }
        delivered += usize::from(outcome.is_ok());
    }
    for request in emulator.requests() {
        let refused = [40_034_128, 40_034_005, 40_034_024, 304_026, 304_027];
        assert!(
            !refused.iter().any(|code| request.code == Some(*code)),
            "{request:?}"
        );
    }
    assert!(delivered > 2 * MESSAGES, "{delivered} of {}", said.len());
    assert_no_violations(&emulator);
}

fn fault(random: &mut Rng) -> Fault {
    let route = random.choice(STATEFUL).unwrap();
    let fault = Fault::route(route).nth(random.u64(1..60));
    match random.u8(0..4) {
        0 | 1 => fault.lose_reply(),
        2 => fault.status(500),
        _ => fault.status(429),
    }
}

/// Answers one message in two to seven ways, some of them at once.
async fn answer(kept: Kept, name: String, mut random: Rng) -> Vec<Said> {
    let is_c2c = matches!(kept.what, What::C2C(_));
    let mut said = Vec::new();
    let mut tasks = JoinSet::new();
    let mut typing = None;
    for n in 0..random.usize(2..8) {
        let text = format!("{name}: {n}");
        let ctx = kept.ctx.clone();
        match random.u8(0..10) {
            0 if is_c2c => typing = Some(ctx.typing()),
            1 if is_c2c => {
                tasks.spawn(async move {
                    let grown = grow(&ctx, &text).await;
                    Said {
                        text,
                        outcome: grown,
                    }
                });
            }
            2 | 3 if !matches!(kept.what, What::Channel(_)) => {
                tasks.spawn(async move {
                    let media = Media::bytes(b"a file".as_slice());
                    let sent = ctx.send_media(media).kind(FileType::File).caption(&text);
                    let outcome = sent.await.map(drop);
                    Said { text, outcome }
                });
            }
            4 | 5 => {
                let outcome = kept.answer_with(&ctx, text.clone()).await.map(drop);
                said.push(Said { text, outcome });
            }
            _ => {
                tasks.spawn(async move {
                    let outcome = ctx.reply(text.as_str()).await.map(drop);
                    Said { text, outcome }
                });
            }
        }
        if random.bool() {
            tokio::task::yield_now().await;
        }
    }
    while let Some(one) = tasks.join_next().await {
        said.push(one.unwrap());
    }
    drop(typing);
    said
}

async fn grow(ctx: &Context, text: &str) -> Result<(), BotError> {
    let mut stream = ctx.stream().await?;
    let (first, rest) = text.split_at(text.len() / 2);
    stream.push(first).await?;
    stream.push(rest).await?;
    stream.finish().await.map(drop)
}
