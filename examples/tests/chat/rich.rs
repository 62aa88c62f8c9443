//! Markdown, buttons, cards, pictures, answers that grow; and texts that try to be more.

use fantoccini::{Client, Locator};
use qq_emulator::{Emulator, MessageAudit};
use serde_json::json;

use crate::browser::{PageExt, Result};
use crate::browser_bot::Bot;
use crate::{C2C, CHANNEL, GROUP, answer, ask, open};

/// A press on a button of the newest keyboard.
async fn press(page: &Client, place: &str) -> Result<()> {
    let selector = format!("[data-button='{place}']");
    page.see(&selector).await?;
    let found = page.find_all(Locator::Css(&selector)).await?;
    let newest = found.into_iter().next_back().ok_or("it is gone")?;
    newest.click().await?;
    Ok(())
}

pub(crate) async fn scenario(page: Client, emulator: Emulator) -> Result<()> {
    let bot = Bot::start(&emulator)?;
    page.see("#status[data-state='connected']").await?;
    shows_markdown(&page).await?;
    shows_texts_as_texts(&page).await?;
    presses_buttons(&page, &emulator).await?;
    sees_a_picture(&page).await?;
    watches_an_answer_grow(&page, &bot).await?;
    sends_a_picture(&page, &emulator).await?;
    shows_cards_and_audits(&page, &emulator).await?;
    assert_eq!(emulator.violations().len(), 0, "the bot broke a rule");
    assert_eq!(page.console_errors().await?, Vec::<String>::new());
    bot.stop().await
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
    // What the renderer makes of the corners of markdown.
    for (source, wanted) in [
        ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
        ("~~x~~ `<y>`", "<s>x</s> <code>&lt;y&gt;</code>"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("**open", "**open"),
        (r"\*no\*", "*no*"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("<@nobody>", "<span class=\"mention\">@nobody</span>"),
    ] {
        let made = page
            .execute_async(
                "const [source, done] = arguments; import('/page/js/markdown.js')\
                 .then(({ markdown }) => done(markdown(source).innerHTML))",
                vec![source.into()],
            )
            .await?;
        assert_eq!(made, json!(format!("<p>{wanted}</p>")), "{source}");
    }
    // None of these takes long, whatever it looks like.
    let slowest = page
        .execute_async(
            "const [done] = arguments; import('/page/js/markdown.js').then(({ markdown }) => {\
               const hostile = ['*', '**a', '[', '![', '`', '<', '_a', '~~x', '> ', '- ', '[a](b', '<qqbot-at-user '];\
               const begun = performance.now();\
               for (const one of hostile) markdown(one.repeat(20000 / one.length));\
               done(performance.now() - begun);\
             })",
            Vec::new(),
        )
        .await?;
    assert!(slowest.as_f64() < Some(8_000.0), "{slowest} ms");
    Ok(())
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
    open(page, GROUP).await?;
    page.say("!hostile").await?;
    page.see_path("//article[@data-bot]//*[@class='markdown'][contains(., '<script>')]")
        .await?;
    let active = page
        .value(
            "document.querySelectorAll('#log img, #log script, #log [onerror], #log iframe, \
             #log a[href^=\"javascript\"]').length",
        )
        .await?;
    assert_eq!(active, 0);
    // What lies elsewhere is a link: this page asks nobody but the emulator.
    page.see("a.file[href='https://example.com/tracker.png']")
        .await?;
    assert_ne!(page.title().await?, "taken");
    Ok(())
}

async fn presses_buttons(page: &Client, emulator: &Emulator) -> Result<()> {
    emulator.change_settings(|settings| settings.interaction_window = 600_000);
    page.say("!menu").await?;
    page.see(".keyboard").await?;
    // mia owns the group: she may press what is for administrators.
    page.see("[data-button='1.2']:not(:disabled)").await?;
    // Good news stays for five seconds, which a slow machine may sleep through: so it is written down.
    page.run(
        "window.news = ''; new MutationObserver(() => { \
             window.news += document.querySelector('#toasts').textContent; \
         }).observe(document.querySelector('#toasts'), {childList: true});",
    )
    .await?;
    press(page, "0.0").await?;
    page.see_path("//button[@data-phase='ok'][contains(., 'Poured')]")
        .await?;
    page.until("window.news.includes('has taken it')").await?;
    answer(page, "One Longjing, coming.").await?;

    press(page, "0.1").await?;
    page.see("[data-button='0.1'][data-phase='failed']").await?;
    page.see_path("//*[@role='alert'][contains(., 'not allowed (4)')]")
        .await?;

    press(page, "0.2").await?;
    page.see("[data-button='0.2'][data-phase='pending'][aria-busy] .spinner")
        .await?;
    emulator.change_settings(|settings| settings.interaction_window = 1);
    page.say("!menu").await?;
    page.until("document.querySelectorAll('.keyboard').length === 2")
        .await?;
    press(page, "0.2").await?;
    page.see("[data-button='0.2'][data-phase='late']").await?;
    page.see_path("//*[@role='alert'][contains(., 'did not acknowledge')]")
        .await?;
    emulator.change_settings(|settings| settings.interaction_window = 600_000);

    press(page, "1.0").await?;
    let typed = page.value("document.getElementById('text').value").await?;
    assert_eq!(typed, "!order two cups");
    page.say("").await?;
    answer(page, "!order two cups").await?;

    page.see("a[data-button='1.1'][href^='https://bot.q.qq.com/'][rel~='noopener']")
        .await?;
    press(page, "1.2").await?;
    page.click("dialog button[value='no']").await?;
    press(page, "1.2").await?;
    page.click("dialog button[value='yes']").await?;
    page.see("[data-button='1.2'][data-phase='ok']").await?;
    page.see("#speaker").await?.select_by_label("ana").await?;
    page.see("[data-button='1.2']:disabled[title*='administrators']")
        .await?;
    page.see("#speaker").await?.select_by_label("mia").await?;
    let clicks = emulator
        .requests()
        .iter()
        .filter(|request| request.route.as_deref() == Some("put_interaction"))
        .count();
    assert_eq!(clicks, 3, "acknowledged by the bot");
    Ok(())
}

async fn sees_a_picture(page: &Client) -> Result<()> {
    open(page, C2C).await?;
    page.say("!picture").await?;
    page.see("article[data-bot] .picture img").await?;
    page.until("document.querySelector('.picture img').naturalWidth === 360")
        .await?;
    page.click(".picture").await?;
    page.see("dialog.lightbox img").await?;
    page.click(".dialog-close").await?;
    page.until("!document.querySelector('dialog')").await
}

/// One bubble from the first word to the last.
async fn watches_an_answer_grow(page: &Client, bot: &Bot) -> Result<()> {
    const GROWING: &str = "document.querySelector('article[data-streaming]').id";
    const BUBBLES: &str = "document.querySelectorAll('#log article[data-bot]').length";
    page.say("!story").await?;
    page.see("#typing").await?;
    let before = page.value(BUBBLES).await?.as_u64().unwrap_or_default();
    bot.story.notify_one();
    page.see("article[data-streaming] .caret").await?;
    let id = page.value(GROWING).await?;
    reads(page, "A robin sat on the harbour wall").await?;
    page.see("article[data-streaming] strong").await?;
    bot.story.notify_one();
    reads(
        page,
        "A robin sat on the harbour wall and waited for the ferry.",
    )
    .await?;
    assert_eq!(page.value(BUBBLES).await?, before + 1);
    assert_eq!(page.value(GROWING).await?, id, "it grows where it began");
    bot.story.notify_one();
    let whole = "A robin sat on the harbour wall and waited for the ferry. It came at noon.";
    reads(page, whole).await?;
    bot.story.notify_one();
    page.until("!document.querySelector('article[data-streaming]')")
        .await?;
    reads(page, whole).await?;
    let now = page
        .value("document.querySelector('article:last-of-type').id")
        .await?;
    assert_eq!(now, id, "and stays there when it is done");
    assert_eq!(page.value(BUBBLES).await?, before + 1);
    page.see("#log-content:not(:has(#typing))").await?;
    Ok(())
}

/// Waits until the last message says this.
async fn reads(page: &Client, text: &str) -> Result<()> {
    let last = "document.querySelector('article:last-of-type .markdown')?.textContent";
    page.until(&format!("{last} === '{text}'")).await
}

/// From the clipboard, as a user does.
async fn sends_a_picture(page: &Client, emulator: &Emulator) -> Result<()> {
    const PASTE: &str = "const canvas = new OffscreenCanvas(64, 40); \
        const brush = canvas.getContext('2d'); brush.fillStyle = 'teal'; brush.fillRect(0, 0, 64, 40); \
        return canvas.convertToBlob().then((blob) => { \
          const data = new DataTransfer(); \
          data.items.add(new File([blob], 'teal.png', { type: 'image/png' })); \
          const text = document.getElementById('text'); \
          text.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); \
        });";
    page.run(PASTE).await?;
    page.see_path("//*[@id='pending']//li[contains(., 'teal.png')]")
        .await?;
    page.say("look").await?;
    page.see_path("//article[@data-own][.//p[.='look']]//img")
        .await?;
    page.until(
        "[...document.querySelectorAll('article[data-own] img')].at(-1).naturalWidth === 64",
    )
    .await?;
    page.see("#pending[hidden]").await?;
    let said = emulator.timeline();
    let said = said.iter().rev().find(|item| !item.author.bot);
    let sent = said
        .map(|item| item.attachments.clone())
        .unwrap_or_default();
    assert_eq!(sent[0]["content_type"], "image/png");
    assert_eq!(
        (&sent[0]["width"], &sent[0]["height"]),
        (&json!(64), &json!(40))
    );
    Ok(())
}

async fn shows_cards_and_audits(page: &Client, emulator: &Emulator) -> Result<()> {
    open(page, CHANNEL).await?;
    page.say("!weather").await?;
    let card = page.see(".card.embed").await?.text().await?;
    assert!(card.contains("The harbour today") && card.contains("21 degrees"));
    for (outcome, words, tag) in [
        (MessageAudit::Never, "looked at for ever", "in review"),
        (
            MessageAudit::Reject,
            "looked at in vain",
            "rejected in review",
        ),
    ] {
        emulator.change_settings(|settings| {
            settings.message_audit = outcome;
            settings.message_audit_ms = 1;
        });
        page.say(words).await?;
        page.see_path(&format!(
            "//article[.//*[contains(@class, 'tag')][.='{tag}']]//p[.='{words}']"
        ))
        .await?;
    }
    emulator.change_settings(|settings| settings.message_audit = MessageAudit::Pass);
    page.say("looked at and sent").await?;
    page.see_path(
        "//article[@data-bot][not(.//*[contains(@class, 'warn')])]//p[.='looked at and sent']",
    )
    .await?;
    emulator.change_settings(|settings| settings.message_audit = MessageAudit::Off);
    ask(page, "and at once", "and at once").await?;
    Ok(())
}
