//! Links that share the bot.

use serde_json::json;

use super::content::text;
use super::error::Refusal;
use super::{Answer, Call, Handler, body};
use crate::platform::State;
use crate::violations::Finding;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    (route == "generate_url_link").then_some(generate as Handler)
}

fn generate(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, 11_004, findings)?;
    let callback = text(fields, "callback_data").unwrap_or_default();
    if callback.chars().count() > 32 {
        let why = "callback_data has at most 32 characters";
        return Err(Refusal::value(11_004, why));
    }
    let link = state.ids.hex(16);
    let url = format!("https://example.com/bot/{}/{link}", call.app_id);
    Ok(json!({"retcode": 0, "msg": "success", "data": {"url": url}}))
}
