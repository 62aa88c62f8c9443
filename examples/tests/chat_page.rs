//! The emulator's chat page in a real browser: a person types, the bot answers, and a fault does
//! not end the conversation.
//!
//! With `QQBOT_SCREENSHOTS` set to a folder, the test leaves its pictures there.

#![forbid(unsafe_code)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/browser_bot.rs"]
mod browser_bot;

use std::time::Duration;

use fantoccini::Client;
use fantoccini::wd::WindowHandle;
use qq_emulator::Emulator;
use serde_json::json;

use browser::{Browser, PageExt, Result};

const WHOLE_TEST: Duration = Duration::from_secs(240);
const GROUP: &str = "a.entry[data-conversation^='group/']";
const C2C: &str = "a.entry[data-conversation^='c2c/']";
const CHANNEL: &str = "a.entry[data-conversation^='channel/']";
const DIRECT: &str = "a.entry[data-conversation^='direct/']";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_and_a_bot_talk_in_the_browser() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let page = browser.page.clone();
    // In a task of its own, so that a failed assertion still ends the browser.
    let scenario = tokio::spawn(tokio::time::timeout(WHOLE_TEST, scenario(page))).await;
    browser.close().await?;
    scenario??
}

async fn scenario(page: Client) -> Result<()> {
    let emulator = Emulator::builder().port(0).start().await?;
    page.resize(1280, 800).await?;
    page.prefer("light").await?;
    page.goto(&emulator.base_url()).await?;

    tells_a_newcomer_how_to_connect(&page, &emulator).await?;
    let bot = browser_bot::start(&emulator.base_url(), emulator.app_id(), emulator.secret());
    page.see("#status[data-state='connected']").await?;

    answers_in_every_scene(&page).await?;
    shows_texts_as_texts(&page).await?;
    shows_the_same_in_every_tab(&page).await?;
    survives_a_dropped_connection(&page).await?;
    assert!(
        page.see("#violation-badge[hidden]").await.is_ok(),
        "the bot broke a rule"
    );

    looks_right_by_day_and_by_night(&page).await?;
    fits_a_phone(&page).await?;
    speaks_chinese(&page).await?;
    assert_eq!(page.console_errors().await?, Vec::<String>::new());

    bot.stop().await?;
    page.see("#status[data-state='disconnected']").await?;
    Ok(())
}

async fn tells_a_newcomer_how_to_connect(page: &Client, emulator: &Emulator) -> Result<()> {
    page.see("#status[data-state='disconnected']").await?;
    let shown = page.see(".empty .connect").await?.text().await?;
    for wanted in [&emulator.base_url(), emulator.app_id(), emulator.secret()] {
        assert!(shown.contains(wanted), "{wanted} is not in {shown}");
    }
    Ok(())
}

async fn answers_in_every_scene(page: &Client) -> Result<()> {
    for scene in [GROUP, C2C, CHANNEL, DIRECT] {
        page.click(scene).await?;
        page.click(&format!("{scene}[aria-current]")).await?;
        page.say("!ping").await?;
        page.see(".message[data-own] .text").await?;
        assert_eq!(pong(page, 1).await?, "mia !ping", "quoted in {scene}");
        page.see_path("//textarea[@id='text'][not(text())]").await?;
        assert_eq!(
            page.value("document.getElementById('text').value").await?,
            ""
        );
    }
    Ok(())
}

/// Waits for the nth `Pong!` of the bot, and answers what it quotes.
async fn pong(page: &Client, nth: usize) -> Result<String> {
    let answer =
        format!("(//article[@data-bot]//p[@class='text'][normalize-space()='Pong!'])[{nth}]");
    page.see_path(&answer).await?;
    let quote = format!("{answer}/ancestor::article//*[@class='quote']");
    Ok(page.see_path(&quote).await?.text().await?)
}

async fn shows_texts_as_texts(page: &Client) -> Result<()> {
    const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\">";
    page.click(GROUP).await?;
    page.say(HOSTILE).await?;
    page.see_path("//article[not(@data-bot)]//p[contains(., 'onerror=')]")
        .await?;
    page.see_path("//article[@data-bot]//p[contains(., 'onerror=')]")
        .await?;
    assert_eq!(
        page.value("document.querySelectorAll('#log img').length")
            .await?,
        0
    );
    assert_ne!(page.title().await?, "taken");
    Ok(())
}

async fn shows_the_same_in_every_tab(page: &Client) -> Result<()> {
    let first = page.window().await?;
    let address = page.current_url().await?;
    let second = page.new_window(true).await?;
    let second = WindowHandle::try_from(second.handle)?;
    page.switch_to_window(second.clone()).await?;
    page.goto(address.as_str()).await?;
    pong(page, 1).await?;
    page.switch_to_window(first.clone()).await?;
    page.say("!ping").await?;
    pong(page, 2).await?;
    page.switch_to_window(second).await?;
    pong(page, 2).await?;
    page.close_window().await?;
    page.switch_to_window(first).await?;
    Ok(())
}

async fn survives_a_dropped_connection(page: &Client) -> Result<()> {
    page.click("#tools-toggle").await?;
    page.click("[data-fault='drop']").await?;
    page.see("#trail .good").await?;
    page.see("#status[data-state='connected']").await?;
    page.say("!ping").await?;
    pong(page, 3).await?;
    page.click("#tools-close").await?;
    Ok(())
}

async fn looks_right_by_day_and_by_night(page: &Client) -> Result<()> {
    const BRIGHTNESS: &str = "Math.max(...getComputedStyle(document.body).backgroundColor\
                              .match(/\\d+/g).slice(0, 3).map(Number))";
    page.save_picture("chat-page-light.png").await?;
    let day = page.value(BRIGHTNESS).await?;
    page.prefer("dark").await?;
    let night = page.value(BRIGHTNESS).await?;
    page.save_picture("chat-page-dark.png").await?;
    assert!(day.as_f64() > Some(200.0), "{day} is no light background");
    assert!(night.as_f64() < Some(60.0), "{night} is no dark background");
    Ok(())
}

async fn fits_a_phone(page: &Client) -> Result<()> {
    page.resize(360, 740).await?;
    assert_fits(page, "a conversation").await?;
    page.save_picture("chat-page-phone.png").await?;
    page.click("#tools-toggle").await?;
    assert_fits(page, "the tools").await?;
    page.click("#tools-close").await?;
    page.click(".back").await?;
    page.click(C2C).await?;
    assert_fits(page, "another conversation").await?;
    page.say(&"wide".repeat(200)).await?;
    page.see_path("//article[@data-bot]//p[contains(., 'widewide')]")
        .await?;
    assert_fits(page, "a long word").await?;
    page.click(".back").await?;
    page.see("body[data-view='list']").await?;
    assert_fits(page, "the list").await
}

async fn assert_fits(page: &Client, what: &str) -> Result<()> {
    let widths = page
        .value("[innerWidth, document.documentElement.scrollWidth, document.getElementById('log').scrollWidth - document.getElementById('log').clientWidth]")
        .await?;
    assert_eq!(
        widths,
        json!([360, 360, 0]),
        "{what} is wider than the phone"
    );
    Ok(())
}

async fn speaks_chinese(page: &Client) -> Result<()> {
    page.click("#language").await?;
    page.see("html[lang='zh-CN']").await?;
    let status = page.see("#status").await?.text().await?;
    assert_eq!(status, "机器人已连接");
    page.click("#language").await?;
    page.see("html[lang='en']").await?;
    Ok(())
}
