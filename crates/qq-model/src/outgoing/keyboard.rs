//! Keyboards: buttons below a message.

use std::collections::HashSet;

use super::button::Button;
use super::markdown::FontSize;
use crate::request::{BodyError, each, max_len, not_blank, not_empty};

/// How many rows a keyboard may have.
pub const MAX_ROWS: usize = 5;
/// How many buttons a row may have.
pub const MAX_BUTTONS: usize = 5;

object! {
    /// Buttons below a message: a template of the console, or rows of own buttons. Never both.
    ///
    /// ```
    /// use qq_model::outgoing::{Button, Keyboard};
    ///
    /// let keyboard = Keyboard::rows([
    ///     vec![Button::callback("Yes", "yes").id("1"), Button::callback("No", "no").id("2")],
    ///     vec![Button::link("Rules", "https://rules.example")],
    /// ]);
    /// keyboard.validate()?;
    /// # Ok::<(), qq_model::outgoing::BodyError>(())
    /// ```
    pub struct Keyboard {
        /// A template of the console.
        pub(crate) id: Option<Box<str>>,
        /// Own buttons.
        pub(crate) content: Option<KeyboardContent>,
    }

    /// Own buttons.
    pub struct KeyboardContent {
        /// The rows, at most [`MAX_ROWS`].
        pub rows: Vec<KeyboardRow>,
        /// How they look; known from the Go SDK only.
        pub style: Option<KeyboardStyle>,
    }

    /// How buttons look. Known from the Go SDK only.
    pub struct KeyboardStyle {
        /// How large the text is.
        pub font_size: Option<FontSize>,
    }

    /// A row of buttons.
    pub struct KeyboardRow {
        /// The buttons, at most [`MAX_BUTTONS`].
        pub buttons: Vec<Button>,
    }
}

impl Keyboard {
    /// A template of the console.
    #[must_use]
    pub fn template(id: impl Into<Box<str>>) -> Self {
        Self {
            id: Some(id.into()),
            ..Self::default()
        }
    }

    /// Rows of buttons.
    #[must_use]
    pub fn rows<R: IntoIterator<Item = Button>>(rows: impl IntoIterator<Item = R>) -> Self {
        let rows = rows
            .into_iter()
            .map(|buttons| KeyboardRow {
                buttons: buttons.into_iter().collect(),
                ..KeyboardRow::default()
            })
            .collect();
        let content = KeyboardContent {
            rows,
            ..KeyboardContent::default()
        };
        Self {
            content: Some(content),
            ..Self::default()
        }
    }

    /// The template, if it is one.
    #[must_use]
    pub fn template_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The rows, if it has own buttons.
    #[must_use]
    pub fn content(&self) -> Option<&KeyboardContent> {
        self.content.as_ref()
    }

    /// Every button.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.content
            .iter()
            .flat_map(|content| &content.rows)
            .flat_map(|row| &row.buttons)
    }

    /// Checks its form and its limits.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field, and the position of the button among all buttons.
    pub fn validate(&self) -> Result<(), BodyError> {
        let content = match (&self.id, &self.content) {
            (Some(_), Some(_)) => {
                return Err(BodyError::new(
                    "keyboard.id",
                    "excludes keyboard.content, which is there as well",
                ));
            }
            (None, None) => return Err(BodyError::new("keyboard", "is empty")),
            (Some(id), None) => return not_blank("keyboard.id", id),
            (None, Some(content)) => content,
        };
        not_empty("keyboard.content.rows", &content.rows)?;
        max_len("keyboard.content.rows", &content.rows, MAX_ROWS)?;
        each(&content.rows, |row| {
            not_empty("keyboard.content.rows.buttons", &row.buttons)?;
            max_len("keyboard.content.rows.buttons", &row.buttons, MAX_BUTTONS)
        })?;
        let mut seen = HashSet::new();
        for (index, button) in self.buttons().enumerate() {
            button.check().map_err(|error| error.at(index))?;
            if let Some(id) = &button.id
                && !seen.insert(&**id)
            {
                return Err(
                    BodyError::new("keyboard.content.rows.buttons.id", "is there twice").at(index),
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: usize, buttons: usize) -> Keyboard {
        Keyboard::rows((0..rows).map(|_| (0..buttons).map(|_| Button::callback("a", "b"))))
    }

    #[test]
    fn five_rows_of_five_buttons_are_the_most() {
        rows(5, 5).validate().unwrap();
        assert_eq!(
            rows(6, 1).validate().unwrap_err().field(),
            "keyboard.content.rows"
        );
        let wide = rows(1, 6).validate().unwrap_err();
        assert_eq!(
            (wide.field(), wide.size(), wide.limit()),
            ("keyboard.content.rows.buttons", Some(6), Some(5))
        );
        assert!(rows(0, 0).validate().is_err() && rows(1, 0).validate().is_err());
    }

    #[test]
    fn ids_are_distinct() {
        let twice = Keyboard::rows([[
            Button::callback("a", "b").id("1"),
            Button::callback("a", "b").id("1"),
        ]]);
        let error = twice.validate().unwrap_err();
        assert_eq!(
            (error.field(), error.index()),
            ("keyboard.content.rows.buttons.id", Some(1))
        );
    }

    #[test]
    fn a_template_excludes_rows() {
        let both: Keyboard = serde_json::from_str(r#"{"id":"1","content":{"rows":[]}}"#).unwrap();
        assert_eq!(both.validate().unwrap_err().field(), "keyboard.id");
        assert!(Keyboard::default().validate().is_err());
    }
}
