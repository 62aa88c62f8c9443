//! Frames from clients: which are allowed when.

use serde_json::{Map, Value};

use super::{Close, Outgoing, frames, identify, resume};
use crate::platform::{Actor, State};
use crate::violations::Finding;

/// What a frame was, for the supervision of heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    Heartbeat,
    Other,
}

/// Handles one text frame.
pub(crate) fn receive(state: &mut State, connection: u64, text: &str) -> Received {
    let Some(held) = state.gateway.connections.get(&connection) else {
        return Received::Other;
    };
    if held.closing {
        return Received::Other;
    }
    let (identified, dismissed) = (held.session.is_some(), held.dismissed);
    let frame = match parse(text) {
        Ok(frame) => frame,
        Err(finding) => {
            refuse(state, connection, finding, Close::INVALID_PAYLOAD);
            return Received::Other;
        }
    };
    match frame.op {
        1 if dismissed => Received::Heartbeat,
        _ if dismissed => Received::Other,
        1 if identified => {
            heartbeat(state, connection, &frame.d);
            Received::Heartbeat
        }
        2 | 6 if identified => {
            let finding = Finding::error(
                "ws.already_authenticated",
                "one IDENTIFY or RESUME per connection",
                format!("op {} on a connection that holds a session", frame.op),
            );
            refuse(state, connection, finding, Close::ALREADY_AUTHENTICATED);
            Received::Other
        }
        2 => {
            identify::identify(state, connection, &frame.d);
            Received::Other
        }
        6 => {
            resume::resume(state, connection, &frame.d);
            Received::Other
        }
        1 => {
            let finding = Finding::error(
                "ws.not_authenticated",
                "IDENTIFY or RESUME is the first frame of a client",
                "a heartbeat before IDENTIFY",
            );
            refuse(state, connection, finding, Close::NOT_AUTHENTICATED);
            Received::Heartbeat
        }
        op => {
            let finding = Finding::error(
                "ws.opcode",
                "clients send op 1, 2 and 6 only",
                format!("op {op}"),
            );
            let close = if identified || !(0..=13).contains(&op) {
                Close::UNKNOWN_OPCODE
            } else {
                Close::NOT_AUTHENTICATED
            };
            refuse(state, connection, finding, close);
            Received::Other
        }
    }
}

struct Frame {
    op: i64,
    d: Value,
}

fn parse(text: &str) -> Result<Frame, Finding> {
    const RULE: &str = "a frame is a JSON object with an integer op";
    let error = |message: String| Finding::error("ws.payload", RULE, message);
    let mut fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|why| error(format!("not a JSON object: {why}")))?;
    let op = fields
        .get("op")
        .and_then(Value::as_i64)
        .ok_or_else(|| error("op is missing or not an integer".into()))?;
    Ok(Frame {
        op,
        d: fields.remove("d").unwrap_or_default(),
    })
}

/// Number, null and a missing `d` are all accepted; the ACK comes at once.
fn heartbeat(state: &mut State, connection: u64, d: &Value) {
    const RULE: &str = "d of a heartbeat is the last s received, or null";
    let Some(number) = state
        .gateway
        .connections
        .get(&connection)
        .and_then(|connection| connection.session)
    else {
        return;
    };
    let finding = match (d.as_u64(), state.gateway.sessions.get_mut(&number)) {
        (Some(seq), Some(session)) if seq > session.last_seq => Some(Finding::error(
            "ws.heartbeat_seq_ahead",
            RULE,
            format!("d is {seq}, but only {} was sent", session.last_seq),
        )),
        (Some(seq), Some(session)) => {
            session.acknowledged = session.acknowledged.max(seq);
            None
        }
        (None, _) if d.is_null() => None,
        (None, _) => Some(Finding::error(
            "ws.payload",
            RULE,
            "d of a heartbeat is neither a number nor null",
        )),
        (Some(_), None) => None,
    };
    match finding {
        Some(finding) if finding.code == "ws.payload" => {
            refuse(state, connection, finding, Close::INVALID_PAYLOAD);
        }
        other => {
            if let Some(finding) = other {
                let actor = actor(state, connection);
                state.record(&actor, finding);
            }
            send(state, connection, Outgoing::Text(frames::heartbeat_ack()));
        }
    }
}

/// Records a breach and closes.
pub(super) fn refuse(state: &mut State, connection: u64, finding: Finding, close: Close) {
    let actor = actor(state, connection);
    state.record(&actor, finding);
    let now = state.clock.now();
    state.gateway.close(connection, close, now);
}

/// Queues something for a connection.
pub(super) fn send(state: &mut State, connection: u64, outgoing: Outgoing) {
    if let Some(connection) = state.gateway.connections.get_mut(&connection) {
        connection.push(outgoing);
    }
}

/// Who is at the other end of a connection.
pub(super) fn actor(state: &State, connection: u64) -> Actor {
    let held = state.gateway.connections.get(&connection);
    let session = held
        .and_then(|connection| connection.session)
        .and_then(|number| state.gateway.sessions.get(&number));
    Actor {
        client: held.map(|held| held.client.clone()).unwrap_or_default(),
        session: session.map(|session| session.id.clone()),
        request: None,
    }
}
