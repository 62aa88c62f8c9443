//! The world that stands when nobody brings another.

use super::{Bot, Channel, Direct, Group, GroupMember, Guild, GuildMember, User, World};
use crate::clock;
use crate::ids::Ids;
use crate::{DEFAULT_APP_ID, DEFAULT_SECRET, DEFAULT_SEED};

/// 2026-01-05 10:00 Beijing time: when everybody joined everything.
const JOINED: clock::Millis = 1_767_578_400_000;

impl Default for World {
    fn default() -> Self {
        Self::from_seed(DEFAULT_SEED)
    }
}

impl World {
    /// The default world with ids drawn from `seed`.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self::draw(&mut Ids::new(seed))
    }

    pub(crate) fn draw(ids: &mut Ids) -> Self {
        let bot = Bot {
            app_id: DEFAULT_APP_ID.into(),
            secret: DEFAULT_SECRET.into(),
            id: ids.snowflake(),
            openid: ids.openid(),
            name: "bot".into(),
            avatar: "https://example.com/avatar/bot.png".into(),
        };
        let users: Vec<User> = ["mia", "leo", "ana"]
            .into_iter()
            .map(|name| User {
                id: ids.snowflake(),
                openid: ids.openid(),
                name: name.into(),
                avatar: format!("https://example.com/avatar/{name}.png"),
            })
            .collect();
        let group = Group {
            id: ids.openid(),
            name: "tea house".into(),
            members: users
                .iter()
                .zip(["owner", "admin", "member"])
                .map(|(user, role)| GroupMember {
                    openid: user.openid.clone(),
                    role: role.into(),
                })
                .collect(),
        };
        let joined_at = clock::rfc3339(JOINED);
        let guild_id = ids.snowflake();
        let guild = Guild {
            name: "harbour".into(),
            owner_id: users[0].id.clone(),
            joined_at: joined_at.clone(),
            channels: ["general", "workshop"]
                .into_iter()
                .zip(1..)
                .map(|(name, position)| Channel {
                    id: ids.channel(),
                    guild_id: guild_id.clone(),
                    name: name.into(),
                    kind: 0,
                    position,
                })
                .collect(),
            members: users
                .iter()
                .map(|user| &user.id)
                .chain([&bot.id])
                .map(|user_id| GuildMember {
                    user_id: user_id.clone(),
                    roles: vec![if *user_id == users[0].id { "4" } else { "1" }.into()],
                    joined_at: joined_at.clone(),
                })
                .collect(),
            id: guild_id,
        };
        let direct = users
            .iter()
            .map(|user| Direct {
                guild_id: ids.snowflake(),
                channel_id: ids.channel(),
                user_id: user.id.clone(),
                src_guild_id: guild.id.clone(),
            })
            .collect();
        Self {
            bots: vec![bot],
            users,
            groups: vec![group],
            guilds: vec![guild],
            direct,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_complete_and_repeatable() {
        let world = World::default();
        assert_eq!(world.users.len(), 3);
        assert_eq!(world.guilds[0].channels.len(), 2);
        assert_eq!(world.direct.len(), 3);
        assert_eq!(world.guilds[0].members[0].roles, ["4"]);
        assert_eq!(world.guilds[0].members.len(), 4);
        let again = World::default();
        assert_eq!(world.groups[0].id, again.groups[0].id);
        assert_ne!(world.groups[0].id, World::from_seed(1).groups[0].id);
    }
}
