//! Roles of a guild, and who has them.

use serde_json::{Map, Value, json};

use super::{members, push};
use crate::platform::State;
use crate::rest::error::Refusal;
use crate::rest::reads::find_guild;
use crate::rest::{Answer, Call, body};
use crate::violations::Finding;
use crate::world::{Guild, Role};

const BAD_PARAMETER: i64 = 50_035;
/// Roles that a guild may make; the answer says so as text.
const MOST: usize = 30;
/// Roles that every guild has.
const BUILT_IN: [&str; 4] = ["1", "2", "4", "5"];

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let roles: Vec<Value> = guild.roles.iter().map(|role| view(guild, role)).collect();
    Ok(json!({"guild_id": guild.id, "roles": roles, "role_num_limit": MOST.to_string()}))
}

pub(super) fn create(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let guild = find_guild(state, call)?;
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    if guild.roles.len() >= MOST {
        return Err(Refusal::value(
            BAD_PARAMETER,
            "a guild has at most 30 roles",
        ));
    }
    let mut role = Role {
        id: String::new(),
        name: "new role".into(),
        color: 4_278_245_297,
        hoist: false,
        member_limit: 2_000,
    };
    change(&mut role, fields)?;
    loop {
        role.id = state.ids.channel();
        if find_guild(state, call)?.role(&role.id).is_none() {
            break;
        }
    }
    let id = role.id.clone();
    if let Some(guild) = state.world.guild_mut(call.param("guild_id")) {
        guild.roles.push(role);
    }
    let guild = find_guild(state, call)?;
    let role = find(guild, &id)?;
    Ok(json!({"role_id": id, "role": view(guild, role)}))
}

pub(super) fn modify(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let id = call.param("role_id");
    let mut role = find(find_guild(state, call)?, id)?.clone();
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    change(&mut role, fields)?;
    if let Some(guild) = state.world.guild_mut(call.param("guild_id")) {
        for known in &mut guild.roles {
            if known.id == role.id {
                known.clone_from(&role);
            }
        }
    }
    let guild = find_guild(state, call)?;
    Ok(json!({"guild_id": guild.id, "role_id": id, "role": view(guild, &role)}))
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let id = call.param("role_id").to_owned();
    find(find_guild(state, call)?, &id)?;
    if BUILT_IN.contains(&id.as_str()) {
        let why = "role_id: the roles 1, 2, 4 and 5 stay";
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let mut losing = Vec::new();
    if let Some(guild) = state.world.guild_mut(call.param("guild_id")) {
        guild.roles.retain(|role| role.id != id);
        for member in &mut guild.members {
            if member.roles.contains(&id) {
                member.roles.retain(|role| *role != id);
                losing.push(member.user_id.clone());
            }
        }
    }
    for user in losing {
        announce(state, call, &user);
    }
    Ok(Value::Null)
}

pub(super) fn give(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    change_member(state, call, findings, true)
}

pub(super) fn take(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    change_member(state, call, findings, false)
}

fn change_member(
    state: &mut State,
    call: &Call,
    findings: &mut Vec<Finding>,
    give: bool,
) -> Answer {
    let (user, role) = (call.param("user_id"), call.param("role_id"));
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let guild = find_guild(state, call)?;
    let known = find(guild, role)?;
    guild
        .member(user)
        .ok_or_else(|| Refusal::unknown(10_001, "member", user))?;
    if matches!(role, "1" | "4") {
        let why = format!("role_id: nobody is given or loses the role {role}");
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    let holders = count(guild, role);
    if give && holders >= known.member_limit {
        let why = format!("role_id: {holders} members have the role, which is its limit");
        return Err(Refusal::value(BAD_PARAMETER, why));
    }
    if role == "5" {
        let channel = fields
            .get("channel")
            .and_then(|channel| channel["id"].as_str())
            .filter(|id| guild.channels.iter().any(|known| known.id == *id))
            .ok_or_else(|| {
                let why = "channel.id: the role 5 is for one channel of the guild; name it";
                Refusal::value(BAD_PARAMETER, why)
            })?
            .to_owned();
        super::permissions::manage(state, &channel, user, give);
    }
    let guild = state.world.guild_mut(call.param("guild_id"));
    let member = guild.and_then(|guild| {
        let members = &mut guild.members;
        members.iter_mut().find(|member| member.user_id == user)
    });
    if let Some(member) = member {
        let had = member.roles.iter().any(|known| known == role);
        if had == give {
            // Once more changes nothing, and nothing is told.
            return Ok(Value::Null);
        }
        member.roles.retain(|known| known != role);
        if give {
            member.roles.push(role.to_owned());
        }
    }
    announce(state, call, user);
    Ok(Value::Null)
}

fn announce(state: &mut State, call: &Call, user: &str) {
    if let Some(d) = members::event(state, call, user) {
        push(state, "GUILD_MEMBER_UPDATE", &d);
    }
}

/// At least one member must be there.
fn change(role: &mut Role, fields: &Map<String, Value>) -> Result<(), Box<Refusal>> {
    let mut any = false;
    if let Some(name) = fields.get("name").and_then(Value::as_str) {
        name.clone_into(&mut role.name);
        any = true;
    }
    if let Some(color) = fields.get("color").and_then(Value::as_i64) {
        role.color = u32::try_from(color).map_err(|_| {
            Refusal::value(BAD_PARAMETER, "color must be an unsigned number of 32 bits")
        })?;
        any = true;
    }
    if let Some(hoist) = fields.get("hoist").and_then(Value::as_i64) {
        if !matches!(hoist, 0 | 1) {
            return Err(Refusal::value(BAD_PARAMETER, "hoist must be 0 or 1"));
        }
        role.hoist = hoist == 1;
        any = true;
    }
    if any {
        Ok(())
    } else {
        let why = "one of name, color and hoist is needed";
        Err(Refusal::value(BAD_PARAMETER, why))
    }
}

pub(super) fn find<'a>(guild: &'a Guild, id: &str) -> Result<&'a Role, Box<Refusal>> {
    guild
        .role(id)
        .ok_or_else(|| Refusal::unknown(BAD_PARAMETER, "role", id))
}

fn count(guild: &Guild, role: &str) -> u32 {
    let holders = guild
        .members
        .iter()
        .filter(|member| role == "1" || member.roles.iter().any(|known| known == role));
    u32::try_from(holders.count()).unwrap_or(u32::MAX)
}

fn view(guild: &Guild, role: &Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "color": role.color,
        "hoist": i32::from(role.hoist),
        "number": count(guild, &role.id),
        "member_limit": role.member_limit,
    })
}
