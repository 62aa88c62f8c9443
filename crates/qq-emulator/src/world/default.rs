//! The world that stands when nobody brings another.

use super::{
    Bot, Channel, Direct, Group, GroupMember, Guild, GuildMember, JoinRequest, Role, User, World,
};
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

    /// When everybody joined, unless told otherwise.
    pub(super) fn joined_at() -> String {
        clock::rfc3339(JOINED)
    }

    pub(crate) fn draw(ids: &mut Ids) -> Self {
        let bot = Bot {
            app_id: DEFAULT_APP_ID.into(),
            secret: DEFAULT_SECRET.into(),
            id: ids.snowflake(),
            openid: ids.openid(),
            name: "robin".into(),
            avatar: "https://example.com/avatar/robin.png".into(),
        };
        let users: Vec<User> = ["mia", "leo", "ana"]
            .map(|name| User::draw(ids, name))
            .into();
        let joined_at = clock::rfc3339(JOINED);
        let mut group = Group {
            id: ids.openid(),
            name: "tea house".into(),
            members: users
                .iter()
                .zip(["owner", "admin", "member"])
                .map(|(user, role)| GroupMember {
                    openid: user.openid.clone(),
                    role: role.into(),
                    joined_at: joined_at.clone(),
                })
                .collect(),
            bot_role: "admin".into(),
            join_requests: Vec::new(),
        };
        let id = ids.snowflake();
        let mut harbour = guild(id, "harbour", &users, &bot);
        add_channels(ids, &mut harbour, &[("general", 0), ("workshop", 0)]);
        let direct = users
            .iter()
            .map(|user| Direct {
                guild_id: ids.snowflake(),
                channel_id: ids.channel(),
                user_id: user.id.clone(),
                src_guild_id: harbour.id.clone(),
            })
            .collect();
        // What follows came later: the ids above stay what they were.
        add_channels(
            ids,
            &mut harbour,
            &[
                ("more", Channel::CATEGORY),
                ("voice", Channel::VOICE),
                ("calendar", Channel::APPLICATION),
                ("forum", Channel::FORUM),
            ],
        );
        let mut id = ids.snowflake();
        while half(&id) == half(&harbour.id) {
            id = ids.snowflake();
        }
        let mut garden = guild(id, "garden", &users[..2], &bot);
        add_channels(ids, &mut garden, &[("lawn", 0)]);
        group.join_requests = vec![JoinRequest {
            id: ids.hex(160),
            user: User::draw(ids, "zoe"),
            message: "mia told me about you".into(),
            at: joined_at,
        }];
        Self {
            bots: vec![bot],
            users,
            groups: vec![group],
            guilds: vec![harbour, garden],
            direct,
            left_groups: Vec::new(),
            left_guilds: Vec::new(),
        }
    }
}

impl User {
    /// Somebody new.
    pub(crate) fn draw(ids: &mut Ids, name: &str) -> Self {
        Self {
            id: ids.snowflake(),
            openid: ids.openid(),
            name: name.into(),
            avatar: format!("https://example.com/avatar/{name}.png"),
        }
    }
}

/// A guild of the first user, administered by the bot.
fn guild(id: String, name: &str, users: &[User], bot: &Bot) -> Guild {
    let joined_at = clock::rfc3339(JOINED);
    let owner_id = users.first().map(|user| user.id.clone());
    let owner_id = owner_id.unwrap_or_default();
    let role_of = |user_id: &str| match user_id {
        _ if *user_id == owner_id => "4",
        _ if *user_id == bot.id => "2",
        _ => "1",
    };
    Guild {
        id,
        name: name.into(),
        joined_at: joined_at.clone(),
        channels: Vec::new(),
        members: users
            .iter()
            .map(|user| &user.id)
            .chain([&bot.id])
            .map(|user_id| GuildMember {
                user_id: user_id.clone(),
                roles: vec![role_of(user_id).into()],
                joined_at: joined_at.clone(),
            })
            .collect(),
        roles: Guild::usual_roles(),
        owner_id,
    }
}

impl Guild {
    /// The roles that every guild has.
    pub(super) fn usual_roles() -> Vec<Role> {
        let roles = [
            ("1", "everybody", 4_294_967_295, false, 5_000),
            ("2", "administrators", 4_280_276_644, true, 50),
            ("4", "owner", 4_294_927_682, true, 1),
            ("5", "channel administrators", 4_288_922_345, true, 50),
        ];
        let role = |(id, name, color, hoist, member_limit): (&str, &str, u32, bool, u32)| Role {
            id: id.into(),
            name: name.into(),
            color,
            hoist,
            member_limit,
        };
        roles.map(role).into()
    }
}

fn add_channels(ids: &mut Ids, guild: &mut Guild, channels: &[(&str, u32)]) {
    for (name, kind) in channels {
        let position = guild.channels.iter().map(|known| known.position).max();
        guild.channels.push(Channel {
            id: ids.channel(),
            guild_id: guild.id.clone(),
            name: (*name).into(),
            kind: *kind,
            position: position.unwrap_or(0) + 1,
            sub_type: 0,
            parent_id: "0".into(),
            owner_id: guild.owner_id.clone(),
            private_type: 0,
            speak_permission: 1,
            application_id: match *kind {
                Channel::APPLICATION => Channel::CALENDAR.into(),
                _ => "0".into(),
            },
            private_user_ids: Vec::new(),
        });
    }
}

/// The shard of two that a guild falls on.
fn half(guild_id: &str) -> u64 {
    guild_id.parse::<u64>().map_or(0, |id| (id >> 22) % 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_complete_and_repeatable() {
        let world = World::default();
        assert_eq!(world.users.len(), 3);
        let harbour = &world.guilds[0];
        let names: Vec<&str> = harbour.channels.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            ["general", "workshop", "more", "voice", "calendar", "forum"]
        );
        assert!(harbour.channels[4].is_calendar());
        assert_eq!(world.direct.len(), 3);
        assert_eq!(harbour.members[0].roles, ["4"]);
        assert_eq!(harbour.members[3].roles, ["2"]);
        assert_eq!(harbour.members.len(), 4);
        let again = World::default();
        assert_eq!(world.groups[0].id, again.groups[0].id);
        assert_ne!(world.groups[0].id, World::from_seed(1).groups[0].id);
    }

    #[test]
    fn the_guilds_fall_on_different_shards() {
        for seed in 0..20 {
            let world = World::from_seed(seed);
            let [a, b] = &world.guilds[..] else {
                panic!("two guilds")
            };
            assert_ne!(half(&a.id), half(&b.id), "{seed}");
        }
    }
}
