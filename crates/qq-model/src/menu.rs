//! The menu below one-to-one chats.

use crate::request::{BodyError, RequestBody, each, https, max_len, max_width, not_blank};

/// How many entries a menu may have.
pub const MAX_ITEMS: usize = 10;
/// How many columns the name of an entry may have; a CJK character takes two.
pub const MAX_NAME: usize = 10;
/// How many entries a sub menu may have.
pub const MAX_SUB_ITEMS: usize = 5;
/// How many columns the name of a sub entry may have; a CJK character takes two.
pub const MAX_SUB_NAME: usize = 14;

object! {
    /// A menu. Also what makes a new one: it replaces the old one as a whole.
    pub struct Menu {
        /// The entries from left to right, at most [`MAX_ITEMS`].
        pub items: Vec<MenuItem>,
    }

    /// An entry. Made by [`MenuItem::message`] and its siblings, so that it does one thing.
    pub struct MenuItem {
        /// What it says, at most [`MAX_NAME`] columns.
        pub name: Box<str>,
        /// What it does.
        pub(crate) kind: MenuItemType = "type",
        /// The entries of a sub menu, at most [`MAX_SUB_ITEMS`].
        pub(crate) sub_menu_items: Vec<SubMenuItem>,
        /// The text that is sent.
        pub(crate) send_message: Option<Box<str>>,
        /// The address that is opened; `https` only.
        pub(crate) link: Option<Box<str>>,
        /// What is switched.
        pub(crate) switch: Option<MenuSwitch>,
    }

    /// An entry of a sub menu.
    pub struct SubMenuItem {
        /// What it says, at most [`MAX_SUB_NAME`] columns.
        pub name: Box<str>,
        /// What it does: send or open.
        pub(crate) kind: MenuItemType = "type",
        /// The text that is sent.
        pub(crate) send_message: Option<Box<str>>,
        /// The address that is opened; `https` only.
        pub(crate) link: Option<Box<str>>,
    }

    /// A switch. While it is on, messages carry `<switch_id>=1` in
    /// [`MessageScene::ext`](crate::message::MessageScene::ext).
    pub struct MenuSwitch {
        /// Which switch.
        pub switch_id: Box<str>,
        /// Whether it is on at first.
        pub default: Option<bool>,
    }

    /// The body of setting the menu.
    pub struct PutMenu {
        /// The menu; without one there is none.
        pub menu: Option<Menu>,
    }

    /// The menu as it is.
    pub struct MenuResult {
        /// The menu; empty when there is none.
        pub menu: Option<Menu>,
        /// Counts the changes.
        pub version: Option<u64>,
    }

    /// The menu was set.
    pub struct MenuVersion {
        /// Counts the changes.
        pub version: u64,
    }
}

open_enum! {
    /// What an entry does.
    pub enum MenuItemType: str {
        /// Switches something.
        Switch = "switch",
        /// Sends a text.
        SendMessage = "send_message",
        /// Opens an address.
        Link = "link",
        /// Opens a sub menu.
        Menu = "menu",
    }
}

impl MenuItem {
    /// Sends a text.
    #[must_use]
    pub fn message(name: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self {
            send_message: Some(text.into()),
            ..Self::new(name, MenuItemType::SendMessage)
        }
    }

    /// Opens an `https` address.
    #[must_use]
    pub fn link(name: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self {
            link: Some(url.into()),
            ..Self::new(name, MenuItemType::Link)
        }
    }

    /// Switches something.
    #[must_use]
    pub fn switch(name: impl Into<Box<str>>, id: impl Into<Box<str>>, on_at_first: bool) -> Self {
        Self {
            switch: Some(MenuSwitch {
                switch_id: id.into(),
                default: Some(on_at_first),
                ..MenuSwitch::default()
            }),
            ..Self::new(name, MenuItemType::Switch)
        }
    }

    /// Opens a sub menu.
    #[must_use]
    pub fn menu(name: impl Into<Box<str>>, items: impl IntoIterator<Item = SubMenuItem>) -> Self {
        Self {
            sub_menu_items: items.into_iter().collect(),
            ..Self::new(name, MenuItemType::Menu)
        }
    }

    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> &MenuItemType {
        &self.kind
    }

