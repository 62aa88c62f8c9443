//! Faults in JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Action, Fault};

/// The actions, as JSON calls them.
const ACTIONS: &str = "delay, answer, html, garbage, cut, lose_reply, blackhole, close, drop, \
                       reconnect, invalid_session, discard, duplicate, reorder, malformed or frame";

/// What a fault may have, whatever its action.
const MEMBERS: [&str; 15] = [
    "route",
    "event",
    "session",
    "webhook",
    "nth",
    "times",
    "delay_ms",
    "action",
    "status",
    "code",
    "headers",
    "body",
    "after_bytes",
    "resumable",
    "text",
];

/// Reads a plan: a list of faults, the same as `{"faults": [...]}`, or one fault.
///
/// # Errors
/// A sentence that names the place, the field and the fix.
pub(crate) fn parse(json: &[u8]) -> Result<Vec<Fault>, String> {
    let plan: Value = serde_json::from_slice(json)
        .map_err(|why| format!("body: give a JSON list of faults ({why})"))?;
    let faults = match plan {
        Value::Array(faults) => faults,
        Value::Object(mut members) if members.contains_key("faults") => {
            let faults = members.remove("faults");
            if let Some(name) = members.keys().next() {
                return Err(format!(
                    "{name}: unknown; a plan has faults, which is a list"
                ));
            }
            match faults {
                Some(Value::Array(faults)) => faults,
                _ => return Err("faults: give a list of faults".into()),
            }
        }
        one => vec![one],
    };
    let read = |(index, fault)| match fault {
        Value::Object(members) => {
            fault_of(Members(members)).map_err(|why| format!("[{index}].{why}"))
        }
        _ => Err(format!("[{index}]: give an object")),
    };
    faults.into_iter().enumerate().map(read).collect()
}

fn fault_of(mut members: Members) -> Result<Fault, String> {
    const KNOWN: &str = "a fault takes route, event, session, webhook, nth, times, delay_ms, \
                         action and what the action takes";
    // First, for a misspelt member is missed elsewhere.
    if let Some(name) = members
        .0
        .keys()
        .find(|name| !MEMBERS.contains(&name.as_str()))
    {
        return Err(format!("{name}: unknown; {KNOWN}"));
    }
    let mut fault = Fault {
        route: members.text("route")?,
        event: members.text("event")?,
        session: members.text("session")?,
        webhook: members.text("webhook")?,
        nth: members.number("nth")?,
        times: members.number("times")?,
        delay_ms: members.number("delay_ms")?.unwrap_or(0),
        ..Fault::new()
    };
    let name = match members.text("action")? {
        Some(name) => name,
        None if members.0.contains_key("status") || members.0.contains_key("code") => {
            "answer".to_owned()
        }
        None if fault.delay_ms > 0 => "delay".to_owned(),
        None => return Err(format!("action: is missing; give {ACTIONS}")),
    };
    fault.action = action(&name, &mut members)?;
    match members.0.keys().next() {
        Some(extra) => Err(format!(
            "{extra}: the action {name} does not take it; {KNOWN}"
        )),
        None => Ok(fault),
    }
}

fn action(name: &str, members: &mut Members) -> Result<Action, String> {
    let missing = |field: &str, wanted: &str| format!("{field}: is missing; give {wanted}");
    Ok(match name {
        "delay" => Action::Delay,
        "answer" => {
            let code = members.take("code", "a code of the platform as a number", Value::as_i64)?;
            let refused = if code.is_some() { 400 } else { 200 };
            Action::Answer {
                status: members.small("status")?.unwrap_or(refused),
                code,
                headers: members
                    .take("headers", "an object of strings", headers)?
                    .unwrap_or_default(),
                body: members.take("body", "a string or JSON", |body| {
                    Some(match body {
                        Value::String(text) => text.clone(),
                        json => json.to_string(),
                    })
                })?,
            }
        }
        "html" => Action::Html {
            status: members.small("status")?.unwrap_or(502),
        },
        "garbage" => Action::Garbage,
        "cut" => Action::Cut {
            after_bytes: members
                .take("after_bytes", "a number of bytes", |value| {
                    usize::try_from(value.as_u64()?).ok()
                })?
                .unwrap_or(0),
        },
        "lose_reply" => Action::LoseReply,
        "blackhole" => Action::Blackhole,
        "close" => Action::Close {
            code: members
                .small("code")?
                .ok_or_else(|| missing("code", "a close code"))?,
        },
        "drop" => Action::Drop,
        "reconnect" => Action::Reconnect,
        "invalid_session" => Action::InvalidSession {
            resumable: members
                .take("resumable", "true or false", Value::as_bool)?
                .unwrap_or(false),
        },
        "discard" => Action::Discard,
        "duplicate" => Action::Duplicate,
        "reorder" => Action::Reorder,
        "malformed" => Action::Malformed,
        "frame" => Action::Frame {
            text: members
                .text("text")?
                .ok_or_else(|| missing("text", "what is sent instead of the frame"))?,
        },
        other => return Err(format!("action: there is no {other:?}; give {ACTIONS}")),
    })
}

