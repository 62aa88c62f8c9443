//! Events on their way to sessions.

use serde_json::Value;

use super::frames;
use crate::platform::State;

/// An event to be pushed.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// The type: `t` of the envelope.
    pub(crate) name: &'a str,
    /// The event id: `id` of the envelope.
    pub(crate) id: &'a str,
    pub(crate) d: &'a Value,
    /// Decides the shard; without one it is shard 0.
    pub(crate) guild_id: Option<u64>,
}

/// Gives the event to every session of its shard whose intents `wants` accepts, connected or
/// still resumable. Returns how many that are.
pub(crate) fn dispatch(
    state: &mut State,
    event: &Event<'_>,
    wants: impl Fn(&super::Session) -> bool,
) -> usize {
    let now = state.clock.now();
    state
        .gateway
        .expire_sessions(now, state.settings.resume_window);
    let mut d = None;
    let mut reached = 0;
    for session in state.gateway.sessions.values_mut() {
        if !session.serves(event.guild_id) || !wants(session) {
            continue;
        }
        let d = d.get_or_insert_with(|| frames::go_json(event.d));
        let seq = session.next_seq();
        let frame = frames::dispatch(event.name, Some(event.id), seq, d);
        session.keep(seq, frame, state.settings.replay_buffer);
        reached += 1;
        if let Some(connection) = session
            .connection
            .and_then(|number| state.gateway.connections.get(&number))
        {
            connection.notify.notify_one();
        }
    }
    reached
}
