//! Anything at all, sent to the whole emulator without a socket: calls of every route and of the control API with
//! bodies of mostly the right form, frames, and jumps in time. For the fuzz target, and for a test that
//! feeds it random bytes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use futures_util::future::poll_immediate;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tower_service::Service as _;

use crate::gateway::{Outgoing, receive};
use crate::platform::{Origin, Platform};
use crate::server;
use crate::settings::Settings;
use crate::tables::{self, Kind, Route, Segment};
use crate::{DEFAULT_APP_ID, DEFAULT_SECRET, DEFAULT_SEED};

/// Steps of one run.
const MOST_STEPS: usize = 64;
/// How deep a made-up value is nested.
const DEEPEST: usize = 4;
/// Calls of the control API that are made up; those that wait for something are left out.
const CONTROL: [(&str, &str); 19] = [
    ("POST", "messages"),
    ("POST", "events"),
    ("POST", "clicks"),
    ("POST", "reactions"),
    ("POST", "recalls"),
    ("POST", "users"),
    ("POST", "actions"),
    ("POST", "gateway/close"),
    ("POST", "gateway/drop"),
    ("POST", "gateway/reconnect"),
    ("POST", "gateway/invalid-session"),
    ("POST", "faults"),
    ("PATCH", "settings"),
    ("POST", "clock"),
    ("POST", "tokens/expire"),
    ("GET", "world"),
    ("GET", "timeline"),
    ("GET", "violations"),
    ("POST", "files"),
];
/// Members of their bodies.
const MEMBERS: [&str; 24] = [
    "scene",
    "content",
    "conversation",
    "author",
    "mention_bot",
    "attachments",
    "reply_to",
    "type",
    "data",
    "id",
    "message_id",
    "button",
    "row",
    "column",
    "name",
    "action",
    "words",
    "code",
    "session",
    "resumable",
    "advance_ms",
    "banned_words",
    "granted_templates",
    "message_audit",
];
const TEXTS: [&str; 20] = [
    "",
    "0",
    "1",
    "group",
    "c2c",
    "channel",
    "direct",
    "join",
    "remove_bot",
    "add",
    "del",
    "on",
    "approve",
    "长 <@!1> & text",
    "https://example.com/a.png",
    "pass",
    "18446744073709551615",
    "2026-11-21T10:00:00+08:00",
    "text",
    "C2C_MESSAGE_CREATE",
];

/// The bytes, from which everything is drawn.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> usize {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                usize::from(*first)
            }
            None => 0,
        }
    }

    /// Some of the bytes as they are.
    fn chunk(&mut self) -> Vec<u8> {
        let length = self.byte().min(self.0.len());
        let (chunk, rest) = self.0.split_at(length);
        self.0 = rest;
        chunk.to_vec()
    }

    fn pick<'t>(&mut self, from: &'t [String]) -> &'t str {
        let at = self.byte();
        from.get(at % from.len().max(1)).map_or("", String::as_str)
    }
}

/// Does what the bytes say.
///
/// # Panics
/// When the emulator breaks a promise: it panics, answers 500, refuses without saying why, sends a frame that is
/// no JSON, or leaves a world that does not fit together.
#[expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what fails here is what is looked for"
)]
pub(crate) fn run(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let origin = Origin {
            seed: DEFAULT_SEED,
            settings: Settings::default(),
            world: None,
            faults: Vec::new(),
        };
        let platform = Platform::new(origin, "http://127.0.0.1:1".into(), false);
        let mut session = Session::new(platform).await;
        let mut input = Input(bytes);
        for _ in 0..MOST_STEPS {
            if input.0.is_empty() {
                break;
            }
            match input.byte() % 8 {
                0..=3 => session.call(&mut input).await,
                4 | 5 => session.control(&mut input).await,
                6 => session.frame(&mut input),
                _ => session
                    .platform
                    .advance(1_000 * u64::try_from(input.byte()).unwrap()),
            }
            // What is put off is done in tasks of its own.
            tokio::task::yield_now().await;
        }
        let checked = session.platform.read(|state| state.world.check());
        assert_eq!(checked, Ok(()));
    });
}

struct Session {
    platform: Arc<Platform>,
    router: Router,
    token: String,
    connection: u64,
    /// Ids that mean something: of the world, and of what was answered.
    ids: Vec<String>,
}

