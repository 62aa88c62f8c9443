//! Every fixture with each of its members in turn removed, nulled, emptied and of another type, and with a member
//! that nobody knows: nothing panics, and the rest of the payload is always there.

use serde_json::{Value, json};

use crate::compare::differences;
use crate::files::{Outcome, Payload, fixtures, payload, round_trip, samples};

/// Where a member is: names of members and indexes of lists from the root.
type Path = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Index(usize),
}

/// The paths of all members of objects, at any depth.
fn members(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let mut path = at.clone();
                path.push(Step::Member(name.clone()));
                members(value, &path, found);
                found.push(path);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let mut path = at.clone();
                path.push(Step::Index(index));
                members(value, &path, found);
            }
        }
        _ => {}
    }
}

/// The paths of all objects, the root included.
fn objects(value: &Value, at: &Path, found: &mut Vec<Path>) {
    match value {
        Value::Object(object) => {
            found.push(at.clone());
            for (name, value) in object {
                let mut path = at.clone();
                path.push(Step::Member(name.clone()));
                objects(value, &path, found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let mut path = at.clone();
                path.push(Step::Index(index));
                objects(value, &path, found);
            }
        }
        _ => {}
    }
}

fn get<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    })
}

/// Removes a member; what is not there stays so.
fn remove(value: &mut Value, path: &[Step]) {
    if let Some((Step::Member(name), parent)) = path.split_last()
        && let Some(Value::Object(object)) = get(value, parent)
    {
        object.remove(name);
    }
}

/// Other values for a member: `null`, empty ones, and one of each type.
fn replacements() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!([]),
        json!({}),
        json!(false),
        json!("text"),
        json!("-7"),
        json!(-7),
        json!(1.5),
        json!(u64::MAX),
        json!(true),
        json!([1, "x", null, {"a": []}]),
        json!({"a": {"b": [null]}, "id": 5, "text": []}),
    ]
}

struct Counts {
    mutations: usize,
    failures: Vec<String>,
}

/// Decodes a mutated payload, and compares all but the mutated member with the payload as it was.
fn check(name: &str, payload: &Payload, mutated: &Value, path: &[Step], counts: &mut Counts) {
    counts.mutations += 1;
    let Outcome::Encoded { mut encoded, .. } = round_trip(&payload.target, mutated) else {
        return;
    };
    let mut rest = payload.value.clone();
    remove(&mut rest, path);
    remove(&mut encoded, path);
    let lost = differences(&rest, &encoded);
    if !lost.is_empty() {
        counts
            .failures
            .push(format!("{name} {path:?}: {}", lost.join("; ")));
    }
}

fn mutate_all(name: &str, payload: &Payload, counts: &mut Counts) {
    let mut paths = Vec::new();
    members(&payload.value, &Path::new(), &mut paths);
    for path in &paths {
        let mut mutated = payload.value.clone();
        remove(&mut mutated, path);
        check(name, payload, &mutated, path, counts);
        for replacement in replacements() {
            let mut mutated = payload.value.clone();
            if let Some(value) = get(&mut mutated, path) {
                *value = replacement;
            }
            check(name, payload, &mutated, path, counts);
        }
    }
}

fn add_to_all(name: &str, payload: &Payload, counts: &mut Counts) {
    let mut paths = Vec::new();
    objects(&payload.value, &Path::new(), &mut paths);
    for path in paths {
        // Objects of texts hold texts only.
        let is_of_texts = matches!(path.last(), Some(Step::Member(name)) if name == "fields")
            && path
                .iter()
                .any(|step| matches!(step, Step::Member(name) if name == "ark_data"));
        let unknown = if is_of_texts {
            json!("new")
        } else {
            json!({"k": [1, null, "x", {"deep": 18_446_744_073_709_551_615_u64}]})
        };
        let mut mutated = payload.value.clone();
        if let Some(Value::Object(object)) = get(&mut mutated, &path) {
            object.insert("a_new_member".into(), unknown);
        }
        counts.mutations += 1;
        if let Outcome::Encoded { encoded, .. } = round_trip(&payload.target, &mutated) {
            let lost = differences(&mutated, &encoded);
            if !lost.is_empty() {
                counts
                    .failures
                    .push(format!("{name} {path:?}: {}", lost.join("; ")));
            }
        }
    }
}

fn run(files: &[crate::files::Fixture]) -> usize {
    let mut counts = Counts {
        mutations: 0,
        failures: Vec::new(),
    };
    for fixture in files {
        let payload = payload(fixture);
        mutate_all(&fixture.name, &payload, &mut counts);
        // What the bot itself signs in with, and answers webhooks with, has no unknown members.
        if !matches!(
            payload.target,
            crate::files::Target::Object(
                "Identify" | "Resume" | "AccessTokenRequest" | "HttpCallbackAck"
            )
        ) {
            add_to_all(&fixture.name, &payload, &mut counts);
        }
    }
    let shown = counts.failures.len().min(40);
    assert!(
        counts.failures.is_empty(),
        "{} of {} mutations:\n{}",
        counts.failures.len(),
        counts.mutations,
        counts.failures[..shown].join("\n")
    );
    counts.mutations
}

#[test]
fn one_odd_member_costs_only_itself() {
    let mutations = run(&fixtures());
    assert!(mutations > 30_000, "{mutations}");
}

#[test]
fn one_odd_member_of_a_printed_sample_costs_only_itself() {
    let Some(files) = samples() else {
        eprintln!("skipped: QQ_PROTOCOL_SAMPLES names no folder of samples");
        return;
    };
    run(&files);
}
