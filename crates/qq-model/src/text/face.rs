//! Faces inside received texts: `<faceType=1,faceId="277",ext="...">`.

use std::borrow::Cow;

use serde_json::Value;

use super::markup::{Entity, entities};
use crate::base64;

/// A face of the client inside a text of a group or a one-to-one chat.
///
/// ```
/// use qq_model::text::faces;
///
/// let text = r#"ok <faceType=1,faceId="277",ext="eyJ0ZXh0Ijoi5rGq5rGqIn0=">"#;
/// let face = faces(text).next().unwrap();
/// assert_eq!((face.kind, face.id, face.name().as_deref()), (1, "277", Some("汪汪")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Face<'a> {
    /// What kind: 1 a numbered face, 4 a sticker of the shop, 6 a picture that came as an attachment.
    pub kind: u32,
    /// Which face; may be empty.
    pub id: &'a str,
    /// More about it: base64 of a JSON object.
    pub ext: &'a str,
}

impl<'a> Face<'a> {
    /// Reads a face from its markup, which starts with `<faceType=` and ends with `>`.
    #[must_use]
    pub fn parse(markup: &'a str) -> Option<Self> {
        let inside = markup.strip_prefix("<faceType=")?.strip_suffix('>')?;
        let kind = inside.split(',').next()?.trim().parse().ok()?;
        Some(Self {
            kind,
            id: attribute(inside, "faceId=\"").unwrap_or_default(),
            ext: attribute(inside, "ext=\"").unwrap_or_default(),
        })
    }

    /// What the face is called, if the markup says so.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let ext: Value = serde_json::from_slice(&base64::decode(self.ext)?).ok()?;
        ext.get("text")?.as_str().map(str::to_owned)
    }
}

/// The faces of a text.
pub fn faces(text: &str) -> impl Iterator<Item = Face<'_>> {
    entities(text).filter_map(|entity| match entity {
        Entity::Face(markup) => Face::parse(markup),
        _ => None,
    })
}

/// The text with the name of each face, in square brackets, in place of its markup.
#[must_use]
pub fn without_faces(text: &str) -> Cow<'_, str> {
    if !text.contains("<faceType=") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<faceType=") {
        let Some(end) = rest[at..].find('>') else {
            break;
        };
        out.push_str(&rest[..at]);
        match Face::parse(&rest[at..=at + end]).and_then(|face| face.name()) {
            Some(name) => {
                out.push('[');
                out.push_str(&name);
                out.push(']');
            }
            None => out.push_str("[]"),
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn attribute<'a>(markup: &'a str, start: &str) -> Option<&'a str> {
    let (_, value) = markup.split_once(start)?;
    value.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faces_become_their_names() {
        let text = r#"a<faceType=1,faceId="277",ext="eyJ0ZXh0Ijoi5rGq5rGqIn0=">b<faceType=6,faceId="0",ext="x">"#;
        assert_eq!(without_faces(text), "a[汪汪]b[]");
        assert_eq!(without_faces("a<faceType=1"), "a<faceType=1");
        assert_eq!(faces(text).count(), 2);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(<faceType=|[0-9,\">= a]|faceId=\"|ext=\"){0,20}") {
            let _ = without_faces(&text);
            faces(&text).for_each(|face| drop(face.name()));
        }
    }
}
