//! Setting an address: op 13 and what the bot has to answer.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::address::Address;
use super::request::{Call, Failure, Link, Reply, record, seconds};
use super::sign::Key;
use super::{actor, attempt_limit};
use crate::gateway::go_json;
use crate::platform::Platform;
use crate::server::Guard;
use crate::violations::Finding;

/// The pause before an address that does not answer yet is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Sets, or with `None` removes, the address of a bot; of the world's first one if none is named.
/// An address is called with op 13 first, and taken only if the bot proves that it has the secret.
///
/// # Errors
/// A sentence that names the field and the fix; the address from before stays.
pub(crate) async fn set(
    platform: &Platform,
    app_id: Option<&str>,
    url: Option<&str>,
    from_start: bool,
) -> Result<(), String> {
    let (app_id, secret, any_host, limit) = platform.read(|state| {
        let (app_id, secret) = bot(state, app_id)?;
        let settings = &state.settings;
        Ok::<_, String>((
            app_id,
            secret,
            settings.webhook_any_host,
            attempt_limit(settings),
        ))
    })?;
    let Some(url) = url else {
        platform.update(|state| state.webhooks.remove(&app_id));
        return Ok(());
    };
    let address = Address::parse(url, any_host)?;
    let key =
        Key::new(&secret).ok_or("app_id: the bot's secret is empty, nothing can be signed")?;
    let (plain_token, trace_id) = platform.update_quietly(|state| {
        let mut token = state.call_ids.access_token();
        token.truncate(20);
        (token, state.call_ids.hex(32))
    });
    let timestamp = seconds().to_string();
    let d = json!({"plain_token": plain_token, "event_ts": timestamp});
    let body = format!(r#"{{"d":{},"op":13}}"#, go_json(&d));
    let call = Call {
        address: address.clone(),
        app_id: app_id.clone(),
        signature: Some(key.sign([timestamp.as_bytes(), body.as_bytes()])),
        body: body.into(),
        timestamp: timestamp.clone(),
        trace_id,
    };
    let outcome = Link::new().send(call.clone(), limit).await;
    platform.read(|state| record(state, &call, None, &outcome));
    let reply = match outcome {
        Ok(reply) => reply,
        Err(Failure::Timeout) => {
            return Err(format!("url: no answer within {} ms", limit.as_millis()));
        }
        Err(Failure::Broken(why)) => return Err(format!("url: no answer: {why}")),
    };
    judge(&reply, &key, &plain_token, &timestamp)?;
    platform.update(|state| state.webhooks.insert(app_id, address, from_start));
    Ok(())
}

/// Says why an address may not be called.
pub(crate) fn check_address(url: &str, any_host: bool) -> Result<(), String> {
    Address::parse(url, any_host).map(|_| ())
}

/// Tries to set the first bot's address until it answers, or until another is set.
pub(crate) async fn set_once_it_answers(platform: Arc<Platform>, url: String, _guard: Guard) {
    let mut stopping = platform.stopping();
    let mut known = String::new();
    loop {
        let attempt = async {
            let refused = set(&platform, None, Some(&url), true).await.err();
            if refused.is_some() {
                sleep(AGAIN).await;
            }
            refused
        };
        let refused = tokio::select! {
            () = stopping.requested() => return,
            refused = attempt => refused,
        };
        let Some(why) = refused.filter(|_| platform.read(|state| state.webhooks.is_empty())) else {
            return;
        };
        if why != known {
            let finding = Finding::warn(
                "webhook.check",
                "the bot answers op 13 at its address",
                why.clone(),
            );
            let actor = actor("webhook".to_owned());
            platform.update(|state| state.record(&actor, finding));
            known = why;
        }
    }
}

/// App id and secret of a bot, or of the first one.
pub(super) fn bot(
    state: &crate::platform::State,
    app_id: Option<&str>,
) -> Result<(String, String), String> {
    let bot = match app_id {
        Some(app_id) => state
            .world
            .bot(app_id)
            .ok_or_else(|| format!("app_id: there is no bot {app_id:?}; GET world lists them"))?,
        None => state
            .world
            .bots
            .first()
            .ok_or("app_id: the world has no bot")?,
    };
    Ok((bot.app_id.clone(), bot.secret.clone()))
}

fn judge(reply: &Reply, key: &Key, plain_token: &str, timestamp: &str) -> Result<(), String> {
    if reply.status != StatusCode::OK {
        return Err(format!(
            "status: answer op 13 with 200, not {}",
            reply.status.as_u16()
        ));
    }
    let answer: Value = serde_json::from_slice(&reply.body).map_err(|why| {
        format!("body: answer op 13 with {{\"plain_token\", \"signature\"}} ({why})")
    })?;
    match answer["plain_token"].as_str() {
        Some(token) if token == plain_token => {}
        Some(_) => return Err("plain_token: answer the one of the call".into()),
        None => return Err("plain_token: is missing in the answer, or not a string".into()),
    }
    let signature = answer["signature"]
        .as_str()
        .ok_or("signature: is missing in the answer, or not a string")?;
    if key.verifies([timestamp.as_bytes(), plain_token.as_bytes()], signature) {
        return Ok(());
    }
    Err(
        "signature: is wrong; sign event_ts followed by plain_token with the key made from the \
         bot's secret, as 128 hexadecimal digits"
            .into(),
    )
}
