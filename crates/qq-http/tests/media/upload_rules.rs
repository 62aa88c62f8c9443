//! The platform's rules for uploads, and the storage's: every part must be what was announced.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

use super::server::{Received, Reply, Server, refusal};

pub(crate) const HOST: &str = "127.0.0.1:7";

/// How the platform plays its part.
#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) first_index: usize,
    pub(crate) block: usize,
    pub(crate) are_texts: bool,
    pub(crate) concurrency: usize,
    pub(crate) ttl: u64,
    pub(crate) storage: String,
}

impl Default for Play {
    fn default() -> Self {
        Self {
            first_index: 1,
            block: 64 * 1024,
            are_texts: false,
            concurrency: 3,
            ttl: 300,
            storage: format!("http://{HOST}"),
        }
    }
}

/// What a fault does to a request.
pub(crate) enum Twist {
    /// This is answered, and nothing done.
    Instead(Reply),
    /// It is done, and this is answered.
    After(Reply),
}

type Fault = Box<dyn FnMut(&Received, usize) -> Option<Twist> + Send>;

/// Clones are the same platform.
#[derive(Clone)]
pub(crate) struct Platform(Arc<Mutex<State>>);

struct State {
    play: Play,
    fault: Fault,
    asked: HashMap<String, usize>,
    uploads: Vec<Prepared>,
    files: Vec<Vec<u8>>,
    completed: usize,
}

struct Prepared {
    scope: String,
    body: Value,
    parts: Vec<Option<Vec<u8>>>,
    finished: Vec<bool>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Platform {
    /// A platform, and the server it answers at. `fault` is asked before each request, with its kind's number from 0.
    pub(crate) fn start(
        play: Play,
        fault: impl FnMut(&Received, usize) -> Option<Twist> + Send + 'static,
    ) -> (Self, Server) {
        let state = State {
            play,
            fault: Box::new(fault),
            asked: HashMap::new(),
            uploads: Vec::new(),
            files: Vec::new(),
            completed: 0,
        };
        let this = Self(Arc::new(Mutex::new(state)));
        let platform = this.clone();
        (this, Server::new(move |request| platform.reply(request)))
    }

    /// A platform without faults.
    pub(crate) fn fair(play: Play) -> (Self, Server) {
        Self::start(play, |_, _| None)
    }

    /// The files that it has, in the order in which they were complete.
    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().files.clone()
    }

    /// How many parts were stored in each upload that was begun.
    pub(crate) fn begun(&self) -> usize {
        self.0.lock().unwrap().uploads.len()
    }

    fn reply(&self, request: &Received) -> Reply {
        let mut state = self.0.lock().unwrap();
        let kind = if request.is_storage() {
            "PUT"
        } else {
            request.call()
        };
        let number = state.asked.entry(kind.to_owned()).or_default();
        let turn = *number;
        *number += 1;
        match (state.fault)(request, turn) {
            Some(Twist::Instead(reply)) => reply,
            Some(Twist::After(reply)) => {
                assert!(matches!(
                    state.serve(request),
                    Reply::Json(200, _) | Reply::Page(200, ..)
                ));
                reply
            }
            None => state.serve(request),
        }
    }
}

