//! Reads recordings.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Kind, Line, Side, VERSION};
use crate::clock::Millis;
use crate::json_error::{self, JsonError};

/// The longest line.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The events of a recording, to be played again.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub(crate) events: Vec<Recorded>,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) at: Millis,
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) d: Value,
}

/// A recording that cannot be read. Says which file, and where in it.
#[derive(Debug)]
pub struct RecordingError(Box<(PathBuf, Why)>);

#[derive(Debug)]
enum Why {
    Io(io::Error),
    Json(JsonError),
}

impl RecordingError {
    /// What is wrong in the file, and where, if it could be read at all.
    #[must_use]
    pub fn json(&self) -> Option<&JsonError> {
        match &self.0.1 {
            Why::Json(why) => Some(why),
            Why::Io(_) => None,
        }
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, why) = &*self.0;
        match why {
            Why::Io(why) => write!(f, "{}: {why}", path.display()),
            Why::Json(why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for RecordingError {}

impl Recording {
    /// Reads a file of JSON lines as [`EmulatorBuilder::record`] and [`Proxy`] write them.
    ///
    /// # Errors
    /// The file cannot be read, or is no recording; names line, column and field.
    ///
    /// [`EmulatorBuilder::record`]: crate::EmulatorBuilder::record
    /// [`Proxy`]: crate::Proxy
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let failed = |why| RecordingError(Box::new((path.to_owned(), why)));
        let file = File::open(path).map_err(|why| failed(Why::Io(why)))?;
        read_lines(BufReader::new(file)).map_err(failed)
    }

    /// How many events it has. One that came several times, as after RESUME, counts once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it has no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

fn read_lines(mut input: impl io::BufRead) -> Result<Recording, Why> {
    let mut events = Vec::new();
    let mut seen = HashSet::new();
    let mut number = 0;
    loop {
        let mut bytes = Vec::new();
        let read = io::Read::take(&mut input, MOST_BYTES).read_until(b'\n', &mut bytes);
        if read.map_err(Why::Io)? == 0 {
            break;
        }
        number += 1;
        let wrong = |mut why: JsonError| {
            why.line = number;
            Why::Json(why)
        };
        let text = String::from_utf8(bytes).map_err(|why| {
            let column = why.utf8_error().valid_up_to() + 1;
            Why::Json(JsonError {
                line: number,
                column,
                field: String::new(),
                message: "is no UTF-8".into(),
            })
        })?;
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        let line: Line = json_error::read(text).map_err(wrong)?;
        if let Some(name) = line.missing() {
            return Err(wrong(JsonError::at(text, name, "is missing")));
        }
        match (number, line.kind) {
            (1, Kind::Recording) if line.version != Some(VERSION) => {
                let why = format!("this is version {VERSION} of the format");
                return Err(wrong(JsonError::at(text, "version", why)));
            }
            (1, Kind::Recording) => {}
            (1, _) => {
                let why = "a recording begins with a line of the kind recording";
                return Err(wrong(JsonError::at(text, "kind", why)));
            }
            (_, Kind::Recording) => {
                let why = "there is one such line, the first";
                return Err(wrong(JsonError::at(text, "kind", why)));
            }
            _ => {
                if let Some(event) = event(line, text).map_err(wrong)?
                    && event
                        .id
                        .as_ref()
                        .is_none_or(|id| seen.insert((event.name.clone(), id.clone())))
                {
                    events.push(event);
                }
            }
        }
    }
    if number == 0 {
        let line = JsonError {
            line: 1,
            column: 1,
            field: String::new(),
            message: "the file is empty; a recording begins with a line of the kind recording"
                .into(),
        };
        return Err(Why::Json(line));
    }
    Ok(Recording { events })
}

/// The event of a frame or callback; the frames that begin a session are none.
fn event(line: Line, text: &str) -> Result<Option<Recorded>, JsonError> {
    let (at, payload) = match line.kind {
        Kind::Frame if line.from == Some(Side::Server) => ("frame", line.frame),
        // A forged one tells of nothing that happened.
        Kind::Callback if line.corrupt.is_none() => ("body", line.body),
        _ => return Ok(None),
    };
    let Some(Value::Object(mut frame)) = payload else {
        return Ok(None);
    };
    if frame.get("op").and_then(Value::as_u64) != Some(0) {
        return Ok(None);
    }
    let Some(name) = frame.get("t").and_then(Value::as_str).map(str::to_owned) else {
        return Err(JsonError::at(
            text,
            &format!("{at}.t"),
            "an event has a type, which is a string",
        ));
    };
    if matches!(name.as_str(), "READY" | "RESUMED") {
        return Ok(None);
    }
    let id = match frame.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => {
            let field = format!("{at}.id");
            return Err(JsonError::at(text, &field, "an event's id is a string"));
        }
    };
    Ok(Some(Recorded {
        at: line.ms,
        name,
        id,
        d: frame.remove("d").unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"ms":0,"kind":"recording","version":1}"#;

    #[test]
    fn events_are_read_once_each() {
        let frame = |id: &str| {
            format!(
                r#"{{"ms":7,"kind":"frame","connection":1,"from":"server","frame":{{"op":0,"t":"X","id":"{id}","d":{{"n":18446744073709551615}}}}}}"#
            )
        };
        let other = r#"{"ms":8,"kind":"frame","connection":1,"from":"server","frame":{"op":11}}"#;
        let call = r#"{"ms":8,"kind":"call","method":"GET","path":"/users/@me","status":200}"#;
        let callback = |id: &str, more: &str| {
            format!(
                r#"{{"ms":9,"kind":"callback","url":"http://127.0.0.1/","body":{{"op":0,"t":"X","id":"{id}","d":{{}}}}{more}}}"#
            )
        };
        let lines = [
            HEAD,
            &frame("a"),
            other,
            call,
            &frame("a"),
            "",
            &frame("b"),
            &callback("b", r#","status":500"#),
            &callback("c", r#","error":"no answer""#),
            &callback("c", r#","status":200"#),
            &callback("d", r#","status":401,"corrupt":"signature""#),
        ];
        let recording = read_lines(lines.join("\n").as_bytes()).unwrap();
        let ids: Vec<_> = recording.events.iter().map(|e| e.id.as_deref()).collect();
        assert_eq!(ids, [Some("a"), Some("b"), Some("c")]);
        assert_eq!(recording.events[0].d["n"], u64::MAX);
        assert_eq!(recording.events[0].at, 7);
    }

    #[test]
    fn errors_name_line_column_and_field() {
        for (line, shown) in [
            ("", "line 1, column 1: the file is empty"),
            (
                r#"{"ms":0,"kind":"open","connection":1}"#,
                "line 1, column 16: kind: a recording",
            ),
            (
                r#"{"ms":0,"kind":"recording","version":2}"#,
                "line 1, column 38: version: this",
            ),
        ] {
            let Why::Json(why) = read_lines(line.as_bytes()).unwrap_err() else {
                panic!("{line}");
            };
            assert!(why.to_string().starts_with(shown), "{why}");
        }
        for (line, shown) in [
            (
                r#"{"ms":1,"kind":"frame"}"#,
                "line 2, column 1: connection: is missing",
            ),
            (
                r#"{"ms":1,"kind":"frma"}"#,
                "line 2, column 21: kind: unknown variant `frma`",
            ),
            (
                r#"{"ms":1,"kind":"open","conection":1}"#,
                "line 2, column 33: conection: unknown field; did you mean \"connection\"?",
            ),
            (
                r#"{"ms":1,"kind":"frame","connection":1,"from":"server","frame":{"op":0}}"#,
                "line 2, column 63: frame.t: an event has",
            ),
            (
                r#"{"ms":1,"kind":"callback","url":"x","body":{"op":0,"t":1},"status":200}"#,
                "line 2, column 56: body.t: an event has",
            ),
            (
                r#"{"ms":1,"kind":"callback","url":"x","body":{"op":13}}"#,
                "line 2, column 1: status: is missing",
            ),
            (r#"{"ms":"x"}"#, "line 2, column 9: ms: invalid type"),
            ("{\"ms\":1", "line 2, column 7: EOF"),
            (HEAD, "line 2, column 16: kind: there is one"),
        ] {
            let text = format!("{HEAD}\n{line}\n");
            let Why::Json(why) = read_lines(text.as_bytes()).unwrap_err() else {
                panic!("{line}");
            };
            assert!(why.to_string().starts_with(shown), "{line}: {why}");
        }
        let Why::Json(why) = read_lines(&b"\xff\n"[..]).unwrap_err() else {
            panic!("no UTF-8");
        };
        assert_eq!(why.to_string(), "line 1, column 1: is no UTF-8");
    }
}