fn headers(value: &Value) -> Option<BTreeMap<String, String>> {
    value
        .as_object()?
        .iter()
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The members that nobody has taken yet.
struct Members(Map<String, Value>);

impl Members {
    /// Takes a member; null counts as left out.
    fn take<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(&value) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("{name}: give {wanted}")),
            },
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.take(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        self.take(name, "a whole number", Value::as_u64)
    }

    fn small(&mut self, name: &str) -> Result<Option<u16>, String> {
        self.take(name, "a number up to 65535", |value| {
            u16::try_from(value.as_u64()?).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::*;
    use serde_json::json;

    fn plan(json: &Value) -> Result<Plan, String> {
        let mut plan = Plan::default();
        plan.add(parse(json.to_string().as_bytes())?)?;
        Ok(plan)
    }

    #[test]
    fn what_rust_builds_json_says() {
        for (json, built) in [
            (
                json!({"route": "get_me", "nth": 2, "status": 500, "code": 11_244, "headers": {"a": "b"}}),
                Fault::route("get_me")
                    .nth(2)
                    .status(500)
                    .code(11_244)
                    .header("a", "b"),
            ),
            (
                json!({"event": "READY", "delay_ms": 5}),
                Fault::event("READY").delay(std::time::Duration::from_millis(5)),
            ),
            (
                json!({"event": "X", "session": "s", "times": 3, "action": "close", "code": 4009}),
                Fault::event("X").session("s").times(3).close(4009),
            ),
            (
                json!({"route": "*", "action": "cut", "after_bytes": 7}),
                Fault::route("*").cut_after(7),
            ),
        ] {
            let read = parse(json.to_string().as_bytes()).unwrap();
            assert_eq!(read, [built]);
            // What is shown can be sent again.
            let shown = serde_json::to_vec(&read).unwrap();
            assert_eq!(parse(&shown).unwrap(), read);
        }
    }

    #[test]
    fn a_list_stands_alone_or_under_its_name() {
        let fault = json!({"route": "get_me", "status": 500});
        let read = |json: Value| parse(json.to_string().as_bytes()).unwrap();
        let one = read(fault.clone());
        assert_eq!(read(json!([fault])), one);
        assert_eq!(read(json!({"faults": [fault]})), one);
        assert_eq!(read(json!({"faults": []})), []);
    }

    #[test]
    fn errors_name_the_place_and_the_fix() {
        for (json, why) in [
            (json!(7), "[0]: give an object"),
            (
                json!([{"route": "get_me"}]),
                "[0].action: is missing; give delay, answer",
            ),
            (
                json!([{"route": "get_me", "action": "explode"}]),
                "[0].action: there is no \"explode\"",
            ),
            (
                json!([{"route": "get_me", "status": "x"}]),
                "[0].status: give a number",
            ),
            (
                json!([{"route": "get_me", "status": 99}]),
                "[0].status: give a number from 200",
            ),
            (
                json!([{"route": "get_me", "status": 500, "statsu": 1}]),
                "[0].statsu: unknown",
            ),
            // Not that the status is missing.
            (
                json!([{"route": "get_me", "statsu": 500}]),
                "[0].statsu: unknown",
            ),
            (
                json!([{"route": "get_me", "action": "garbage", "text": "x"}]),
                "[0].text: the action garbage does not take it",
            ),
            (
                json!([{"route": "get_me", "status": 500, "nth": 0}]),
                "[0].nth: counts from 1",
            ),
            (json!({"faults": {}}), "faults: give a list"),
            (json!({"faults": [], "x": 1}), "x: unknown"),
            (
                json!([{"route": "nothing", "status": 500}]),
                "[0].route: there is no route",
            ),
            (
                json!([{"route": "get_me", "action": "duplicate"}]),
                "[0].route: frames of the gateway",
            ),
            (json!([{"status": 500}]), "[0].route: is missing"),
            (
                json!([{"event": "READY", "status": 500}]),
                "[0].action: is for calls",
            ),
            (
                json!([{"event": "READY", "action": "close"}]),
                "[0].code: is missing",
            ),
            (
                json!([{"event": "READY", "action": "close", "code": 1006}]),
                "[0].code: give a close",
            ),
            (
                json!([{"event": "READY", "action": "drop", "nth": 0}]),
                "[0].nth: counts from 1",
            ),
            (
                json!([{"event": "RECONNECT", "action": "reconnect"}]),
                "[0].action: would hit the frames that it sends itself",
            ),
            (
                json!([{"event": "READY", "action": "drop"}, {"event": 1}]),
                "[1].event: give a string",
            ),
            (
                json!([{"route": "get_me", "status": 500, "headers": {"a b": "c"}}]),
                "[0].headers: ",
            ),
        ] {
            let error = plan(&json).unwrap_err();
            assert!(error.starts_with(why), "{json}: {error}");
        }
    }

    #[test]
    fn matches_are_counted_and_the_first_fault_is_played() {
        let json = json!([
            {"route": "get_me", "nth": 2, "status": 500},
            {"route": "GET /users/@me", "times": 1, "status": 501},
            {"route": "*", "status": 502},
        ]);
        let mut plan = plan(&json).unwrap();
        let mut play = |route| match plan.of_call(Some(route)).unwrap().action {
            Action::Answer { status, .. } => status,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            [play("get_me"), play("get_me"), play("get_me"), play("x")],
            [501, 500, 502, 502]
        );
        let counts: Vec<_> = plan.view().iter().map(|v| (v.matched, v.played)).collect();
        assert_eq!(counts, [(3, 1), (3, 1), (4, 2)]);
        assert!(plan.of_frame("READY", None).is_none());
    }
}
