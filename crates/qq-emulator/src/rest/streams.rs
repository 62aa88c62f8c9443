//! Messages that grow: `stream_messages` of C2C.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::content::text;
use super::error::Refusal;
use super::messages::{self, Outgoing};
use super::{Answer, Call, Handler, body, replies, rights, safety};
use crate::clock::rfc3339;
use crate::feed::Signal;
use crate::platform::{Actor, State};
use crate::violations::Finding;
use crate::world::messages::Scene;
use crate::world::store::streams::Stream;

const BAD_PARAMETER: i64 = 40_034_125;
const SECOND: u64 = 1_000;

/// The handler of a route, if it is one of these.
pub(super) fn handler(route: &str) -> Option<Handler> {
    (route == "send_c2c_stream_message").then_some(frame as Handler)
}

/// One frame of a stream.
struct Frame<'a> {
    fields: &'a Map<String, Value>,
    index: i64,
    done: bool,
    replaces: bool,
    markdown: bool,
    content: &'a str,
}

fn frame(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let user = call.param("user_openid");
    messages::check_conversation(state, Scene::C2c, user)?;
    rights::check(state, Scene::C2c, user, &call.app_id)?;
    safety::check(state, messages::banned_code(Scene::C2c), fields.values())?;
    roll_back(state);
    let frame = read(fields)?;
    let id = match text(fields, "stream_msg_id") {
        None => begin(state, call, user, &frame, findings)?,
        Some(id) => {
            if let Some(answer) = go_on(state, call, user, id, &frame, findings)? {
                return Ok(answer);
            }
            id.to_owned()
        }
    };
    Ok(finish(state, &id, &frame))
}

/// Checks the members that do not depend on the stream.
fn read(fields: &Map<String, Value>) -> Result<Frame<'_>, Box<Refusal>> {
    let number = |name: &str| fields.get(name).and_then(Value::as_i64);
    let replaces = match text(fields, "input_mode") {
        None | Some("append") => false,
        Some("replace") => true,
        Some(_) => return Err(refuse(50_059, "input_mode must be append or replace")),
    };
    let done = match number("input_state") {
        Some(1) => false,
        Some(10) => true,
        _ => {
            let why = "input_state must be 1 (more follows) or 10 (finished)";
            return Err(refuse(50_059, why));
        }
    };
    let markdown = match text(fields, "content_type") {
        Some("markdown") => true,
        Some("text") => false,
        _ => {
            return Err(refuse(
                BAD_PARAMETER,
                "content_type must be text or markdown",
            ));
        }
    };
    let index = number("index").filter(|index| *index >= 0);
    Ok(Frame {
        fields,
        index: index.ok_or_else(|| refuse(BAD_PARAMETER, "index must count from 0"))?,
        done,
        replaces,
        markdown,
        content: text(fields, "content_raw").unwrap_or_default(),
    })
}

/// The first frame: it is what the answer to a message costs.
fn begin(
    state: &mut State,
    call: &Call,
    user: &str,
    frame: &Frame<'_>,
    findings: &mut Vec<Finding>,
) -> Result<String, Box<Refusal>> {
    if frame.index != 0 {
        return Err(refuse(BAD_PARAMETER, "the first frame has index 0"));
    }
    if frame.content.is_empty() {
        return Err(refuse(
            BAD_PARAMETER,
            "content_raw of the first frame is empty",
        ));
    }
    let reply = replies::check(state, Scene::C2c, user, frame.fields, findings)
        .map_err(|refusal| begun_again(state, user, frame, refusal))?;
    match &reply {
        Some(reply) => replies::record(state, reply),
        None => replies::spend_active(state, Scene::C2c, user, frame.fields)?,
    }
    let id = state.ids.uuid();
    let now = state.clock.now();
    let stream = Stream {
        app_id: call.app_id.clone(),
        user: user.to_owned(),
        text: cut(frame.content, state.settings.stream_length),
        markdown: frame.markdown,
        index: 0,
        frame: Value::Object(frame.fields.clone()),
        msg_seq: frame.fields.get("msg_seq").and_then(Value::as_i64),
        reply_to: reply.map(|reply| reply.to),
        ref_idx: state.ids.reference_index(),
        frames: VecDeque::from([now]),
        last: now,
        begun: now,
    };
    state.store.streams.open(id.clone(), stream);
    let life = Duration::from_millis(state.settings.stream_life);
    state.put_off(life, roll_back);
    Ok(id)
}

/// A first frame whose answer was lost comes again, and the text may have grown meanwhile: that is no other message.
fn begun_again(
    state: &State,
    user: &str,
    frame: &Frame<'_>,
    mut refusal: Box<Refusal>,
) -> Box<Refusal> {
    let has_begun = |stream: &Stream| {
        stream.user == user
            && stream.msg_seq == frame.fields.get("msg_seq").and_then(Value::as_i64)
            && stream.reply_to.as_deref() == text(frame.fields, "msg_id")
            && frame.content.starts_with(&stream.text)
    };
    if refusal.code == 40_054_005 && state.store.streams.iter().any(has_begun) {
        refusal.finding = Some(Finding::info(
            "rest.stream.begun_again",
            "the pair of msg_id and msg_seq is new",
            "the first frame came again, with the same text or more",
        ));
    }
    refusal
}

