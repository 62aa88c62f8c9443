//! Routes of QQ groups.

mod blacklist;
mod join_requests;
mod members;
mod mutes;
mod strategies;

use super::error::Refusal;
use super::{Call, Handler};
use crate::platform::State;
use crate::world::Group;

/// The code of a call with bad parameters.
const BAD_PARAMETER: i64 = 40_034_125;
/// Members that one call changes.
const MOST_AT_ONCE: usize = 20;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    Some(match route {
        "get_group_info" => members::info,
        "get_group_bot_state" => members::bot_state,
        "list_group_members" => members::list,
        "list_group_members_legacy" => members::list_legacy,
        "get_group_member" => members::get,
        "batch_remove_group_members" => members::remove,
        "list_group_join_requests" => join_requests::list,
        "approve_group_join_request" => join_requests::decide,
        "list_group_member_blacklist" => blacklist::list,
        "modify_group_member_blacklist" => blacklist::modify,
        "get_group_restrict_chat_setting" => mutes::get,
        "set_group_restrict_chat_setting" => mutes::set,
        "list_join_approval_strategies" => strategies::list,
        "create_join_approval_strategy" => strategies::create,
        "modify_join_approval_strategy" => strategies::modify,
        "delete_join_approval_strategy" => strategies::delete,
        "execute_join_approval_strategy" => strategies::execute,
        "modify_join_approval_whitelist" => strategies::change_whitelist,
        _ => return None,
    })
}

fn find<'a>(state: &'a State, call: &Call) -> Result<&'a Group, Box<Refusal>> {
    let id = call.param("group_openid");
    let groups = &state.world.groups;
    groups
        .iter()
        .find(|group| group.id == id)
        .ok_or_else(|| Refusal::unknown(11_255, "group", id))
}

/// A user's name; empty for strangers.
fn name(state: &State, openid: &str) -> String {
    let users = &state.world.users;
    users
        .iter()
        .find(|user| user.openid == openid)
        .map(|user| user.name.clone())
        .unwrap_or_default()
}

/// The openids of a list in a body, at most 20.
fn openids<'a>(
    fields: &'a serde_json::Map<String, serde_json::Value>,
    member: &str,
) -> Result<Vec<&'a str>, Box<Refusal>> {
    let list = fields.get(member).and_then(serde_json::Value::as_array);
    let list: Vec<&str> = list
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .collect();
    if list.is_empty() || list.len() > MOST_AT_ONCE {
        let why = format!("{member} must have 1 to {MOST_AT_ONCE} openids");
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    Ok(list)
}
