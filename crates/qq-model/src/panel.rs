//! Panels of commands and links above the input box.

use crate::group::ListOp;
use crate::id::{GroupOpenid, UserOpenid};
use crate::request::{
    BodyError, RequestBody, each, https, max_chars, max_len, max_width, not_blank, not_empty,
};
use crate::timestamp::Timestamp;

/// How many entries a panel may have.
pub const MAX_ITEMS: usize = 20;
/// How many columns the name of an entry may have; a CJK character takes two.
pub const MAX_NAME: usize = 14;
/// How many columns the description of an entry may have; a CJK character takes two.
pub const MAX_DESC: usize = 30;
/// How many characters the note may have.
pub const MAX_REMARK: usize = 255;
/// How many users or groups one call may name.
pub const MAX_TARGETS: usize = 20;

object! {
    /// What a panel shows.
    pub struct Panel {
        /// The entries, at most [`MAX_ITEMS`].
        pub items: Vec<PanelItem>,
        /// A note, at most [`MAX_REMARK`] characters.
        pub remark: Option<Box<str>>,
        /// Counts the changes; in answers only.
        pub version: Option<u64>,
    }

    /// An entry.
    pub struct PanelItem {
        /// What it says, at most [`MAX_NAME`] columns.
        pub name: Box<str>,
        /// What it is for, at most [`MAX_DESC`] columns.
        pub desc: Option<Box<str>>,
        /// A command or a link.
        pub(crate) kind: PanelItemType = "type",
        /// Whether only administrators see it.
        pub only_admin: Option<bool>,
        /// The address of a link; `https` only.
        pub(crate) link: Option<Box<str>>,
    }

    /// A panel with where it is shown.
    pub struct PanelRecord {
        /// Which panel.
        pub panel_id: Box<str>,
        /// In which kind of chat.
        pub scope: PanelScope,
        /// To all, or to some.
        pub target_type: PanelTargetType,
        /// What it shows.
        pub panel: Panel,
        /// When it was made.
        pub created_at: Option<Timestamp>,
        /// When it was changed.
        pub updated_at: Option<Timestamp>,
        /// Counts the changes.
        pub version: Option<u64>,
        /// To whom; only when asked for this panel.
        pub user_openids: Vec<UserOpenid>,
        /// In which groups; only when asked for this panel.
        pub group_openids: Vec<GroupOpenid>,
    }

    /// A page of panels.
    pub struct PanelPage {
        /// The panels, the newest first.
        pub records: Vec<PanelRecord>,
        /// What the next page takes.
        pub next_cursor: Option<Box<str>>,
        /// Whether this is the last page.
        pub is_end: bool,
    }

    /// The query of the panels.
    pub struct ListPanels {
        /// In which kind of chat.
        pub scope: PanelScope,
        /// `next_cursor` of the previous page.
        pub cursor: Option<Box<str>>,
        /// How many, at most 50, 20 by default.
        pub limit: Option<u32>,
    }

    /// A panel was made.
    pub struct PanelCreated {
        /// Which panel.
        pub panel_id: Box<str>,
    }

    /// A panel was changed.
    pub struct PanelVersion {
        /// Counts the changes.
        pub version: u64,
    }

    /// The body of making a panel. Made by [`CreatePanel::for_all`] and its siblings, so that the targets fit
    /// the kind of chat.
    pub struct CreatePanel {
        /// In which kind of chat.
        pub(crate) scope: PanelScope,
        /// To all, or to some.
        pub(crate) target_type: Option<PanelTargetType>,
        /// To whom, at most [`MAX_TARGETS`].
        pub(crate) user_openids: Vec<UserOpenid>,
        /// In which groups, at most [`MAX_TARGETS`].
        pub(crate) group_openids: Vec<GroupOpenid>,
        /// What it shows.
        pub panel: Panel,
    }

    /// The body of changing what a panel shows.
    pub struct UpdatePanel {
        /// What it shows from now on.
        pub panel: Panel,
    }

    /// The body of changing to whom a panel is shown. Made by [`UpdatePanelTarget::users`] or
    /// [`UpdatePanelTarget::groups`].
    pub struct UpdatePanelTarget {
        /// Add or take out.
        pub(crate) op: ListOp,
        /// Users, at most [`MAX_TARGETS`].
        pub(crate) user_openids: Vec<UserOpenid>,
        /// Groups, at most [`MAX_TARGETS`].
        pub(crate) group_openids: Vec<GroupOpenid>,
    }
}

open_enum! {
    /// The kinds of chats that have panels.
    pub enum PanelScope: str {
        /// One-to-one chats.
        C2C = "c2c",
        /// Groups.
        Group = "group",
        /// Guild channels; for all only.
        Channel = "channel",
        /// Guild direct messages; for all only.
        Dm = "dm",
    }

    /// To whom a panel is shown.
    pub enum PanelTargetType: str {
        /// To all.
        All = "all",
        /// To some.
        Specific = "specific",
    }

    /// The kinds of entries.
    pub enum PanelItemType: str {
        /// A command.
        Command = "command",
        /// A link.
        Link = "link",
    }
}

impl Panel {
    /// A panel with these entries.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = PanelItem>) -> Self {
        Self {
            items: items.into_iter().collect(),
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), BodyError> {
        max_len("panel.items", &self.items, MAX_ITEMS)?;
        max_chars(
            "panel.remark",
            self.remark.as_deref().unwrap_or_default(),
            MAX_REMARK,
        )?;
        each(&self.items, PanelItem::check)
    }
}

