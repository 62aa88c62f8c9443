//! The inspector: frames and calls, violations, faults, settings.

use fantoccini::Client;
use qq_emulator::{Emulator, MessageAudit};
use serde_json::json;

use crate::browser::{PageExt, Result};
use crate::browser_bot::Bot;
use crate::{GROUP, answer, ask, open};

pub(crate) async fn scenario(page: Client, emulator: Emulator) -> Result<()> {
    let bot = Bot::start(&emulator)?;
    page.see("#status[data-state='connected']").await?;
    open(&page, GROUP).await?;
    ask(&page, "!ping", "Pong!").await?;
    page.click("#inspector-toggle").await?;
    shows_traffic(&page).await?;
    survives_faults(&page, &emulator).await?;
    plans_and_removes_faults(&page, &emulator).await?;
    changes_settings(&page, &emulator).await?;
    shows_who_is_connected(&page, &emulator).await?;
    assert_eq!(page.console_errors().await?, Vec::<String>::new());
    shows_violations(&page).await?;
    works_with_keys(&page).await?;
    bot.stop().await
}

async fn shows_traffic(page: &Client) -> Result<()> {
    for row in ["IDENTIFY", "READY", "GROUP_AT_MESSAGE_CREATE"] {
        page.see_path(&format!("//*[@id='traffic']//*[@class='name'][.='{row}']"))
            .await?;
    }
    page.see("#traffic-filter").await?.send_keys("pong").await?;
    page.see_path("//*[@id='traffic'][count(.//*[@role='option']) = 1]")
        .await?;
    page.click("#traffic [role='option']").await?;
    let detail = page.see("#traffic-detail").await?.text().await?;
    assert!(detail.contains("send_group_message"), "{detail}");
    assert!(detail.contains("\"content\": \"Pong!\""), "{detail}");
    assert!(
        detail.contains("QQBot ***"),
        "the token is not shown: {detail}"
    );
    page.click("#traffic-detail .icon-button").await?;
    page.see("#traffic-filter").await?.clear().await?;
    page.run("document.getElementById('traffic-filter').dispatchEvent(new Event('input'))")
        .await?;
    page.until("document.querySelectorAll('#traffic [role=option]').length > 3")
        .await?;
    // From a message to what was sent.
    page.hover("article[data-bot] .bubble").await?;
    page.click("[data-action='inspect']").await?;
    page.see_path("//*[@id='traffic-detail'][contains(., 'Request body')]")
        .await?;
    Ok(())
}

async fn survives_faults(page: &Client, emulator: &Emulator) -> Result<()> {
    page.click("#tab-faults").await?;
    for (fault, nth) in [("drop", 1), ("reconnect", 2), ("close-4009", 3)] {
        page.click(&format!("[data-fault='{fault}']")).await?;
        page.see_path(&format!(
            "//*[@id='trail'][count(.//*[@class='good']) = {nth}]"
        ))
        .await?;
        page.see("#status[data-state='connected']").await?;
    }
    page.see_path("//*[@id='trail']//*[contains(., 'robin is back after')]")
        .await?;
    let resumes = emulator
        .sessions()
        .iter()
        .map(|session| session.resumes)
        .sum::<u32>();
    assert!(resumes >= 1, "{resumes} resumed");
    page.say("are you there?").await?;
    answer(page, "are you there?").await?;
    Ok(())
}

async fn plans_and_removes_faults(page: &Client, emulator: &Emulator) -> Result<()> {
    for fault in ["429", "500", "slow", "lost", "no-ack", "twice"] {
        page.click(&format!("[data-fault='{fault}']")).await?;
    }
    page.see_path("//*[@id='plan'][count(li) = 6]").await?;
    assert_eq!(emulator.faults().len(), 6);
    for left in (0..6).rev() {
        page.click("#plan li:last-child button").await?;
        page.until(&format!(
            "document.querySelectorAll('#plan li').length === {left}"
        ))
        .await?;
    }
    assert_eq!(emulator.faults().len(), 0);
    // The bot is told to slow down, and answers all the same.
    page.click("[data-fault='429']").await?;
    page.see("#plan li").await?;
    page.say("again, please").await?;
    answer(page, "again, please").await?;
    page.see("#plan li.over").await?;
    page.click("#plan button").await?;
    page.until("document.getElementById('plan').hidden").await?;
    Ok(())
}

