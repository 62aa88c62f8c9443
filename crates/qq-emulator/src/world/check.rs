//! What a world must be for the routes to work on it.

use std::collections::HashSet;

use super::{Guild, World};

/// Roles in a group.
const GROUP_ROLES: [&str; 3] = ["owner", "admin", "member"];

/// Names are there once, ids have the platform's form, and what is named exists.
///
/// # Errors
/// The path of the first field that is wrong, and what is wrong with it.
pub(super) fn check(world: &World) -> Result<(), (String, String)> {
    let mut seen = HashSet::new();
    let mut once = |what: &'static str, value: &str, path: String| {
        if value.is_empty() {
            return Err((path, "is empty".to_owned()));
        }
        if seen.insert((what, value.to_owned())) {
            Ok(())
        } else {
            Err((path, format!("{value:?} is there twice")))
        }
    };
    for (index, bot) in world.bots.iter().enumerate() {
        let path = |field: &str| format!("bots[{index}].{field}");
        decimal(&bot.app_id, path("app_id"))?;
        decimal(&bot.id, path("id"))?;
        once("app", &bot.app_id, path("app_id"))?;
        once("user id", &bot.id, path("id"))?;
        once("openid", &bot.openid, path("openid"))?;
        if bot.secret.is_empty() {
            return Err((path("secret"), "is empty".into()));
        }
    }
    for (index, user) in world.users.iter().enumerate() {
        let path = |field: &str| format!("users[{index}].{field}");
        decimal(&user.id, path("id"))?;
        once("user id", &user.id, path("id"))?;
        once("openid", &user.openid, path("openid"))?;
        once("name", &user.name, path("name"))?;
    }
    for (list, groups) in [
        ("groups", &world.groups),
        ("left_groups", &world.left_groups),
    ] {
        for (index, group) in groups.iter().enumerate() {
            let path = |field: &str| format!("{list}[{index}].{field}");
            once("group", &group.id, path("id"))?;
            once("group name", &group.name, path("name"))?;
            group_role(&group.bot_role, path("bot_role"))?;
            for (place, member) in group.members.iter().enumerate() {
                group_role(&member.role, path(&format!("members[{place}].role")))?;
            }
        }
    }
    for (list, guilds) in [
        ("guilds", &world.guilds),
        ("left_guilds", &world.left_guilds),
    ] {
        for (index, guild) in guilds.iter().enumerate() {
            let path = format!("{list}[{index}]");
            decimal(&guild.id, format!("{path}.id"))?;
            once("guild", &guild.id, format!("{path}.id"))?;
            for (place, channel) in guild.channels.iter().enumerate() {
                let path = format!("{path}.channels[{place}].id");
                decimal(&channel.id, path.clone())?;
                once("channel", &channel.id, path)?;
            }
            members(guild, &path)?;
        }
    }
    for (index, direct) in world.direct.iter().enumerate() {
        let path = |field: &str| format!("direct[{index}].{field}");
        once("guild", &direct.guild_id, path("guild_id"))?;
        once("channel", &direct.channel_id, path("channel_id"))?;
        if !world.users.iter().any(|user| user.id == direct.user_id) {
            let why = format!("there is no user {:?} in users", direct.user_id);
            return Err((path("user_id"), why));
        }
    }
    Ok(())
}

fn members(guild: &Guild, path: &str) -> Result<(), (String, String)> {
    for (place, member) in guild.members.iter().enumerate() {
        let path = format!("{path}.members[{place}]");
        for (place, role) in member.roles.iter().enumerate() {
            if guild.role(role).is_none() {
                let why = format!("the guild has no role {role:?}");
                return Err((format!("{path}.roles[{place}]"), why));
            }
        }
    }
    Ok(())
}

fn group_role(role: &str, path: String) -> Result<(), (String, String)> {
    if GROUP_ROLES.contains(&role) {
        Ok(())
    } else {
        Err((path, "give owner, admin or member".into()))
    }
}

/// Clients read these ids as numbers.
fn decimal(id: &str, path: String) -> Result<(), (String, String)> {
    if id.parse::<u64>().is_ok() {
        Ok(())
    } else {
        Err((path, "give decimal digits, as a string".into()))
    }
}
