//! JSON of files: errors that name line, column and field.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// What is wrong in a JSON file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// The path of the field, such as `guilds[0].name`; empty for the whole.
    pub field: String,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

impl JsonError {
    /// An error about a field of a text that is JSON.
    pub(crate) fn at(text: &str, field: &str, message: impl Into<String>) -> Self {
        let offset = locate(text, field).unwrap_or(0);
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: offset - line_start + 1,
            field: field.to_owned(),
            message: message.into(),
        }
    }
}

/// Reads JSON of which every member is known.
///
/// # Errors
/// Says where the text is no JSON, or which field is wrong.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    if text.trim_start().starts_with('[') {
        // A library would count the members of what it expects instead.
        return Err(JsonError::at(text, "", "give a JSON object, not a list"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json);
    let read = match read {
        Ok(value) => json
            .end()
            .map(|()| value)
            .map_err(|why| (String::new(), why)),
        Err(why) => Err((why.path().to_string(), why.into_inner())),
    };
    read.map_err(|(path, why)| {
        let message = why.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(&*message, |(rest, _)| rest);
        let field = match path.as_str() {
            // What the library says of the whole, and of a place that it could not name.
            "." | "?" => String::new(),
            path => path.trim_start_matches('.').to_owned(),
        };
        let (field, message) = match unknown(message) {
            Some((name, hint)) => (joined(&field, name), hint),
            None => (field, message.to_owned()),
        };
        JsonError {
            line: why.line().max(1),
            column: why.column().max(1),
            field,
            message,
        }
    })
}

/// The path of a member of an object.
fn joined(field: &str, name: &str) -> String {
    let parent = field
        .strip_suffix(name)
        .filter(|rest| rest.is_empty() || rest.ends_with('.'));
    match parent.unwrap_or(field).trim_end_matches('.') {
        "" => name.to_owned(),
        parent => format!("{parent}.{name}"),
    }
}

/// The name in "unknown field `a`, expected one of `b`, `c`", and what to do about it.
fn unknown(message: &str) -> Option<(&str, String)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, expected) = rest.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let hint = match closest(name, &known) {
        Some(close) => format!("unknown field; did you mean {close:?}?"),
        None => format!("unknown field; there are {}", known.join(", ")),
    };
    Some((name, hint))
}

/// The name that was probably meant.
pub(crate) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known
        .iter()
        .map(|known| (distance(name, known), *known))
        .min()?;
    (near.0 <= near.1.len().max(3) / 3).then_some(near.1)
}

/// How many characters have to be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Where the value at a path such as `guilds[0].name` begins; the nearest parent that exists.
fn locate(text: &str, path: &str) -> Option<usize> {
    let whole: &RawValue = serde_json::from_str(text).ok()?;
    let offset =
        |value: &RawValue| (value.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    let mut value = whole;
    for step in path
        .split(['.', '['])
        .map(|step| step.trim_end_matches(']'))
    {
        if step.is_empty() {
            continue;
        }
        let next = match step.parse::<usize>() {
            Ok(index) => serde_json::from_str::<Vec<&RawValue>>(value.get())
                .ok()
                .and_then(|items| items.get(index).copied()),
            Err(_) => serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get())
                .ok()
                .and_then(|members| members.get(step).copied()),
        };
        match next {
            Some(next) => value = next,
            None => break,
        }
    }
    offset(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read, and nothing else")]
    struct Outer {
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read, and nothing else")]
    struct Inner {
        name: String,
        number: Option<u32>,
    }

    #[test]
    fn errors_name_line_column_and_field() {
        for (text, shown) in [
            (
                "{\"list\": [\n  {\"name\": 5}\n]}",
                "line 2, column 12: list[0].name: invalid type",
            ),
            (
                "{\"list\": [\n  {\"name\": \"\", \"numbr\": 5}\n]}",
                "line 2, column 22: list[0].numbr: unknown field; did you mean \"number\"?",
            ),
            (
                "{\"lists\": 1}",
                "line 1, column 8: lists: unknown field; did you mean \"list\"?",
            ),
            (
                "{\"list\": [{\"qwertz\": 1}]}",
                "line 1, column 19: list[0].qwertz: unknown field; there are name, number",
            ),
            (
                "{\"list\": [{}]}",
                "line 1, column 12: list[0]: missing field `name`",
            ),
            (
                "{\n\"list\": [}",
                "line 2, column 10: list[0]: expected value",
            ),
            ("{\"list\": []} x", "line 1, column 14: trailing characters"),
            ("", "line 1, column 1: EOF"),
        ] {
            let why = read::<Outer>(text).unwrap_err().to_string();
            assert!(why.starts_with(shown), "{text}: {why}");
        }
    }

    #[test]
    fn a_field_is_found_again() {
        let text = "{\n \"a\": [1, {\"b\": 2}]\n}";
        let at = |field: &str| {
            let error = JsonError::at(text, field, "");
            (error.line, error.column)
        };
        assert_eq!(at("a[1].b"), (2, 17));
        assert_eq!(at("a[1].c"), (2, 11));
        assert_eq!(at("[7]"), (1, 1));
    }
}
