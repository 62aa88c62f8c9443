//! Frames, written down for the chat page.

use super::Outgoing;
use crate::feed::What;
use crate::platform::State;
use crate::recording::Side;

/// Writes down what happens on a connection now.
pub(super) fn record(state: &mut State, connection: u64, what: What) {
    let held = state.gateway.connections.get(&connection);
    let session = held.and_then(|held| held.session);
    let now = state.clock.now();
    if let Some(recorder) = &state.recorder {
        match &what {
            What::Opened => recorder.open(connection),
            What::Sent(text) => recorder.frame(connection, Side::Server, text),
            What::Received(text) => recorder.frame(connection, Side::Client, text),
            What::Closed(code) => recorder.close(connection, Some(Side::Server), *code),
            What::Gone => recorder.close(connection, Some(Side::Client), None),
        }
    }
    state.feed.frame(now, connection, session, what);
}

/// Writes down what is about to be sent.
pub(super) fn outgoing(state: &mut State, connection: u64, outgoing: &[Outgoing]) {
    for next in outgoing {
        let what = match next {
            Outgoing::Text(text) | Outgoing::Late(_, text) => What::Sent(text.clone()),
            Outgoing::Close(close) => What::Closed(Some(close.code)),
            Outgoing::Drop => What::Closed(None),
            // The close comes later, and is written down then.
            Outgoing::CloseAfter(..) | Outgoing::Stall(_) | Outgoing::Blackhole => continue,
        };
        record(state, connection, what);
    }
}
