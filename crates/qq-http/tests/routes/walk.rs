//! The table against the client, row by row.

use std::collections::{BTreeMap, BTreeSet};

use qq_http::{ErrorKind, HttpClient, Method, Request, Route};
use qq_model::Token;
use serde_json::{Value, json};

use crate::calls::{CALLS, Form};
use crate::server::Server;
use crate::table::{Row, rows};

/// Rows whose calls are no part of this list, each with the reason.
const ELSEWHERE: [(&str, &str); 9] = [
    ("get_app_access_token", "made by the token manager"),
    ("send_c2c_stream_message", "streams"),
    ("upload_c2c_file", "uploads"),
    ("c2c_upload_prepare", "uploads"),
    ("c2c_upload_part_finish", "uploads"),
    ("upload_group_file", "uploads"),
    ("group_upload_prepare", "uploads"),
    ("group_upload_part_finish", "uploads"),
    ("put_upload_part", "uploads, to an address of the storage"),
];

/// Rows of which the forms here do not name every member: bodies of messages are tested with their builder.
const MESSAGES: [&str; 4] = [
    "send_channel_message",
    "send_dms_message",
    "send_c2c_message",
    "send_group_message",
];

fn client() -> HttpClient {
    HttpClient::new(Token::new("1", "s")).unwrap()
}

fn is_elsewhere(row: &Row) -> bool {
    ELSEWHERE.iter().any(|(id, _)| *id == row.id())
}

fn forms(row: &Row) -> Vec<&'static Form> {
    CALLS.iter().filter(|form| form.route == row.id()).collect()
}

fn query_names(request: &Request) -> BTreeSet<&str> {
    let pairs = request.query().unwrap_or_default().split('&');
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap().0)
        .collect()
}

fn body(request: &Request) -> Value {
    request
        .body()
        .map_or(Value::Null, |body| serde_json::from_slice(body).unwrap())
}

fn names(body: &Value) -> BTreeSet<&str> {
    body.as_object()
        .map(|members| members.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn the_table_and_the_calls_are_the_same_routes() {
    let rows = rows();
    assert_eq!(rows.len(), 111);
    let ids: BTreeSet<&str> = rows.iter().map(Row::id).collect();
    let calls: BTreeSet<&str> = CALLS.iter().map(|form| form.route).collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().map(|(id, _)| *id).collect();
    assert_eq!(&calls | &elsewhere, ids, "missing, or unknown");
    assert!(calls.is_disjoint(&elsewhere));
    for route in Route::ALL {
        let row = rows.iter().find(|row| row.id() == route.id()).unwrap();
        assert_eq!(
            (route.method().as_str(), route.template()),
            (row.text("method"), row.text("path")),
            "{route}"
        );
    }
    let known: BTreeSet<&str> = Route::ALL.iter().map(|route| route.id()).collect();
    // The parts of an upload go to addresses of the storage, which no template describes.
    assert_eq!(known, &ids - &BTreeSet::from(["put_upload_part"]));
}

#[test]
fn each_call_names_what_its_row_names() {
    let http = client();
    for row in rows().iter().filter(|row| !is_elsewhere(row)) {
        let (mut queries, mut bodies) = (BTreeSet::new(), BTreeSet::new());
        let id = row.id();
        for form in forms(row) {
            let request = (form.request)(&http).unwrap();
            assert_eq!(request.route().unwrap().id(), id);
            assert_eq!(request.method().as_str(), row.text("method"), "{id}");
            assert!(row.fits(request.path()), "{id}: {}", request.path());
            let (query, body) = (query_names(&request), body(&request));
            let body = names(&body);
            assert!(
                row.names("query", true).is_subset(&query),
                "{id}: {query:?}"
            );
            assert!(row.names("body", true).is_subset(&body), "{id}: {body:?}");
            queries.extend(query.into_iter().map(str::to_owned));
            bodies.extend(body.into_iter().map(str::to_owned));
        }
        let queries: BTreeSet<&str> = queries.iter().map(String::as_str).collect();
        let bodies: BTreeSet<&str> = bodies.iter().map(String::as_str).collect();
        assert_eq!(queries, row.names("query", false), "{id}");
        let members = row.names("body", false);
        if MESSAGES.contains(&id) {
            assert!(bodies.is_subset(&members), "{id}: {bodies:?}");
        } else {
            assert_eq!(bodies, members, "{id}");
        }
    }
}

/// What the platform answers to a row: its samples, or the least that it may answer.
fn answers(row: &Row) -> Vec<(u16, String)> {
    let status = row.success_status();
    let samples = row.answers();
    if row.answers_nothing() {
        let mut answers = vec![(status, String::new())];
        if status != 204 {
            answers.extend([(status, "{}".to_owned()), (204, String::new())]);
        }
        return answers;
    }
    if samples.is_empty() {
        let message =
            json!({"id": "m", "channel_id": "2", "timestamp": "2026-05-23T10:00:00+08:00"});
        let sample = match row.id() {
            "create_webhook_session" => json!({"version": 1, "session_id": "s", "shard": [0, 1]}),
            "check_webhook_sessions" | "list_webhook_sessions" => json!([{"session_id": "s"}]),
            "get_channel_message" => json!({"message": message}),
            "list_channel_messages" => json!([message]),
            "list_voice_members" => json!([{"user": {"id": "5"}, "nick": "n"}]),
            "list_group_members_legacy" => {
                json!({"members": [{"member_openid": "u"}], "next_index": 1})
            }
            "edit_channel_message"
            | "get_dms_message"
            | "post_channel_setting_guide"
            | "post_dms_setting_guide"
            | "send_dms_message" => message,
            id => panic!("{id} has no sample and none is made here"),
        };
        return vec![(status, sample.to_string())];
    }
    samples
        .iter()
        .map(|sample| (status, sample.to_string()))
        .collect()
}

/// Every text and number of a value, as text: what a reader must not lose. Members that are `null`, empty or a
/// switch are left out.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
        _ => {}
    }
}

