//! The predecessor of the webhook: sessions that a bot asks for.

use serde_json::{Value, json};

use super::content::text;
use super::error::Refusal;
use super::{Answer, Call, Handler, body};
use crate::clock::rfc3339;
use crate::platform::State;
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 50_035;
/// Sessions kept at once.
const MOST: usize = 100;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "create_webhook_session" => create,
        "list_webhook_sessions" => list,
        "check_webhook_sessions" => check,
        "delete_webhook_session" => delete,
        _ => return None,
    })
}

fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let url = text(fields, "callback_url").unwrap_or_default();
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let why = "callback_url must be an http or https address";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let shards = fields.get("shards").cloned().unwrap_or_default();
    let fits = match (shards[0].as_u64(), shards[1].as_u64()) {
        (Some(index), Some(count)) => index < count,
        _ => false,
    };
    if !fits {
        let why = "shards must be an index and a count, the index below the count";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let id = state.call_ids.uuid();
    let now = rfc3339(state.clock.now());
    let bot = state.world.bot(&call.app_id);
    let answer = json!({
        "version": 1,
        "session_id": id,
        "bot": {"id": bot.map(|bot| &bot.id), "username": bot.map(|bot| &bot.name)},
        "shard": shards,
    });
    let sessions = &mut state.store.console.webhook_sessions;
    if sessions.len() >= MOST {
        sessions.remove(0);
    }
    sessions.push(json!({
        "app_id": call.app_id,
        "session_id": id,
        "callback_url": url,
        "env": "",
        "intents": fields.get("intents"),
        "last_heartbeat_time": now,
        "state": "ACTIVE",
        "shards": shards,
    }));
    Ok(answer)
}

fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let sessions = state.store.console.webhook_sessions.iter();
    let own = sessions.filter(|session| session["app_id"] == call.app_id);
    Ok(own.cloned().collect())
}

fn check(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    if call.query("action") != Some("check") {
        return Err(Refusal::value(BAD_PARAMETER, "action must be check"));
    }
    let now: Value = rfc3339(state.clock.now()).into();
    for session in &mut state.store.console.webhook_sessions {
        if session["app_id"] == call.app_id {
            session["last_heartbeat_time"] = now.clone();
        }
    }
    list(state, call, findings)
}

fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let id = call.param("session_id");
    let sessions = &mut state.store.console.webhook_sessions;
    let before = sessions.len();
    sessions.retain(|known| known["session_id"] != id || known["app_id"] != call.app_id);
    if sessions.len() == before {
        return Err(Refusal::unknown(BAD_PARAMETER, "webhook session", id));
    }
    Ok(Value::Null)
}
