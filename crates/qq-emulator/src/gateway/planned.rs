//! Faults of a plan, played on the frames that go out.

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::faults::strike;
use super::{Fault, Outgoing};
use crate::faults::{Action, CONTROL_FRAMES};
use crate::platform::State;

/// Plays the planned faults on what a connection is about to send.
pub(super) fn play(state: &mut State, connection: u64, outgoing: Vec<Outgoing>) -> Vec<Outgoing> {
    let holds_back = state
        .gateway
        .connections
        .get(&connection)
        .is_some_and(|held| held.held_back.is_some());
    if state.faults.is_empty() && !holds_back {
        return outgoing;
    }
    let mut played = Vec::with_capacity(outgoing.len());
    for next in outgoing {
        let Outgoing::Text(text) = next else {
            played.push(next);
            continue;
        };
        let before = state
            .gateway
            .connections
            .get_mut(&connection)
            .and_then(|held| held.held_back.take_if(|_| is_event(&text)));
        let goes_on = one(state, connection, text, &mut played);
        played.extend(before.map(Outgoing::Text));
        if !goes_on {
            break;
        }
    }
    played
}

/// One frame; false if nothing comes after it.
fn one(state: &mut State, connection: u64, text: Utf8Bytes, played: &mut Vec<Outgoing>) -> bool {
    let session = state
        .gateway
        .connections
        .get(&connection)
        .and_then(|held| state.gateway.sessions.get(&held.session?))
        .map(|session| session.id.as_str());
    let name = name_of(&text);
    let Some(fault) = state.faults.of_frame(name, session) else {
        played.push(Outgoing::Text(text));
        return true;
    };
    if fault.delay_ms > 0 {
        if name == "HEARTBEAT_ACK" && fault.action == Action::Delay {
            played.push(Outgoing::Late(fault.delay_ms, text));
            return true;
        }
        played.push(Outgoing::Stall(fault.delay_ms));
    }
    let now = state.clock.now();
    let mut end = |fault| {
        strike(state, connection, fault, now);
        false
    };
    match fault.action {
        Action::Discard => true,
        Action::Duplicate => {
            played.push(Outgoing::Text(text.clone()));
            played.push(Outgoing::Text(text));
            true
        }
        Action::Reorder => {
            if let Some(held) = state.gateway.connections.get_mut(&connection) {
                held.held_back = Some(text);
            }
            true
        }
        Action::Malformed => {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            played.push(Outgoing::Text(half.into()));
            true
        }
        Action::Frame { text } => {
            played.push(Outgoing::Text(text.into()));
            true
        }
        Action::Blackhole => {
            played.push(Outgoing::Blackhole);
            false
        }
        Action::Close { code } => end(Fault::Close(code)),
        Action::Drop => end(Fault::Drop),
        Action::InvalidSession { resumable } => end(Fault::InvalidSession { resumable }),
        Action::Reconnect => {
            end(Fault::Reconnect);
            played.push(Outgoing::Text(text));
            true
        }
        // The others are about calls; the plan does not give them to frames.
        _ => {
            played.push(Outgoing::Text(text));
            true
        }
    }
}

fn is_event(frame: &str) -> bool {
    !CONTROL_FRAMES.contains(&name_of(frame))
}

/// What a fault calls a frame. Frames are written by this crate: their members have one order.
fn name_of(frame: &str) -> &str {
    let named = |op| match op {
        Some("7") => "RECONNECT",
        Some("9") => "INVALID_SESSION",
        Some("10") => "HELLO",
        _ => "HEARTBEAT_ACK",
    };
    let rest = frame.strip_prefix("{\"op\":").unwrap_or(frame);
    if !rest.starts_with("0,") {
        return named(rest.split([',', '}']).next());
    }
    rest.split_once("\"t\":\"")
        .and_then(|(_, name)| name.split('"').next())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::frames;
    use super::*;

    #[test]
    fn every_frame_has_a_name() {
        for (frame, name) in [
            (frames::hello(5), "HELLO"),
            (frames::heartbeat_ack(), "HEARTBEAT_ACK"),
            (frames::reconnect(), "RECONNECT"),
            (frames::invalid_session(true), "INVALID_SESSION"),
            (frames::dispatch("READY", None, 1, "{}"), "READY"),
            (
                frames::dispatch("X_EVENT", Some("id"), 7, "{\"t\":\"no\"}"),
                "X_EVENT",
            ),
        ] {
            assert_eq!(name_of(&frame), name);
        }
    }
}
