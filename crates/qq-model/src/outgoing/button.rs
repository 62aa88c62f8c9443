//! Buttons: what they say, what they do, who may press them.

use crate::id::RoleId;
use crate::request::{BodyError, max_chars, not_blank, not_empty};

/// How many characters a label may have.
pub const MAX_LABEL: usize = 10;
/// How many characters the text of a confirmation may have.
pub const MAX_MODAL: usize = 40;
/// How many characters the buttons of a confirmation may have.
pub const MAX_MODAL_BUTTON: usize = 4;

object! {
    /// A button.
    pub struct Button {
        /// What comes back as `button_id`; distinct inside the keyboard.
        pub id: Option<Box<str>>,
        /// How it looks.
        pub render_data: ButtonRenderData,
        /// What it does.
        pub action: ButtonAction,
        /// Callback buttons of one group grey out together after a click.
        pub group_id: Option<Box<str>>,
    }

    /// How a button looks.
    pub struct ButtonRenderData {
        /// What it says, at most [`MAX_LABEL`] characters.
        pub label: Box<str>,
        /// What it says after a click; older servers demand it.
        pub visited_label: Option<Box<str>>,
        /// Its colour.
        pub style: Option<ButtonStyle>,
    }

    /// What a button does.
    pub struct ButtonAction {
        /// What kind of action.
        pub kind: ButtonActionType = "type",
        /// Who may press it.
        pub permission: ButtonPermission,
        /// An address, callback data or a command.
        pub data: Box<str>,
        /// Commands: quote this message.
        pub reply: Option<bool>,
        /// Commands: send at once. One-to-one chats only: groups refuse it (40034106).
        pub enter: Option<bool>,
        /// Commands: 1 opens the picture picker on phones.
        pub anchor: Option<i64>,
        /// What old clients say instead; older servers demand it.
        pub unsupport_tips: Option<Box<str>>,
        /// How often it may be pressed; retired.
        pub click_limit: Option<u32>,
        /// Shows a list of channels; retired.
        pub at_bot_show_channel_list: Option<bool>,
        /// What is asked before.
        pub modal: Option<Box<ButtonModal>>,
        /// What is subscribed to; known from the Go SDK only.
        pub subscribe_data: Option<Box<SubscribeData>>,
    }

    /// Who may press a button.
    pub struct ButtonPermission {
        /// Which kind of people.
        pub kind: ButtonPermissionType = "type",
        /// The users, by the ids of the scene.
        pub specify_user_ids: Vec<Box<str>>,
        /// The roles; guilds only.
        pub specify_role_ids: Vec<RoleId>,
    }

    /// A question before the action.
    pub struct ButtonModal {
        /// The question, at most [`MAX_MODAL`] characters and no address.
        pub content: Option<Box<str>>,
        /// The button that goes on, at most [`MAX_MODAL_BUTTON`] characters.
        pub confirm_text: Option<Box<str>>,
        /// The button that does not, at most [`MAX_MODAL_BUTTON`] characters.
        pub cancel_text: Option<Box<str>>,
    }

    /// What is subscribed to. Known from the Go SDK only.
    pub struct SubscribeData {
        /// The templates.
        pub template_ids: Vec<SubscribeTemplate>,
    }

    /// A template to subscribe to.
    pub struct SubscribeTemplate {
        /// A template of the platform.
        pub template_id: Option<u64>,
        /// A template of the bot.
        pub custom_template_id: Option<Box<str>>,
    }
}

open_enum! {
    /// The colours of buttons.
    pub enum ButtonStyle: i64 {
        /// A grey outline.
        Grey = 0,
        /// A blue outline.
        Blue = 1,
        /// In the suggestion bar; known from one SDK only.
        Prompt = 2,
        /// White with red text.
        Danger = 3,
        /// Blue with white text.
        Primary = 4,
    }

    /// The kinds of actions.
    pub enum ButtonActionType: i64 {
        /// Opens an address or a mini program.
        Link = 0,
        /// Sends `INTERACTION_CREATE` to the bot.
        Callback = 1,
        /// Writes a command into the input box.
        Command = 2,
        /// Calls the client; known from the Go SDK only.
        MqqApi = 3,
        /// Subscribes; known from the Go SDK only.
        Subscribe = 4,
    }

    /// Who may press a button.
    pub enum ButtonPermissionType: i64 {
        /// These users.
        Users = 0,
        /// Managers.
        Admins = 1,
        /// Everyone.
        Everyone = 2,
        /// These roles; guilds only.
        Roles = 3,
    }
}

