//! People talk with the bot in all four scenes.

use fantoccini::Client;
use fantoccini::key::Key;
use qq_emulator::{Emulator, Say};
use serde_json::json;

use crate::browser::{PageExt, Result};
use crate::browser_bot::Bot;
use crate::{C2C, CHANNEL, DIRECT, GROUP, answer, ask, open};

pub(crate) async fn scenario(page: Client, emulator: Emulator) -> Result<()> {
    tells_a_newcomer_how_to_connect(&page, &emulator).await?;
    let bot = Bot::start(&emulator)?;
    page.see("#status[data-state='connected']").await?;

    answers_in_every_scene(&page).await?;
    lets_everybody_speak(&page).await?;
    quotes_both_ways(&page).await?;
    lets_somebody_new_speak(&page).await?;
    shows_the_same_in_every_tab(&page).await?;
    marks_what_is_unread(&page, &emulator).await?;
    reacts_and_takes_back(&page).await?;
    keeps_drafts_apart(&page).await?;
    leaves_a_reader_alone(&page, &emulator).await?;
    holds_thousands_of_messages(&page, &emulator).await?;
    assert_eq!(emulator.violations().len(), 0, "the bot broke a rule");
    page.see("#violation-badge[hidden]").await?;
    assert_eq!(page.console_errors().await?, Vec::<String>::new());

    says_why_the_emulator_refuses(&page).await?;
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
        let name = "//article[@data-bot]//header/b";
        assert_eq!(page.see_path(name).await?.text().await?, "robin");
        let left = page.value("document.getElementById('text').value").await?;
        assert_eq!(left, "", "left in the composer in {scene}");
    }
    Ok(())
}

/// Waits for the nth `Pong!` of the bot; gives what it quotes.
async fn pong(page: &Client, nth: usize) -> Result<String> {
    let answer = format!("(//article[@data-bot]//p[.='Pong!'])[{nth}]");
    page.see_path(&answer).await?;
    let quote = format!("{answer}/ancestor::article//*[@class='quote']");
    Ok(page.see_path(&quote).await?.text().await?)
}

async fn lets_everybody_speak(page: &Client) -> Result<()> {
    page.see("#speaker").await?.select_by_label("leo").await?;
    page.say("tea at four?").await?;
    page.see_path("//article[@data-own][.//header/b[.='leo']]//p[.='tea at four?']")
        .await?;
    answer(page, "tea at four?").await?;
    // To leo, mia is somebody else.
    page.see_path("//article[not(@data-own)][.//header/b[.='mia']]")
        .await?;
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
    page.see("#speaker").await?.select_by_label("mia").await?;
    page.see_path("//article[@data-own][.//header/b[.='mia']]")
        .await?;
    Ok(())
}

/// With the keyboard alone: up to the message, R, the answer.
async fn quotes_both_ways(page: &Client) -> Result<()> {
    page.run("document.getElementById('log').focus()").await?;
    let keys = [Key::Up.into(), 'r'].iter().collect::<String>();
    page.active_element().await?.send_keys(&keys).await?;
    page.see("#replying:not([hidden])").await?;
    page.say("two lines, indeed").await?;
    let quote = "//article[@data-own][.//p[.='two lines, indeed']]//*[@class='quote']";
    let quoted = page.see_path(quote).await?.text().await?;
    assert!(quoted.starts_with("robin first line"), "{quoted}");
    page.see("#replying[hidden]").await?;
    answer(page, "two lines, indeed").await?;
    Ok(())
}

async fn lets_somebody_new_speak(page: &Client) -> Result<()> {
    page.click("#add-user").await?;
    let name = page.see("dialog input").await?;
    name.send_keys(&format!("mia{}", char::from(Key::Enter)))
        .await?;
    page.see_path("//dialog//*[@role='alert'][contains(., 'mia')]")
        .await?;
    let refused = page.console_errors().await?;
    assert!(
        refused
            .iter()
            .all(|error| error.contains("emulator/v1/users"))
    );
    name.clear().await?;
    name.send_keys(&format!("noa{}", char::from(Key::Enter)))
        .await?;
    page.see_path("//*[@id='speaker']/option[.='noa']").await?;
    page.until("document.getElementById('speaker').selectedOptions[0].textContent === 'noa'")
        .await?;
    page.see_path("//ul[@id='list-c2c']//*[.='noa']").await?;
    page.say("hello from noa").await?;
    page.see_path("//article[@data-own][.//header/b[.='noa']]//p[.='hello from noa']")
        .await?;
    page.see("#speaker")
        .await?
        .select_by_label("mia")
        .await
        .map_err(Into::into)
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
    page.see_path("//a//*[@class='unread'][.='2']").await?;
    page.click(&entry).await?;
    pong(page, 1).await?;
    page.see(&format!("{entry}:not(:has(.unread))")).await?;
    open(page, GROUP).await
}

