//! The emulator's chat page in a real browser: people type, the bot answers, and a fault does not
//! end the conversation.
//!
//! With `QQBOT_SCREENSHOTS` set to a folder, the test leaves its pictures there; `chat-page.png`
//! is the one in `docs`.

#![forbid(unsafe_code)]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/browser_bot.rs"]
mod browser_bot;

use std::time::Duration;

use fantoccini::Client;
use fantoccini::key::Key;
use qq_emulator::{Emulator, Say};
use serde_json::json;
use tokio::time::timeout;

use browser::{Browser, PageExt, Result};
use browser_bot::Bot;

const WHOLE_TEST: Duration = Duration::from_secs(240);
const GROUP: &str = "a.entry[data-conversation^='group/']";
const C2C: &str = "a.entry[data-conversation^='c2c/']";
const CHANNEL: &str = "a.entry[data-conversation^='channel/']";
const DIRECT: &str = "a.entry[data-conversation^='direct/']";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_a_bot_talk_in_the_browser() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let page = browser.page.clone();
    // In a task of its own, so that a failed assertion still ends the browser.
    let outcome = tokio::spawn(timeout(WHOLE_TEST, scenario(page))).await;
    let closed = browser.close().await;
    outcome???;
    closed
}

async fn scenario(page: Client) -> Result<()> {
    let emulator = Emulator::builder().port(0).start().await?;
    page.resize(1280, 800).await?;
    page.prefer("light").await?;
    page.goto(emulator.base_url()).await?;

    tells_a_newcomer_how_to_connect(&page, &emulator).await?;
    let bot = Bot::start(&emulator)?;
    page.see("#status[data-state='connected']").await?;

    answers_in_every_scene(&page).await?;
    lets_everybody_speak(&page).await?;
    shows_the_same_in_every_tab(&page).await?;
    marks_what_is_unread(&page, &emulator).await?;
    shows_markdown(&page).await?;
    survives_a_dropped_connection(&page).await?;
    looks_right_by_day_and_by_night(&page).await?;
    shows_texts_as_texts(&page).await?;
    assert_eq!(emulator.violations().len(), 0, "the bot broke a rule");
    page.see("#violation-badge[hidden]").await?;

    leaves_a_reader_alone(&page, &emulator).await?;
    fits_a_phone(&page).await?;
    speaks_chinese(&page).await?;
    assert_eq!(page.console_errors().await?, Vec::<String>::new());

    says_why_the_emulator_refuses(&page).await?;
    shows_violations(&page).await?;
    bot.stop().await?;
    page.see("#status[data-state='disconnected']").await?;
    begins_anew_after_a_reset(&page, &emulator).await?;
    outlives_the_emulator(&page, emulator).await
}

async fn tells_a_newcomer_how_to_connect(page: &Client, emulator: &Emulator) -> Result<()> {
    page.see("#status[data-state='disconnected']").await?;
    let shown = page.see(".empty .connect").await?.text().await?;
    for wanted in [emulator.base_url(), emulator.app_id(), emulator.secret()] {
        assert!(shown.contains(wanted), "{wanted} is not in {shown}");
    }
    Ok(())
}

async fn answers_in_every_scene(page: &Client) -> Result<()> {
    for scene in [DIRECT, CHANNEL, C2C, GROUP] {
        open(page, scene).await?;
        page.say("!ping").await?;
        page.see_path("//article[@data-own]//p[.='!ping']").await?;
        assert_eq!(pong(page, 1).await?, "mia !ping", "quoted in {scene}");
        let left = page.value("document.getElementById('text').value").await?;
        assert_eq!(left, "", "left in the composer in {scene}");
    }
    Ok(())
}

async fn open(page: &Client, conversation: &str) -> Result<()> {
    page.click(conversation).await?;
    page.see(&format!("{conversation}[aria-current]")).await?;
    Ok(())
}

/// Waits for the nth `Pong!` of the bot; gives what it quotes.
async fn pong(page: &Client, nth: usize) -> Result<String> {
    let answer = format!("(//article[@data-bot]//p[.='Pong!'])[{nth}]");
    page.see_path(&answer).await?;
    let quote = format!("{answer}/ancestor::article//*[@class='quote']");
    Ok(page.see_path(&quote).await?.text().await?)
}

