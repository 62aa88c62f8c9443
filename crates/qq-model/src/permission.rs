//! What members and roles may do in a channel.

use std::fmt;

use bitflags::bitflags;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ChannelId, RoleId, UserId};
use crate::request::{BodyError, RequestBody};
use crate::wire::{FromScalar, Lenient, Scalar, read_scalar};

bitflags! {
    /// Permissions in a channel: a bit mask, sent as decimal text. Unknown bits are kept.
    ///
    /// ```
    /// use qq_model::permission::Permissions;
    ///
    /// let both: Permissions = serde_json::from_str(r#""5""#)?;
    /// assert_eq!(both, Permissions::VIEW | Permissions::SPEAK);
    /// assert_eq!(serde_json::to_string(&both)?, r#""5""#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Permissions: u64 {
        /// See the channel.
        const VIEW = 1;
        /// Manage the channel; cannot be granted through the interface.
        const MANAGE = 1 << 1;
        /// Write in the channel.
        const SPEAK = 1 << 2;
        /// Broadcast; known from one SDK only.
        const LIVE = 1 << 3;
        const _ = !0;
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.bits(), f)
    }
}

impl FromScalar for Permissions {
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        u64::from_scalar(scalar).map(Self::from_bits_retain)
    }
}

impl<'de> Lenient<'de> for Permissions {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read_scalar(deserializer)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map(Option::unwrap_or_default)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

object! {
    /// What a member or a role may do in a channel.
    pub struct ChannelPermissions {
        /// The channel.
        pub channel_id: ChannelId,
        /// The member, when asked for one.
        pub user_id: Option<UserId>,
        /// The role, when asked for one.
        pub role_id: Option<RoleId>,
        /// What they may do.
        pub permissions: Permissions,
    }

    /// The body of changing what a member or a role may do in a channel. [`Permissions::MANAGE`] cannot be
    /// changed. Where both members name a permission, it is taken away.
    pub struct ModifyChannelPermissions {
        /// What to grant.
        pub add: Option<Permissions>,
        /// What to take away.
        pub remove: Option<Permissions>,
    }
}

impl ModifyChannelPermissions {
    /// Grants these.
    #[must_use]
    pub const fn grant(mut self, permissions: Permissions) -> Self {
        self.add = Some(permissions);
        self
    }

    /// Takes these away.
    #[must_use]
    pub const fn revoke(mut self, permissions: Permissions) -> Self {
        self.remove = Some(permissions);
        self
    }
}

impl RequestBody for ModifyChannelPermissions {
    fn validate(&self) -> Result<(), BodyError> {
        for (field, permissions) in [("add", self.add), ("remove", self.remove)] {
            if permissions.is_some_and(|all| all.contains(Permissions::MANAGE)) {
                return Err(BodyError::new(
                    field,
                    "has the permission to manage, which cannot be changed here",
                ));
            }
        }
        if self.add.is_none() && self.remove.is_none() {
            return Err(BodyError::new("add or remove", "must be there"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managing_cannot_be_granted() {
        let body = ModifyChannelPermissions::default().grant(Permissions::all());
        assert_eq!(body.validate().unwrap_err().field(), "add");
        let body = ModifyChannelPermissions::default().revoke(Permissions::SPEAK);
        body.validate().unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"remove":"4"}"#);
    }

    #[test]
    fn unknown_bits_survive() {
        let json = r#""4611686018427387908""#;
        let permissions: Permissions = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&permissions).unwrap(), json);
    }
}
