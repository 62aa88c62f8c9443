//! A world as a JSON file: the format of `GET world`, of which most can be left out.

use serde::Deserialize;

use super::{
    Bot, Channel, Direct, Group, GroupMember, Guild, GuildMember, JoinRequest, Role, User, World,
};
use crate::ids::Ids;
use crate::json_error::{self, JsonError};
use crate::{DEFAULT_APP_ID, DEFAULT_SECRET};

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    version: u32,
    #[serde(default)]
    bots: Vec<BotDraft>,
    #[serde(default)]
    users: Vec<UserDraft>,
    #[serde(default)]
    groups: Vec<GroupDraft>,
    #[serde(default)]
    guilds: Vec<GuildDraft>,
    direct: Option<Vec<Direct>>,
    #[serde(default)]
    left_groups: Vec<GroupDraft>,
    #[serde(default)]
    left_guilds: Vec<GuildDraft>,
    /// `GET world` repeats all channels here.
    #[serde(default, rename = "channels")]
    _channels: serde::de::IgnoredAny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BotDraft {
    app_id: Option<String>,
    secret: Option<String>,
    id: Option<String>,
    openid: Option<String>,
    name: Option<String>,
    avatar: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserDraft {
    id: Option<String>,
    openid: Option<String>,
    name: String,
    avatar: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupDraft {
    id: Option<String>,
    name: String,
    members: Option<Vec<GroupMemberDraft>>,
    bot_role: Option<String>,
    #[serde(default)]
    join_requests: Vec<JoinRequestDraft>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupMemberDraft {
    openid: String,
    role: Option<String>,
    joined_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinRequestDraft {
    id: Option<String>,
    user: UserDraft,
    #[serde(default)]
    message: String,
    at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuildDraft {
    id: Option<String>,
    name: String,
    owner_id: Option<String>,
    joined_at: Option<String>,
    channels: Option<Vec<ChannelDraft>>,
    members: Option<Vec<GuildMemberDraft>>,
    roles: Option<Vec<Role>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelDraft {
    id: Option<String>,
    guild_id: Option<String>,
    name: String,
    #[serde(default, rename = "type")]
    kind: u32,
    position: Option<u32>,
    #[serde(default)]
    sub_type: u32,
    parent_id: Option<String>,
    owner_id: Option<String>,
    #[serde(default)]
    private_type: u32,
    speak_permission: Option<u32>,
    application_id: Option<String>,
    #[serde(default)]
    private_user_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuildMemberDraft {
    user_id: String,
    roles: Option<Vec<String>>,
    joined_at: Option<String>,
}

impl World {
    /// Reads a world file: JSON as `GET /emulator/v1/world` gives it. Only `version`, which is 1,
    /// and the names of things are needed; ids that are left out are drawn from `seed`. Members
    /// may be named by name, id or openid. Without `members` everybody is a member, and the first
    /// user the owner; without `channels` a guild has one text channel.
    ///
    /// # Errors
    /// Names line, column and field, and what to do.
    ///
    /// ```
    /// use qq_emulator::World;
    ///
    /// let text = r#"{"version": 1, "users": [{"name": "mia"}], "groups": [{"name": "lab"}]}"#;
    /// let world = World::from_json(text, 7)?;
    /// assert_eq!(world.groups[0].members[0].openid, world.users[0].openid);
    /// # Ok::<_, qq_emulator::JsonError>(())
    /// ```
    pub fn from_json(text: &str, seed: u64) -> Result<Self, JsonError> {
        let draft: Draft = json_error::read(text)?;
        Builder::new(seed)
            .world(draft)
            .and_then(|world| world.check().map(|()| world))
            .map_err(|(field, message)| JsonError::at(text, &field, message))
    }
}

/// A path, and what is wrong there.
type Wrong = (String, String);

/// Fills in what a draft leaves out.
struct Builder {
    ids: Ids,
    users: Vec<User>,
    bots: Vec<Bot>,
}

impl Builder {
    fn new(seed: u64) -> Self {
        Self {
            ids: Ids::new(seed),
            users: Vec::new(),
            bots: Vec::new(),
        }
    }

    fn world(mut self, draft: Draft) -> Result<World, Wrong> {
        if draft.version != VERSION {
            let why = format!("this is version {VERSION} of the format");
            return Err(("version".into(), why));
        }
        let bots = match draft.bots {
            none if none.is_empty() => vec![BotDraft::default()],
            bots => bots,
        };
        let mut drawn = Vec::new();
        for (index, bot) in bots.into_iter().enumerate() {
            drawn.push(self.bot(index, bot));
        }
        self.bots = drawn;
        let mut drawn = Vec::new();
        for user in draft.users {
            drawn.push(self.user(user));
        }
        self.users = drawn;
        let groups = self.groups("groups", draft.groups)?;
        let guilds = self.guilds("guilds", draft.guilds)?;
        let left_groups = self.groups("left_groups", draft.left_groups)?;
        let left_guilds = self.guilds("left_guilds", draft.left_guilds)?;
        let direct = match draft.direct {
            Some(direct) => direct,
            None => self.direct(&guilds),
        };
        Ok(World {
            bots: self.bots,
            users: self.users,
            groups,
            guilds,
            direct,
            left_groups,
            left_guilds,
        })
    }

    fn bot(&mut self, index: usize, draft: BotDraft) -> Bot {
        let name = draft.name.unwrap_or_else(|| "robin".into());
        let number: usize = DEFAULT_APP_ID.parse().unwrap_or(0);
        Bot {
            app_id: draft.app_id.unwrap_or_else(|| (number + index).to_string()),
            secret: draft.secret.unwrap_or_else(|| DEFAULT_SECRET.into()),
            id: draft.id.unwrap_or_else(|| self.ids.snowflake()),
            openid: draft.openid.unwrap_or_else(|| self.ids.openid()),
            avatar: draft.avatar.unwrap_or_else(|| avatar(&name)),
            name,
        }
    }

    fn user(&mut self, draft: UserDraft) -> User {
        User {
            id: draft.id.unwrap_or_else(|| self.ids.snowflake()),
            openid: draft.openid.unwrap_or_else(|| self.ids.openid()),
            avatar: draft.avatar.unwrap_or_else(|| avatar(&draft.name)),
            name: draft.name,
        }
    }

    /// The user meant by a name, an id or an openid.
    fn find(&self, key: &str, path: &str) -> Result<&User, Wrong> {
        let known = |user: &&User| user.id == key || user.openid == key || user.name == key;
        self.users.iter().find(known).ok_or_else(|| {
            (
                path.to_owned(),
                format!("there is no user {key:?} in users"),
            )
        })
    }

    fn groups(&mut self, list: &str, drafts: Vec<GroupDraft>) -> Result<Vec<Group>, Wrong> {
        let drafts = drafts.into_iter().enumerate();
        drafts
            .map(|(index, draft)| self.group(&format!("{list}[{index}]"), draft))
            .collect()
    }

    fn group(&mut self, path: &str, draft: GroupDraft) -> Result<Group, Wrong> {
        let id = draft.id.unwrap_or_else(|| self.ids.openid());
        let joined_at = World::joined_at();
        let members = match draft.members {
            None => {
                let role = |place: usize| if place == 0 { "owner" } else { "member" };
                let users = self.users.iter().enumerate();
                users
                    .map(|(place, user)| GroupMember {
                        openid: user.openid.clone(),
                        role: role(place).into(),
                        joined_at: joined_at.clone(),
                    })
                    .collect()
            }
            Some(members) => members
                .into_iter()
                .enumerate()
                .map(|(place, member)| {
                    let path = format!("{path}.members[{place}].openid");
                    Ok(GroupMember {
                        openid: self.find(&member.openid, &path)?.openid.clone(),
                        role: member.role.unwrap_or_else(|| "member".into()),
                        joined_at: member.joined_at.unwrap_or_else(|| joined_at.clone()),
                    })
                })
                .collect::<Result<_, Wrong>>()?,
        };
        let mut join_requests = Vec::new();
        for request in draft.join_requests {
            join_requests.push(JoinRequest {
                id: request.id.unwrap_or_else(|| self.ids.hex(160)),
                user: self.user(request.user),
                message: request.message,
                at: request.at.unwrap_or_else(|| joined_at.clone()),
            });
        }
        Ok(Group {
            id,
            name: draft.name,
            members,
            bot_role: draft.bot_role.unwrap_or_else(|| "admin".into()),
            join_requests,
        })
    }

    fn guilds(&mut self, list: &str, drafts: Vec<GuildDraft>) -> Result<Vec<Guild>, Wrong> {
        let drafts = drafts.into_iter().enumerate();
        drafts
            .map(|(index, draft)| self.guild(&format!("{list}[{index}]"), draft))
            .collect()
    }

    fn guild(&mut self, path: &str, draft: GuildDraft) -> Result<Guild, Wrong> {
        let id = draft.id.unwrap_or_else(|| self.ids.snowflake());
        let joined_at = draft.joined_at.unwrap_or_else(World::joined_at);
        let owner_id = match &draft.owner_id {
            Some(key) => self.person(key, &format!("{path}.owner_id"))?,
            None => self
                .users
                .first()
                .map_or_else(String::new, |user| user.id.clone()),
        };
        let roles_of = |user: &str| {
            let role = match user {
                _ if user == owner_id => "4",
                _ if self.bots.iter().any(|bot| bot.id == user) => "2",
                _ => "1",
            };
            vec![role.to_owned()]
        };
        let members = match draft.members {
            None => {
                let people = self.users.iter().map(|user| &user.id);
                people
                    .chain(self.bots.iter().map(|bot| &bot.id))
                    .map(|user| GuildMember {
                        user_id: user.clone(),
                        roles: roles_of(user),
                        joined_at: joined_at.clone(),
                    })
                    .collect()
            }
            Some(members) => members
                .into_iter()
                .enumerate()
                .map(|(place, member)| {
                    let path = format!("{path}.members[{place}].user_id");
                    let user_id = self.person(&member.user_id, &path)?;
                    Ok(GuildMember {
                        roles: member.roles.unwrap_or_else(|| roles_of(&user_id)),
                        joined_at: member.joined_at.unwrap_or_else(|| joined_at.clone()),
                        user_id,
                    })
                })
                .collect::<Result<_, Wrong>>()?,
        };
        let mut guild = Guild {
            id,
            name: draft.name,
            joined_at,
            channels: Vec::new(),
            members,
            roles: draft.roles.unwrap_or_else(Guild::usual_roles),
            owner_id,
        };
        let general = || ChannelDraft {
            id: None,
            guild_id: None,
            name: "general".into(),
            kind: 0,
            position: None,
            sub_type: 0,
            parent_id: None,
            owner_id: None,
            private_type: 0,
            speak_permission: None,
            application_id: None,
            private_user_ids: Vec::new(),
        };
        for (place, draft) in draft
            .channels
            .unwrap_or_else(|| vec![general()])
            .into_iter()
            .enumerate()
        {
            let path = format!("{path}.channels[{place}]");
            let channel = self.channel(&path, place, draft, &guild)?;
            guild.channels.push(channel);
        }
        Ok(guild)
    }

    /// The id of a user or a bot.
    fn person(&self, key: &str, path: &str) -> Result<String, Wrong> {
        match self
            .bots
            .iter()
            .find(|bot| bot.id == key || bot.name == key)
        {
            Some(bot) => Ok(bot.id.clone()),
            None => self.find(key, path).map(|user| user.id.clone()),
        }
    }

    fn channel(
        &mut self,
        path: &str,
        place: usize,
        draft: ChannelDraft,
        guild: &Guild,
    ) -> Result<Channel, Wrong> {
        if draft.guild_id.as_ref().is_some_and(|id| *id != guild.id) {
            let why = format!("the channel is in the guild {}; leave it out", guild.id);
            return Err((format!("{path}.guild_id"), why));
        }
        let owner_id = match &draft.owner_id {
            Some(key) => self.person(key, &format!("{path}.owner_id"))?,
            None => guild.owner_id.clone(),
        };
        let position = u32::try_from(place + 1).unwrap_or(u32::MAX);
        let application = if draft.kind == Channel::APPLICATION {
            Channel::CALENDAR
        } else {
            "0"
        };
        Ok(Channel {
            id: draft.id.unwrap_or_else(|| self.ids.channel()),
            guild_id: guild.id.clone(),
            name: draft.name,
            kind: draft.kind,
            position: draft.position.unwrap_or(position),
            sub_type: draft.sub_type,
            parent_id: draft.parent_id.unwrap_or_else(|| "0".into()),
            owner_id,
            private_type: draft.private_type,
            speak_permission: draft.speak_permission.unwrap_or(1),
            application_id: draft.application_id.unwrap_or_else(|| application.into()),
            private_user_ids: draft.private_user_ids,
        })
    }

    /// One for every user who is in a guild.
    fn direct(&mut self, guilds: &[Guild]) -> Vec<Direct> {
        let mut direct = Vec::new();
        for user in &self.users {
            let Some(guild) = guilds.iter().find(|guild| guild.member(&user.id).is_some()) else {
                continue;
            };
            direct.push(Direct {
                guild_id: self.ids.snowflake(),
                channel_id: self.ids.channel(),
                user_id: user.id.clone(),
                src_guild_id: guild.id.clone(),
            });
        }
        direct
    }
}

fn avatar(name: &str) -> String {
    format!("https://example.com/avatar/{name}.png")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_drawn_from_the_seed() {
        let text = r#"{
            "version": 1,
            "users": [{"name": "mia"}, {"name": "leo", "openid": "LEO"}],
            "groups": [{"name": "lab", "members": [{"openid": "leo", "role": "owner"}]}],
            "guilds": [{"name": "port", "owner_id": "leo",
                        "channels": [{"name": "quay"}, {"name": "dates", "type": 10006}]}]
        }"#;
        let world = World::from_json(text, 3).unwrap();
        assert_eq!(world.bots[0].app_id, DEFAULT_APP_ID);
        assert_eq!(world.groups[0].members[0].openid, "LEO");
        let guild = &world.guilds[0];
        assert_eq!(guild.owner_id, world.users[1].id);
        assert_eq!(guild.member(&world.users[1].id).unwrap().roles, ["4"]);
        assert_eq!(guild.member(&world.bots[0].id).unwrap().roles, ["2"]);
        assert!(guild.channels[1].is_calendar());
        assert_eq!(world.direct.len(), 2);
        let again = World::from_json(text, 3).unwrap();
        assert_eq!(guild.id, again.guilds[0].id);
        assert_ne!(guild.id, World::from_json(text, 4).unwrap().guilds[0].id);
    }

    #[test]
    fn every_world_can_be_read_again() {
        let world = World::default();
        let mut json = serde_json::to_value(&world).unwrap();
        json["version"] = 1.into();
        let read = World::from_json(&json.to_string(), 0).unwrap();
        let again = serde_json::to_value(&read).unwrap();
        assert_eq!(serde_json::to_value(&world).unwrap(), again);
    }

    #[test]
    fn errors_name_line_column_and_field() {
        for (text, shown) in [
            ("{}", "line 1, column 2: missing field `version`"),
            (" []", "line 1, column 2: give a JSON object, not a list"),
            (
                "{\"version\": 2}",
                "line 1, column 13: version: this is version 1",
            ),
            (
                "{\"version\": 1,\n\"user\": []}",
                "line 2, column 6: user: unknown field; did you mean \"users\"?",
            ),
            (
                "{\"version\": 1,\n\"groups\": [{\"name\": \"a\", \"members\": [{\"openid\": \"x\"}]}]}",
                "line 2, column 49: groups[0].members[0].openid: there is no user \"x\"",
            ),
            (
                "{\"version\": 1,\n\"users\": [{\"name\": \"a\"},\n{\"name\": \"a\"}]}",
                "line 3, column 10: users[1].name: \"a\" is there twice",
            ),
            (
                "{\"version\": 1, \"users\": [{\"name\": \"a\", \"id\": \"x\"}]}",
                "line 1, column 46: users[0].id: give decimal digits",
            ),
            (
                "{\"version\": 1, \"groups\": [{\"name\": \"a\", \"bot_role\": \"boss\"}]}",
                "line 1, column 53: groups[0].bot_role: give owner, admin or member",
            ),
            (
                "{\"version\": 1, \"guilds\": [{\"name\": \"a\", \"channels\": [{\"name\": \"b\", \"guild_id\": \"7\"}]}]}",
                "line 1, column 80: guilds[0].channels[0].guild_id: the channel is in",
            ),
            (
                "{\"version\": 1, \"users\": [{\"name\": \"u\"}], \"guilds\": [{\"name\": \"a\", \"members\": [{\"user_id\": \"u\", \"roles\": [\"9\"]}]}]}",
                "line 1, column 106: guilds[0].members[0].roles[0]: the guild has no role \"9\"",
            ),
        ] {
            let why = World::from_json(text, 0).unwrap_err().to_string();
            assert!(why.starts_with(shown), "{text}: {why}");
        }
    }
}
