//! Faults made on purpose: closes, drops, op 7, op 9.

use super::{Close, Ended, Outgoing, frames};
use crate::platform::State;

/// What shall happen to a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Close with this code.
    Close(u16),
    /// Reset the TCP connection.
    Drop,
    /// Op 7, later a close with 4009.
    Reconnect,
    /// Op 9, later a close.
    InvalidSession { resumable: bool },
}

/// Which connections a fault hits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// All of them.
    Everybody,
    /// The one that holds this session.
    Session(&'a str),
}

/// Does it; gives the number of connections hit.
///
/// # Errors
/// The session is unknown or not connected.
pub(crate) fn apply(state: &mut State, target: Target<'_>, fault: Fault) -> Result<usize, String> {
    let now = state.clock.now();
    let hit: Vec<u64> = match target {
        Target::Everybody => state
            .gateway
            .connections
            .iter()
            .filter(|(_, connection)| connection.is_live())
            // Op 7 and op 9 make sense to identified clients only.
            .filter(|(_, connection)| {
                connection.session.is_some() || matches!(fault, Fault::Close(_) | Fault::Drop)
            })
            .map(|(number, _)| *number)
            .collect(),
        Target::Session(id) => {
            let session = state.gateway.session_by_id(id).ok_or_else(|| {
                format!("session: there is no session {id:?}; GET sessions lists them")
            })?;
            vec![session.connection.ok_or_else(|| {
                format!("session: {id:?} is not connected now; wait until it is resumed")
            })?]
        }
    };
    for &number in &hit {
        strike(state, number, fault, now);
    }
    Ok(hit.len())
}

/// Does it to one connection.
pub(super) fn strike(state: &mut State, number: u64, fault: Fault, now: u64) {
    let settings = &state.settings;
    let gateway = &mut state.gateway;
    match fault {
        Fault::Close(code) => gateway.close(number, Close::with_code(code), now),
        Fault::Drop => {
            gateway.release(number, now);
            if let Some(connection) = gateway.connections.get_mut(&number) {
                connection.closing = true;
                connection.outgoing.clear();
                connection.push(Outgoing::Drop);
            }
        }
        Fault::Reconnect => {
            if let Some(connection) = gateway.connections.get_mut(&number) {
                connection.push(Outgoing::Text(frames::reconnect()));
                connection.push(Outgoing::CloseAfter(
                    settings.reconnect_close_after_ms,
                    Close::TIMED_OUT,
                ));
            }
        }
        Fault::InvalidSession { resumable } => {
            let held = gateway
                .connections
                .get(&number)
                .and_then(|connection| connection.session);
            if let (Some(session), false) = (held, resumable) {
                gateway.end_session(session, Ended::Invalidated);
            }
            let close = if resumable {
                Close::TIMED_OUT
            } else {
                Close::INVALID_SESSION
            };
            let pause = settings.invalid_session_close_after_ms;
            gateway.dismiss(number, resumable, pause, close);
        }
    }
}