impl Button {
    /// Sends [`Interaction`](crate::interaction::Interaction) with this data to the bot.
    #[must_use]
    pub fn callback(label: impl Into<Box<str>>, data: impl Into<Box<str>>) -> Self {
        Self::new(ButtonActionType::Callback, label, data)
    }

    /// Opens an address.
    #[must_use]
    pub fn link(label: impl Into<Box<str>>, url: impl Into<Box<str>>) -> Self {
        Self::new(ButtonActionType::Link, label, url)
    }

    /// Writes a command into the input box, behind a mention of the bot where that is needed.
    #[must_use]
    pub fn command(label: impl Into<Box<str>>, text: impl Into<Box<str>>) -> Self {
        Self::new(ButtonActionType::Command, label, text)
    }

    /// Asks to subscribe to templates. Known from the Go SDK only.
    #[must_use]
    pub fn subscribe(
        label: impl Into<Box<str>>,
        templates: impl IntoIterator<Item = SubscribeTemplate>,
    ) -> Self {
        let mut button = Self::new(ButtonActionType::Subscribe, label, "");
        button.action.subscribe_data = Some(Box::new(SubscribeData {
            template_ids: templates.into_iter().collect(),
            ..SubscribeData::default()
        }));
        button
    }

    fn new(kind: ButtonActionType, label: impl Into<Box<str>>, data: impl Into<Box<str>>) -> Self {
        let label = label.into();
        Self {
            render_data: ButtonRenderData {
                visited_label: Some(label.clone()),
                label,
                ..ButtonRenderData::default()
            },
            action: ButtonAction {
                kind,
                permission: ButtonPermission::everyone(),
                data: data.into(),
                ..ButtonAction::default()
            },
            ..Self::default()
        }
    }

    /// What it says after a click; the label by default.
    #[must_use]
    pub fn visited_label(mut self, label: impl Into<Box<str>>) -> Self {
        self.render_data.visited_label = Some(label.into());
        self
    }

    /// Its colour.
    #[must_use]
    pub fn style(mut self, style: ButtonStyle) -> Self {
        self.render_data.style = Some(style);
        self
    }

    /// Who may press it; everyone by default.
    #[must_use]
    pub fn permission(mut self, permission: ButtonPermission) -> Self {
        self.action.permission = permission;
        self
    }

    /// Commands: quotes the message.
    #[must_use]
    pub fn reply(mut self) -> Self {
        self.action.reply = Some(true);
        self
    }

    /// Commands: sends at once. One-to-one chats only.
    #[must_use]
    pub fn enter(mut self) -> Self {
        self.action.enter = Some(true);
        self
    }

    /// Commands: opens the picture picker on phones.
    #[must_use]
    pub fn pick_picture(mut self) -> Self {
        self.action.anchor = Some(1);
        self
    }

    /// What old clients say instead.
    #[must_use]
    pub fn unsupport_tips(mut self, tips: impl Into<Box<str>>) -> Self {
        self.action.unsupport_tips = Some(tips.into());
        self
    }

    /// Asks before.
    #[must_use]
    pub fn modal(mut self, modal: ButtonModal) -> Self {
        self.action.modal = Some(Box::new(modal));
        self
    }

    pub(super) fn check(&self) -> Result<(), BodyError> {
        const DATA: &str = "keyboard.content.rows.buttons.action.data";
        let label = "keyboard.content.rows.buttons.render_data.label";
        not_blank(label, &self.render_data.label)?;
        max_chars(label, &self.render_data.label, MAX_LABEL)?;
        let action = &self.action;
        match action.kind {
            ButtonActionType::Subscribe => not_empty(
                "keyboard.content.rows.buttons.action.subscribe_data.template_ids",
                action
                    .subscribe_data
                    .as_ref()
                    .map_or(&[][..], |data| &data.template_ids),
            )?,
            ButtonActionType::Unknown(_) => {}
            _ => not_blank(DATA, &action.data)?,
        }
        if action.kind != ButtonActionType::Command
            && (action.reply == Some(true) || action.enter == Some(true) || action.anchor.is_some())
        {
            return Err(BodyError::new(
                "keyboard.content.rows.buttons.action",
                "has reply, enter or anchor, which go with commands only",
            ));
        }
        action.permission.check()?;
        action.modal.as_deref().map_or(Ok(()), ButtonModal::check)
    }
}

setters! { Button {
    /// What comes back as `button_id`; distinct inside the keyboard.
    id: Box<str>,
    /// Greys out together with the callback buttons of the same group.
    group_id: Box<str>,
}}

impl ButtonPermission {
    /// Everyone.
    #[must_use]
    pub fn everyone() -> Self {
        Self::of(ButtonPermissionType::Everyone)
    }

