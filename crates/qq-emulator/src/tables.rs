//! The emulator's own copy of the protocol tables, read once.
//!
//! Which routes exist, which fields their bodies have, which types those have and which intent
//! carries an event is read from here; nothing of it is written by hand elsewhere.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use serde::Deserialize;

/// What the tables say, indexed.
#[derive(Debug)]
pub(crate) struct Tables {
    routes: Vec<Route>,
    models: HashMap<String, Vec<Field>>,
    messages: HashMap<i64, String>,
    intents: Vec<Intent>,
    intent_of: HashMap<String, u64>,
}

/// One REST route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) segments: Vec<Segment>,
    pub(crate) body: Vec<Field>,
}

/// One part of a route's path.
#[derive(Debug, PartialEq)]
pub(crate) enum Segment {
    Literal(String),
    Parameter(String),
}

/// One member of a body or an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

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

#[derive(Debug)]
struct Intent {
    value: u64,
    defined: bool,
}

/// The tables.
pub(crate) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(Tables::load);
    &TABLES
}

impl Tables {
    #[expect(
        clippy::expect_used,
        reason = "the files are compiled in, and a test of this module reads them all"
    )]
    fn load() -> Self {
        let routes: Vec<raw::Route> =
            serde_json::from_str(include_str!("../tables/routes.json")).expect("routes.json");
        let models: raw::Models =
            serde_json::from_str(include_str!("../tables/models.json")).expect("models.json");
        let errors: raw::Errors =
            serde_json::from_str(include_str!("../tables/errors.json")).expect("errors.json");
        let intents: raw::Intents =
            serde_json::from_str(include_str!("../tables/intents.json")).expect("intents.json");
        let intent_of = intents
            .intents
            .iter()
            .flat_map(|intent| {
                intent
                    .events
                    .iter()
                    .map(|name| (name.clone(), intent.value))
            })
            .collect();
        Self {
            routes: routes.into_iter().map(Route::from).collect(),
            models: models
                .objects
                .into_iter()
                .map(|object| {
                    (
                        object.name,
                        object.fields.into_iter().map(Field::from).collect(),
                    )
                })
                .collect(),
            messages: errors
                .codes
                .into_iter()
                .map(|code| (code.code, code.meaning))
                .collect(),
            intents: intents
                .intents
                .into_iter()
                .map(|intent| Intent {
                    value: intent.value,
                    defined: intent.status != "discord-leftover",
                })
                .collect(),
            intent_of,
        }
    }

    /// Every route of the platform.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The members of an object, by the object's name.
    pub(crate) fn model(&self, name: &str) -> Option<&[Field]> {
        self.models.get(name).map(Vec::as_slice)
    }

    /// What a platform code means.
    pub(crate) fn meaning(&self, code: i64) -> &str {
        self.messages
            .get(&code)
            .map_or("request refused", String::as_str)
    }

    /// All intents that exist on this platform, as a mask.
    pub(crate) fn defined_intents(&self) -> u64 {
        self.intents
            .iter()
            .filter(|intent| intent.defined)
            .fold(0, |mask, intent| mask | intent.value)
    }

    /// The intent that carries an event; `None` for events that no intent is known for.
    pub(crate) fn intent_of(&self, event: &str) -> Option<u64> {
        self.intent_of.get(event).copied()
    }
}

impl From<raw::Route> for Route {
    fn from(raw: raw::Route) -> Self {
        let segments = raw
            .path
            .trim_start_matches('/')
            .split('/')
            .map(|part| {
                match part
                    .strip_prefix('{')
                    .and_then(|part| part.strip_suffix('}'))
                {
                    Some(name) => Segment::Parameter(name.to_owned()),
                    None => Segment::Literal(part.to_owned()),
                }
            })
            .collect();
        Self {
            id: raw.id,
            method: Method::from_bytes(raw.method.as_bytes()).unwrap_or_default(),
            path: raw.path,
            segments,
            body: raw.body.into_iter().map(Field::from).collect(),
        }
    }
}

impl From<raw::Field> for Field {
    fn from(raw: raw::Field) -> Self {
        Self {
            required: raw.required.unwrap_or(!raw.optional.unwrap_or(true)),
            kind: Kind::parse(&raw.kind),
            name: raw.name,
        }
    }
}

impl Kind {
    /// Reads the tables' notation: `string`, `integer (ms)`, `X[]`, `integer[2]`, `A or B`,
    /// `object {…}`, the name of an object.
    fn parse(text: &str) -> Self {
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

/// The files as they are written; members that the emulator has no use for are skipped.
mod raw {
    use super::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Route {
        pub(super) id: String,
        pub(super) method: String,
        pub(super) path: String,
        pub(super) body: Vec<Field>,
    }

    #[derive(Deserialize)]
    pub(super) struct Field {
        pub(super) name: String,
        #[serde(rename = "type")]
        pub(super) kind: String,
        pub(super) required: Option<bool>,
        pub(super) optional: Option<bool>,
    }

    #[derive(Deserialize)]
    pub(super) struct Models {
        pub(super) objects: Vec<Object>,
    }

    #[derive(Deserialize)]
    pub(super) struct Object {
        pub(super) name: String,
        #[serde(default)]
        pub(super) fields: Vec<Field>,
    }

    #[derive(Deserialize)]
    pub(super) struct Errors {
        pub(super) codes: Vec<Code>,
    }

    #[derive(Deserialize)]
    pub(super) struct Code {
        pub(super) code: i64,
        pub(super) meaning: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Intents {
        pub(super) intents: Vec<Intent>,
    }

    #[derive(Deserialize)]
    pub(super) struct Intent {
        pub(super) value: u64,
        pub(super) status: String,
        pub(super) events: Vec<String>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_file() {
        let tables = tables();
        assert_eq!(tables.routes().len(), 111);
        assert!(
            tables
                .model("MessageMarkdown")
                .is_some_and(|fields| !fields.is_empty())
        );
        assert_eq!(
            tables.meaning(40_054_005),
            "duplicate: the pair of msg_id and msg_seq was used"
        );
        assert_eq!(tables.intent_of("GROUP_AT_MESSAGE_CREATE"), Some(1 << 25));
        assert_eq!(tables.intent_of("AT_MESSAGE_CREATE"), Some(1 << 30));
        assert_eq!(tables.defined_intents() & 1, 1);
        assert_eq!(tables.defined_intents() & (1 << 2), 0);
    }

    #[test]
    fn every_named_object_exists() {
        fn check(kind: &Kind, at: &str) {
            match kind {
                Kind::Model(name) => assert!(
                    tables().model(name).is_some() || KNOWN_OPEN.contains(&name.as_str()),
                    "{at}: {name}"
                ),
                Kind::List(item, _) => check(item, at),
                Kind::OneOf(kinds) => kinds.iter().for_each(|kind| check(kind, at)),
                _ => {}
            }
        }
        const KNOWN_OPEN: [&str; 0] = [];
        for route in tables().routes() {
            for field in &route.body {
                check(&field.kind, &format!("{}.{}", route.id, field.name));
            }
        }
    }

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
