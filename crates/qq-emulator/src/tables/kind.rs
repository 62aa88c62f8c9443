//! The tables' notation for types.

/// What a member may hold.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Object,
    /// A part of a multipart form; in JSON it can only be null.
    File,
    Model(String),
    List(Box<Kind>, Option<usize>),
    OneOf(Vec<Kind>),
}

impl Kind {
    /// Reads the tables' notation: `string`, `integer (ms)`, `X[]`, `integer[2]`, `A or B`,
    /// `object {…}`, the name of an object.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("object[]") {
            debug_assert!(rest.is_empty() || rest.starts_with(' '), "{text}");
            return Self::List(Box::new(Self::Object), None);
        }
        if text.starts_with("object") {
            return Self::Object;
        }
        if let Some(items) = text.strip_prefix('(').and_then(|t| t.strip_suffix(")[]")) {
            return Self::List(Box::new(Self::parse(items)), None);
        }
        let text = match text.find(" (") {
            Some(at) => match text[at..].find(')') {
                Some(end) => format!("{}{}", &text[..at], &text[at + end + 1..]),
                None => text[..at].to_owned(),
            },
            None => text.to_owned(),
        };
        if text.contains(" or ") {
            return Self::OneOf(text.split(" or ").map(Self::parse).collect());
        }
        if let Some((item, size)) = text.strip_suffix(']').and_then(|t| t.rsplit_once('[')) {
            return Self::List(Box::new(Self::parse(item)), size.parse().ok());
        }
        match text.as_str() {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "file part" | "application/octet-stream" => Self::File,
            "any" => Self::Any,
            name => Self::Model(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_type_notation() {
        assert_eq!(Kind::parse("integer (ms)"), Kind::Integer);
        assert_eq!(
            Kind::parse("integer[2]"),
            Kind::List(Box::new(Kind::Integer), Some(2))
        );
        assert_eq!(
            Kind::parse("string (RFC3339) or integer"),
            Kind::OneOf(vec![Kind::String, Kind::Integer])
        );
        assert_eq!(
            Kind::parse("(integer or string)[]"),
            Kind::List(
                Box::new(Kind::OneOf(vec![Kind::Integer, Kind::String])),
                None
            )
        );
        assert_eq!(Kind::parse("object {id: string}"), Kind::Object);
        assert_eq!(
            Kind::parse("integer[] (uint64)"),
            Kind::List(Box::new(Kind::Integer), None)
        );
        assert_eq!(
            Kind::parse("Button[]"),
            Kind::List(Box::new(Kind::Model("Button".into())), None)
        );
    }
}
