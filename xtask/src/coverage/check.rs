//! The comparison.

use std::collections::BTreeSet;
use std::fmt;

use qq_model::describe::{
    ENUMS, EVENTS, Enum, OBJECTS, Object, ROUTES, Reply as KnownReply, Value,
};
use qq_model::{ErrorCode, EventKind, Intents};

use super::exceptions::Exceptions;
use super::tables::{EnumValue, Field, Reply, Tables};

/// What was counted and what was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: Vec<(&'static str, usize)>,
    reasons: usize,
    missing: Vec<String>,
}

impl Report {
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{count:>6} {what}")?;
        }
        writeln!(f, "{:>6} exceptions with a reason", self.reasons)?;
        for line in &self.missing {
            writeln!(f, "missing: {line}")?;
        }
        writeln!(f, "{:>6} missing", self.missing.len())
    }
}

pub(super) fn check(tables: &Tables, exceptions: &Exceptions) -> Report {
    let mut checker = Checker {
        exceptions,
        report: Report::default(),
        seen: BTreeSet::new(),
        documented: BTreeSet::new(),
    };
    checker.objects(tables);
    checker.enums(tables);
    checker.events(tables);
    checker.intents(tables);
    checker.codes(tables);
    checker.routes(tables);
    checker.types();
    checker.report.reasons = exceptions.reasons();
    for line in exceptions.unused() {
        checker.missing(format!("anything that needs the exception {line}"));
    }
    checker.report
}

struct Checker<'a> {
    exceptions: &'a Exceptions,
    report: Report,
    /// Types that an entry of the tables led to.
    seen: BTreeSet<&'static str>,
    /// Type and member, likewise.
    documented: BTreeSet<(&'static str, String)>,
}

fn object(name: &str) -> Option<&'static Object> {
    OBJECTS
        .iter()
        .flat_map(|list| list.iter())
        .copied()
        .find(|object| object.name == name)
}

fn enumeration(name: &str) -> Option<&'static Enum> {
    ENUMS
        .iter()
        .flat_map(|list| list.iter())
        .find(|one| one.name == name)
}

