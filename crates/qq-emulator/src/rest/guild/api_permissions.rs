//! Which calls a guild has granted, and requests for more.

use serde_json::{Value, json};

use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::find_guild;
use crate::rest::{Answer, Call, body};
use crate::tables::{self, Route};
use crate::violations::Finding;

const BAD_PARAMETER: i64 = 610_008;
const DAY: u64 = 24 * 3600 * 1000;

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    find_guild(state, call)?;
    let apis: Vec<Value> = in_guilds()
        .map(|route| {
            json!({
                "path": route.path,
                "method": route.method.as_str(),
                "desc": route.id.replace('_', " "),
                "auth_status": i32::from(granted(state, route)),
            })
        })
        .collect();
    Ok(json!({"apis": apis}))
}

pub(super) fn demand(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?;
    let channel = fields.get("channel_id").and_then(Value::as_str);
    let channel = channel
        .filter(|id| guild.channels.iter().any(|known| known.id == *id))
        .ok_or_else(|| Refusal::value(BAD_PARAMETER, "channel_id: not a channel of the guild"))?;
    let wanted = fields.get("api_identify").unwrap_or(&Value::Null);
    let route = in_guilds()
        .find(|route| wanted["path"] == route.path && wanted["method"] == route.method.as_str())
        .ok_or_else(|| {
            let why = "api_identify: GET api_permission lists the paths and methods";
            Refusal::value(610_009, why)
        })?;
    if granted(state, route) {
        let why = "api_identify: the call is granted already";
        return Err(Refusal::value(610_010, why));
    }
    let now = state.clock.now();
    let key = format!("demands/{}", guild.id);
    let most = state.settings.api_demands_per_day;
    if state.quotas.used_up(&key, now, DAY, most) {
        let why = "the requests of this guild and day are used up";
        return Err(Refusal::value(610_013, why));
    }
    let answer = json!({
        "guild_id": guild.id,
        "channel_id": channel,
        "api_identify": {"path": route.path, "method": route.method.as_str()},
        "title": "A bot asks for a permission",
        "desc": fields.get("desc").and_then(Value::as_str).unwrap_or_default(),
    });
    state.quotas.done(key, now);
    Ok(answer)
}

/// The calls that a guild can grant.
fn in_guilds() -> impl Iterator<Item = &'static Route> {
    tables::routes()
        .iter()
        .filter(|route| route.path.starts_with("/guilds/") || route.path.starts_with("/channels/"))
}

fn granted(state: &State, route: &Route) -> bool {
    state.settings.private_domain || !route.terms.private_domain
}
