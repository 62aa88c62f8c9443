//! The Authorization header.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use super::error::Refusal;
use super::token::Standing;
use crate::platform::State;
use crate::settings::BotStanding;
use crate::tables::Route;
use crate::violations::Finding;

const RULE: &str = "every call carries Authorization: QQBot <access token>";

/// The app id of the calling bot; empty for the one route that needs no token.
pub(super) fn check(
    state: &State,
    route: &Route,
    headers: &HeaderMap,
) -> Result<String, Box<Refusal>> {
    if route.id == "get_app_access_token" {
        return Ok(String::new());
    }
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Err(refuse(11_241).finding(Finding::error(
            "rest.auth.missing",
            RULE,
            "no Authorization header",
        )));
    };
    let Some(token) = header
        .to_str()
        .ok()
        .and_then(|header| header.strip_prefix("QQBot "))
    else {
        return Err(refuse(11_243).finding(Finding::error(
            "rest.auth.scheme",
            RULE,
            "the Authorization header does not begin with \"QQBot \"",
        )));
    };
    match state.tokens.standing(token.trim(), state.clock.now()) {
        Standing::Valid(app_id) => match state.settings.bot_standing {
            BotStanding::Good | BotStanding::TakenDown => Ok(app_id),
            BotStanding::Banned => Err(Refusal::code(11_265)),
            BotStanding::Cancelled => Err(Refusal::code(11_700)),
            BotStanding::AddressRefused => Err(refuse(11_298)),
        },
        // Revoked by hand: the client cannot have known.
        Standing::Revoked => Err(refuse(11_244)),
        Standing::Expired => Err(refuse(11_244).finding(Finding::warn(
            "rest.auth.expired",
            RULE,
            "the token has expired",
        ))),
        Standing::Unknown => Err(refuse(11_244).finding(Finding::error(
            "rest.auth.token",
            RULE,
            "the token was never issued",
        ))),
    }
}

fn refuse(code: i64) -> Box<Refusal> {
    Refusal::new(StatusCode::UNAUTHORIZED, code)
}