async fn changes_settings(page: &Client, emulator: &Emulator) -> Result<()> {
    page.click("#tab-settings").await?;
    page.click("[data-advance='3600000']").await?;
    page.see_path("//*[@id='now'][contains(., 'ahead')]")
        .await?;
    page.see("#setting-message_audit")
        .await?
        .select_by_value("reject")
        .await?;
    let audit = || async {
        let settings = format!("{}/emulator/v1/settings", emulator.base_url());
        page.execute_async(
            "const [address, done] = arguments; \
             fetch(address).then((answer) => answer.json()).then((all) => done(all.message_audit))",
            vec![settings.into()],
        )
        .await
    };
    page.until("document.getElementById('setting-message_audit').value === 'reject'")
        .await?;
    while audit().await? != json!("reject") {}
    page.click("#setting-strict").await?;
    page.until("document.getElementById('setting-strict').checked")
        .await?;
    emulator.change_settings(|settings| {
        assert_eq!(settings.message_audit, MessageAudit::Reject);
        settings.message_audit = MessageAudit::Off;
        settings.strict = false;
    });
    // A webhook that nobody answers is not taken, and the page says why.
    page.see("#webhook-url")
        .await?
        .send_keys("http://127.0.0.1:9/")
        .await?;
    page.click(".webhook button[type='submit']").await?;
    page.see_path("//*[@role='alert'][contains(., 'Webhook failed')]")
        .await?;
    Ok(())
}

async fn shows_who_is_connected(page: &Client, emulator: &Emulator) -> Result<()> {
    page.click("#tab-connect").await?;
    let shown = page.see("#panel-connect").await?.text().await?;
    for wanted in [emulator.app_id(), emulator.secret(), "shard 0 of 1"] {
        assert!(shown.contains(wanted), "{wanted} is not in {shown}");
    }
    Ok(())
}

async fn shows_violations(page: &Client) -> Result<()> {
    let status = page
        .value("fetch('/v2/groups/nowhere/messages', {method: 'POST', body: '{}'}).then((answer) => answer.status)")
        .await?;
    assert_eq!(status, 401);
    page.see("#violation-badge:not([hidden])").await?;
    page.click("#tab-violations").await?;
    page.see_path("//*[@id='violations']/li[@class='error']//b[starts-with(., 'rest.auth')]")
        .await?;
    Ok(())
}

async fn works_with_keys(page: &Client) -> Result<()> {
    use fantoccini::key::Key;
    let keys = |keys: &[char]| keys.iter().collect::<String>();
    let body = page.see("body").await?;
    page.run("document.activeElement.blur()").await?;
    body.send_keys(&keys(&[Key::Escape.into()])).await?;
    page.until("document.getElementById('inspector').hidden")
        .await?;
    let alt = char::from(Key::Alt);
    let before = page.value("location.hash").await?;
    page.active_element()
        .await?
        .send_keys(&keys(&[alt, Key::Down.into()]))
        .await?;
    page.until(&format!("location.hash !== {before}")).await?;
    page.active_element()
        .await?
        .send_keys(&keys(&[Key::Control.into(), 'k']))
        .await?;
    page.until("document.activeElement.id === 'search'").await?;
    page.active_element().await?.send_keys("lawn").await?;
    page.until(
        "[...document.querySelectorAll('.entry')].filter((one) => one.offsetParent).length === 1",
    )
    .await?;
    page.active_element()
        .await?
        .send_keys(&keys(&[Key::Enter.into()]))
        .await?;
    page.until("document.activeElement.matches('a.entry')")
        .await?;
    page.run("document.getElementById('help').click()").await?;
    page.see("dialog .shortcuts").await?;
    page.active_element()
        .await?
        .send_keys(&keys(&[Key::Escape.into()]))
        .await?;
    page.until("!document.querySelector('dialog')").await
}
