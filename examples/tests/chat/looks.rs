//! Light and dark, wide and narrow, Chinese and English: readable everywhere. Leaves the pictures
//! of the documentation, if it is asked to.

use fantoccini::Client;
use qq_emulator::{Emulator, Say};
use serde_json::{Value, json};

use crate::browser::{PageExt, Result};
use crate::browser_bot::Bot;
use crate::{C2C, CHANNEL, GROUP, answer, open};

/// The least contrast of WCAG AA for text.
const LEAST_CONTRAST: f64 = 4.5;

pub(crate) async fn scenario(page: Client, emulator: Emulator) -> Result<()> {
    let bot = Bot::start(&emulator)?;
    page.see("#status[data-state='connected']").await?;
    page.resize(1440, 900).await?;
    fill_the_tea_house(&page, &emulator).await?;
    page.save_picture("chat-page.png").await?;
    is_readable(&page, "light").await?;

    looks_right_at_night(&page).await?;
    speaks_chinese(&page).await?;
    fits_a_phone(&page).await?;
    respects_who_wants_no_motion(&page).await?;
    asks_nobody_else(&page).await?;
    assert_eq!(page.console_errors().await?, Vec::<String>::new());
    bot.stop().await
}

async fn fill_the_tea_house(page: &Client, emulator: &Emulator) -> Result<()> {
    let users = &emulator.world().users;
    emulator
        .say(Say::c2c("!weather please").author(&users[1].openid))
        .await;
    open(page, CHANNEL).await?;
    page.say("!weather").await?;
    page.see(".card.embed").await?;
    page.say("!like").await?;
    page.see(".reaction").await?;
    open(page, C2C).await?;
    page.say("!picture").await?;
    page.see("article[data-bot] .picture img").await?;
    open(page, GROUP).await?;
    page.say("!menu").await?;
    page.see(".keyboard").await?;
    page.click("[data-button='0.0']").await?;
    answer(page, "One Longjing, coming.").await?;
    page.see("[data-button='0.0'][data-phase='ok']").await?;
    page.see("#speaker").await?.select_by_label("leo").await?;
    page.say("Is there oolong left?").await?;
    answer(page, "Is there oolong left?").await?;
    page.see("#speaker").await?.select_by_label("mia").await?;
    page.click("#inspector-toggle").await?;
    page.click("#tab-traffic").await?;
    page.see("#traffic [role='option']").await?;
    page.run("document.getElementById('jump').click()").await?;
    Ok(())
}

