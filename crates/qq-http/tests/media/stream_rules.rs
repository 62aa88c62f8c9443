//! The platform's rules for streams: what a user's client would show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::server::{Received, Reply, Server, refusal};

/// A message on the user's screen.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) msg_seq: Value,
    pub(crate) is_done: bool,
    index: u64,
}

/// What a fault does to a frame.
#[derive(Clone, Debug)]
pub(crate) enum Twist {
    Instead(Reply),
    After(Reply),
}

type Fault = Box<dyn FnMut(usize) -> Option<Twist> + Send>;

/// Clones are the same platform.
#[derive(Clone)]
pub(crate) struct Platform(Arc<Mutex<State>>);

struct State {
    fault: Fault,
    frames: usize,
    messages: Vec<Shown>,
    normal: Vec<Value>,
    frames_by_index: HashMap<(String, u64), Value>,
    is_strict: bool,
    last: Option<Instant>,
    capacity: Option<usize>,
}

impl Platform {
    pub(crate) fn start(
        fault: impl FnMut(usize) -> Option<Twist> + Send + 'static,
    ) -> (Self, Server) {
        let this = Self(Arc::new(Mutex::new(State {
            fault: Box::new(fault),
            frames: 0,
            messages: Vec::new(),
            normal: Vec::new(),
            frames_by_index: HashMap::new(),
            is_strict: false,
            last: None,
            capacity: None,
        })));
        let platform = this.clone();
        (this, Server::new(move |request| platform.reply(request)))
    }

    pub(crate) fn fair() -> (Self, Server) {
        Self::start(|_| None)
    }

    /// Numbers must have no gaps.
    pub(crate) fn strict(self, is_strict: bool) -> Self {
        self.0.lock().unwrap().is_strict = is_strict;
        self
    }

    /// A message has so many characters at most.
    pub(crate) fn with_capacity(self, capacity: usize) -> Self {
        self.0.lock().unwrap().capacity = Some(capacity);
        self
    }

    pub(crate) fn messages(&self) -> Vec<Shown> {
        self.0.lock().unwrap().messages.clone()
    }

    /// The normal messages that were sent.
    pub(crate) fn normal(&self) -> Vec<Value> {
        self.0.lock().unwrap().normal.clone()
    }

    fn reply(&self, request: &Received) -> Reply {
        let mut state = self.0.lock().unwrap();
        if request.path == "/v2/users/U/messages" {
            state.normal.push(request.json());
            return Reply::Json(200, json!({"id": "normal"}));
        }
        assert_eq!(
            (&*request.method, &*request.path),
            ("POST", "/v2/users/U/stream_messages")
        );
        let now = Instant::now();
        if let Some(last) = state.last.replace(now) {
            assert!(
                now - last >= Duration::from_millis(300),
                "frames come too fast: {:?}",
                now - last
            );
        }
        let turn = state.frames;
        state.frames += 1;
        match (state.fault)(turn) {
            Some(Twist::Instead(reply)) => {
                // What was answered is known not to have been taken, and may be numbered alike.
                if matches!(reply, Reply::Break | Reply::Stall) {
                    state.number(&request.json());
                }
                reply
            }
            Some(Twist::After(reply)) => {
                state.take(&request.json());
                reply
            }
            None => state.take(&request.json()),
        }
    }
}

impl State {
    /// No number is used for two texts within a stream, unless the first is known not to have arrived. A frame that
    /// begins a stream has the number 0.
    fn number(&mut self, frame: &Value) {
        let index = frame["index"].as_u64().unwrap();
        if frame["stream_msg_id"].is_null() {
            assert_eq!(index, 0);
            return;
        }
        let key = (frame["msg_seq"].to_string(), index);
        let first = self
            .frames_by_index
            .entry(key)
            .or_insert_with(|| frame.clone());
        assert_eq!(first, frame, "the number {index} is used for two texts");
    }

    fn take(&mut self, frame: &Value) -> Reply {
        assert_eq!(frame["input_mode"], "replace");
        let text = frame["content_raw"].as_str().unwrap();
        let index = frame["index"].as_u64().unwrap();
        let position = match frame["stream_msg_id"].as_str() {
            Some(id) => id.strip_prefix("stream-").unwrap().parse().unwrap(),
            None => {
                let is_taken = self
                    .messages
                    .iter()
                    .any(|message| message.msg_seq == frame["msg_seq"]);
                if is_taken && !frame["msg_seq"].is_null() {
                    return refusal(400, 40_054_005);
                }
                self.messages.push(Shown {
                    text: String::new(),
                    msg_seq: frame["msg_seq"].clone(),
                    is_done: false,
                    index,
                });
                self.messages.len() - 1
            }
        };
        let is_first = frame["stream_msg_id"].is_null();
        let (last, is_done) = (
            self.messages[position].index,
            self.messages[position].is_done,
        );
        if !is_done {
            if self.is_strict && !is_first && index == last {
                self.number(frame);
                return Reply::Json(200, json!({"id": format!("stream-{position}")}));
            }
            if self.is_strict && !is_first && index != last + 1 {
                return refusal(400, 40_034_125);
            }
            self.number(frame);
        }
        let message = &mut self.messages[position];
        assert_eq!(
            message.msg_seq, frame["msg_seq"],
            "one number for all frames"
        );
        if message.is_done {
            return refusal(400, 50_055_002);
        }
        assert!(is_first || index > message.index, "numbers grow");
        if !text.starts_with(&message.text) {
            return refusal(400, 40_007);
        }
        let left = self
            .capacity
            .map(|capacity| capacity.checked_sub(text.chars().count()).unwrap());
        message.index = index;
        text.clone_into(&mut message.text);
        message.is_done = match frame["input_state"].as_u64() {
            Some(1) => false,
            Some(10) => true,
            other => panic!("no state: {other:?}"),
        };
        let mut answer = json!({
            "id": format!("stream-{position}"),
            "timestamp": "2026-11-21T00:00:00+08:00",
            "ext_info": {"ref_idx": format!("REFIDX_{position}_{index}")},
        });
        if let Some(left) = left {
            answer["remain_msg_len"] = json!(left);
        }
        Reply::Json(200, answer)
    }
}