impl Session {
    async fn new(platform: Arc<Platform>) -> Self {
        let world = platform.read(|state| state.world.clone());
        let mut ids: Vec<String> = TEXTS.map(str::to_owned).into();
        ids.extend(world.bots.iter().map(|bot| bot.id.clone()));
        for user in &world.users {
            ids.extend([user.id.clone(), user.openid.clone()]);
        }
        ids.extend(world.groups.iter().map(|group| group.id.clone()));
        ids.extend(world.guilds.iter().map(|guild| guild.id.clone()));
        ids.extend(world.channels().map(|channel| channel.id.clone()));
        ids.extend(world.direct.iter().map(|direct| direct.guild_id.clone()));
        let connection = platform.update(|state| state.gateway.connect("fuzz".into()).0);
        let mut session = Self {
            router: server::router(Arc::clone(&platform)),
            platform,
            token: String::new(),
            connection,
            ids,
        };
        session.renew().await;
        session
    }

    /// Fetches a token.
    async fn renew(&mut self) {
        let body = json!({"appId": DEFAULT_APP_ID, "clientSecret": DEFAULT_SECRET});
        let path = "/app/getAppAccessToken";
        if let Some((_, answer)) = self
            .send("POST", path, "application/json", body.to_string())
            .await
            && let Some(token) = answer["access_token"].as_str()
        {
            token.clone_into(&mut self.token);
        }
    }