/// Computes the contrast of everything that is text in sight.
async fn is_readable(page: &Client, what: &str) -> Result<()> {
    let script = "
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgba = (colour) => {
          canvas.clearRect(0, 0, 1, 1);
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
          return [r, g, b, a / 255];
        };
        const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
        const ground = (node) => {
          if (!node) return [255, 255, 255];
          const own = rgba(getComputedStyle(node).backgroundColor);
          return own[3] === 1 ? own.slice(0, 3) : over(own, ground(node.parentElement));
        };
        const light = (colour) => {
          const [r, g, b] = colour.map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const poor = [];
        let measured = 0;
        for (const node of document.querySelectorAll('body *')) {
          const words = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
          if (!words || !node.checkVisibility({ visibilityProperty: true }) || node.closest('.unseen, .skip, option, :disabled, noscript, [inert]')) continue;
          const below = ground(node);
          const text = over(rgba(getComputedStyle(node).color), below);
          const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
          const contrast = (a + 0.05) / (b + 0.05);
          measured += 1;
          if (contrast < arguments[0]) poor.push(`${node.tagName}.${node.className} ${JSON.stringify(node.textContent.slice(0, 30))}: ${contrast.toFixed(2)}`);
        }
        return [measured, [...new Set(poor)]];";
    // The last of these stays: pictures show the traffic.
    for tab in ["violations", "faults", "settings", "connect", "traffic"] {
        page.run(&format!("document.getElementById('tab-{tab}').click()"))
            .await?;
        let found = page.execute(script, vec![json!(LEAST_CONTRAST)]).await?;
        assert!(found[0].as_u64() > Some(50), "{found}");
        assert_eq!(found[1], json!([]), "hard to read in {what}, {tab}");
    }
    Ok(())
}

async fn looks_right_at_night(page: &Client) -> Result<()> {
    const BRIGHTNESS: &str = "Math.max(...getComputedStyle(document.body).backgroundColor\
                              .match(/\\d+/g).slice(0, 3).map(Number))";
    let day = page.value(BRIGHTNESS).await?;
    page.prefer("dark").await?;
    let night = page.value(BRIGHTNESS).await?;
    assert!(day.as_f64() > Some(200.0), "{day} is no light background");
    assert!(night.as_f64() < Some(60.0), "{night} is no dark background");
    is_readable(page, "dark").await?;
    open(page, C2C).await?;
    page.until("document.querySelector('.picture img')?.naturalWidth === 360")
        .await?;
    page.click("#tab-faults").await?;
    page.click("[data-fault='drop']").await?;
    page.see("#trail .good").await?;
    page.see("#status[data-state='connected']").await?;
    page.save_picture("chat-page-dark.png").await?;
    // The switch is stronger than the system: light, dark, and back to the system.
    for (theme, dark) in [("light", false), ("dark", true)] {
        page.click("#theme").await?;
        page.see(&format!("html[data-theme='{theme}']")).await?;
        let brightness = page.value(BRIGHTNESS).await?;
        assert_eq!(brightness.as_f64() < Some(60.0), dark, "{theme}");
    }
    page.goto(page.current_url().await?.as_str()).await?;
    page.see("html[data-theme='dark']").await?;
    page.click("#theme").await?;
    page.see("html:not([data-theme])").await?;
    page.prefer("light").await
}

async fn fits_a_phone(page: &Client) -> Result<()> {
    page.click("#inspector-close").await?;
    page.resize(360, 740).await?;
    open_on_phone(page, GROUP).await?;
    assert_fits(page, "a conversation").await?;
    page.run("document.getElementById('log').scrollTop = 1e6")
        .await?;
    page.save_picture("chat-page-phone.png").await?;
    page.click("#inspector-toggle").await?;
    for tab in ["traffic", "violations", "faults", "settings", "connect"] {
        page.run(&format!("document.getElementById('tab-{tab}').click()"))
            .await?;
        assert_fits(page, tab).await?;
    }
    page.click("#inspector-close").await?;
    open_on_phone(page, C2C).await?;
    page.say(&"wide".repeat(200)).await?;
    page.see_path("//article[@data-bot]//p[contains(., 'widewide')]")
        .await?;
    assert_fits(page, "a long word").await?;
    page.click(".back").await?;
    page.see("body[data-view='list']").await?;
    assert_fits(page, "the list").await?;
    page.resize(1440, 900).await?;
    open(page, GROUP).await
}

async fn open_on_phone(page: &Client, conversation: &str) -> Result<()> {
    page.run("location.hash = ''").await?;
    page.see("body[data-view='list']").await?;
    page.click(conversation).await?;
    page.see("body[data-view='chat']").await?;
    page.see("#log article").await?;
    Ok(())
}

async fn assert_fits(page: &Client, what: &str) -> Result<()> {
    let widths = page
        .value(
            "[innerWidth, document.documentElement.scrollWidth, \
             ...[...document.querySelectorAll('#log, .panel, #list')]\
             .map((part) => part.scrollWidth - part.clientWidth)]",
        )
        .await?;
    let widths: Vec<i64> = widths
        .as_array()
        .map(|all| all.iter().filter_map(Value::as_i64).collect())
        .unwrap_or_default();
    assert_eq!(widths[..2], [360, 360], "{what} is wider than a phone");
    assert!(
        widths[2..].iter().all(|more| *more <= 0),
        "{what} scrolls sideways: {widths:?}"
    );
    Ok(())
}

async fn speaks_chinese(page: &Client) -> Result<()> {
    open(page, GROUP).await?;
    page.click("#language").await?;
    page.see("html[lang='zh-CN']").await?;
    page.until("document.getElementById('status').textContent === 'robin 已连接'")
        .await?;
    page.see_path("//h2[.='群聊']").await?;
    is_readable(page, "Chinese").await?;
    page.run("document.getElementById('tab-faults').click()")
        .await?;
    page.save_picture("chat-page-zh.png").await?;
    // Remembered.
    page.goto(page.current_url().await?.as_str()).await?;
    page.see("html[lang='zh-CN']").await?;
    page.click("#language").await?;
    page.see("html[lang='en']").await?;
    let left = page
        .value("[...document.querySelectorAll('h1, h2, h3, button')].filter((one) => /[\\u4e00-\\u9fff]/.test(one.textContent)).map((one) => one.id)")
        .await?;
    assert_eq!(left, json!(["language"]), "left in Chinese");
    Ok(())
}

async fn respects_who_wants_no_motion(page: &Client) -> Result<()> {
    page.calm().await?;
    let longest = page
        .value(
            "Math.max(...[...document.querySelectorAll('*')].map((one) => \
             parseFloat(getComputedStyle(one).animationDuration) || 0))",
        )
        .await?;
    assert!(longest.as_f64() < Some(0.01), "{longest} s of motion");
    Ok(())
}

/// Everything that the page has asked for came from the emulator.
async fn asks_nobody_else(page: &Client) -> Result<()> {
    let others = page
        .value(
            "performance.getEntriesByType('resource').map((one) => one.name)\
             .filter((name) => !name.startsWith(location.origin) && !name.startsWith('blob:'))",
        )
        .await?;
    assert_eq!(others, json!([]));
    Ok(())
}