async fn shows_texts_as_texts(page: &Client) -> Result<()> {
    const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\">";
    open(page, CHANNEL).await?;
    page.say(HOSTILE).await?;
    for author in ["not(@data-bot)", "@data-bot"] {
        let shown = page
            .see_path(&format!("//article[{author}]//p[contains(., 'onerror=')]"))
            .await?;
        assert_eq!(shown.text().await?, HOSTILE);
    }
    let images = page
        .value("document.querySelectorAll('#log img').length")
        .await?;
    assert_eq!(images, 0);
    assert_ne!(page.title().await?, "taken");
    Ok(())
}

async fn shows_markdown(page: &Client) -> Result<()> {
    open(page, GROUP).await?;
    page.say("!help").await?;
    let commands = page.see(".message[data-bot] .markdown ul").await?;
    assert!(commands.text().await?.contains("!ping answers Pong!"));
    page.see(".markdown a[href^='https://bot.q.qq.com/']")
        .await?;
    let links = page
        .value("[...document.querySelectorAll('#log a')].map((link) => link.protocol)")
        .await?;
    assert_eq!(links, json!(["https:"]), "a link that is no web address");
    Ok(())
}

async fn lets_everybody_speak(page: &Client) -> Result<()> {
    page.see("#speaker").await?.select_by_label("leo").await?;
    page.say("tea at four?").await?;
    page.see_path("//article[@data-own][.//header[.='leo']]//p[.='tea at four?']")
        .await?;
    page.see_path("//article[@data-bot]//p[.='tea at four?']")
        .await?;
    // To leo, mia is somebody else.
    page.see_path("//article[not(@data-own)][.//header[.='mia']]")
        .await?;
    keeps_lines_together(page).await?;
    page.see("#speaker").await?.select_by_label("mia").await?;
    page.see_path("//article[@data-own][.//header[.='mia']]")
        .await?;
    Ok(())
}

async fn keeps_lines_together(page: &Client) -> Result<()> {
    let (shift, enter, release) = (
        char::from(Key::Shift),
        char::from(Key::Enter),
        char::from(Key::Null),
    );
    page.say(&format!("first line{shift}{enter}{release}second line"))
        .await?;
    let shown = page
        .see_path("//article[@data-bot]//p[contains(., 'second line')]")
        .await?;
    assert_eq!(shown.text().await?, "first line\nsecond line");
    Ok(())
}

