//! Waiting for messages, reactions and buttons.

use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qqbot::ClientBuilder;
use qqbot::model::outgoing::{Button, Keyboard};
use qqbot::prelude::*;
use tokio::time::{Instant, timeout};

use super::support::{DEADLINE, all_scenes, assert_no_violations, builder_with, eventually};
use super::transport::{Transport, said, stop};

fn options(emulator: &Emulator) -> ClientBuilder {
    let intents = all_scenes()
        .with_guild_message_reactions()
        .with_interaction();
    builder_with(emulator, intents)
}

#[tokio::test]
async fn c9_message_collector() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let running = transport.run(&emulator, options(&emulator)).await;
        let client = running.client.handle();
        let votes = client
            .create_message_collector()
            .filter(|message| message.text().starts_with("vote"))
            .max(2)
            .time(DEADLINE)
            .start();
        let everything = client.create_message_collector().max(4).start();
        for text in ["vote tea", "hello", "vote coffee", "vote milk"] {
            emulator.say(Say::c2c(text)).await;
        }
        let votes = timeout(DEADLINE, votes.collect()).await.unwrap();
        let everything = timeout(DEADLINE, everything.collect()).await.unwrap();
        assert_eq!(everything.items.len(), 4);
        let texts: Vec<_> = votes.items.iter().map(|vote| vote.text()).collect();
        assert_eq!(texts, ["vote tea", "vote coffee"]);
        assert_eq!(votes.end, EndReason::Limit);

        // Ends for each of the other reasons, too.
        let limit = Duration::from_millis(100);
        let began = Instant::now();
        let none = client.create_message_collector().time(limit).collect();
        let none = timeout(DEADLINE, none).await.unwrap();
        assert_eq!((none.items.len(), none.end), (0, EndReason::Time));
        assert!(began.elapsed() >= limit);
        let none = client.create_message_collector().idle(limit).collect();
        assert_eq!(none.await.end, EndReason::Idle);
        let looked = client
            .create_message_collector()
            .filter(|message| message.text() == "never")
            .max_processed(1)
            .start();
        emulator.say(Say::c2c("once")).await;
        let looked = timeout(DEADLINE, looked.collect()).await.unwrap();
        assert!(looked.items.is_empty());
        assert_eq!(looked.end, EndReason::ProcessedLimit);
        let stopped = client.create_message_collector().start();
        stopped.handle().stop();
        assert_eq!(stopped.collect().await.end, EndReason::Stopped);
        assert_eq!(client.active_collectors(), 0, "nothing stays behind");
        stop(running).await;
    }
}

/// Asks a question and waits for the answer, in the callback of that chat.
struct Curious;

impl EventHandler for Curious {
    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        if message.text() != "!name" {
            ctx.reply(format!("handled: {}", message.text()))
                .await
                .unwrap();
            return;
        }
        let answer = ctx
            .next_message()
            .keep_from_handlers()
            .time(DEADLINE)
            .start();
        ctx.reply("What is your name?").await.unwrap();
        let answer = answer.await.unwrap();
        answer
            .reply(format!("Hello, {}!", answer.text()))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn c9_message_collector_inside_a_handler() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let options = options(&emulator).handler(Curious);
        let running = transport.run(&emulator, options).await;
        let mia = emulator.user("mia").in_group("tea house");
        let leo = emulator.user("leo").in_group("tea house");
        mia.says("!name").await;
        eventually("the question", || said(&emulator, "What is your name?")).await;
        leo.says("me first").await;
        let answer = mia.says("Mia").await;
        eventually("the greeting", || said(&emulator, "Hello, Mia!")).await;
        eventually("the other", || said(&emulator, "handled: me first")).await;
        let outbox = emulator.outbox();
        let greeting = outbox.iter().find(|entry| entry.text() == "Hello, Mia!");
        assert_eq!(
            greeting.unwrap().reply_to.as_deref(),
            Some(&*answer.message_id)
        );
        assert!(!said(&emulator, "handled: Mia"), "kept from the handlers");
        assert_no_violations(&emulator);
        stop(running).await;
    }
}

#[tokio::test]
async fn c9_reaction_collector() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let running = transport.run(&emulator, options(&emulator)).await;
        let mia = emulator.user("mia").in_channel("general");
        let leo = emulator.user("leo").in_channel("general");
        let said = mia.says("vote").await;
        let other = mia.says("other").await;
        let reactions = running
            .client
            .create_reaction_collector()
            .message(said.message_id.as_str())
            .filter(|reaction| reaction.emoji.id.as_ref() == "4")
            .max(2)
            .time(DEADLINE)
            .start();
        mia.reacts_to(said.message_id.clone(), "4").await;
        mia.reacts_to(said.message_id.clone(), "5").await;
        leo.reacts_to(other.message_id.clone(), "4").await;
        leo.reacts_to(said.message_id.clone(), "4").await;
        let reactions = timeout(DEADLINE, reactions.collect()).await.unwrap();
        assert_eq!(reactions.end, EndReason::Limit);
        let world = emulator.world();
        let id = |name: &str| world.users.iter().find(|user| user.name == name).unwrap();
        let who: Vec<_> = reactions
            .items
            .iter()
            .map(|reaction| reaction.user_id.to_string())
            .collect();
        assert_eq!(who, [&*id("mia").id, &*id("leo").id]);
        stop(running).await;
    }
}

#[tokio::test]
async fn c9_button_collector() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder()
            .settings(|settings| {
                settings.allow_markdown = true;
                settings.allow_keyboards = true;
            })
            .start()
            .await
            .unwrap();
        let running = transport.run(&emulator, options(&emulator)).await;
        let presses = running
            .client
            .create_button_collector()
            .max(2)
            .time(DEADLINE)
            .start();
        let buttons = [
            Button::callback("Tea", "tea"),
            Button::callback("Coffee", "coffee"),
        ];
        let body = MessageBody::markdown(MessageMarkdown::native("Tea or coffee?"))
            .keyboard(Keyboard::rows([buttons]));
        let group = emulator.world().groups[0].clone();
        let groups = running.client.groups();
        groups.send(group.id.as_str(), body).await.unwrap();
        for (name, button) in [("mia", "Tea"), ("leo", "Coffee")] {
            let user = emulator.user(name).in_group(group.name.as_str());
            user.clicks(button).await;
        }
        let presses = timeout(DEADLINE, presses.collect()).await.unwrap();
        let data: Vec<_> = presses.items.iter().map(ButtonPress::data).collect();
        assert_eq!(data, ["tea", "coffee"]);
        assert_eq!(presses.end, EndReason::Limit);
        stop(running).await;
        // Each was acknowledged, once and in time: the emulator would have noted it.
        assert_no_violations(&emulator);
    }
}
