//! Access tokens: one per bot, renewed in the last minute of its life.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use super::Call;
use crate::clock::Millis;
use crate::platform::State;
use crate::settings::BotStanding;
use crate::tables;
use crate::violations::Finding;

/// Before its end by this much, a token is no longer given out.
const OVERLAP: Millis = 60_000;
/// Tokens remembered after their end, to tell an expired one from an invented one.
const MEMORY: usize = 1024;

/// All tokens issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_value: HashMap<String, Token>,
    order: VecDeque<String>,
    current: HashMap<String, String>,
    asked: VecDeque<Millis>,
}

#[derive(Debug)]
struct Token {
    app_id: String,
    expires_at: Millis,
    revoked: bool,
}

/// What a token is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Good, for the bot with this app id.
    Valid(String),
    /// Its time is over.
    Expired,
    /// Made worthless before its time.
    Revoked,
    /// Never issued.
    Unknown,
}

impl Tokens {
    pub(crate) fn standing(&self, token: &str, now: Millis) -> Standing {
        match self.by_value.get(token) {
            None => Standing::Unknown,
            Some(token) if token.revoked => Standing::Revoked,
            Some(token) if token.expires_at <= now => Standing::Expired,
            Some(token) => Standing::Valid(token.app_id.clone()),
        }
    }

    /// Makes every token worthless; the next request gets a new one.
    pub(crate) fn revoke_all(&mut self) -> usize {
        self.current.clear();
        let mut revoked = 0;
        for token in self.by_value.values_mut() {
            revoked += usize::from(!token.revoked);
            token.revoked = true;
        }
        revoked
    }

    fn add(&mut self, app_id: &str, value: String, expires_at: Millis) {
        self.current.insert(app_id.to_owned(), value.clone());
        self.order.push_back(value.clone());
        self.by_value.insert(
            value,
            Token {
                app_id: app_id.to_owned(),
                expires_at,
                revoked: false,
            },
        );
        while self.order.len() > MEMORY {
            if let Some(oldest) = self.order.pop_front() {
                self.by_value.remove(&oldest);
            }
        }
    }

    /// The token that is given out now, with its end.
    fn current(&self, app_id: &str, now: Millis) -> Option<(&str, Millis)> {
        let value = self.current.get(app_id)?;
        let expires_at = self.by_value.get(value)?.expires_at;
        (expires_at > now.saturating_add(OVERLAP)).then_some((value, expires_at))
    }

    fn too_many(&mut self, now: Millis, most: u32) -> bool {
        while self
            .asked
            .front()
            .is_some_and(|at| now.saturating_sub(*at) >= 60_000)
        {
            self.asked.pop_front();
        }
        if most > 0 && self.asked.len() >= most as usize {
            return true;
        }
        self.asked.push_back(now);
        false
    }
}

/// `POST /app/getAppAccessToken`. Refusals come with status 200, too.
pub(super) fn issue(state: &mut State, call: &Call, findings: &mut Vec<Finding>) -> Value {
    let now = state.clock.now();
    if state
        .tokens
        .too_many(now, state.settings.token_requests_per_minute)
    {
        findings.push(Finding::warn(
            "token.too_fast",
            "a token is asked for once in its life",
            "too many token requests within a minute",
        ));
        return refusal(100_001);
    }
    let app_id = match authenticate(state, call) {
        Ok(app_id) => app_id,
        Err((code, finding)) => {
            findings.push(finding);
            return refusal(code);
        }
    };
    if let BotStanding::Banned | BotStanding::Cancelled = state.settings.bot_standing {
        return refusal(100_007);
    }
    let (value, expires_at) = match state.tokens.current(&app_id, now) {
        Some((value, expires_at)) => (value.to_owned(), expires_at),
        None => {
            let value = state.call_ids.access_token();
            let expires_at = now.saturating_add(state.settings.token_life);
            state.tokens.add(&app_id, value.clone(), expires_at);
            (value, expires_at)
        }
    };
    let left = expires_at.saturating_sub(now) / 1000;
    let expires_in = if state.settings.expires_in_as_number {
        json!(left)
    } else {
        json!(left.to_string())
    };
    json!({"access_token": value, "expires_in": expires_in})
}

fn authenticate(state: &State, call: &Call) -> Result<String, (i64, Finding)> {
    const RULE: &str = "the body is {\"appId\": string, \"clientSecret\": string}";
    let body = match call.body.value() {
        Ok(body) => body,
        Err(why) => return Err((100_007, Finding::error("token.body", RULE, why))),
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let Some(app_id) = text("appId") else {
        let finding = Finding::error("token.body", RULE, "appId is missing or not a string");
        return Err((100_007, finding));
    };
    let Some(secret) = text("clientSecret") else {
        let finding = Finding::error(
            "token.body",
            RULE,
            "clientSecret is missing or not a string",
        );
        return Err((100_016, finding));
    };
    let Some(bot) = state.world.bot(app_id) else {
        let finding = Finding::error(
            "token.app_id",
            "appId is a bot's",
            format!("there is no bot with app id {app_id:?}"),
        );
        return Err((100_007, finding));
    };
    if bot.secret != secret {
        let finding = Finding::error(
            "token.secret",
            "clientSecret is the bot's",
            format!("wrong secret for app id {app_id:?}"),
        );
        return Err((100_016, finding));
    }
    Ok(bot.app_id.clone())
}

fn refusal(code: i64) -> Value {
    json!({"code": code, "message": tables::meaning(code)})
}
