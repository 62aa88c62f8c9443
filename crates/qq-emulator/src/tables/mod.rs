//! The emulator's own copy of the protocol tables.
//!
//! Which routes exist, which fields their bodies have, which types those have and which intent
//! carries an event is read from here; nothing of it is written by hand elsewhere. Each file is
//! read when it is first needed, so that starting stays quick.

mod kind;
mod raw;
mod terms;

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;

pub(crate) use kind::Kind;
pub(crate) use terms::{Rate, Terms};

/// One REST route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) segments: Vec<Segment>,
    pub(crate) body: Vec<Field>,
    /// 200, or 204 for an answer without a body.
    pub(crate) success_status: u16,
    /// How often a bot may call it.
    pub(crate) rate: Option<Rate>,
    /// Who may call it.
    pub(crate) terms: Terms,
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

/// Every route of the platform.
pub(crate) fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let routes: Vec<raw::Route> = read(include_str!("../../tables/routes.json"));
        routes.into_iter().map(Route::from).collect()
    });
    &ROUTES
}

/// The members of an object, by the object's name.
pub(crate) fn model(name: &str) -> Option<&'static [Field]> {
    static MODELS: LazyLock<HashMap<String, Vec<Field>>> = LazyLock::new(|| {
        let models: raw::Models = read(include_str!("../../tables/models.json"));
        let fields = |object: raw::Object| object.fields.into_iter().map(Field::from).collect();
        models
            .objects
            .into_iter()
            .map(|object| (object.name.clone(), fields(object)))
            .collect()
    });
    MODELS.get(name).map(Vec::as_slice)
}

/// What a platform code means.
pub(crate) fn meaning(code: i64) -> &'static str {
    static MEANINGS: LazyLock<HashMap<i64, String>> = LazyLock::new(|| {
        let errors: raw::Errors = read(include_str!("../../tables/errors.json"));
        errors
            .codes
            .into_iter()
            .map(|code| (code.code, code.meaning))
            .collect()
    });
    MEANINGS
        .get(&code)
        .map_or("request refused", String::as_str)
}

/// All intents that exist on this platform, as a mask.
pub(crate) fn defined_intents() -> u64 {
    intents().defined
}

/// The intent that carries an event; `None` for events that no intent is known for.
pub(crate) fn intent_of(event: &str) -> Option<u64> {
    intents().of_event.get(event).copied()
}

#[derive(Debug)]
struct Intents {
    defined: u64,
    of_event: HashMap<String, u64>,
}

fn intents() -> &'static Intents {
    static INTENTS: LazyLock<Intents> = LazyLock::new(|| {
        let file: raw::Intents = read(include_str!("../../tables/intents.json"));
        Intents {
            defined: file
                .intents
                .iter()
                // Bits of another platform, left over in an SDK's constants.
                .filter(|intent| intent.status != "discord-leftover")
                .fold(0, |mask, intent| mask | intent.value),
            of_event: file
                .intents
                .iter()
                .flat_map(|intent| {
                    intent
                        .events
                        .iter()
                        .map(|name| (name.clone(), intent.value))
                })
                .collect(),
        }
    });
    &INTENTS
}

#[expect(
    clippy::expect_used,
    reason = "the files are compiled in, and a test of this module reads them all"
)]
fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    serde_json::from_str(file).expect("a protocol table")
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
            success_status: raw.success_status,
            rate: raw.rate_limit.as_deref().and_then(Rate::parse),
            terms: Terms::parse(raw.who_may_call.as_deref().unwrap_or_default()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_file() {
        assert_eq!(routes().len(), 111);
        assert!(model("MessageMarkdown").is_some_and(|fields| !fields.is_empty()));
        assert_eq!(
            meaning(40_054_005),
            "duplicate: the pair of msg_id and msg_seq was used"
        );
        assert_eq!(intent_of("GROUP_AT_MESSAGE_CREATE"), Some(1 << 25));
        assert_eq!(intent_of("AT_MESSAGE_CREATE"), Some(1 << 30));
        assert_eq!(defined_intents() & 1, 1);
        assert_eq!(defined_intents() & (1 << 2), 0);
    }

    #[test]
    fn every_named_object_exists() {
        fn check(fields: &'static [Field], at: &str, seen: &mut Vec<&'static str>) {
            for field in fields {
                check_kind(&field.kind, &format!("{at}.{}", field.name), seen);
            }
        }
        fn check_kind(kind: &'static Kind, at: &str, seen: &mut Vec<&'static str>) {
            match kind {
                Kind::Model(name) if !seen.contains(&name.as_str()) => {
                    seen.push(name);
                    let fields = model(name).unwrap_or_else(|| panic!("{at}: {name}"));
                    check(fields, at, seen);
                }
                Kind::List(item, _) => check_kind(item, at, seen),
                Kind::OneOf(kinds) => kinds.iter().for_each(|kind| check_kind(kind, at, seen)),
                _ => {}
            }
        }
        let mut seen = Vec::new();
        for route in routes() {
            check(&route.body, &route.id, &mut seen);
        }
        assert!(seen.len() > 30, "{seen:?}");
    }
}
