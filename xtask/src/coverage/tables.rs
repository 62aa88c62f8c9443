//! The protocol tables.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Context as _, Error, Result};

/// What the tables say, as far as the report needs it.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) objects: Vec<Object>,
    pub(super) enums: Vec<Enumeration>,
    pub(super) events: Vec<Event>,
    pub(super) routes: Vec<Route>,
    pub(super) codes: Vec<i64>,
    /// Name and bit.
    pub(super) intents: Vec<(String, u32)>,
}

#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Members of an object that is printed inside the type.
    pub(super) inner: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) name: String,
    pub(super) values: Vec<EnumValue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EnumValue {
    Number(i64),
    Text(String),
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) intent: Option<String>,
    pub(super) fields: Vec<Field>,
    /// The object that `models.json` names as its payload.
    pub(super) payload: Option<String>,
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) id: String,
    pub(super) body: Vec<Field>,
    pub(super) query: Vec<Field>,
    pub(super) reply: Reply,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Object(String),
    List(String),
    /// An object that the route itself prints.
    Inline(Vec<Field>),
}

impl Tables {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let models = read(folder, "models.json")?;
        let events = read(folder, "events.json")?;
        let mut objects = list(&models, "objects", object)?;
        // The types of the event table are further descriptions of the same objects.
        for (name, description) in members(&events, "types")? {
            objects.push(Object {
                name: format!("event {name}"),
                fields: fields(description, "fields"),
            });
        }
        let payloads: Vec<(String, String)> = list(&models, "events", |event| {
            Some((text(event, "t")?, text(event, "d")?))
        })?;
        Ok(Self {
            objects,
            enums: list(&models, "enums", enumeration)?,
            events: list(&events, "events", |event| {
                let name = text(event, "name")?;
                Some(Event {
                    intent: text(event, "intent"),
                    fields: fields(event, "payload_fields"),
                    payload: payloads
                        .iter()
                        .find(|(event, _)| *event == name)
                        .map(|(_, payload)| payload.clone()),
                    name,
                })
            })?,
            routes: read(folder, "routes.json")?
                .as_array()
                .into_iter()
                .flatten()
                .map(route)
                .collect::<Option<_>>()
                .ok_or_else(|| unreadable("routes.json"))?,
            codes: list(&read(folder, "errors.json")?, "codes", |code| {
                code.get("code")?.as_i64()
            })?,
            intents: list(&read(folder, "intents.json")?, "intents", |intent| {
                let bit = u32::try_from(intent.get("bit")?.as_u64()?).ok()?;
                Some((text(intent, "name")?, bit))
            })?,
        })
    }
}

fn read(folder: &Path, name: &str) -> Result<Value> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).context(|| format!("reading {}", path.display()))
}

fn list<T>(table: &Value, key: &str, row: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>> {
    table
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| unreadable(key))?
        .iter()
        .map(row)
        .collect::<Option<_>>()
        .ok_or_else(|| unreadable(key))
}

fn members<'a>(
    table: &'a Value,
    key: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)> + use<'a>> {
    Ok(table
        .get(key)
        .and_then(Value::as_object)
        .ok_or_else(|| unreadable(key))?
        .iter())
}

fn unreadable(key: &str) -> Error {
    Error::new(format!(
        "the protocol tables have another form than expected at `{key}`"
    ))
}

fn text(row: &Value, key: &str) -> Option<String> {
    row.get(key)?.as_str().map(str::to_owned)
}

fn object(row: &Value) -> Option<Object> {
    Some(Object {
        name: text(row, "name")?,
        fields: fields(row, "fields"),
    })
}

fn fields(row: &Value, key: &str) -> Vec<Field> {
    let rows = row.get(key).and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .filter_map(|field| {
            Some(Field {
                name: text(field, "name")?,
                inner: inner_members(&text(field, "type").unwrap_or_default()),
            })
        })
        .collect()
}

/// The members in a type such as `object {url: string, desc: string}`.
fn inner_members(ty: &str) -> Vec<String> {
    let Some(inside) = ty
        .split_once('{')
        .and_then(|(_, rest)| rest.split('}').next())
    else {
        return Vec::new();
    };
    // One type for several members: `{font_bold, italic, underline: boolean}`.
    inside
        .split(',')
        .filter_map(|part| part.split(':').next())
        .map(|name| name.trim().trim_end_matches('?').to_owned())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

fn enumeration(row: &Value) -> Option<Enumeration> {
    let values = row.get("values")?.as_array()?.iter();
    Some(Enumeration {
        name: text(row, "name")?,
        values: values
            .map(|value| match value.get("value")? {
                Value::Number(number) => number.as_i64().map(EnumValue::Number),
                Value::String(text) => Some(EnumValue::Text(text.clone())),
                _ => None,
            })
            .collect::<Option<_>>()?,
    })
}

fn route(row: &Value) -> Option<Route> {
    let response = row.get("response")?;
    let reply = match text(response, "type")?.as_str() {
        "array" => Reply::List(text(response, "items")?),
        "object" if response.get("fields").is_some() => Reply::Inline(fields(response, "fields")),
        "none" | "empty" | "object" => Reply::Nothing,
        named => Reply::Object(named.to_owned()),
    };
    Some(Route {
        id: text(row, "id")?,
        body: fields(row, "body"),
        query: fields(row, "query"),
        reply,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_inside_types_are_found() {
        assert_eq!(
            inner_members("object {url: string, desc: string}"),
            ["url", "desc"]
        );
        assert_eq!(
            inner_members("object {font_bold, italic, underline: boolean}"),
            ["font_bold", "italic", "underline"]
        );
        assert_eq!(
            inner_members("{id: string, status?: int}"),
            ["id", "status"]
        );
        assert_eq!(inner_members("object of strings"), Vec::<String>::new());
    }
}
