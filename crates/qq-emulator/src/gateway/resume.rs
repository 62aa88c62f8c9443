//! Op 6: an old session on a new connection.

use serde_json::Value;

use super::identify::{bot_allowed, check_token};
use super::receive::{actor, refuse, send};
use super::{Close, Ended, Outgoing, frames};
use crate::platform::State;
use crate::violations::Finding;

/// Handles `d` of op 6. The token may come with or without `QQBot `: both work in production.
pub(super) fn resume(state: &mut State, connection: u64, d: &Value) {
    let (Some(token), Some(id), Some(seq)) = (
        d["token"].as_str(),
        d["session_id"].as_str(),
        d["seq"].as_u64(),
    ) else {
        let finding = Finding::error(
            "ws.payload",
            "d of RESUME has token, session_id and seq",
            "d.token, d.session_id or d.seq is missing or has the wrong type",
        );
        return refuse(state, connection, finding, Close::INVALID_PAYLOAD);
    };
    let app_id = match check_token(state, token.strip_prefix("QQBot ").unwrap_or(token)) {
        Ok(app_id) => app_id,
        Err(Some(finding)) => {
            return refuse(state, connection, finding, Close::AUTHENTICATION_FAILED);
        }
        Err(None) => {
            let now = state.clock.now();
            return state
                .gateway
                .close(connection, Close::AUTHENTICATION_FAILED, now);
        }
    };
    if !bot_allowed(state, connection) {
        return;
    }
    let now = state.clock.now();
    state
        .gateway
        .expire_sessions(now, state.settings.resume_window);
    let found = state
        .gateway
        .sessions
        .iter()
        .find(|(_, session)| session.id == id && session.app_id == app_id)
        .map(|(number, session)| {
            (
                *number,
                session.last_seq,
                session.forgotten,
                session.connection,
            )
        });
    let Some((number, last_seq, forgotten, holder)) = found else {
        return unknown_session(state, connection, id);
    };
    if seq > last_seq {
        let finding = Finding::error(
            "ws.resume_seq",
            "seq of RESUME is the last s received",
            format!("seq is {seq}, but only {last_seq} was sent"),
        );
        state
            .gateway
            .end_session(number, Ended::ClosedWith(Close::INVALID_SEQ.code));
        return refuse(state, connection, finding, Close::INVALID_SEQ);
    }
    if seq < forgotten {
        // Too far back: not the client's fault, but there is a gap that cannot be filled.
        state
            .gateway
            .end_session(number, Ended::ClosedWith(Close::INVALID_SEQ.code));
        return state.gateway.close(connection, Close::INVALID_SEQ, now);
    }
    if let Some(holder) = holder {
        state.gateway.release(holder, now);
        state.gateway.close(holder, Close::RESET_BY_RESUME, now);
    }
    replay(state, connection, number, seq);
}

/// Everything after `seq` again with its own `s`, then RESUMED, which uses up a number.
fn replay(state: &mut State, connection: u64, number: u64, seq: u64) {
    let Some(session) = state.gateway.sessions.get_mut(&number) else {
        return;
    };
    let missed: Vec<_> = session.frames_after(seq).map(|(_, frame)| frame).collect();
    let resumed_seq = session.next_seq();
    session.acknowledged = session.acknowledged.max(seq);
    session.connection = Some(connection);
    session.resumes += 1;
    if let Some(held) = state.gateway.connections.get_mut(&connection) {
        held.session = Some(number);
        held.cursor = resumed_seq;
        session.client.clone_from(&held.client);
    }
    for frame in missed {
        send(state, connection, Outgoing::Text(frame));
    }
    let resumed = frames::dispatch("RESUMED", None, resumed_seq, "\"\"");
    send(state, connection, Outgoing::Text(resumed));
}

fn unknown_session(state: &mut State, connection: u64, id: &str) {
    const RULE: &str = "RESUME only a session that the last close allows to be resumed";
    let finding = match state.gateway.ended.get(id) {
        Some(Ended::ClosedWith(code)) => Some(Finding::warn(
            "ws.resume_refused",
            RULE,
            format!("the session ended with close {code}"),
        )),
        Some(Ended::Invalidated) => Some(Finding::warn(
            "ws.resume_refused",
            RULE,
            "the session ended with op 9, d false",
        )),
        // Time and other connections are beyond the client's control.
        Some(Ended::Expired | Ended::Replaced) => None,
        None => Some(Finding::info(
            "ws.resume_unknown",
            "RESUME carries a session_id that READY gave",
            "the session is not known",
        )),
    };
    if let Some(finding) = finding {
        let actor = actor(state, connection);
        state.record(&actor, finding);
    }
    let pause = state.settings.invalid_session_close_after_ms;
    state
        .gateway
        .dismiss(connection, false, pause, Close::INVALID_SESSION);
}