impl Checker<'_> {
    fn missing(&mut self, what: String) {
        self.report.missing.push(what);
    }

    fn count(&mut self, what: &'static str, count: usize) {
        self.report.counts.push((what, count));
    }

    /// The type that a name of the tables means.
    fn resolve(&self, name: &str) -> Option<&'static Object> {
        let own = name.strip_prefix("event ").unwrap_or(name);
        object(self.exceptions.get("object-names", name).unwrap_or(own))
    }

    fn objects(&mut self, tables: &Tables) {
        let mut count = 0;
        let mut fields = 0;
        for entry in &tables.objects {
            count += usize::from(!entry.name.starts_with("event "));
            fields += entry.fields.len();
            let Some(known) = self.resolve(&entry.name) else {
                if !self.exceptions.has("without-type", &entry.name) {
                    self.missing(format!("a type for the object {}", entry.name));
                }
                continue;
            };
            self.members(&entry.name, &entry.fields, known, tables);
        }
        self.count("objects", count);
        self.count("members of objects", fields);
    }

    /// Compares members; `(Name)` stands for all members of another object.
    fn members(&mut self, owner: &str, fields: &[Field], known: &'static Object, tables: &Tables) {
        self.seen.insert(known.name);
        for field in fields {
            let included = field
                .name
                .strip_prefix('(')
                .and_then(|name| name.strip_suffix(')'));
            if let Some(name) = included {
                let entry = tables.objects.iter().find(|entry| entry.name == name);
                if let Some(entry) = entry {
                    self.members(owner, &entry.fields, known, tables);
                } else if !self
                    .exceptions
                    .has("without-type", &format!("{owner}.{}", field.name))
                {
                    self.missing(format!("an entry for {} in {owner}", field.name));
                }
                continue;
            }
            let Some(member) = known.field(&field.name) else {
                let key = format!("{owner}.{}", field.name);
                if !self.exceptions.has("without-type", &key) {
                    self.missing(format!("the member {key} in {}", known.name));
                }
                continue;
            };
            self.documented.insert((known.name, field.name.clone()));
            if field.inner.is_empty() {
                continue;
            }
            let Some(inner) = object(member.inner_type()) else {
                let key = format!("{owner}.{}", field.name);
                if !self.exceptions.has("without-type", &key) {
                    self.missing(format!("a type for the members of {key}"));
                }
                continue;
            };
            let inner_fields: Vec<Field> = field
                .inner
                .iter()
                .map(|name| Field {
                    name: name.clone(),
                    inner: Vec::new(),
                })
                .collect();
            let owner = format!("{owner}.{}", field.name);
            self.members(&owner, &inner_fields, inner, tables);
        }
    }

    fn enums(&mut self, tables: &Tables) {
        let mut values = 0;
        for entry in &tables.enums {
            values += entry.values.len();
            let name = self.exceptions.get("enum-names", &entry.name);
            let Some(known) = enumeration(name.unwrap_or(&entry.name)) else {
                if !self.exceptions.has("without-type", &entry.name) {
                    self.missing(format!("a type for the enumeration {}", entry.name));
                }
                continue;
            };
            self.seen.insert(known.name);
            for value in &entry.values {
                if !known.values.iter().any(|known| same(value, *known)) {
                    self.missing(format!("the value {value:?} of {}", entry.name));
                }
            }
            for value in known.values {
                let key = format!("{}.{}", known.name, shown(*value));
                if !entry.values.iter().any(|entry| same(entry, *value))
                    && !self.exceptions.has("without-entry", &key)
                {
                    self.missing(format!("an entry for the value {key}"));
                }
            }
        }
        self.count("enumerations", tables.enums.len());
        self.count("values of enumerations", values);
    }

    fn events(&mut self, tables: &Tables) {
        for entry in &tables.events {
            let Ok(kind) = entry.name.parse::<EventKind>() else {
                self.missing(format!("the event {}", entry.name));
                continue;
            };
            let intent = entry.intent.as_deref().and_then(Intents::from_name);
            if kind.intent() != intent {
                self.missing(format!("the intent {:?} of {}", entry.intent, entry.name));
            }
            let known = EVENTS.iter().find(|(name, _)| *name == entry.name);
            let Some((_, payload)) = known else { continue };
            self.members(&entry.name, &entry.fields, payload, tables);
            let expected = entry.payload.as_deref();
            let expected = expected.filter(|name| !name.starts_with('('));
            if let Some(expected) = expected.and_then(|name| self.resolve(name))
                && expected.name != payload.name
                && !self
                    .exceptions
                    .has("without-type", &format!("{} payload", entry.name))
            {
                self.missing(format!(
                    "the payload {} of {}, which has {}",
                    expected.name, entry.name, payload.name
                ));
            }
        }
        for (name, _) in EVENTS {
            if !tables.events.iter().any(|entry| entry.name == *name) {
                self.missing(format!("an entry for the event {name}"));
            }
        }
        self.count("events", tables.events.len());
    }

    fn intents(&mut self, tables: &Tables) {
        for (name, bit) in &tables.intents {
            let known = Intents::from_name(name);
            if known.map(|intent| intent.bits()) != 1_u32.checked_shl(*bit)
                && !self
                    .exceptions
                    .has("without-type", &format!("intent {name}"))
            {
                self.missing(format!("the intent {name} with bit {bit}"));
            }
        }
        self.count("intents", tables.intents.len());
    }

    fn codes(&mut self, tables: &Tables) {
        for code in &tables.codes {
            if ErrorCode(*code).info().is_none() {
                self.missing(format!("the error code {code}"));
            }
        }
        for info in ErrorCode::all() {
            if !tables.codes.contains(&info.code) {
                self.missing(format!("an entry for the error code {}", info.code));
            }
        }
        self.count("error codes", tables.codes.len());
    }

    fn routes(&mut self, tables: &Tables) {
        for entry in &tables.routes {
            let Some(known) = ROUTES.iter().find(|route| route.id == entry.id) else {
                self.missing(format!("the route {}", entry.id));
                continue;
            };
            for (part, fields, known) in [
                ("body", &entry.body, known.body),
                ("query", &entry.query, known.query),
            ] {
                let key = format!("{} {part}", entry.id);
                match known {
                    Some(known) => self.members(&key, fields, known, tables),
                    None if fields.is_empty() || self.exceptions.has("bodies", &key) => {}
                    None => self.missing(format!("a type for the {part} of {}", entry.id)),
                }
            }
            if !self.fits(&entry.reply, known.reply, &entry.id, tables)
                && !self.exceptions.has("replies", &entry.id)
            {
                self.missing(format!("the answer {:?} of {}", entry.reply, entry.id));
            }
        }
        for route in ROUTES {
            if !tables.routes.iter().any(|entry| entry.id == route.id) {
                self.missing(format!("an entry for the route {}", route.id));
            }
        }
        self.count("routes", tables.routes.len());
    }

    fn fits(&mut self, entry: &Reply, known: KnownReply, id: &str, tables: &Tables) -> bool {
        match (entry, known) {
            (Reply::Nothing, KnownReply::Nothing) => true,
            (Reply::Object(name), KnownReply::Object(known))
            | (Reply::List(name), KnownReply::List(known)) => {
                self.seen.insert(known.name);
                self.resolve(name)
                    .is_some_and(|object| object.name == known.name)
            }
            (Reply::Inline(fields), KnownReply::Object(known)) => {
                self.members(&format!("{id} answer"), fields, known, tables);
                true
            }
            _ => false,
        }
    }

    /// Types and members without an entry.
    fn types(&mut self) {
        // What a documented member leads to is documented with it.
        let mut reached = self.seen.clone();
        loop {
            let more: Vec<&'static str> = reached
                .iter()
                .filter_map(|name| object(name))
                .flat_map(|object| object.fields)
                .map(qq_model::describe::Field::inner_type)
                .filter(|ty| !reached.contains(ty))
                .collect();
            if more.is_empty() {
                break;
            }
            reached.extend(more);
        }
        let mut members = 0;
        let all: Vec<&Object> = OBJECTS
            .iter()
            .flat_map(|list| list.iter())
            .copied()
            .collect();
        for known in &all {
            members += known.fields.len();
            if !reached.contains(known.name) && !self.exceptions.has("without-entry", known.name) {
                self.missing(format!("an entry for the type {}", known.name));
            }
            if !self.seen.contains(known.name) {
                continue;
            }
            for field in known.fields {
                let key = format!("{}.{}", known.name, field.name);
                let pair = (known.name, field.name.to_owned());
                if !self.documented.contains(&pair) && !self.exceptions.has("without-entry", &key) {
                    self.missing(format!("an entry for the member {key}"));
                }
            }
        }
        let names: BTreeSet<&str> = all.iter().map(|object| object.name).collect();
        if names.len() != all.len() {
            self.missing("distinct names of all types".into());
        }
        for known in ENUMS.iter().flat_map(|list| list.iter()) {
            if !reached.contains(known.name) && !self.exceptions.has("without-entry", known.name) {
                self.missing(format!("an entry for the enumeration {}", known.name));
            }
        }
        self.count("types", all.len());
        self.count("members of types", members);
    }
}

