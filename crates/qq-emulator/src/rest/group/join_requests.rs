//! People who ask to join.

use serde_json::{Value, json};

use super::{BAD_PARAMETER, find, members};
use crate::clock::rfc3339;
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::{Answer, Call, body, pages};
use crate::violations::Finding;
use crate::world::{GroupMember, JoinRequest};

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let group = find(state, call)?;
    let all: Vec<Value> = group.join_requests.iter().map(view).collect();
    let (page, next) = pages::page(call, &all, 20, 50, BAD_PARAMETER)?;
    Ok(json!({"list": page, "next_cursor": next}))
}

/// `approve` or `decline`.
pub(super) fn decide(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let approves = match text(fields, "op") {
        Some("approve") => true,
        Some("decline") => false,
        _ => {
            let why = "op must be approve or decline";
            return Err(Refusal::value(BAD_PARAMETER, why));
        }
    };
    let applicant = call.param("member_openid");
    let id = text(fields, "join_request_id");
    let group = find(state, call)?;
    let request = group
        .join_requests
        .iter()
        .find(|request| request.user.openid == applicant && id.is_none_or(|id| id == request.id));
    let request =
        request.ok_or_else(|| Refusal::unknown(BAD_PARAMETER, "request of", applicant))?;
    let (group, request) = (group.id.clone(), request.clone());
    if approves {
        admit(state, &group, &request);
        return Ok(json!({}));
    }
    drop_request(state, &group, &request.id);
    if fields
        .get("add_to_member_blacklist")
        .and_then(Value::as_bool)
        == Some(true)
    {
        let now = state.clock.now();
        let (openid, name) = (&request.user.openid, &request.user.name);
        state.store.group(&group).ban(openid, name, now);
    }
    Ok(json!({}))
}

/// Makes a member of somebody who asked.
pub(super) fn admit(state: &mut State, group: &str, request: &JoinRequest) {
    drop_request(state, group, &request.id);
    let user = &request.user;
    let joined_at = rfc3339(state.clock.now());
    if state
        .world
        .users
        .iter()
        .all(|known| known.openid != user.openid)
    {
        state.world.users.push(user.clone());
    }
    if let Some(group) = state.world.group_mut(group) {
        group.members.push(GroupMember {
            openid: user.openid.clone(),
            role: "member".into(),
            joined_at,
        });
    }
    members::announce(state, "GROUP_MEMBER_ADD", group, &user.openid);
}

fn drop_request(state: &mut State, group: &str, id: &str) {
    if let Some(group) = state.world.group_mut(group) {
        group.join_requests.retain(|request| request.id != id);
    }
}

fn view(request: &JoinRequest) -> Value {
    json!({
        "join_request_id": request.id,
        "risk_tips": "",
        "union_openid": "",
        "member_openid": request.user.openid,
        "username": request.user.name,
        "apply_at": request.at,
        "apply_source": "self_apply",
        "invited_by": "",
        "bot": false,
        "verify_info": {
            "method": "verify_message",
            "verify_message": request.message,
            "review_qa_list": [],
        },
    })
}
