//! Events on their way to sessions.

use serde_json::Value;

use super::frames;
use crate::platform::State;
use crate::settings::WebhookDelivery;
use crate::webhook;

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

/// Who may get an event: a session, or a webhook.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    /// The session's id; empty for a webhook.
    pub(crate) id: &'a str,
    pub(crate) intents: u64,
}

/// Gives the event to every session of its shard whose intents `wants` accepts, connected or
/// still resumable. Returns how many that are. Webhooks get it, too.
pub(crate) fn dispatch(
    state: &mut State,
    event: &Event<'_>,
    wants: impl Fn(&Reader<'_>) -> bool,
) -> usize {
    let now = state.clock.now();
    state
        .gateway
        .expire_sessions(now, state.settings.resume_window);
    let mut d = None;
    let mut reached = 0;
    let ticked = Reader {
        id: "",
        intents: state.settings.webhook_intents,
    };
    if !state.webhooks.is_empty() && wants(&ticked) {
        let d = d.get_or_insert_with(|| frames::go_json(event.d));
        webhook::offer(state, event.name, event.id, d);
    }
    let webhook_only = state.settings.webhook_delivery == WebhookDelivery::WebhookOnly;
    for session in state.gateway.sessions.values_mut() {
        let reader = Reader {
            id: &session.id,
            intents: session.intents,
        };
        if !session.serves(event.guild_id)
            || !wants(&reader)
            || (webhook_only && state.webhooks.has(&session.app_id))
        {
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
