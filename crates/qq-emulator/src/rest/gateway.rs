//! `GET /gateway` and `GET /gateway/bot`.

use serde_json::{Value, json};

use super::Call;
use crate::platform::State;

pub(super) fn address(call: &Call) -> Value {
    json!({"url": call.gateway_url})
}

pub(super) fn address_and_limits(state: &mut State, call: &Call) -> Value {
    let now = state.clock.now();
    let reset_after = state.gateway.starts.reset_after(now, &mut state.settings);
    let settings = &state.settings;
    json!({
        "url": call.gateway_url,
        "shards": settings.shards,
        "session_start_limit": {
            "total": settings.session_start_total,
            "remaining": settings.remaining,
            "reset_after": reset_after,
            "max_concurrency": settings.max_concurrency,
        },
    })
}
