//! Threads of a forum channel.

use serde_json::{Value, json};

use super::push;
use crate::clock::rfc3339;
use crate::platform::State;
use crate::rest::content::text;
use crate::rest::error::Refusal;
use crate::rest::reads::{bot_id, find_channel};
use crate::rest::{Answer, Call, body, safety};
use crate::violations::Finding;
use crate::world::Channel;

const BAD_PARAMETER: i64 = 503_013;
/// Threads kept of one forum.
const MOST: usize = 1_000;
/// Characters of a title.
const LONGEST_TITLE: usize = 200;

pub(super) fn list(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = forum(state, call)?;
    let notes = state.store.channels.get(&channel.id);
    let threads: Vec<&Value> = notes
        .into_iter()
        .flat_map(|notes| notes.threads.iter().rev())
        .collect();
    Ok(json!({"threads": threads, "is_finish": 1}))
}

pub(super) fn get(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = forum(state, call)?;
    let id = call.param("thread_id");
    let notes = state.store.channels.get(&channel.id);
    let mut threads = notes.into_iter().flat_map(|notes| &notes.threads);
    threads
        .find(|thread| thread["thread_info"]["thread_id"] == id)
        .map(|thread| json!({"thread": thread}))
        .ok_or_else(|| Refusal::unknown(503_012, "thread", id))
}

pub(super) fn put(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Answer {
    let channel = forum(state, call)?.clone();
    let fields = body::check(call, BAD_PARAMETER, findings)?;
    let title = text(fields, "title").ok_or_else(|| Refusal::value(503_005, "title is empty"))?;
    if title.chars().count() > LONGEST_TITLE {
        return Err(Refusal::value(503_020, "title is too long"));
    }
    let content = text(fields, "content");
    let content = content.ok_or_else(|| Refusal::value(503_006, "content is empty"))?;
    let content = match fields.get("format").and_then(Value::as_i64) {
        Some(1 | 3) => rich_text(content),
        Some(2) => rich_text(&without_tags(content)),
        Some(4) => json_text(content)?,
        _ => {
            let why = "format must be 1 (text), 2 (HTML), 3 (markdown) or 4 (JSON)";
            return Err(Refusal::value(503_015, why));
        }
    };
    let thread_id = state.ids.hex(48);
    let now = state.clock.now();
    let thread = json!({
        "guild_id": channel.guild_id,
        "channel_id": channel.id,
        "author_id": bot_id(state, call),
        "thread_info": {
            "thread_id": thread_id,
            "title": title,
            "content": content,
            "date_time": rfc3339(now),
        },
    });
    let task_id = state.ids.snowflake();
    // Publishing is asynchronous: the call succeeds, and an event tells what came of it.
    let banned = [
        title.to_owned().into(),
        thread["thread_info"]["content"].clone(),
    ];
    let banned = safety::find(&Value::from(banned.to_vec()), &state.settings.banned_words);
    let refused = banned.map(|word| format!("{word:?} is one of banned_words"));
    if refused.is_none() {
        let threads = &mut state.store.channel(&channel.id).threads;
        threads.push(thread.clone());
        if threads.len() > MOST {
            threads.remove(0);
        }
        announce(state, "THREAD_CREATE", &thread);
    }
    let audited = json!({
        "guild_id": thread["guild_id"],
        "channel_id": thread["channel_id"],
        "author_id": thread["author_id"],
        "type": 1,
        "result": i32::from(refused.is_some()),
        "err_msg": refused.as_deref().unwrap_or_default(),
        "thread_id": if refused.is_some() { "" } else { &thread_id },
        "post_id": "",
        "reply_id": "",
        "task_id": task_id,
        "date_time": rfc3339(now),
    });
    let audited = with_ids(state, audited);
    push(state, "FORUM_PUBLISH_AUDIT_RESULT", &audited);
    Ok(json!({"task_id": task_id, "create_time": (now / 1000).to_string()}))
}

pub(super) fn delete(state: &mut State, call: &Call, _: &mut Vec<Finding>) -> Answer {
    let channel = forum(state, call)?.id.clone();
    let id = call.param("thread_id");
    let threads = &mut state.store.channel(&channel).threads;
    let place = threads
        .iter()
        .position(|thread| thread["thread_info"]["thread_id"] == id)
        .ok_or_else(|| Refusal::unknown(503_012, "thread", id))?;
    let thread = threads.remove(place);
    announce(state, "THREAD_DELETE", &thread);
    Ok(Value::Null)
}

fn forum<'a>(state: &'a State, call: &Call) -> Result<&'a Channel, Box<Refusal>> {
    let channel = find_channel(state, call)?;
    if channel.kind == Channel::FORUM {
        Ok(channel)
    } else {
        let why = "channel_id: not a forum channel (type 10007)";
        Err(Refusal::value(503_003, why))
    }
}

/// The event with the whole text for private bots, and the bare one for all.
fn announce(state: &mut State, event: &str, thread: &Value) {
    let mut whole = thread.clone();
    // In events the title is rich text, too.
    let title = thread["thread_info"]["title"].as_str().unwrap_or_default();
    whole["thread_info"]["title"] = rich_text(title).into();
    let whole = with_ids(state, whole);
    push(state, &format!("FORUM_{event}"), &whole);
    let bare = json!({
        "guild_id": thread["guild_id"],
        "channel_id": thread["channel_id"],
        "author_id": thread["author_id"],
    });
    push(state, &format!("OPEN_FORUM_{event}"), &bare);
}

fn with_ids(state: &State, mut d: Value) -> Value {
    if state.settings.forum_ids_as_numbers {
        for name in ["guild_id", "channel_id", "author_id"] {
            if let Some(id) = d[name].as_str().and_then(|id| id.parse::<u64>().ok()) {
                d[name] = id.into();
            }
        }
    }
    d
}

/// `RichText` as JSON text: a paragraph for every line.
fn rich_text(text: &str) -> String {
    let paragraphs: Vec<Value> = text
        .lines()
        .map(|line| json!({"elems": [{"text": {"text": line}, "type": 1}], "props": {}}))
        .collect();
    json!({"paragraphs": paragraphs}).to_string()
}

fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => text.push(c),
        }
    }
    crate::world::events::unescape_html(&text)
}

fn json_text(content: &str) -> Result<String, Box<Refusal>> {
    let rich: Value = serde_json::from_str(content)
        .map_err(|why| Refusal::value(503_014, format!("content is not JSON: {why}")))?;
    if rich["paragraphs"].is_array() {
        Ok(rich.to_string())
    } else {
        let why = "content: a RichText has a list of paragraphs";
        Err(Refusal::value(503_015, why))
    }
}