    /// The answer; `None` if there is none at once.
    async fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> Option<(StatusCode, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("QQBot {}", self.token))
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .ok()?;
        let response = poll_immediate(self.router.call(request)).await?.ok()?;
        let status = response.status();
        assert!(
            status.as_u16() < 500 && status.as_u16() >= 200,
            "{method} {path}: {status}"
        );
        let bytes = poll_immediate(to_bytes(response.into_body(), 64 << 20)).await?;
        Some((
            status,
            serde_json::from_slice(&bytes.ok()?).unwrap_or_default(),
        ))
    }

    /// A call of a route.
    async fn call(&mut self, input: &mut Input<'_>) {
        let routes = tables::routes();
        let route = &routes[input.byte() % routes.len()];
        let path = self.path(route, input);
        let content_type = match input.byte() {
            250.. => "multipart/form-data; boundary=x",
            240..250 => "",
            _ => "application/json",
        };
        let body = match input.byte() {
            240.. => input.chunk(),
            _ => {
                let mut fields = Map::new();
                for field in &route.body {
                    // Mandatory members are there more often than not.
                    let absent = if field.required { 16 } else { 140 };
                    if input.byte() >= absent {
                        fields.insert(field.name.clone(), self.value(&field.kind, input, 0));
                    }
                }
                Value::Object(fields).to_string().into_bytes()
            }
        };
        let method = if route.method == Method::PATCH {
            "PATCH"
        } else {
            route.method.as_str()
        };
        let Some((status, answer)) = self.send(method, &path, content_type, body).await else {
            return;
        };
        if status == StatusCode::UNAUTHORIZED {
            self.renew().await;
        }
        if status.as_u16() >= 400 && !path.starts_with("/cos/") {
            assert!(answer["message"].is_string(), "{method} {path}: {answer}");
        }
        self.learn(&answer, 0);
    }

    fn path(&self, route: &Route, input: &mut Input<'_>) -> String {
        let mut path = String::new();
        for segment in &route.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                // It is an address of its own.
                Segment::Parameter(name) if name == "presigned_url" => path.push_str("cos/a/1"),
                Segment::Parameter(_) => {
                    let id = input.pick(&self.ids);
                    path.extend(id.bytes().map(|byte| match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {
                            char::from(byte).to_string()
                        }
                        _ => format!("%{byte:02X}"),
                    }));
                }
            }
        }
        if input.byte() > 200 {
            let limit = input.byte();
            path.push_str(&format!("?limit={limit}&after=1&cursor=1&scope=c2c"));
        }
        path
    }

    /// A value of a kind, or now and then of another.
    fn value(&self, kind: &Kind, input: &mut Input<'_>, depth: usize) -> Value {
        let byte = input.byte();
        if byte >= 250 || depth > DEEPEST {
            return self.any(input, depth);
        }
        match kind {
            Kind::String => match byte {
                240.. => String::from_utf8_lossy(&input.chunk()).into_owned().into(),
                _ => input.pick(&self.ids).into(),
            },
            Kind::Integer => match byte {
                240.. => json!(u64::MAX),
                230..240 => json!(-1),
                _ => json!(byte % 16),
            },
            Kind::Number => json!(0.5),
            Kind::Boolean => byte.is_multiple_of(2).into(),
            Kind::File => Value::Null,
            Kind::Any | Kind::Object => self.any(input, depth),
            Kind::Model(name) => {
                let fields = tables::model(name).unwrap_or_default().iter();
                let there = fields.filter(|field| field.required || input.byte() >= 100);
                let there: Vec<_> = there.collect();
                let members = there.into_iter().map(|field| {
                    (
                        field.name.clone(),
                        self.value(&field.kind, input, depth + 1),
                    )
                });
                Value::Object(members.collect())
            }
            Kind::List(item, size) => {
                let length = size.unwrap_or(byte % 7);
                let items = (0..length).map(|_| self.value(item, input, depth + 1));
                items.collect()
            }
            Kind::OneOf(kinds) => match kinds.get(byte % kinds.len().max(1)) {
                Some(kind) => self.value(kind, input, depth + 1),
                None => Value::Null,
            },
        }
    }

    fn any(&self, input: &mut Input<'_>, depth: usize) -> Value {
        match input.byte() % 8 {
            0 => Value::Null,
            1 => true.into(),
            2 => input.byte().into(),
            3 => json!(i64::MIN),
            4 if depth <= DEEPEST => (0..input.byte() % 4)
                .map(|_| self.any(input, depth + 1))
                .collect(),
            5 if depth <= DEEPEST => {
                let members = (0..input.byte() % 4).map(|_| {
                    let name = MEMBERS[input.byte() % MEMBERS.len()];
                    (name.to_owned(), self.any(input, depth + 1))
                });
                Value::Object(members.collect())
            }
            _ => input.pick(&self.ids).into(),
        }
    }

    /// A call of the control API.
    async fn control(&mut self, input: &mut Input<'_>) {
        let (method, call) = CONTROL[input.byte() % CONTROL.len()];
        let body = match input.byte() {
            240.. => input.chunk(),
            0..10 => Vec::new(),
            _ => {
                let members = (0..input.byte() % 6).map(|_| {
                    let name = MEMBERS[input.byte() % MEMBERS.len()];
                    (name.to_owned(), self.any(input, 2))
                });
                Value::Object(members.collect()).to_string().into_bytes()
            }
        };
        let path = format!("/emulator/v1/{call}");
        let Some((status, answer)) = self.send(method, &path, "application/json", body).await
        else {
            return;
        };
        if status != StatusCode::OK {
            let why = answer["error"].as_str().unwrap_or_default();
            assert!(why.contains(": "), "{method} {path}: {answer}");
        }
        self.learn(&answer, 0);
        if call == "faults" {
            // Answers that were planned are no promise.
            self.platform.update(|state| state.faults.clear());
        }
    }

    /// A frame of a client, and what it is sent.
    fn frame(&mut self, input: &mut Input<'_>) {
        let ops = [1, 2, 6, 2, 6, 1, 0, 99];
        let text = match input.byte() {
            240.. => String::from_utf8_lossy(&input.chunk()).into_owned(),
            byte if byte.is_multiple_of(2) => {
                let intents = tables::defined_intents();
                let token = format!("QQBot {}", self.token);
                let session = input.pick(&self.ids);
                json!({"op": ops[byte / 2 % ops.len()], "d": {
                    "token": token, "intents": intents, "shard": [0, 1],
                    "session_id": session, "seq": input.byte(),
                }})
                .to_string()
            }
            byte => json!({"op": ops[byte / 2 % ops.len()], "d": self.any(input, 2)}).to_string(),
        };
        let number = self.connection;
        let sent = self.platform.update(|state| {
            receive(state, number, &text);
            state.gateway.take_outgoing(number, 64)
        });
        let mut ended = false;
        for outgoing in sent {
            match outgoing {
                Outgoing::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    assert!(frame["op"].is_u64(), "{text}");
                    self.learn(&frame["d"], 0);
                }
                Outgoing::Close(_) | Outgoing::Drop => ended = true,
                _ => {}
            }
        }
        if ended {
            self.connection = self.platform.update(|state| {
                let now = state.clock.now();
                state.gateway.disconnect(number, now);
                state.gateway.connect("fuzz".into()).0
            });
        }
    }

    /// Remembers the ids of an answer, the newest.
    fn learn(&mut self, answer: &Value, depth: usize) {
        const MOST: usize = 250;
        match answer {
            Value::Object(members) if depth < 3 => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(id) if name.ends_with("id") || name == "file_info" => {
                            if !self.ids.iter().any(|known| known == id) {
                                self.ids.push(id.to_owned());
                            }
                        }
                        _ => self.learn(value, depth + 1),
                    }
                }
            }
            Value::Array(items) if depth < 3 => {
                items
                    .iter()
                    .take(4)
                    .for_each(|item| self.learn(item, depth + 1));
            }
            _ => {}
        }
        if self.ids.len() > MOST {
            self.ids.drain(TEXTS.len()..self.ids.len() - MOST / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_brings_it_down(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
            super::run(&bytes);
        }
    }
}