async fn reacts_and_takes_back(page: &Client) -> Result<()> {
    open(page, CHANNEL).await?;
    page.say("!like").await?;
    // The bot reacts; so does mia, by a press on the same.
    page.see("article[data-own] .reaction[aria-pressed='false']")
        .await?;
    page.click(".reaction").await?;
    page.see_path("//*[@class='reaction'][@aria-pressed='true'][contains(., '2')]")
        .await?;
    page.click(".reaction").await?;
    page.see_path("//*[@class='reaction'][@aria-pressed='false'][contains(., '1')]")
        .await?;
    // One more from the picker.
    page.hover("article .bubble").await?;
    page.click("[data-action='react']").await?;
    page.click(".picker button:nth-child(4)").await?;
    page.see(".reaction + .reaction").await?;

    page.say("forget this").await?;
    answer(page, "forget this").await?;
    page.hover("article[data-own] .bubble").await?;
    page.click("article[data-own] [data-action='recall']")
        .await?;
    page.see_path("//article[@data-recalled][contains(., 'mia took a message back')]")
        .await?;
    open(page, GROUP).await?;
    page.say("!oops").await?;
    page.see_path("//article[@data-recalled][contains(., 'robin took a message back')]")
        .await?;
    Ok(())
}

async fn keeps_drafts_apart(page: &Client) -> Result<()> {
    const TEXT: &str = "document.getElementById('text').value";
    page.see("#text").await?.send_keys("half a thought").await?;
    open(page, DIRECT).await?;
    assert_eq!(page.value(TEXT).await?, "");
    open(page, GROUP).await?;
    assert_eq!(page.value(TEXT).await?, "half a thought");
    ask(page, ", the other half", "half a thought, the other half").await?;
    Ok(())
}

async fn leaves_a_reader_alone(page: &Client, emulator: &Emulator) -> Result<()> {
    const PLACE: &str = "[...document.querySelectorAll('#log article')].map((one) => \
                         [one.id, Math.round(one.getBoundingClientRect().top)]).find(\
                         ([, top]) => top > 100)";
    open(page, C2C).await?;
    for line in 1..=40 {
        emulator.say(Say::c2c(format!("line {line}"))).await;
    }
    answer(page, "line 40").await?;
    page.see("#jump[hidden]").await?;
    page.run("document.querySelector('#log').scrollTop -= 900")
        .await?;
    page.see("#jump:not([hidden])").await?;
    let place = page.value(PLACE).await?;
    emulator.say(Say::c2c("one more line")).await;
    page.see_path("//*[@id='jump'][contains(., '2 new')]")
        .await?;
    assert_eq!(page.value(PLACE).await?, place, "the reader lost the place");
    page.click("#jump").await?;
    answer(page, "one more line").await?;
    page.see("#jump[hidden]").await?;
    Ok(())
}

/// The document holds a window of them, and scrolling reaches the first.
async fn holds_thousands_of_messages(page: &Client, emulator: &Emulator) -> Result<()> {
    const COUNT: &str = "document.querySelectorAll('#log article').length";
    let ana = emulator.world().users[2].openid.clone();
    open(page, &format!("a.entry[data-conversation='c2c/{ana}']")).await?;
    for line in 1..=1_500 {
        let said = Say::c2c(format!("row {line}")).author(ana.as_str());
        emulator.say(said).await;
    }
    page.see_path("//article//p[.='row 1500']").await?;
    let count = page.value(COUNT).await?;
    assert!(
        count.as_u64() < Some(200),
        "{count} messages in the document"
    );
    page.until(
        "(document.getElementById('log').scrollTop = 0, \
         [...document.querySelectorAll('#log article p')].some((p) => p.textContent === 'row 1'))",
    )
    .await?;
    let count = page.value(COUNT).await?;
    assert!(
        count.as_u64() < Some(200),
        "{count} messages in the document"
    );
    page.click("#jump").await?;
    page.see("#jump[hidden]").await?;
    open(page, GROUP).await
}

async fn says_why_the_emulator_refuses(page: &Client) -> Result<()> {
    page.run("document.querySelector('#speaker option').value = 'nobody'")
        .await?;
    page.say("who am I?").await?;
    page.see_path("//*[@role='alert'][contains(., 'author')]")
        .await?;
    let left = page.value("document.getElementById('text').value").await?;
    assert_eq!(left, "who am I?", "a refused text is kept");
    Ok(())
}

async fn begins_anew_after_a_reset(page: &Client, emulator: &Emulator) -> Result<()> {
    emulator.reset();
    emulator.say(Say::group("a new day")).await;
    page.see_path("//article[last()][count(//article) = 1]//p[.='a new day']")
        .await?;
    let left = page.value("document.getElementById('text').value").await?;
    assert_eq!(left, json!("who am I?"), "a draft outlives a reset");
    Ok(())
}

async fn outlives_the_emulator(page: &Client, emulator: Emulator) -> Result<()> {
    let port = emulator.port();
    emulator.stop().await;
    page.see("#status[data-state='offline']").await?;
    page.see("#notice:not([hidden])").await?;
    let _restarted = Emulator::builder().port(port).start().await?;
    page.see("#status[data-state='disconnected']").await?;
    // It begins anew, and so does the page.
    page.see(".empty").await?;
    Ok(())
}
