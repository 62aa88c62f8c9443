//! Frames, written down for the chat page.

use super::Outgoing;
use crate::feed::What;
use crate::platform::State;

/// Writes down what happens on a connection now.
pub(super) fn record(state: &mut State, connection: u64, what: What) {
    let held = state.gateway.connections.get(&connection);
    let session = held.and_then(|held| held.session);
    let now = state.clock.now();
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
