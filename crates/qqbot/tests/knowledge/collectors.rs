//! Collectors inside callbacks.

use std::time::Duration;

use crate::support::{DEADLINE, assert_no_violations, client, eventually, run};
use qq_emulator::Emulator;
use qqbot::model::outgoing::{Button, Keyboard};
use qqbot::prelude::*;
use tokio::time::timeout;

/// Asks for a name, counts what is said, and asks by buttons.
struct Curious;

impl Curious {
    async fn interview(ctx: &Context) -> Result<(), BotError> {
        let answer = ctx
            .next_message()
            .keep_from_handlers()
            .time(Duration::from_secs(10))
            .start();
        ctx.reply("What is your name?").await?;
        match answer.await {
            Ok(message) => message.reply(format!("Hello, {}!", message.text())).await?,
            Err(reason) => ctx.reply(format!("ended: {reason:?}")).await?,
        };
        Ok(())
    }

    async fn poll(ctx: &Context) -> Result<(), BotError> {
        let presses = ctx.collect_buttons().max(2).keep_from_handlers().start();
        let buttons = [
            Button::callback("Tea", "tea"),
            Button::callback("Coffee", "coffee"),
        ];
        let body = MessageBody::markdown(MessageMarkdown::native("Tea or coffee?"))
            .keyboard(Keyboard::rows([buttons]));
        ctx.reply(body).await?;
        let votes = timeout(DEADLINE, presses.collect()).await;
        let votes = votes.map_err(|_| BotError::new(ErrorKind::Timeout, "nobody pressed"))?;
        let mut chosen: Vec<_> = votes
            .items
            .iter()
            .map(|press| press.data().to_owned())
            .collect();
        chosen.sort_unstable();
        ctx.reply(format!("{} ({:?})", chosen.join(" and "), votes.end))
            .await?;
        Ok(())
    }
}

impl EventHandler for Curious {
    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        let result = match &*message.text() {
            "!name" => Self::interview(&ctx).await,
            "!poll" => Self::poll(&ctx).await,
            text => ctx.reply(format!("handled: {text}")).await.map(drop),
        };
        if let Err(error) = result {
            let _ = ctx.reply(format!("{error:?}")).await;
        }
    }

    async fn message_create(&self, ctx: Context, _message: Message) {
        let reactions = ctx
            .collect_reactions()
            .with_removals()
            .max(2)
            .time(Duration::from_secs(10))
            .start();
        let _ = ctx.reply("React!").await;
        let collected = reactions.collect().await;
        let kinds: Vec<_> = collected
            .items
            .iter()
            .map(|reaction| if reaction.is_removal() { "-" } else { "+" })
            .collect();
        let _ = ctx
            .reply(format!("{} {:?}", kinds.concat(), collected.end))
            .await;
    }
}

fn said(emulator: &Emulator, text: &str) -> bool {
    emulator.outbox().iter().any(|entry| entry.text() == text)
}

#[tokio::test]
async fn c9_message_collector() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Curious)).await;
    let (mia, leo) = (
        emulator.user("mia").in_group("tea house"),
        emulator.user("leo").in_group("tea house"),
    );
    mia.says("!name").await;
    eventually("the question", || said(&emulator, "What is your name?")).await;
    // The callback of this very conversation waits: others come behind it, her answer reaches it.
    leo.says("me first").await;
    mia.says("Mia").await;
    eventually("the answer", || said(&emulator, "Hello, Mia!")).await;
    eventually("the others after it", || {
        said(&emulator, "handled: me first")
    })
    .await;
    assert!(!said(&emulator, "handled: Mia"), "kept from the handlers");
    assert_eq!(running.client.handle().active_collectors(), 0);
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn c9_button_collector() {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.allow_markdown = true;
            settings.allow_keyboards = true;
        })
        .start()
        .await
        .unwrap();
    let intents = crate::support::all_scenes().with_interaction();
    let bot = crate::support::builder_with(&emulator, intents);
    let running = run(bot.handler(Curious).build().unwrap()).await;
    emulator
        .user("mia")
        .in_group("tea house")
        .says("!poll")
        .await;
    eventually("the buttons", || !emulator.outbox().is_empty()).await;
    emulator
        .user("mia")
        .in_group("tea house")
        .clicks("Tea")
        .await;
    emulator
        .user("leo")
        .in_group("tea house")
        .clicks("Coffee")
        .await;
    eventually("the result", || said(&emulator, "coffee and tea (Limit)")).await;
    // Acknowledged although no callback saw them: the emulator would note what came too late or twice.
    assert_no_violations(&emulator);
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn c9_reaction_collector() {
    let emulator = Emulator::builder().start().await.unwrap();
    let bot = crate::support::builder_with(
        &emulator,
        crate::support::all_scenes().with_guild_message_reactions(),
    );
    let running = run(bot.handler(Curious).build().unwrap()).await;
    let mia = emulator.user("mia").in_channel("general");
    mia.says("hi").await;
    eventually("the invitation", || said(&emulator, "React!")).await;
    mia.reacts("4").await;
    mia.unreacts("4").await;
    eventually("the result", || said(&emulator, "+- Limit")).await;
    running.client.stop().await.unwrap();
    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_ends_callbacks_that_wait_for_somebody() {
    let emulator = Emulator::builder().start().await.unwrap();
    let running = run(client(&emulator, Curious)).await;
    emulator
        .user("mia")
        .in_group("tea house")
        .says("!name")
        .await;
    eventually("the question", || said(&emulator, "What is your name?")).await;
    let report = timeout(DEADLINE, running.client.stop())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(report.unfinished, 0);
    assert!(said(&emulator, "ended: Shutdown"));
    running.task.await.unwrap().unwrap();
}