/// A later frame; gives the answer at once if the frame has come before.
fn go_on(
    state: &mut State,
    call: &Call,
    user: &str,
    id: &str,
    frame: &Frame<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Value>, Box<Refusal>> {
    let now = state.clock.now();
    let (most, per_second) = (
        state.settings.stream_length,
        state.settings.stream_frames_per_second,
    );
    if let Some(finished) = state.store.streams.finished_with(id, frame.fields) {
        findings.push(repeated(frame.index));
        let (ref_idx, length) = (&finished.ref_idx, finished.length);
        return Ok(Some(answer(now, id, ref_idx, most, length)));
    }
    if frame.done && state.store.streams.ended_with(id, frame.content) {
        let mut refusal = refuse(BAD_PARAMETER, "stream_msg_id: the stream is finished");
        refusal.finding = Some(repeated(frame.index));
        return Err(refusal);
    }
    let stream = state
        .store
        .streams
        .get_mut(id)
        .filter(|stream| stream.user == user && stream.app_id == call.app_id)
        .ok_or_else(|| {
            refuse(
                BAD_PARAMETER,
                "stream_msg_id: no open stream of this user has it; it may be finished or rolled back",
            )
        })?;
    if frame.fields.get("msg_seq").and_then(Value::as_i64) != stream.msg_seq {
        let why = "msg_seq is the same in all frames of one stream";
        return Err(refuse(BAD_PARAMETER, why));
    }
    if frame.index == stream.index && stream.frame.as_object() == Some(frame.fields) {
        findings.push(repeated(frame.index));
        let stream_text = stream.text.chars().count();
        let ref_idx = stream.ref_idx.clone();
        return Ok(Some(answer(now, id, &ref_idx, most, stream_text)));
    }
    let next = stream.index.saturating_add(1);
    if frame.index < next {
        let why = format!("index must be {next}, not {}", frame.index);
        return Err(refuse(BAD_PARAMETER, &why));
    }
    if frame.index > next {
        // Some clients never use a number again after a frame of which they do not know whether it arrived.
        findings.push(Finding::info(
            "rest.stream.gap",
            "the frames of a stream are numbered one after the other",
            format!("index {next} never came, but {}", frame.index),
        ));
    }
    if frame.markdown != stream.markdown {
        let why = "content_type is the same in all frames of one stream";
        return Err(refuse(BAD_PARAMETER, why));
    }
    while stream
        .frames
        .front()
        .is_some_and(|at| now.saturating_sub(*at) >= SECOND)
    {
        stream.frames.pop_front();
    }
    if per_second > 0 && stream.frames.len() >= per_second as usize {
        return Err(Refusal::code(50_002).finding(Finding::warn(
            "rest.stream.too_fast",
            "a stream sends few frames per second",
            format!("more than {per_second} frames within a second"),
        )));
    }
    let whole = if frame.replaces {
        // What was cut off cannot have been delivered.
        if !frame.content.starts_with(&stream.text) {
            return Err(refuse(
                40_007,
                "content_raw does not start with what was delivered",
            ));
        }
        frame.content.to_owned()
    } else {
        format!("{}{}", stream.text, frame.content)
    };
    stream.text = cut(&whole, most);
    stream.index = frame.index;
    stream.frame = Value::Object(frame.fields.clone());
    stream.last = now;
    if stream.frames.len() < 1_000 {
        stream.frames.push_back(now);
    }
    Ok(None)
}

/// Answers the frame; the last one makes a message of the stream.
fn finish(state: &mut State, id: &str, frame: &Frame<'_>) -> Value {
    let now = state.clock.now();
    let most = state.settings.stream_length;
    let Some(stream) = state.store.streams.get_mut(id) else {
        return Value::Null;
    };
    let length = stream.text.chars().count();
    let answer = answer(now, id, &stream.ref_idx, most, length);
    state.feed.signal(Signal::Stream(id.to_owned()));
    if frame.done
        && let Some(stream) = state.store.streams.close(id)
    {
        let mut fields = Map::new();
        if stream.markdown {
            fields.insert("msg_type".into(), 2.into());
            fields.insert("markdown".into(), json!({"content": stream.text}));
        } else {
            fields.insert("msg_type".into(), 0.into());
            fields.insert("content".into(), stream.text.into());
        }
        for name in ["msg_id", "event_id", "msg_seq"] {
            if let Some(value) = frame.fields.get(name) {
                fields.insert(name.into(), value.clone());
            }
        }
        fields.insert("stream_msg_id".into(), id.into());
        let message = Outgoing {
            app_id: stream.app_id,
            scene: Scene::C2c,
            conversation: stream.user,
            fields,
            raw: None,
            reply_to: stream.reply_to,
            id: Some(id.to_owned()),
            file: None,
        };
        messages::deliver(state, &message);
    }
    answer
}

/// A retry whose first answer was lost.
fn repeated(index: i64) -> Finding {
    Finding::info(
        "rest.stream.repeated",
        "every frame has an index of its own",
        format!("frame {index} came again"),
    )
}

fn answer(now: u64, id: &str, ref_idx: &str, most: usize, length: usize) -> Value {
    json!({
        "id": id,
        "timestamp": rfc3339(now),
        "ext_info": {"ref_idx": ref_idx},
        "remain_msg_len": most.saturating_sub(length),
    })
}

/// Takes back what nobody finished.
fn roll_back(state: &mut State) {
    let (now, life) = (state.clock.now(), state.settings.stream_life);
    for id in state.store.streams.expire(now, life) {
        let finding = Finding::warn(
            "rest.stream.unfinished",
            "the last frame of a stream has input_state 10",
            format!("the stream {id:?} was rolled back after {life} ms of silence"),
        );
        state.record(&Actor::default(), finding);
        state.feed.signal(Signal::Stream(id));
    }
}

/// Longer texts are cut without a word, as observed.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn refuse(code: i64, why: &str) -> Box<Refusal> {
    Refusal::code(code).message(why).finding(Finding::error(
        "rest.stream.frame",
        "the frames of a stream fit together",
        why,
    ))
}
