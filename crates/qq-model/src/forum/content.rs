//! The four shapes of a forum text.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RichObject, RichText};
use crate::wire::Lenient;

/// The title or the content of a thread, a comment or a reply, in the shape in which it came.
///
/// REST prints titles as plain text and contents as the JSON text of a [`RichText`]; events print lists of
/// [`RichObject`], or again JSON text. The JSON text is read only when somebody asks for it.
///
/// ```
/// use qq_model::forum::ForumContent;
///
/// let content: ForumContent =
///     serde_json::from_str(r#""{\"paragraphs\":[{\"elems\":[{\"text\":{\"text\":\"hi\"}}]}]}""#)?;
/// assert_eq!(content.plain_text(), "hi");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ForumContent {
    /// A text: plain, or the JSON text of a [`RichText`].
    Text(Box<str>),
    /// A list of pieces.
    Objects(Vec<RichObject>),
    /// A document.
    Document(Box<RichText>),
}

impl ForumContent {
    /// The document: as it came, or read from JSON text. `None` for plain text and lists.
    #[must_use]
    pub fn rich_text(&self) -> Option<Cow<'_, RichText>> {
        match self {
            Self::Text(text) if text.trim_start().starts_with('{') => {
                let document: RichText = serde_json::from_str(text).ok()?;
                Some(Cow::Owned(document))
            }
            Self::Document(document) => Some(Cow::Borrowed(document)),
            Self::Text(_) | Self::Objects(_) => None,
        }
    }

    /// What it says, without pictures and videos.
    #[must_use]
    pub fn plain_text(&self) -> Cow<'_, str> {
        if let Some(document) = self.rich_text() {
            return Cow::Owned(document.plain_text());
        }
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Objects(objects) => {
                Cow::Owned(objects.iter().map(RichObject::plain_text).collect())
            }
            Self::Document(document) => Cow::Owned(document.plain_text()),
        }
    }
}

impl Default for ForumContent {
    fn default() -> Self {
        Self::Text("".into())
    }
}

impl Serialize for ForumContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Objects(objects) => objects.serialize(serializer),
            Self::Document(document) => document.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ForumContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map(Option::unwrap_or_default)
    }
}

impl<'de> Lenient<'de> for ForumContent {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Option<ForumContent>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(ForumContent::Text(text.into())))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
        Ok(Some(ForumContent::Text(n.to_string().into())))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
        Ok(Some(ForumContent::Text(n.to_string().into())))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Self::Value, E> {
        Ok(Some(ForumContent::Text(n.to_string().into())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let objects = Vec::read(SeqAccessDeserializer::new(seq))?;
        Ok(objects.map(ForumContent::Objects))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let document = RichText::read(MapAccessDeserializer::new(map))?;
        Ok(document.map(|document| ForumContent::Document(Box::new(document))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read_and_written_back() {
        for (json, text) in [
            (r#""a title""#, "a title"),
            (
                r#""{\"paragraphs\":[{\"elems\":[{\"type\":1,\"text\":{\"text\":\"x\"}}]},{}]}""#,
                "x\n",
            ),
            (
                r#"[{"type":1,"text_info":{"text":"x"}},{"type":3,"url_info":{"url":"u","display_text":"y"}}]"#,
                "xy",
            ),
            (r#"{"paragraphs":[{"elems":[{"text":{"text":"x"}}]}]}"#, "x"),
        ] {
            let content: ForumContent = serde_json::from_str(json).unwrap();
            assert_eq!(content.plain_text(), text, "{json}");
            assert_eq!(serde_json::to_string(&content).unwrap(), json);
        }
    }

    #[test]
    fn text_that_only_looks_like_a_document_stays_text() {
        for json in [r#""{""#, r#""{\"a\":""#] {
            let content: ForumContent = serde_json::from_str(json).unwrap();
            assert!(content.rich_text().is_none(), "{json}");
            assert!(content.plain_text().starts_with('{'));
        }
        assert_eq!(
            serde_json::from_str::<ForumContent>("null").unwrap(),
            ForumContent::default()
        );
    }
}
