//! A group, the bot in it, and its members.

use serde_json::{Value, json};

use super::{BAD_PARAMETER, find, name, openids};
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body, pages};
use crate::speech;
use crate::violations::Finding;
use crate::world::{Group, GroupMember};

/// Members of one page.
const PAGE: usize = 30;

pub(super) fn info(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    Ok(json!({
        "group_openid": group.id,
        "group_name": group.name,
        "group_finger_memo": "",
        "group_class_text": "",
        "group_tags": [],
        // The bot is a member, too.
        "group_member_num": group.members.len() + 1,
    }))
}

pub(super) fn bot_state(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let bot = state.world.bot(&call.app_id);
    Ok(json!({
        "member_openid": bot.map(|bot| &bot.openid),
        "joined_at": group.members.first().map_or("", |first| &first.joined_at),
        "allow_proactive_msg": !state.store.refusing.contains(&group.id),
        "recv_msg_setting": "all",
        "member_role": group.bot_role,
    }))
}

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let members = group.members.iter().map(|member| view(state, member));
    let all: Vec<Value> = members.chain(bot_view(state, call, group)).collect();
    let (page, next) = pages::page(call, &all, PAGE, PAGE, BAD_PARAMETER)?;
    Ok(json!({"members": page, "next_cursor": next}))
}

pub(super) fn list_legacy(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let number = |name: &str, default: u64| {
        let number = fields.get(name).and_then(Value::as_u64);
        usize::try_from(number.unwrap_or(default)).unwrap_or(usize::MAX)
    };
    let (limit, start) = (number("limit", 500), number("start_index", 0));
    if !(1..=500).contains(&limit) {
        let why = "limit must be a number from 1 to 500";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let all = &group.members;
    let end = start.saturating_add(limit).min(all.len());
    let members: Vec<Value> = all
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|member| json!({"member_openid": member.openid, "join_timestamp": member.joined_at}))
        .collect();
    let next = if end < all.len() { end } else { 0 };
    Ok(json!({"members": members, "next_index": next}))
}

pub(super) fn get(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let id = call.param("member_openid");
    let member = group.members.iter().find(|member| member.openid == id);
    member
        .map(|member| view(state, member))
        .or_else(|| bot_view(state, call, group).filter(|bot| bot["member_openid"] == id))
        .ok_or_else(|| Refusal::unknown(BAD_PARAMETER, "member", id))
}

/// All of them, or none.
pub(super) fn remove(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let wanted = openids(fields, "member_openids")?;
    let ban = fields
        .get("add_to_member_blacklist")
        .and_then(Value::as_bool)
        == Some(true);
    let group = find(state, call)?;
    if group.bot_role == "member" {
        let why = "the bot is no administrator of the group";
        return Err(Refusal::value(11_703, why));
    }
    for id in &wanted {
        let member = group.members.iter().find(|member| member.openid == *id);
        let member = member.ok_or_else(|| Refusal::unknown(11_201, "member", id))?;
        if member.role != "member" {
            let why = format!("member_openids: {id:?} is owner or administrator");
            return Err(Refusal::value(11_703, why));
        }
    }
    let id = group.id.clone();
    let now = state.clock.now();
    let mut failed = Vec::new();
    for user in wanted {
        let name = name(state, user);
        let notes = state.store.group(&id);
        notes.muted.remove(user);
        if ban && !notes.ban(user, &name, now) {
            failed.push(user);
        }
        let mut gone = false;
        if let Some(group) = state.world.group_mut(&id) {
            let before = group.members.len();
            group.members.retain(|member| member.openid != user);
            gone = group.members.len() < before;
        }
        if gone {
            announce(state, "GROUP_MEMBER_REMOVE", &id, user);
        }
    }
    Ok(json!({
        "remove_members_result": "success",
        "add_to_member_blacklist_fail_openids": failed,
    }))
}

/// Tells that somebody has come or gone.
pub(super) fn announce(state: &mut State, event: &str, group: &str, user: &str) {
    let d = json!({
        "timestamp": state.clock.now() / 1000,
        "group_openid": group,
        "member_openid": user,
        "user_openid": user,
    });
    speech::push_event(state, event, None, &d, None);
}

fn view(state: &State, member: &GroupMember) -> Value {
    json!({
        "member_openid": member.openid,
        "username": name(state, &member.openid),
        "member_role": member.role,
        "bot": false,
        "joined_at": member.joined_at,
        "union_openid": "",
    })
}

fn bot_view(state: &State, call: &Call, group: &Group) -> Option<Value> {
    let bot = state.world.bot(&call.app_id)?;
    Some(json!({
        "member_openid": bot.openid,
        "username": bot.name,
        "member_role": group.bot_role,
        "bot": true,
        "joined_at": group.members.first().map_or("", |first| &first.joined_at),
        "union_openid": "",
    }))
}
