//! The quiz, played by users of the emulator.

#![forbid(unsafe_code)]

#[path = "../quiz.rs"]
#[expect(dead_code, reason = "its main")]
mod quiz;

use std::time::Duration;

use qq_emulator::Emulator;
use qqbot::prelude::*;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::test]
async fn two_players_press_buttons_until_one_has_won() -> Result<()> {
    let emulator = Emulator::builder()
        .settings(|settings| {
            settings.allow_markdown = true;
            settings.allow_keyboards = true;
        })
        .start()
        .await?;
    let token = Token::new(emulator.app_id(), emulator.secret());
    let client = Client::builder(
        token,
        Intents::default().with_group_and_c2c().with_interaction(),
    )
    .environment(Environment::custom(emulator.base_url())?)
    .handler(quiz::Quiz)
    .build()?;
    let handle = client.handle();
    let running = tokio::spawn(async move { client.start().await });
    emulator.connected().await?;
    let mia = emulator.user("mia").in_group("tea house");
    let leo = emulator.user("leo").in_group("tea house");
    mia.says("!quiz").await;
    assert!(emulator.next_reply().await?.text().contains("largest"));
    leo.clicks("Mars").await;
    mia.clicks("Jupiter").await;
    assert!(emulator.next_reply().await?.text().contains("spider"));
    leo.clicks("Eight").await;
    assert!(emulator.next_reply().await?.text().contains("H2O"));
    mia.clicks("Water").await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "The winner has 2 of 3 points!"
    );
    mia.says("!name").await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "What shall I call you?"
    );
    mia.says("Mia").await;
    assert_eq!(
        emulator.next_reply().await?.text(),
        "Nice to meet you, Mia!"
    );
    assert!(
        emulator.violations().is_empty(),
        "{:?}",
        emulator.violations()
    );
    handle.stop_within(Duration::from_secs(5)).await?;
    running.await??;
    Ok(())
}