#[tokio::test]
async fn each_call_is_on_the_wire_as_its_value_and_reads_the_samples() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows().iter().filter(|row| !is_elsewhere(row)) {
        let id = row.id();
        for answer in answers(row) {
            for form in forms(row) {
                let server = Server::answering([answer.clone()]);
                let http = server.client();
                let expected = (form.request)(&http).unwrap();
                let outcome = (form.make)(http).await;
                let received = server.received();
                assert_eq!(received.len(), 1, "{id}: {outcome:?}");
                let request = &received[0];
                let query = expected.query().map(|query| format!("?{query}"));
                assert_eq!(request.method, expected.method().as_str(), "{id}");
                assert_eq!(
                    request.path_and_query,
                    format!("{}{}", expected.path(), query.unwrap_or_default())
                );
                assert_eq!(&*request.body, expected.body().unwrap_or_default(), "{id}");
                assert!(request.has_token, "{id}");
                *counts.entry(form.route).or_default() += 1;
                if answer.1.contains("message_audit") {
                    continue;
                }
                let read = outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
                if row.answers_nothing() {
                    assert_eq!(read, Value::Null, "{id}");
                    continue;
                }
                let (mut given, mut kept) = (Vec::new(), Vec::new());
                let sample = serde_json::from_str::<Value>(&answer.1).unwrap();
                let is_send = read.get("id").is_some() && read.as_object().unwrap().len() == 2;
                let sample = if is_send {
                    json!([sample["id"]])
                } else {
                    sample
                };
                leaves(&sample, &mut given);
                leaves(&read, &mut kept);
                // The outcome of a share link is read, and stands for an error.
                if id == "generate_url_link" {
                    given.retain(|leaf| leaf.starts_with("http"));
                }
                for leaf in given {
                    assert!(kept.contains(&leaf), "{id} loses {leaf}: {read}");
                }
            }
        }
    }
    assert_eq!(counts.len(), 102);
}

#[tokio::test]
async fn lists_that_are_null_are_empty() {
    for row in rows().iter().filter(|row| row.answers_list()) {
        for form in forms(row) {
            let server = Server::answering([(200, "null".to_owned())]);
            let read = (form.make)(server.client()).await.unwrap();
            assert_eq!(read, json!([]), "{}", row.id());
        }
    }
    for body in ["", "{}", "\"\"", "[]"] {
        let server = Server::answering([(200, body.to_owned())]);
        let day = server.client().channel(1).schedules().list().await.unwrap();
        assert!(day.is_empty(), "an empty day is {body:?}");
    }
}

#[tokio::test]
async fn an_answer_that_lacks_its_id_is_an_error() {
    let mut refused = BTreeSet::new();
    for form in CALLS {
        let server = Server::answering([(200, "{}".to_owned())]);
        if let Err(error) = (form.make)(server.client()).await {
            assert_eq!(error.kind(), ErrorKind::Decode, "{}: {error}", form.route);
            refused.insert(form.route);
        }
    }
    for id in [
        "get_guild",
        "get_channel",
        "create_guild_channel",
        "get_channel_message",
        "get_schedule",
        "get_thread",
        "create_panel",
        "create_dms",
        "get_group_info",
        "list_guild_members",
        "generate_url_link",
        "create_guild_role",
    ] {
        assert!(refused.contains(id), "{id}");
    }
}

#[tokio::test]
async fn both_forms_of_a_message_are_read_and_a_retcode_is_a_refusal() {
    for body in [r#"{"message":{"id":"m"}}"#, r#"{"id":"m"}"#] {
        let server = Server::answering([(200, body.to_owned())]);
        let message = server.client().channel(1).message("m").get().await.unwrap();
        assert_eq!(message.id, "m");
    }
    let body = r#"{"retcode":11,"msg":"no","data":{"url":"https://x.example"}}"#;
    let server = Server::answering([(200, body.to_owned())]);
    let link = qq_model::share_link::GenerateUrlLink::default();
    let error = server.client().share_link(&link).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some(11), Some("no")));
}

#[test]
fn ids_that_lead_elsewhere_are_refused_by_name() {
    let http = client();
    for (request, name) in [
        (http.guild("").get().try_into_request(), "guild_id"),
        (
            http.guild(1).role("..").delete().try_into_request(),
            "role_id",
        ),
        (
            http.channel(1).message("").recall().try_into_request(),
            "message_id",
        ),
        (http.guild("").members().try_into_request(), "guild_id"),
        (http.panel(".").get().try_into_request(), "panel_id"),
    ] {
        let error = request.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(name), "{error}");
    }
    let request = http
        .guild(1)
        .member("a/b")
        .get()
        .try_into_request()
        .unwrap();
    assert_eq!(request.path(), "/guilds/1/members/a%2Fb");
    assert_eq!(request.method(), Method::GET);
}

#[test]
fn bodies_that_the_platform_would_refuse_are_not_sent() {
    let http = client();
    let nobody = qq_model::mute::Mute::lift().members([0_u64; 0]);
    let error = http
        .guild(1)
        .mute_members(&nobody)
        .try_into_request()
        .unwrap_err();
    assert!(error.to_string().contains("user_ids"), "{error}");
    assert_eq!(error.route(), Some("/guilds/{guild_id}/mute"));
}