setters! { Panel {
    /// A note, at most [`MAX_REMARK`] characters.
    remark: Box<str>,
}}

impl PanelItem {
    /// A command.
    #[must_use]
    pub fn command(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            kind: PanelItemType::Command,
            ..Self::default()
        }
    }

    /// A link to an `https` address.
    #[must_use]
    pub fn link(name: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            kind: PanelItemType::Link,
            link: Some(url.into()),
            ..Self::default()
        }
    }

    /// A command or a link.
    #[must_use]
    pub const fn kind(&self) -> &PanelItemType {
        &self.kind
    }

    fn check(&self) -> Result<(), BodyError> {
        not_blank("panel.items.name", &self.name)?;
        max_width("panel.items.name", &self.name, MAX_NAME)?;
        max_width(
            "panel.items.desc",
            self.desc.as_deref().unwrap_or_default(),
            MAX_DESC,
        )?;
        if self.kind == PanelItemType::Link {
            return https("panel.items.link", self.link.as_deref().unwrap_or_default());
        }
        Ok(())
    }
}

setters! { PanelItem {
    /// What it is for, at most [`MAX_DESC`] columns.
    desc: Box<str>,
    /// Shows it to administrators only.
    only_admin: bool,
}}

impl ListPanels {
    /// The panels of this kind of chat.
    #[must_use]
    pub fn new(scope: PanelScope) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }
}

setters! { ListPanels {
    /// Goes on where the previous page ended.
    cursor: Box<str>,
    /// How many, at most 50.
    limit: u32,
}}

impl CreatePanel {
    /// Shown in every chat of this kind.
    #[must_use]
    pub fn for_all(scope: PanelScope, panel: Panel) -> Self {
        Self {
            scope,
            target_type: Some(PanelTargetType::All),
            panel,
            ..Self::default()
        }
    }

    /// Shown to these users in their one-to-one chats.
    #[must_use]
    pub fn for_users(users: impl IntoIterator<Item = impl Into<UserOpenid>>, panel: Panel) -> Self {
        Self {
            scope: PanelScope::C2C,
            target_type: Some(PanelTargetType::Specific),
            user_openids: users.into_iter().map(Into::into).collect(),
            panel,
            ..Self::default()
        }
    }

    /// Shown in these groups.
    #[must_use]
    pub fn for_groups(
        groups: impl IntoIterator<Item = impl Into<GroupOpenid>>,
        panel: Panel,
    ) -> Self {
        Self {
            scope: PanelScope::Group,
            target_type: Some(PanelTargetType::Specific),
            group_openids: groups.into_iter().map(Into::into).collect(),
            panel,
            ..Self::default()
        }
    }
}

impl From<Panel> for UpdatePanel {
    fn from(panel: Panel) -> Self {
        Self {
            panel,
            ..Self::default()
        }
    }
}

impl UpdatePanelTarget {
    /// Shows the panel to these users, or no longer.
    #[must_use]
    pub fn users(op: ListOp, users: impl IntoIterator<Item = impl Into<UserOpenid>>) -> Self {
        Self {
            op,
            user_openids: users.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Shows the panel in these groups, or no longer.
    #[must_use]
    pub fn groups(op: ListOp, groups: impl IntoIterator<Item = impl Into<GroupOpenid>>) -> Self {
        Self {
            op,
            group_openids: groups.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl RequestBody for CreatePanel {
    fn validate(&self) -> Result<(), BodyError> {
        max_len("user_openids", &self.user_openids, MAX_TARGETS)?;
        max_len("group_openids", &self.group_openids, MAX_TARGETS)?;
        if self.target_type == Some(PanelTargetType::Specific) {
            match self.scope {
                PanelScope::C2C => not_empty("user_openids", &self.user_openids)?,
                PanelScope::Group => not_empty("group_openids", &self.group_openids)?,
                _ => {
                    return Err(BodyError::new(
                        "target_type",
                        "may be specific for c2c and group only",
                    ));
                }
            }
        }
        self.panel.check()
    }
}

impl RequestBody for UpdatePanel {
    fn validate(&self) -> Result<(), BodyError> {
        self.panel.check()
    }
}

impl RequestBody for UpdatePanelTarget {
    fn validate(&self) -> Result<(), BodyError> {
        max_len("user_openids", &self.user_openids, MAX_TARGETS)?;
        max_len("group_openids", &self.group_openids, MAX_TARGETS)?;
        if self.user_openids.is_empty() == self.group_openids.is_empty() {
            return Err(BodyError::new(
                "user_openids or group_openids",
                "must be there, and not both",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_in_the_platforms_units() {
        let body = |item| CreatePanel::for_all(PanelScope::Channel, Panel::new([item])).validate();
        body(PanelItem::command("一二三四五六七")).unwrap();
        let error = body(PanelItem::command("一二三四五六七八")).unwrap_err();
        assert_eq!(
            (error.field(), error.size(), error.limit()),
            ("panel.items.name", Some(16), Some(14))
        );
        assert!(body(PanelItem::command("a").desc("一".repeat(16))).is_err());
        assert!(body(PanelItem::link("a", "ftp://x")).is_err());
    }

    #[test]
    fn a_panel_for_some_names_them() {
        let nobody = CreatePanel::for_users(Vec::<UserOpenid>::new(), Panel::default());
        assert_eq!(nobody.validate().unwrap_err().field(), "user_openids");
    }
}