    /// The entries of a sub menu.
    #[must_use]
    pub fn sub_items(&self) -> &[SubMenuItem] {
        &self.sub_menu_items
    }

    fn new(name: impl Into<Box<str>>, kind: MenuItemType) -> Self {
        Self {
            name: name.into(),
            kind,
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), BodyError> {
        not_blank("menu.items.name", &self.name)?;
        max_width("menu.items.name", &self.name, MAX_NAME)?;
        match &self.kind {
            MenuItemType::SendMessage => not_blank(
                "menu.items.send_message",
                self.send_message.as_deref().unwrap_or_default(),
            ),
            MenuItemType::Link => {
                https("menu.items.link", self.link.as_deref().unwrap_or_default())
            }
            MenuItemType::Switch => not_blank(
                "menu.items.switch.switch_id",
                self.switch
                    .as_ref()
                    .map(|switch| &*switch.switch_id)
                    .unwrap_or_default(),
            ),
            MenuItemType::Menu => {
                max_len(
                    "menu.items.sub_menu_items",
                    &self.sub_menu_items,
                    MAX_SUB_ITEMS,
                )?;
                each(&self.sub_menu_items, SubMenuItem::check)
            }
            MenuItemType::Unknown(_) => Ok(()),
        }
    }
}

impl SubMenuItem {
    /// Sends a text.
    #[must_use]
    pub fn message(name: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            kind: MenuItemType::SendMessage,
            send_message: Some(text.into()),
            ..Self::default()
        }
    }

    /// Opens an `https` address.
    #[must_use]
    pub fn link(name: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            kind: MenuItemType::Link,
            link: Some(url.into()),
            ..Self::default()
        }
    }

    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> &MenuItemType {
        &self.kind
    }

    fn check(&self) -> Result<(), BodyError> {
        not_blank("menu.items.sub_menu_items.name", &self.name)?;
        max_width("menu.items.sub_menu_items.name", &self.name, MAX_SUB_NAME)?;
        match self.kind {
            MenuItemType::Link => https(
                "menu.items.sub_menu_items.link",
                self.link.as_deref().unwrap_or_default(),
            ),
            MenuItemType::SendMessage => not_blank(
                "menu.items.sub_menu_items.send_message",
                self.send_message.as_deref().unwrap_or_default(),
            ),
            _ => Err(BodyError::new(
                "menu.items.sub_menu_items.type",
                "must be send_message or link",
            )),
        }
    }
}

impl FromIterator<MenuItem> for PutMenu {
    fn from_iter<I: IntoIterator<Item = MenuItem>>(items: I) -> Self {
        let menu = Menu {
            items: items.into_iter().collect(),
            ..Menu::default()
        };
        Self {
            menu: Some(menu),
            ..Self::default()
        }
    }
}

impl RequestBody for PutMenu {
    fn validate(&self) -> Result<(), BodyError> {
        let items = self.menu.as_ref().map_or(&[][..], |menu| &menu.items);
        max_len("menu.items", items, MAX_ITEMS)?;
        each(items, MenuItem::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(item: MenuItem) -> Option<&'static str> {
        PutMenu::from_iter([item])
            .validate()
            .err()
            .map(|error| error.field())
    }

    #[test]
    fn names_count_in_columns_and_links_are_https() {
        assert_eq!(refused(MenuItem::message("一二三四五", "x")), None);
        assert_eq!(
            refused(MenuItem::message("一二三四五a", "x")),
            Some("menu.items.name")
        );
        assert_eq!(
            refused(MenuItem::link("a", "http://a.example")),
            Some("menu.items.link")
        );
        assert_eq!(
            refused(MenuItem::menu(
                "a",
                [SubMenuItem::message("一二三四五六七八", "x")]
            )),
            Some("menu.items.sub_menu_items.name")
        );
    }

    #[test]
    fn ten_entries_are_the_most() {
        let items = |n: usize| (0..n).map(|_| MenuItem::message("a", "x"));
        PutMenu::from_iter(items(10)).validate().unwrap();
        assert_eq!(
            PutMenu::from_iter(items(11))
                .validate()
                .unwrap_err()
                .limit(),
            Some(10)
        );
    }
}