fn same(entry: &EnumValue, known: Value) -> bool {
    match (entry, known) {
        (EnumValue::Number(entry), Value::Number(known)) => *entry == known,
        (EnumValue::Text(entry), Value::Text(known)) => entry == known,
        _ => false,
    }
}

fn shown(value: Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::tables;

    fn found(tables: &Tables, what: &str) -> bool {
        let report = check(tables, &Exceptions::default());
        assert!(!report.is_complete());
        report.missing.iter().any(|line| line.contains(what))
    }

    fn field(name: &str) -> Field {
        Field {
            name: name.into(),
            inner: Vec::new(),
        }
    }

    #[test]
    fn what_the_crate_lacks_is_found() {
        let tables = Tables {
            objects: vec![
                tables::Object {
                    name: "Guild".into(),
                    fields: vec![field("id"), field("new_member")],
                },
                tables::Object {
                    name: "NewObject".into(),
                    fields: Vec::new(),
                },
            ],
            events: vec![tables::Event {
                name: "NEW_EVENT".into(),
                intent: None,
                fields: Vec::new(),
                payload: None,
            }],
            codes: vec![7],
            intents: vec![("GUILDS".into(), 5)],
            enums: vec![tables::Enumeration {
                name: "ChannelType".into(),
                values: vec![EnumValue::Number(99)],
            }],
            routes: vec![
                tables::Route {
                    id: "new_route".into(),
                    body: Vec::new(),
                    query: Vec::new(),
                    reply: Reply::Nothing,
                },
                tables::Route {
                    id: "get_guild".into(),
                    body: vec![field("x")],
                    query: Vec::new(),
                    reply: Reply::List("Guild".into()),
                },
            ],
        };
        for what in [
            "Guild.new_member",
            "NewObject",
            "NEW_EVENT",
            "error code 7",
            "GUILDS with bit 5",
            "Number(99)",
            "new_route",
            "body of get_guild",
            "answer List(\"Guild\") of get_guild",
            "entry for the member Guild.name",
            "entry for the event READY",
            "entry for the error code 10001",
        ] {
            assert!(found(&tables, what), "{what}");
        }
    }
}
