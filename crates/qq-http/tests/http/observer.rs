//! Who watches a client sees every call once, and can keep one from being made.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use qq_http::{
    CallObserver, CallRefused, Error, ErrorKind, OutgoingMessage, Request, Response, RetryPolicy,
    Route, Sent, Streamed,
};
use qq_model::id::UserOpenid;
use serde_json::json;

use crate::support::{Reply, Server};

/// Writes down what it sees, and keeps recalls from being made.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl CallObserver for Notes {
    fn before(&self, request: &Request) -> Result<(), CallRefused> {
        self.add(format!("before {}", request.path()));
        if request.route() == Some(Route::DeleteGroupMessage) {
            return Err(CallRefused::new("nothing is taken back here"));
        }
        Ok(())
    }

    fn after(&self, request: &Request, outcome: Result<&Response, &Error>) {
        let attempts = outcome.map_or_else(Error::attempts, Response::attempts);
        let kind = outcome.err().map(Error::kind);
        self.add(format!("after {} {attempts} {kind:?}", request.path()));
    }

    fn sent(&self, message: &OutgoingMessage<'_>, outcome: Result<&Sent, &Error>) {
        let id = outcome.map(|sent| sent.id().map(ToString::to_string));
        let id = id.map_err(Error::kind);
        let text = message.body.content();
        self.add(format!("sent {:?} {text:?} {id:?}", message.conversation));
    }

    fn streamed(&self, user: &UserOpenid, text: &str, outcome: Result<&Streamed, &Error>) {
        let outcome = outcome.map(|streamed| (&streamed.ids, &streamed.ref_idxs));
        let outcome = outcome.map_err(Error::kind);
        self.add(format!("streamed {user} {text:?} {outcome:?}"));
    }

    fn token(&self, outcome: Result<SystemTime, &Error>) {
        let left = outcome.map(|until| until.duration_since(SystemTime::now()).unwrap());
        let is_long = left.map(|left| left > Duration::from_secs(60));
        self.add(format!("token {:?}", is_long.map_err(Error::kind)));
    }
}

fn taken(id: &str) -> Reply {
    let body = json!({"id": id, "timestamp": "2026-05-23T10:00:00+08:00", "ext_info": {"ref_idx": "REFIDX_1"}});
    Reply::json(200, &body)
}

#[tokio::test(start_paused = true)]
async fn every_call_is_seen_once_however_many_attempts_it_takes() {
    let unavailable = || Reply::text(503, "text/html", "later");
    let server = Server::script([
        taken("m1"),
        unavailable(),
        Reply::json(200, &json!({"id": "7"})),
    ]);
    let notes = Arc::new(Notes::default());
    let http = server
        .builder()
        .observer(Arc::clone(&notes))
        .build()
        .unwrap();
    http.group("G").send("hi").await.unwrap();
    assert_eq!(
        notes.take(),
        [
            "before /v2/groups/G/messages",
            "token Ok(true)",
            "after /v2/groups/G/messages 1 None",
            r#"sent Group("G") "hi" Ok(Some("m1"))"#,
        ]
    );
    assert!(http.access_token().expires_at().unwrap() > SystemTime::now());
    http.channel("7").get().await.unwrap();
    assert_eq!(
        notes.take(),
        ["before /channels/7", "after /channels/7 2 None"]
    );
    // Nothing is called for this.
    http.group("G").send(" ").await.unwrap_err();
    assert_eq!(notes.take(), [r#"sent Group("G") " " Err(InvalidRequest)"#]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_is_not_made() {
    let server = Server::script([]);
    let notes = Arc::new(Notes::default());
    let http = server
        .builder()
        .observer(Arc::clone(&notes))
        .build()
        .unwrap();
    let error = http.group("G").message("m").recall().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let refused = CallRefused::of(&error).unwrap();
    assert_eq!(refused.to_string(), "nothing is taken back here");
    assert!(
        error.to_string().contains("nothing is taken back here"),
        "{error}"
    );
    assert_eq!(error.attempts(), 0);
    assert_eq!(notes.take(), ["before /v2/groups/G/messages/m"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_fetched_is_seen() {
    let server = Server::script([]);
    server
        .tokens
        .fail(|| Some(Reply::text(500, "text/plain", "no")));
    let notes = Arc::new(Notes::default());
    let http = server
        .builder()
        .retry(RetryPolicy::never())
        .observer(Arc::clone(&notes))
        .build()
        .unwrap();
    http.me().await.unwrap_err();
    let notes = notes.take();
    assert!(notes[1].starts_with("token Err("), "{notes:?}");
    assert_eq!(http.access_token().expires_at(), None);
    assert!(http.access_token().last_failure().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_seen_when_it_has_ended() {
    let server = Server::script([taken("s1"), taken("s1")]);
    let notes = Arc::new(Notes::default());
    let http = server
        .builder()
        .observer(Arc::clone(&notes))
        .build()
        .unwrap();
    let mut stream = http.user("U").stream().start().unwrap();
    stream.push("It ").await.unwrap();
    notes.take();
    stream.push("grows.").await.unwrap();
    stream.finish().await.unwrap();
    let notes = notes.take();
    assert_eq!(
        notes.last().unwrap(),
        r#"streamed U "It grows." Ok((["s1"], [Some("REFIDX_1")]))"#
    );
    assert_eq!(
        notes
            .iter()
            .filter(|note| note.starts_with("streamed"))
            .count(),
        1
    );
}