async fn shows_the_same_in_every_tab(page: &Client) -> Result<()> {
    let first = page.window().await?;
    let address = page.current_url().await?;
    let second = page.new_window(true).await?.handle;
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

async fn marks_what_is_unread(page: &Client, emulator: &Emulator) -> Result<()> {
    let user = &emulator.world().users[1].openid;
    let entry = format!("a.entry[data-conversation='c2c/{user}']");
    emulator.say(Say::c2c("!ping").author(user)).await;
    page.see(&format!("{entry} .unread")).await?;
    page.click(&entry).await?;
    pong(page, 1).await?;
    page.see(&format!("{entry}:not(:has(.unread))")).await?;
    open(page, GROUP).await
}

async fn survives_a_dropped_connection(page: &Client) -> Result<()> {
    page.click("#tools-toggle").await?;
    page.click("[data-fault='drop']").await?;
    page.see("#trail .good:first-child").await?;
    page.see("#status[data-state='connected']").await?;
    page.say("!ping").await?;
    pong(page, 3).await?;
    page.see_path("//*[@id='sessions'][contains(., 'resumed 1×')]")
        .await?;
    Ok(())
}

async fn looks_right_by_day_and_by_night(page: &Client) -> Result<()> {
    const BRIGHTNESS: &str = "Math.max(...getComputedStyle(document.body).backgroundColor\
                              .match(/\\d+/g).slice(0, 3).map(Number))";
    page.save_picture("chat-page.png").await?;
    page.click("#tools-close").await?;
    page.save_picture("chat-page-light.png").await?;
    let day = page.value(BRIGHTNESS).await?;
    page.prefer("dark").await?;
    let night = page.value(BRIGHTNESS).await?;
    page.save_picture("chat-page-dark.png").await?;
    assert!(day.as_f64() > Some(200.0), "{day} is no light background");
    assert!(night.as_f64() < Some(60.0), "{night} is no dark background");
    Ok(())
}

async fn leaves_a_reader_alone(page: &Client, emulator: &Emulator) -> Result<()> {
    const PLACE: &str = "[document.querySelector('#log').scrollTop, \
                         [...document.querySelectorAll('#log article')].find(\
                         (one) => one.getBoundingClientRect().top > 100).id]";
    open(page, C2C).await?;
    for line in 1..=40 {
        let aside = format!("line {line}");
        emulator.say(Say::c2c(aside)).await;
    }
    page.see_path("//article[@data-bot]//p[.='line 40']")
        .await?;
    page.see("#jump[hidden]").await?;
    page.execute("document.querySelector('#log').scrollTop -= 900", vec![])
        .await?;
    page.see("#jump:not([hidden])").await?;
    let place = page.value(PLACE).await?;
    emulator.say(Say::c2c("one more line")).await;
    page.see_path("//article[@data-bot]//p[.='one more line']")
        .await?;
    page.see_path("//*[@id='jump'][contains(., '2 new')]")
        .await?;
    assert_eq!(page.value(PLACE).await?, place, "the reader lost the place");
    page.click("#jump").await?;
    page.see("#jump[hidden]").await?;
    open(page, GROUP).await
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
    page.say(&"wide".repeat(200)).await?;
    page.see_path("//article[@data-bot]//p[contains(., 'widewide')]")
        .await?;
    assert_fits(page, "a long word").await?;
    page.click(".back").await?;
    page.see("body[data-view='list']").await?;
    assert_fits(page, "the list").await?;
    page.resize(1280, 800).await?;
    open(page, GROUP).await
}

async fn assert_fits(page: &Client, what: &str) -> Result<()> {
    let widths = page
        .value(
            "[innerWidth, document.documentElement.scrollWidth, \
             ...['log', 'tools'].map((id) => document.getElementById(id))\
             .map((part) => part.scrollWidth - part.clientWidth)]",
        )
        .await?;
    assert_eq!(
        widths,
        json!([360, 360, 0, 0]),
        "{what} is wider than a phone"
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

async fn says_why_the_emulator_refuses(page: &Client) -> Result<()> {
    page.execute(
        "document.querySelector('#speaker option').value = 'nobody'",
        Vec::new(),
    )
    .await?;
    page.say("who am I?").await?;
    page.see_path("//*[@role='alert'][contains(., 'author')]")
        .await?;
    let left = page.value("document.getElementById('text').value").await?;
    assert_eq!(left, "who am I?", "a refused text is kept");
    Ok(())
}

async fn shows_violations(page: &Client) -> Result<()> {
    let status = page
        .value("fetch('/v2/groups/nowhere/messages', {method: 'POST', body: '{}'}).then((answer) => answer.status)")
        .await?;
    assert_eq!(status, 401);
    page.see("#violation-badge:not([hidden])").await?;
    page.click("#tools-toggle").await?;
    page.see("#violations .error .rule").await?;
    page.click("#tools-close").await
}

async fn begins_anew_after_a_reset(page: &Client, emulator: &Emulator) -> Result<()> {
    emulator.reset();
    emulator.say(Say::group("a new day")).await;
    page.see_path("//article[last()][count(//article) = 1]//p[.='a new day']")
        .await?;
    Ok(())
}

async fn outlives_the_emulator(page: &Client, emulator: Emulator) -> Result<()> {
    let port = emulator.port();
    emulator.stop().await;
    page.see("#status[data-state='offline']").await?;
    let _restarted = Emulator::builder().port(port).start().await?;
    page.see("#status[data-state='disconnected']").await?;
    // It begins anew, and so does the page.
    page.see(".empty").await?;
    Ok(())
}
