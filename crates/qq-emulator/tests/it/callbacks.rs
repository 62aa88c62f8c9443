//! A bot that takes callbacks, bare: what came, and answers as a script says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::client::STEP;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"op\":12,\"d\":0}";
pub(crate) const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
pub(crate) const BROKEN: &str = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Callback {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let message = format!(
            "{}{}",
            self.header("x-signature-timestamp").unwrap(),
            self.body
        );
        let signature: Vec<u8> = self
            .header("X-Signature-Ed25519")
            .unwrap()
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        UnparsedPublicKey::new(&ED25519, key(secret).public_key().as_ref())
            .verify(message.as_bytes(), &signature)
            .is_ok()
    }
}

fn key(secret: &str) -> Ed25519KeyPair {
    let seed: Vec<u8> = secret.bytes().cycle().take(32).collect();
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

/// The right answer to op 13.
pub(crate) fn proof(secret: &str, call: &Value) -> String {
    let d = &call["d"];
    let (token, at) = (
        d["plain_token"].as_str().unwrap(),
        d["event_ts"].as_str().unwrap(),
    );
    let signature = key(secret).sign(format!("{at}{token}").as_bytes());
    let hex: String = signature
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({"plain_token": token, "signature": hex}).to_string()
}

pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}

type Script = dyn Fn(usize, &Callback) -> String + Send + Sync;

/// A bot behind a port. Op 13 is answered rightly; the rest as the script says, by number.
pub(crate) struct Bot {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Callback>>>,
}

impl Bot {
    /// Answers every call, op 13 too, with what the script gives; an empty text is no answer.
    pub(crate) async fn raw(
        script: impl Fn(usize, &Callback) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/qq", listener.local_addr().unwrap());
        let seen = Arc::default();
        let (record, script): (_, Arc<Script>) = (Arc::clone(&seen), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&record), Arc::clone(&script)));
            }
        });
        Self { url, seen }
    }

    pub(crate) async fn start(
        secret: &str,
        script: impl Fn(usize, &Callback) -> String + Send + Sync + 'static,
    ) -> Self {
        let secret = secret.to_owned();
        Self::raw(move |n, callback| match callback.json()["op"].as_i64() {
            Some(13) => ok(&proof(&secret, &callback.json())),
            _ => script(n, callback),
        })
        .await
    }

    /// The events, once there are so many.
    pub(crate) async fn events(&self, count: usize) -> Vec<Callback> {
        let wait = async {
            loop {
                let events: Vec<Callback> = self
                    .seen
                    .lock()
                    .unwrap()
                    .iter()
                    .filter(|callback| callback.json()["op"] == 0)
                    .cloned()
                    .collect();
                if events.len() >= count {
                    return events;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(STEP, wait).await.expect("the events in time")
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<Callback>>>, script: Arc<Script>) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let mut callback = Callback {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length: usize = callback.header("content-length").unwrap().parse().unwrap();
        if body.len() < length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        }
        callback.body.truncate(length);
        bytes.clear();
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(callback.clone());
            seen.len()
        };
        let reply = script(number, &callback);
        if reply.is_empty() {
            std::future::pending::<()>().await;
        }
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}
