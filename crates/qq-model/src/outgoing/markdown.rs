//! Markdown bodies.

use serde::Serialize;

/// A markdown body: native text, or a template with values. Never both.
///
/// Open to every bot in groups and one-to-one chats; in guilds by invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MessageMarkdown {
    #[serde(flatten)]
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    force_verify_image_resource: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Source {
    Native {
        content: String,
    },
    Template {
        custom_template_id: String,
        params: Vec<MarkdownParam>,
    },
}

/// A value of a markdown template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarkdownParam {
    /// The placeholder.
    pub key: String,
    /// One entry for a single value.
    pub values: Vec<String>,
}

impl MessageMarkdown {
    /// Native markdown.
    #[must_use]
    pub fn native(content: impl Into<String>) -> Self {
        Self {
            source: Source::Native {
                content: content.into(),
            },
            force_verify_image_resource: None,
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
            })
            .collect();
        Self {
            source: Source::Template {
                custom_template_id: custom_template_id.into(),
                params,
            },
            force_verify_image_resource: None,
        }
    }

    /// Fails the send, instead of sending without the picture, when the platform cannot copy a picture.
    #[must_use]
    pub const fn verify_images(mut self) -> Self {
        self.force_verify_image_resource = Some(true);
        self
    }

    pub(super) fn is_blank(&self) -> bool {
        match &self.source {
            Source::Native { content } => content.trim().is_empty(),
            Source::Template {
                custom_template_id, ..
            } => custom_template_id.trim().is_empty(),
        }
    }
}