    /// Managers.
    #[must_use]
    pub fn admins() -> Self {
        Self::of(ButtonPermissionType::Admins)
    }

    /// These users, by the ids of the scene.
    #[must_use]
    pub fn users(ids: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self {
            specify_user_ids: ids.into_iter().map(Into::into).collect(),
            ..Self::of(ButtonPermissionType::Users)
        }
    }

    /// These roles. Guilds only.
    #[must_use]
    pub fn roles(ids: impl IntoIterator<Item = impl Into<RoleId>>) -> Self {
        Self {
            specify_role_ids: ids.into_iter().map(Into::into).collect(),
            ..Self::of(ButtonPermissionType::Roles)
        }
    }

    fn of(kind: ButtonPermissionType) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), BodyError> {
        match self.kind {
            ButtonPermissionType::Users => not_empty(
                "keyboard.content.rows.buttons.action.permission.specify_user_ids",
                &self.specify_user_ids,
            ),
            ButtonPermissionType::Roles => not_empty(
                "keyboard.content.rows.buttons.action.permission.specify_role_ids",
                &self.specify_role_ids,
            ),
            _ => Ok(()),
        }
    }
}

impl ButtonModal {
    /// Asks this.
    #[must_use]
    pub fn new(content: impl Into<Box<str>>) -> Self {
        Self {
            content: Some(content.into()),
            ..Self::default()
        }
    }

    fn check(&self) -> Result<(), BodyError> {
        let content = self.content.as_deref().unwrap_or_default();
        let field = "keyboard.content.rows.buttons.action.modal.content";
        max_chars(field, content, MAX_MODAL)?;
        if content.contains("://") {
            return Err(BodyError::new(
                field,
                "has an address, which is not allowed here",
            ));
        }
        max_chars(
            "keyboard.content.rows.buttons.action.modal.confirm_text",
            self.confirm_text.as_deref().unwrap_or_default(),
            MAX_MODAL_BUTTON,
        )?;
        max_chars(
            "keyboard.content.rows.buttons.action.modal.cancel_text",
            self.cancel_text.as_deref().unwrap_or_default(),
            MAX_MODAL_BUTTON,
        )
    }
}

setters! { ButtonModal {
    /// The button that goes on, at most [`MAX_MODAL_BUTTON`] characters.
    confirm_text: Box<str>,
    /// The button that does not, at most [`MAX_MODAL_BUTTON`] characters.
    cancel_text: Box<str>,
}}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(button: &Button) -> Option<&'static str> {
        let field = button.check().err()?.field();
        Some(field.trim_start_matches("keyboard.content.rows.buttons."))
    }

    #[test]
    fn a_complete_button_is_written_completely() {
        let button = Button::command("label", "/help")
            .id("1")
            .style(ButtonStyle::Blue)
            .enter()
            .reply()
            .unsupport_tips("update")
            .permission(ButtonPermission::users(["U"]))
            .modal(ButtonModal::new("sure?").confirm_text("yes"));
        button.check().unwrap();
        assert_eq!(
            json!(button),
            json!({
                "id": "1",
                "render_data": {"label": "label", "visited_label": "label", "style": 1},
                "action": {
                    "type": 2,
                    "permission": {"type": 0, "specify_user_ids": ["U"]},
                    "data": "/help",
                    "reply": true,
                    "enter": true,
                    "unsupport_tips": "update",
                    "modal": {"content": "sure?", "confirm_text": "yes"}
                }
            })
        );
    }

    #[test]
    fn limits_of_buttons() {
        assert_eq!(
            refused(&Button::callback("一二三四五六七八九十", "x")),
            None
        );
        assert_eq!(
            refused(&Button::callback("一二三四五六七八九十十", "x")),
            Some("render_data.label")
        );
        assert_eq!(refused(&Button::callback("a", "")), Some("action.data"));
        assert_eq!(refused(&Button::callback("a", "b").enter()), Some("action"));
        let nobody = ButtonPermission::users(Vec::<String>::new());
        assert_eq!(
            refused(&Button::callback("a", "b").permission(nobody)),
            Some("action.permission.specify_user_ids")
        );
        let modal = |modal| refused(&Button::callback("a", "b").modal(modal));
        assert_eq!(
            modal(ButtonModal::new("see https://a.example")),
            Some("action.modal.content")
        );
        assert_eq!(
            modal(ButtonModal::new("?").cancel_text("abcde")),
            Some("action.modal.cancel_text")
        );
        assert_eq!(
            refused(&Button::subscribe("a", [])),
            Some("action.subscribe_data.template_ids")
        );
    }
}