impl State {
    fn serve(&mut self, request: &Received) -> Reply {
        if request.is_storage() {
            return self.store(request);
        }
        assert_eq!(request.host, "127.0.0.1:9");
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("authorization"), Some("QQBot canary-token"));
        let steps: Vec<_> = request.path.split('/').collect();
        let ["", "v2", scope @ ("groups" | "users"), id, call] = steps[..] else {
            panic!("no route: {}", request.path);
        };
        assert_eq!(id, if scope == "groups" { "G" } else { "U" });
        let body = request.json();
        match call {
            "upload_prepare" => self.prepare(scope, body),
            "upload_part_finish" => self.finish_part(scope, &body),
            "files" => self.complete(scope, &body),
            _ => panic!("no route: {}", request.path),
        }
    }

    fn prepare(&mut self, scope: &str, body: Value) -> Reply {
        let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            names,
            [
                "file_name",
                "file_size",
                "file_type",
                "md5",
                "md5_10m",
                "sha1"
            ]
        );
        let size: usize = body["file_size"].as_str().unwrap().parse().unwrap();
        let count = size.div_ceil(self.play.block);
        let id = self.uploads.len();
        let number = |n: usize| {
            if self.play.are_texts {
                json!(n.to_string())
            } else {
                json!(n)
            }
        };
        let parts: Vec<_> = (0..count)
            .map(|position| {
                json!({
                    "index": number(position + self.play.first_index),
                    "presigned_url": format!("{}/cos/{id}/{position}?sign=canary-sign", self.play.storage),
                    "block_size": number(self.play.block.min(size - position * self.play.block)),
                })
            })
            .collect();
        self.uploads.push(Prepared {
            scope: scope.into(),
            body,
            parts: vec![None; count],
            finished: vec![false; count],
        });
        Reply::Json(
            200,
            json!({
                "upload_id": format!("upload-{id}"),
                "block_size": number(self.play.block),
                "parts": parts,
                "upload_config": {"concurrency": number(self.play.concurrency), "retry_timeout": number(120), "retry_delay": number(1)},
            }),
        )
    }

    fn store(&mut self, request: &Received) -> Reply {
        assert_eq!((&*request.host, &*request.method), (HOST, "PUT"));
        let mut names: Vec<_> = request.headers.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["content-length", "host"],
            "headers that are not the storage's"
        );
        let path = request.path.strip_suffix("?sign=canary-sign").unwrap();
        let steps: Vec<_> = path.split('/').collect();
        let (upload, position): (usize, usize) =
            (steps[2].parse().unwrap(), steps[3].parse().unwrap());
        self.uploads[upload].parts[position] = Some(request.body.to_vec());
        Reply::Page(200, "text/plain", String::new())
    }

    fn finish_part(&mut self, scope: &str, body: &Value) -> Reply {
        let upload = self.upload(scope, body);
        let position =
            usize::try_from(body["part_index"].as_u64().unwrap()).unwrap() - self.play.first_index;
        let upload = &mut self.uploads[upload];
        let part = upload.parts[position].as_ref().unwrap();
        assert_eq!(body["block_size"], part.len().to_string());
        assert_eq!(body["md5"], hex(&*md5::compute(part)));
        upload.finished[position] = true;
        Reply::Json(200, json!({}))
    }

    fn complete(&mut self, scope: &str, body: &Value) -> Reply {
        assert_eq!(body["srv_send_msg"], false);
        if let Some(data) = body["file_data"].as_str() {
            self.files.push(base64(data));
        } else if body["url"].is_null() {
            let upload = &self.uploads[self.upload(scope, body)];
            if !upload.finished.iter().all(|is_finished| *is_finished) {
                return refusal(400, 40_093_001);
            }
            let file: Vec<u8> = upload.parts.iter().flatten().flatten().copied().collect();
            assert_eq!(upload.body["md5"], hex(&*md5::compute(&file)));
            assert_eq!(
                upload.body["sha1"],
                hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &file).as_ref())
            );
            let head = &file[..file.len().min(10_002_432)];
            assert_eq!(upload.body["md5_10m"], hex(&*md5::compute(head)));
            assert_eq!(upload.body["file_name"], body["file_name"]);
            assert_eq!(upload.body["file_type"], body["file_type"]);
            self.files.push(file);
        }
        self.completed += 1;
        Reply::Json(
            200,
            json!({
                "file_uuid": "uuid", "file_info": format!("{scope}-{}", self.completed), "ttl": self.play.ttl, "id": "", "raw_url": "",
            }),
        )
    }

    fn upload(&self, scope: &str, body: &Value) -> usize {
        let id = body["upload_id"]
            .as_str()
            .unwrap()
            .strip_prefix("upload-")
            .unwrap();
        let upload: usize = id.parse().unwrap();
        assert_eq!(self.uploads[upload].scope, scope);
        upload
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(text.len() % 4, 0);
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, digit| {
            bits << 6 | u32::try_from(DIGITS.find(char::from(*digit)).unwrap()).unwrap()
        });
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
