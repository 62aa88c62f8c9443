//! Every fixture decodes as its type and encodes back without losing a member.

use crate::compare::differences;
use serde_json::Value;

use crate::codecs::has_unknown_members;
use crate::files::{Fixture, Outcome, Target, fixtures, payload, round_trip, samples};

/// How many were written back, only read, and had nothing to decode.
fn check(files: &[Fixture]) -> (usize, usize, usize) {
    let mut failures = Vec::new();
    let mut counts = (0, 0, 0);
    for fixture in files {
        let payload = payload(fixture);
        match round_trip(&payload.target, &payload.value) {
            Outcome::Encoded { original, encoded } => {
                counts.0 += 1;
                for difference in differences(&original, &encoded) {
                    failures.push(format!("{}: {difference}", fixture.name));
                }
            }
            Outcome::ReadOnly => counts.1 += 1,
            Outcome::NoType => counts.2 += 1,
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    counts
}

#[test]
fn fixtures_come_back_whole() {
    let files = fixtures();
    assert_eq!(files.len(), 394);
    // The token's answer is never written; empty answers and bare numbers have no type.
    assert_eq!(check(&files), (361, 4, 29));
}

#[test]
fn printed_samples_come_back_whole() {
    let Some(files) = samples() else {
        eprintln!("skipped: QQ_PROTOCOL_SAMPLES names no folder of samples");
        return;
    };
    let (written, ..) = check(&files);
    assert!(written > 300, "{written} of {}", files.len());
}

/// Fixtures with members that the tables leave out: a capture of 2023 with `group_id`, and printed requests with
/// members that the platform ignores.
const OUTSIDE_THE_TABLES: [&str; 3] = [
    "events/C2C_MESSAGE_CREATE.4.json",
    "rest/create_guild_channel.request.json",
    "rest/modify_channel.request.json",
];

#[test]
fn every_member_of_a_fixture_has_a_field() {
    let mut unknown = Vec::new();
    for fixture in fixtures() {
        let payload = payload(&fixture);
        let text = payload.value.to_string();
        let has_unknown = match &payload.target {
            Target::Event(name) => {
                format!("{:?}", qq_model::Event::decode(name, &text)).contains("extra: Extra(Some(")
            }
            Target::Object(name) => match &payload.value {
                Value::Array(items) => items
                    .iter()
                    .any(|item| has_unknown_members(name, &item.to_string())),
                _ => has_unknown_members(name, &text),
            },
            Target::NoType => false,
        };
        if has_unknown && !OUTSIDE_THE_TABLES.contains(&fixture.name.as_str()) {
            unknown.push(fixture.name);
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
