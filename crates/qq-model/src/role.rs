//! Roles of guilds.

use crate::id::{ChannelId, GuildId, RoleId};
use crate::request::{BodyError, RequestBody, has_id};
use crate::user::Member;
use crate::wire::Patch;

/// Ids of roles that every guild has.
pub mod default_role {
    use crate::id::RoleId;

    /// All members: role `1`.
    #[must_use]
    pub fn everyone() -> RoleId {
        RoleId::from(1)
    }

    /// Administrators: role `2`.
    #[must_use]
    pub fn admin() -> RoleId {
        RoleId::from(2)
    }

    /// The owner: role `4`.
    #[must_use]
    pub fn owner() -> RoleId {
        RoleId::from(4)
    }

    /// Administrators of one channel: role `5`.
    #[must_use]
    pub fn channel_admin() -> RoleId {
        RoleId::from(5)
    }
}

object! {
    /// A role of a guild.
    pub struct Role {
        /// Which role.
        pub id: RoleId,
        /// Its name.
        pub name: Box<str>,
        /// Its colour, ARGB.
        pub color: u32,
        /// Whether its members are listed apart: 1, else 0.
        pub hoist: u32,
        /// How many members have it.
        pub number: u64,
        /// How many members may have it.
        pub member_limit: u64,
    }

    /// The roles of a guild.
    pub struct GuildRoles {
        /// The guild.
        pub guild_id: GuildId,
        /// Its roles.
        pub roles: Vec<Role>,
        /// How many roles it may have; text on the wire.
        pub role_num_limit: Box<str>,
    }

    /// A role that was made or changed.
    pub struct RoleResult {
        /// Which role.
        pub role_id: RoleId,
        /// The role as it is now.
        pub role: Role,
        /// The guild; after changes only.
        pub guild_id: Option<GuildId>,
    }

    /// A page of the members with a role.
    pub struct RoleMembers {
        /// The members. A page may be larger or smaller than asked for.
        pub data: Vec<Member>,
        /// Where the next page starts; `"0"` at the end.
        pub next: Option<Box<str>>,
    }

    /// The body of making a role. At least one member must be set; one source demands the name.
    pub struct CreateRole {
        /// The name.
        pub name: Option<Box<str>>,
        /// The colour, ARGB.
        pub color: Option<u32>,
        /// 1 to list its members apart, else 0.
        pub hoist: Option<u32>,
    }

    /// The body of changing a role: what is not set stays.
    pub struct ModifyRole {
        /// The name.
        pub name: Patch<Box<str>>,
        /// The colour, ARGB.
        pub color: Patch<u32>,
        /// 1 to list its members apart, else 0.
        pub hoist: Patch<u32>,
    }

    /// The body of giving or taking a role. Empty except for the administrators of one channel.
    pub struct AssignRole {
        /// Which channel, for [`default_role::channel_admin`].
        pub channel: Option<RoleChannel>,
    }

    /// The channel of a channel administrator.
    pub struct RoleChannel {
        /// Which channel.
        pub id: ChannelId,
    }

    /// The query of the members with a role.
    pub struct ListRoleMembers {
        /// `next` of the previous page.
        pub start_index: Option<Box<str>>,
        /// How many, 1 to 400; 1 by default.
        pub limit: Option<u32>,
    }
}

impl RoleMembers {
    /// Where the next page starts; `None` at the end.
    #[must_use]
    pub fn next_page(&self) -> Option<&str> {
        self.next
            .as_deref()
            .filter(|next| !matches!(*next, "" | "0"))
    }
}

impl AssignRole {
    /// Makes somebody administrator of this channel, or no longer.
    #[must_use]
    pub fn in_channel(channel: impl Into<ChannelId>) -> Self {
        let channel = RoleChannel {
            id: channel.into(),
            ..RoleChannel::default()
        };
        Self {
            channel: Some(channel),
            ..Self::default()
        }
    }
}

setters! { CreateRole {
    /// The name.
    name: Box<str>,
    /// The colour, ARGB.
    color: u32,
    /// Lists its members apart, or not.
    hoist: bool,
}}

setters! { ModifyRole {
    /// Renames it.
    name: Box<str>,
    /// Changes its colour, ARGB.
    color: u32,
    /// Lists its members apart, or no longer.
    hoist: bool,
}}

setters! { ListRoleMembers {
    /// Goes on where the previous page ended.
    start_index: Box<str>,
    /// How many, 1 to 400.
    limit: u32,
}}

impl RequestBody for CreateRole {
    fn validate(&self) -> Result<(), BodyError> {
        if self.name.is_none() && self.color.is_none() && self.hoist.is_none() {
            return Err(nothing());
        }
        Ok(())
    }
}

impl RequestBody for ModifyRole {
    fn validate(&self) -> Result<(), BodyError> {
        if self.name.is_keep() && self.color.is_keep() && self.hoist.is_keep() {
            return Err(nothing());
        }
        Ok(())
    }
}

impl RequestBody for AssignRole {
    fn validate(&self) -> Result<(), BodyError> {
        self.channel
            .as_ref()
            .map_or(Ok(()), |channel| has_id("channel.id", &channel.id))
    }
}

const fn nothing() -> BodyError {
    BodyError::new("name, color or hoist", "must be there")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renaming_leaves_colour_and_hoist_alone() {
        let body = ModifyRole::default().name("new");
        assert_eq!(json!(body), json!({"name": "new"}));
        assert_eq!(
            json!(ModifyRole::default().hoist(false)),
            json!({"hoist": 0})
        );
        assert!(ModifyRole::default().validate().is_err());
    }

    #[test]
    fn the_last_page_is_known() {
        let page: RoleMembers = serde_json::from_str(r#"{"data":[],"next":"0"}"#).unwrap();
        assert_eq!(page.next_page(), None);
    }
}
