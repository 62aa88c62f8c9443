//! Markdown bodies.

use crate::request::{BodyError, each, not_blank, not_empty};

object! {
    /// A markdown body: native text, or a template with values. Never both.
    ///
    /// Open to every bot in groups and one-to-one chats; in guilds by invitation.
    pub struct MessageMarkdown {
        /// Native text.
        pub(crate) content: Option<String>,
        /// A template of the platform; retired.
        pub(crate) template_id: Option<u64>,
        /// A template of the console.
        pub(crate) custom_template_id: Option<String>,
        /// The values of the template.
        pub(crate) params: Vec<MarkdownParam>,
        /// Whether a picture that cannot be copied fails the send.
        pub(crate) force_verify_image_resource: Option<bool>,
        /// How it looks; known from the Go SDK only.
        pub(crate) style: Option<Box<MarkdownStyle>>,
        /// A text that guides the user; known from the Go SDK only.
        pub(crate) process_msg: Option<Box<str>>,
    }

    /// A value of a markdown template.
    pub struct MarkdownParam {
        /// The placeholder.
        pub key: String,
        /// One entry for a single value. Not empty, no line breaks, no markdown.
        pub values: Vec<String>,
    }

    /// How markdown looks. Known from the Go SDK only.
    pub struct MarkdownStyle {
        /// How large the text is.
        pub main_font_size: Option<FontSize>,
        /// `hide_avatar_and_center`.
        pub layout: Option<Box<str>>,
    }
}

open_enum! {
    /// How large a text is.
    pub enum FontSize: str {
        /// Small.
        Small = "small",
        /// As usual.
        Middle = "middle",
        /// Large.
        Large = "large",
    }
}

impl From<&str> for MessageMarkdown {
    fn from(content: &str) -> Self {
        Self::native(content)
    }
}

impl From<String> for MessageMarkdown {
    fn from(content: String) -> Self {
        Self::native(content)
    }
}

impl MessageMarkdown {
    /// Native markdown.
    #[must_use]
    pub fn native(content: impl Into<String>) -> Self {
        Self {
            content: Some(content.into()),
            ..Self::default()
        }
    }

    /// A template of the console with its values.
    #[must_use]
    pub fn template(
        custom_template_id: impl Into<String>,
        params: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let params = params
            .into_iter()
            .map(|(key, value)| MarkdownParam {
                key,
                values: vec![value],
                ..MarkdownParam::default()
            })
            .collect();
        Self {
            custom_template_id: Some(custom_template_id.into()),
            params,
            ..Self::default()
        }
    }

    /// Fails the send, instead of sending without the picture, when the platform cannot copy a picture.
    #[must_use]
    pub const fn verify_images(mut self) -> Self {
        self.force_verify_image_resource = Some(true);
        self
    }

    /// How it looks. Known from the Go SDK only.
    #[must_use]
    pub fn style(mut self, style: MarkdownStyle) -> Self {
        self.style = Some(Box::new(style));
        self
    }

    /// The native text, unless it is a template.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// The template of the console, if it is one.
    #[must_use]
    pub fn template_id(&self) -> Option<&str> {
        self.custom_template_id.as_deref()
    }

    /// The values of the template.
    #[must_use]
    pub fn params(&self) -> &[MarkdownParam] {
        &self.params
    }

    /// Checks its form.
    ///
    /// # Errors
    ///
    /// [`BodyError`], which names the field.
    pub fn validate(&self) -> Result<(), BodyError> {
        let is_template = self.custom_template_id.is_some() || self.template_id.is_some();
        match &self.content {
            Some(_) if is_template => {
                return Err(BodyError::new(
                    "markdown.content",
                    "excludes a template, which is there as well",
                ));
            }
            Some(content) => return not_blank("markdown", content),
            None if !is_template => return Err(BodyError::new("markdown", "is empty")),
            None => {}
        }
        if let Some(id) = &self.custom_template_id {
            not_blank("markdown", id)?;
        }
        each(&self.params, |param| {
            not_blank("markdown.params.key", &param.key)?;
            not_empty("markdown.params.values", &param.values)?;
            for value in &param.values {
                not_blank("markdown.params.values", value)?;
                if value.contains(['\n', '\r']) {
                    return Err(BodyError::new(
                        "markdown.params.values",
                        "has a line break, which templates refuse",
                    ));
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_templates_are_one_line_and_not_empty() {
        let body = |value: &str| MessageMarkdown::template("1_2", [("k".into(), value.into())]);
        body("v").validate().unwrap();
        for value in ["", "a\nb"] {
            assert_eq!(
                body(value).validate().unwrap_err().field(),
                "markdown.params.values"
            );
        }
    }

    #[test]
    fn both_kinds_at_once_are_refused() {
        let both: MessageMarkdown =
            serde_json::from_str(r#"{"content":"x","custom_template_id":"1"}"#).unwrap();
        assert_eq!(both.validate().unwrap_err().field(), "markdown.content");
    }
}
