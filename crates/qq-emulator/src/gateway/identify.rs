//! Op 2: a new session.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::receive::{actor, refuse, send};
use super::session::{Identity, Session};
use super::{Close, Ended, Outgoing, frames};
use crate::clock::Millis;
use crate::platform::State;
use crate::rest::token::Standing;
use crate::settings::{BotStanding, DuplicateShard, IdentifyPace, Settings, UngrantedIntents};
use crate::tables;
use crate::violations::Finding;

const DAY: Millis = 24 * 3600 * 1000;

/// How many sessions were started, and when.
#[derive(Debug, Default)]
pub(crate) struct StartLimit {
    day_began: Option<Millis>,
    recent: VecDeque<Millis>,
}

impl StartLimit {
    /// Milliseconds until `remaining` is set back; sets it back when that moment has passed.
    pub(crate) fn reset_after(&mut self, now: Millis, settings: &mut Settings) -> Millis {
        let began = *self.day_began.get_or_insert(now);
        let passed = now.saturating_sub(began);
        if passed < DAY {
            return DAY - passed;
        }
        self.day_began = Some(now);
        settings.remaining = settings.session_start_total;
        DAY
    }

    /// Counts a start; false if it came faster than `max_concurrency` allows.
    fn in_pace(&mut self, now: Millis, settings: &Settings) -> bool {
        let window = settings.identify_window_ms;
        while self
            .recent
            .front()
            .is_some_and(|start| now.saturating_sub(*start) >= window)
        {
            self.recent.pop_front();
        }
        let allowed = self.recent.len() < settings.max_concurrency as usize;
        if allowed {
            self.recent.push_back(now);
        }
        allowed
    }
}

/// Handles `d` of op 2.
pub(super) fn identify(state: &mut State, connection: u64, d: &Value) {
    let wanted = match parse(d) {
        Ok(wanted) => wanted,
        Err((finding, close)) => return refuse(state, connection, finding, close),
    };
    let app_id = match authenticate(state, wanted.token) {
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
    if !bot_allowed(state, connection)
        || !intents_allowed(state, connection, wanted.intents)
        || !start_allowed(state, connection)
        || !shard_free(state, connection, &app_id, wanted.shard)
    {
        return;
    }
    open(state, connection, app_id, &wanted);
}

struct Wanted<'a> {
    token: &'a str,
    intents: u64,
    shard: [u32; 2],
}

fn parse(d: &Value) -> Result<Wanted<'_>, (Finding, Close)> {
    let payload = |message: &str| {
        let finding = Finding::error(
            "ws.payload",
            "d of IDENTIFY has token, intents and shard",
            message,
        );
        (finding, Close::INVALID_PAYLOAD)
    };
    let token = d["token"]
        .as_str()
        .ok_or_else(|| payload("d.token is missing or not a string"))?;
    let intents = d["intents"]
        .as_u64()
        .ok_or_else(|| payload("d.intents is missing or not an unsigned integer"))?;
    let shard = match &d["shard"] {
        Value::Null => [0, 1],
        pair => serde_json::from_value::<[u32; 2]>(pair.clone())
            .ok()
            .filter(|[index, count]| index < count)
            .ok_or_else(|| {
                let finding = Finding::error(
                    "ws.shard",
                    "shard is [index, count] with index < count",
                    format!("d.shard is {pair}"),
                );
                (finding, Close::INVALID_SHARD)
            })?,
    };
    Ok(Wanted {
        token,
        intents,
        shard,
    })
}

/// The bot whose token this is. A token that was revoked by hand is refused without a finding:
/// the client cannot have known.
fn authenticate(state: &State, token: &str) -> Result<String, Option<Finding>> {
    let Some(token) = token.strip_prefix("QQBot ") else {
        return Err(Some(Finding::error(
            "ws.token_form",
            "the token of IDENTIFY is \"QQBot \" and an access token",
            "d.token does not begin with \"QQBot \"",
        )));
    };
    check_token(state, token)
}

/// The same for a token without its prefix.
pub(super) fn check_token(state: &State, token: &str) -> Result<String, Option<Finding>> {
    const RULE: &str = "IDENTIFY and RESUME carry a valid access token";
    match state.tokens.standing(token, state.clock.now()) {
        Standing::Valid(app_id) => Ok(app_id),
        Standing::Revoked => Err(None),
        Standing::Expired => Err(Some(Finding::warn(
            "ws.token_expired",
            RULE,
            "the token has expired",
        ))),
        Standing::Unknown => Err(Some(Finding::error(
            "ws.token",
            RULE,
            "the token was never issued",
        ))),
    }
}

