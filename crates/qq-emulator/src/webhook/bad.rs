//! Callbacks that a bot has to refuse.

use serde_json::json;

use super::attempt_limit;
use super::check::bot;
use super::request::{Call, Failure, Link, record, seconds};
use super::sign::Key;
use super::{actor, client};
use crate::gateway::go_json;
use crate::platform::Platform;
use crate::violations::Finding;
use crate::world::events::{self, Said};

/// How old a callback with an old time stamp is, in seconds.
const OLD: u64 = 3600;

/// What is wrong with a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corrupt {
    /// One bit of the signature.
    Signature,
    /// One letter of the body, after it was signed.
    Body,
    /// The time stamp, after it was signed.
    Timestamp,
    /// There is no signature.
    MissingSignature,
    /// Signed correctly, an hour ago.
    OldTimestamp,
    /// Signed correctly, in the name of a bot that does not exist.
    AppId,
}

impl Corrupt {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Signature,
        Self::Body,
        Self::Timestamp,
        Self::MissingSignature,
        Self::OldTimestamp,
        Self::AppId,
    ];

    /// The name in the control API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Body => "body",
            Self::Timestamp => "timestamp",
            Self::MissingSignature => "missing_signature",
            Self::OldTimestamp => "old_timestamp",
            Self::AppId => "appid",
        }
    }

    /// What a bot that takes it does wrong.
    fn finding(self) -> Finding {
        let message = format!("a callback with corrupt {:?} was taken", self.as_str());
        match self {
            Self::OldTimestamp => Finding::warn(
                "webhook.old_accepted",
                "a callback is fresh, or it may be a replay",
                message,
            ),
            Self::AppId => Finding::warn(
                "webhook.appid_accepted",
                "a callback is for a bot that is served here",
                message,
            ),
            _ => Finding::error(
                "webhook.forged_accepted",
                "the signature of a callback is verified over the time stamp and the raw body",
                message,
            ),
        }
    }
}

/// Sends a message event that is wrong in one way; gives the status answered.
///
/// # Errors
/// A sentence that names the field and the fix.
pub(crate) async fn send_bad(
    platform: &Platform,
    app_id: Option<&str>,
    corrupt: Corrupt,
) -> Result<u16, String> {
    let (call, limit) = platform.update_quietly(|state| {
        let (app_id, secret) = bot(state, app_id)?;
        let address = match state.webhooks.targets.get(&app_id) {
            Some(target) => target.address.clone(),
            None => {
                return Err(format!(
                    "app_id: {app_id} has no webhook; set one with POST webhook"
                ));
            }
        };
        let key = Key::new(&secret).ok_or("app_id: the bot's secret is empty")?;
        let author = state.world.users.first().ok_or("world: has no user")?;
        let said = Said {
            id: &state.call_ids.robot_message(),
            at: state.clock.now(),
            content: "forged",
            quote: None,
            attachments: &[],
            author,
        };
        let d = events::c2c(&said, &mut state.call_ids);
        let event = "C2C_MESSAGE_CREATE";
        let id = format!("{event}:{}", state.call_ids.hex(56));
        let body = go_json(&json!({"op": 0, "id": id, "d": d, "t": event}));
        let call = Call {
            address,
            app_id,
            body: body.into(),
            timestamp: String::new(),
            signature: None,
            trace_id: state.call_ids.hex(32),
        };
        Ok((spoil(call, &key, corrupt), attempt_limit(&state.settings)))
    })?;
    let client = client(&call.address);
    let outcome = Link::new().send(call.clone(), limit).await;
    platform.read(|state| record(state, &call, Some(corrupt), &outcome));
    match outcome {
        Ok(reply) => {
            if reply.status.is_success() {
                platform.update(|state| state.record(&actor(client), corrupt.finding()));
            }
            Ok(reply.status.as_u16())
        }
        Err(Failure::Timeout) => Err(format!("url: no answer within {} ms", limit.as_millis())),
        Err(Failure::Broken(why)) => Err(format!("url: no answer: {why}")),
    }
}

/// Signs the call and makes it wrong.
fn spoil(mut call: Call, key: &Key, corrupt: Corrupt) -> Call {
    let now = seconds();
    let signed_at = match corrupt {
        Corrupt::OldTimestamp => now.saturating_sub(OLD),
        _ => now,
    };
    call.timestamp = signed_at.to_string();
    let mut signature = key.sign([call.timestamp.as_bytes(), &call.body]);
    match corrupt {
        Corrupt::Signature => {
            let first = match signature.remove(0) {
                '0' => '1',
                _ => '0',
            };
            signature.insert(0, first);
        }
        Corrupt::Body => {
            let text = String::from_utf8_lossy(&call.body);
            call.body = text.replacen("forged", "forgeD", 1).into();
        }
        Corrupt::Timestamp => call.timestamp = (now + 1).to_string(),
        Corrupt::AppId => call.app_id.push('0'),
        Corrupt::MissingSignature | Corrupt::OldTimestamp => {}
    }
    call.signature = (corrupt != Corrupt::MissingSignature).then_some(signature);
    call
}
