//! A bot that calls the API, and what it is answered.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use qq_emulator::Emulator;
use serde_json::{Value, json};

use crate::client::{Answer, Gateway, http, token};

/// Every intent of the platform that this crate pushes events for.
pub(crate) const EVERYTHING: u64 = 1
    | 1 << 1
    | 1 << 9
    | 1 << 10
    | 1 << 12
    | 1 << 18
    | 1 << 19
    | 1 << 24
    | 1 << 25
    | 1 << 26
    | 1 << 27
    | 1 << 28
    | 1 << 29
    | 1 << 30;

/// Calls with one token.
pub(crate) struct Api<'a> {
    emulator: &'a Emulator,
    headers: String,
}

impl<'a> Api<'a> {
    pub(crate) async fn new(emulator: &'a Emulator) -> Self {
        let token = token(emulator).await;
        Self {
            emulator,
            headers: format!("Authorization: QQBot {token}\r\nContent-Type: application/json\r\n"),
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        http(self.emulator, method, path, &self.headers, &body).await
    }

    /// A call that is answered with JSON.
    pub(crate) async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, &body).await;
        assert_eq!(
            answer.status, 200,
            "{method} {path} {body}: {}",
            answer.body
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok("GET", path, Value::Null).await
    }

    /// A call that is answered without a body.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Value) {
        let answer = self.call(method, path, &body).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (204, ""),
            "{method} {path} {body}"
        );
        assert_eq!(answer.header("content-type"), None, "{method} {path}");
    }

    /// A call that is refused; gives the code.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Value) -> i64 {
        let answer = self.call(method, path, &body).await;
        assert!(
            answer.status >= 400,
            "{method} {path} {body}: {} {}",
            answer.status,
            answer.body
        );
        assert!(answer.json()["message"].is_string());
        answer.code()
    }
}

/// What the fixture has, the value has, too, with the same type of JSON.
pub(crate) fn assert_like(value: &Value, fixture: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rest");
    let file = folder.join(format!("{fixture}.response.json"));
    let wanted: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    compare(value, &wanted, fixture);
}

fn compare(value: &Value, wanted: &Value, at: &str) {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => {
            for (name, wanted) in wanted {
                let value = value
                    .get(name)
                    .unwrap_or_else(|| panic!("{at}.{name} is missing in {value:?}"));
                compare(value, wanted, &format!("{at}.{name}"));
            }
        }
        (Value::Array(value), Value::Array(wanted)) => {
            if let (Some(value), Some(wanted)) = (value.first(), wanted.first()) {
                compare(value, wanted, &format!("{at}[0]"));
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => {}
        _ => panic!("{at}: {value} is not like {wanted}"),
    }
}

fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let path = format!("{at}.{name}");
            paths(value, &path, into);
            into.insert(path);
        }
    }
}

/// The next event: of this type, for this sequence, with members that its fixtures know.
pub(crate) async fn event(gateway: &mut Gateway, name: &str) -> Value {
    let frame = gateway.frame().await;
    assert_eq!(frame["t"], name, "{frame}");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let (mut known, mut ours) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file.split('.').next() == Some(name) {
            let fixture: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            paths(&fixture["d"], "", &mut known);
        }
    }
    assert!(!known.is_empty(), "no fixtures of {name}");
    paths(&frame["d"], "", &mut ours);
    // In the field table of the event, though in no sample.
    known.extend([".task_id".to_owned(), ".date_time".to_owned()]);
    let odd: Vec<_> = ours.difference(&known).collect();
    assert!(odd.is_empty(), "{name}: no fixture has {odd:?}");
    frame["d"].clone()
}

/// Ids of the default world.
pub(crate) struct Ids {
    pub(crate) guild: String,
    pub(crate) general: String,
    pub(crate) voice: String,
    pub(crate) calendar: String,
    pub(crate) forum: String,
    pub(crate) group: String,
    pub(crate) bot: String,
    /// User id and openid of mia (owner), leo, ana.
    pub(crate) users: Vec<(String, String)>,
}

pub(crate) fn ids(emulator: &Emulator) -> Ids {
    let world = emulator.world();
    let guild = &world.guilds[0];
    let channel = |name: &str| {
        let found = guild.channels.iter().find(|channel| channel.name == name);
        found.unwrap().id.clone()
    };
    Ids {
        guild: guild.id.clone(),
        general: channel("general"),
        voice: channel("voice"),
        calendar: channel("calendar"),
        forum: channel("forum"),
        group: world.groups[0].id.clone(),
        bot: world.bots[0].id.clone(),
        users: world
            .users
            .iter()
            .map(|user| (user.id.clone(), user.openid.clone()))
            .collect(),
    }
}

/// A message in the channel general, by the bot.
pub(crate) async fn sent(api: &Api<'_>, ids: &Ids, body: Value) -> String {
    let path = format!("/channels/{}/messages", ids.general);
    let answer = api.ok("POST", &path, body).await;
    answer["id"].as_str().unwrap().to_owned()
}

/// The wall clock's milliseconds: the emulator starts with them.
pub(crate) fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
}

/// An object without members.
pub(crate) fn empty() -> Value {
    json!({})
}
