//! The emulator's chat page in a real browser: people type, the bot answers, and a fault does not
//! end the conversation.
//!
//! With `QQBOT_SCREENSHOTS` set to a folder, the tests leave their pictures there; those in `docs`
//! are made this way.

#![forbid(unsafe_code)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/browser_bot.rs"]
mod browser_bot;
#[path = "chat/inspect.rs"]
mod inspect;
#[path = "chat/looks.rs"]
mod looks;
#[path = "support/png.rs"]
mod png;
#[path = "chat/rich.rs"]
mod rich;
#[path = "chat/talk.rs"]
mod talk;

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fantoccini::Client;
use fantoccini::elements::Element;
use qq_emulator::Emulator;
use tokio::time::timeout;

use browser::{Browser, PageExt, Result};

const WHOLE_TEST: Duration = Duration::from_secs(240);
/// Monday 7 January 2030, 10:00 in Beijing: when all this happens.
const MORNING: Duration = Duration::from_millis(1_893_981_600_000);

const GROUP: &str = "a.entry[data-conversation^='group/']";
const C2C: &str = "a.entry[data-conversation^='c2c/']";
const CHANNEL: &str = "a.entry[data-conversation^='channel/']";
const DIRECT: &str = "a.entry[data-conversation^='direct/']";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_a_bot_talk_in_the_browser() -> Result<()> {
    in_a_browser(talk::scenario).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_pictures_and_streams() -> Result<()> {
    in_a_browser(rich::scenario).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inspector_shows_and_hurts() -> Result<()> {
    in_a_browser(inspect::scenario).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_right_everywhere() -> Result<()> {
    in_a_browser(looks::scenario).await
}

/// Runs a scenario with a browser and an emulator of its own.
async fn in_a_browser<F>(scenario: impl FnOnce(Client, Emulator) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let page = browser.page.clone();
    let emulator = Emulator::builder().port(0).start().await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    emulator.advance(MORNING.saturating_sub(now));
    page.in_beijing().await?;
    page.resize(1280, 800).await?;
    page.prefer("light").await?;
    page.goto(emulator.base_url()).await?;
    // In a task of its own, so that a failed assertion still ends the browser.
    let outcome = tokio::spawn(timeout(WHOLE_TEST, scenario(page, emulator))).await;
    let closed = browser.close().await;
    outcome???;
    closed
}

/// Opens a conversation.
async fn open(page: &Client, conversation: &str) -> Result<()> {
    page.click(conversation).await?;
    page.see(&format!("{conversation}[aria-current]")).await?;
    Ok(())
}

/// Waits for a message of the bot whose text is this.
async fn answer(page: &Client, text: &str) -> Result<Element> {
    page.see_path(&format!("//article[@data-bot]//p[.='{text}']"))
        .await
}

/// Says something, and waits for the answer.
async fn ask(page: &Client, text: &str, wanted: &str) -> Result<Element> {
    page.say(text).await?;
    answer(page, wanted).await
}
