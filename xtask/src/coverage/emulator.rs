//! What of the platform the emulator has: its own tables and its sources.
//!
//! That it also works is shown by the crate's own tests, `coverage` and `consistency`, and so is which
//! events calls and users push; the others are pushed by `POST events`.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Context as _, Error, Result};

/// Frames that begin a session; no intent carries them.
const SESSION_EVENTS: [&str; 2] = ["READY", "RESUMED"];

/// The routes that send a message.
const MESSAGE_ROUTES: [&str; 5] = [
    "send_group_message",
    "send_c2c_message",
    "send_channel_message",
    "send_dms_message",
    "send_c2c_stream_message",
];

/// Close codes that the documents or the SDKs name.
const CLOSE_CODES: [std::ops::RangeInclusive<u32>; 2] = [4000..=4014, 4900..=4915];

/// What was counted and what was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<String>,
    missing: Vec<String>,
}

impl Report {
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Counts what is there; what is not is missing.
    fn count<T: fmt::Display>(
        &mut self,
        what: &str,
        all: impl IntoIterator<Item = T>,
        has: impl Fn(&T) -> bool,
        further: impl FnOnce(&[T]) -> String,
    ) {
        let (there, missing): (Vec<T>, Vec<T>) = all.into_iter().partition(|one| has(one));
        let whole = there.len() + missing.len();
        let note = further(&there);
        self.lines
            .push(format!("{} of {whole} {what}{note}", there.len()));
        let missing = missing.iter().map(|one| format!("{what}: {one}"));
        self.missing.extend(missing);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "qq-emulator:")?;
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        for line in &self.missing {
            writeln!(f, "missing: {line}")?;
        }
        Ok(())
    }
}

/// `crates` is the folder of the crates.
pub(super) fn report(crates: &Path) -> Result<Report> {
    let own = crates.join("qq-emulator");
    let routes = read(&own.join("tables/routes.json"))?;
    let intents = read(&own.join("tables/intents.json"))?;
    let errors = read(&own.join("tables/errors.json"))?;
    let events = read(&crates.join("qq-model/tables/events.json"))?;
    let mut sources = String::new();
    read_sources(&own.join("src"), &mut sources)?;
    let mut report = Report::default();

    let routes = items(&routes, "routes.json")?;
    report.count(
        "routes are served",
        texts(routes, "id"),
        |id| sources.contains(&format!("\"{id}\"")),
        |_| String::new(),
    );

    let carried: BTreeSet<&str> = items(&intents["intents"], "intents")?
        .iter()
        .filter_map(|intent| intent["events"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let events = items(&events["events"], "events")?;
    report.count(
        "events can be pushed",
        texts(events, "name"),
        |name| carried.contains(name) || SESSION_EVENTS.contains(name),
        |_| String::new(),
    );

    let numbers = numbers(&sources);
    report.count(
        "close codes can be sent",
        CLOSE_CODES.into_iter().flatten(),
        |code| (3000..=4999).contains(code),
        |_| String::new(),
    );

    let documented: BTreeSet<i64> = items(&errors["codes"], "codes")?
        .iter()
        .filter_map(|code| code["code"].as_i64())
        .collect();
    let of_messages: BTreeSet<i64> = routes
        .iter()
        .filter(|route| MESSAGE_ROUTES.iter().any(|id| route["id"] == *id))
        .filter_map(|route| route["error_codes"].as_array())
        .flatten()
        .filter_map(|code| code.as_i64().or_else(|| code["code"].as_i64()))
        .collect();
    report.count(
        "error codes of the message routes can be answered",
        of_messages,
        |code| documented.contains(code),
        |there| {
            let own = there.iter().filter(|code| numbers.contains(code)).count();
            format!(": {own} by a rule that has them, all by planned faults")
        },
    );
    Ok(report)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).context(|| format!("reading {}", path.display()))
}

/// The text of every source file, without its tests.
fn read_sources(folder: &Path, into: &mut String) -> Result<()> {
    let reading = || format!("reading {}", folder.display());
    for entry in fs::read_dir(folder).context(reading)? {
        let path = entry.context(reading)?.path();
        if path.is_dir() {
            read_sources(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
            into.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
    Ok(())
}

fn items<'a>(value: &'a Value, what: &str) -> Result<&'a Vec<Value>> {
    let list = value.as_array();
    list.ok_or_else(|| Error::new(format!("the emulator's tables have no list of {what}")))
}

fn texts<'a>(rows: &'a [Value], member: &str) -> Vec<&'a str> {
    rows.iter().filter_map(|row| row[member].as_str()).collect()
}

/// Every whole number of a text.
fn numbers(text: &str) -> BTreeSet<i64> {
    text.split(|c: char| !c.is_ascii_digit() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .filter_map(|word| word.replace('_', "").parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn the_emulator_lacks_nothing() {
        let project = Project::locate().unwrap();
        let report = report(&project.root().join("crates")).unwrap();
        assert!(report.is_complete(), "{report}");
        let text = report.to_string();
        assert!(text.contains("111 of 111 routes are served"), "{text}");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let mut report = Report::default();
        report.count(
            "things",
            [1, 2, 3],
            |n| *n != 2,
            |there| format!(", {}", there.len()),
        );
        assert!(!report.is_complete());
        assert_eq!(
            report.to_string(),
            "qq-emulator:\n  2 of 3 things, 2\nmissing: things: 2\n"
        );
        assert_eq!(numbers("a 40_034 b12 7;"), BTreeSet::from([7, 12, 40_034]));
    }
}