/// Closes if the platform has taken the bot down; that is no fault of the client.
pub(super) fn bot_allowed(state: &mut State, connection: u64) -> bool {
    let code = match state.settings.bot_standing {
        BotStanding::Good => return true,
        BotStanding::TakenDown | BotStanding::Cancelled => 4914,
        BotStanding::Banned => 4915,
        BotStanding::AddressRefused => 4924,
    };
    let now = state.clock.now();
    state.gateway.close(connection, Close::with_code(code), now);
    false
}

fn intents_allowed(state: &mut State, connection: u64, intents: u64) -> bool {
    let undefined = intents & !tables::defined_intents();
    if undefined != 0 {
        let finding = Finding::error(
            "ws.intents",
            "every bit of intents is defined",
            format!("undefined bits {undefined:#x} in d.intents"),
        );
        refuse(state, connection, finding, Close::INVALID_INTENTS);
        return false;
    }
    let ungranted = intents & !state.settings.granted_intents;
    if ungranted == 0 {
        return true;
    }
    let finding = Finding::error(
        "ws.intents_not_granted",
        "a bot asks only for intents it was granted",
        format!("bits {ungranted:#x} of d.intents are not granted"),
    );
    match state.settings.ungranted_intents {
        UngrantedIntents::Close => {
            refuse(state, connection, finding, Close::INTENTS_NOT_GRANTED);
        }
        UngrantedIntents::InvalidSession => {
            let actor = actor(state, connection);
            state.record(&actor, finding);
            let pause = state.settings.invalid_session_close_after_ms;
            state
                .gateway
                .dismiss(connection, false, pause, Close::CREATE_SESSION);
        }
    }
    false
}

fn start_allowed(state: &mut State, connection: u64) -> bool {
    let now = state.clock.now();
    state.gateway.starts.reset_after(now, &mut state.settings);
    if state.settings.remaining == 0 {
        let finding = Finding::error(
            "ws.session_limit",
            "no more sessions are started than session_start_limit.remaining says",
            "IDENTIFY although remaining is 0",
        );
        refuse(state, connection, finding, Close::CREATE_SESSION);
        return false;
    }
    if state.settings.identify_pace != IdentifyPace::Ignore
        && !state.gateway.starts.in_pace(now, &state.settings)
    {
        let finding = Finding::warn(
            "ws.identify_too_fast",
            "at most max_concurrency sessions are started in 5 seconds",
            "IDENTIFY came too early",
        );
        if state.settings.identify_pace == IdentifyPace::Refuse {
            refuse(state, connection, finding, Close::TOO_FAST);
            return false;
        }
        let actor = actor(state, connection);
        state.record(&actor, finding);
    }
    state.settings.remaining -= 1;
    true
}

/// Looks for another live connection with the same shard pair.
fn shard_free(state: &mut State, connection: u64, app_id: &str, shard: [u32; 2]) -> bool {
    let other = state.gateway.sessions.iter().find_map(|(number, session)| {
        let live = session
            .connection
            .and_then(|number| state.gateway.connections.get(&number))
            .is_some_and(super::Connection::is_live);
        (live && session.app_id == app_id && session.shard == shard)
            .then_some((*number, session.connection))
    });
    let Some((session, holder)) = other else {
        return true;
    };
    let actor = actor(state, connection);
    state.record(
        &actor,
        Finding::warn(
            "ws.duplicate_shard",
            "one connection per shard",
            format!("shard {shard:?} is already connected"),
        ),
    );
    if state.settings.duplicate_shard == DuplicateShard::Replace {
        state.gateway.end_session(session, Ended::Replaced);
        if let Some(holder) = holder {
            let now = state.clock.now();
            state.gateway.close(holder, Close::RESET_BY_RESUME, now);
        }
    }
    true
}

/// READY is the first frame after IDENTIFY and echoes the shard pair.
fn open(state: &mut State, connection: u64, app_id: String, wanted: &Wanted<'_>) {
    let now = state.clock.now();
    let id = state.call_ids.uuid();
    let user = state
        .world
        .bot(&app_id)
        .map(|bot| json!({"id": bot.id, "username": bot.name, "bot": true, "status": 1}));
    let Some(held) = state.gateway.connections.get(&connection) else {
        return;
    };
    let identity = Identity {
        id: id.clone(),
        app_id,
        shard: wanted.shard,
        intents: wanted.intents,
        client: held.client.clone(),
    };
    let mut session = Session::new(identity, connection, now);
    let seq = session.next_seq();
    let ready = json!({
        "version": 1,
        "session_id": id,
        "user": user,
        "shard": wanted.shard,
    });
    let number = state.gateway.next_number();
    state.gateway.sessions.insert(number, session);
    if let Some(held) = state.gateway.connections.get_mut(&connection) {
        held.session = Some(number);
        held.cursor = seq;
    }
    let frame = frames::dispatch("READY", None, seq, &frames::go_json(&ready));
    send(state, connection, Outgoing::Text(frame));
}
