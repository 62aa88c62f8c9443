//! The platform's token endpoint: one token per bot, the same one until its last 60 seconds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{APP_ID, Received, Reply, SECRET};

pub(crate) const LIFETIME: Duration = Duration::from_secs(7200);
const OVERLAP: Duration = Duration::from_secs(60);

type Fault = Box<dyn FnMut() -> Option<Reply> + Send>;

#[derive(Clone, Default)]
pub(crate) struct TokenService(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    issued: Vec<(String, Instant)>,
    fault: Option<Fault>,
}

impl TokenService {
    /// Answers instead of the service, as long as it has an answer.
    pub(crate) fn fail(&self, fault: impl FnMut() -> Option<Reply> + Send + 'static) {
        self.0.lock().unwrap().fault = Some(Box::new(fault));
    }

    pub(crate) fn heal(&self) {
        self.0.lock().unwrap().fault = None;
    }

    /// Ends every token before its time.
    pub(crate) fn revoke(&self) {
        self.0.lock().unwrap().issued.clear();
    }

    /// How many different tokens there were.
    pub(crate) fn issued(&self) -> usize {
        self.0.lock().unwrap().issued.len()
    }

    /// Whether a request carries a token that is good now.
    pub(crate) fn accepts(&self, request: &Received) -> bool {
        let state = self.0.lock().unwrap();
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("QQBot "));
        let mut issued = state.issued.iter();
        token.is_some_and(|token| issued.any(|(own, end)| own == token && Instant::now() < *end))
    }

    pub(super) fn reply(&self, request: &Received) -> Reply {
        let mut state = self.0.lock().unwrap();
        assert_eq!(
            (request.method.as_str(), request.header("authorization")),
            ("POST", None)
        );
        assert_eq!(
            request.json(),
            json!({"appId": APP_ID, "clientSecret": SECRET})
        );
        if let Some(reply) = state.fault.as_mut().and_then(|fault| fault()) {
            return reply;
        }
        let now = Instant::now();
        let left = |end: Instant| end.saturating_duration_since(now);
        if state
            .issued
            .last()
            .is_none_or(|(_, end)| left(*end) <= OVERLAP)
        {
            let token = format!("canary-token-{}", fastrand::u64(..));
            state.issued.push((token, now + LIFETIME));
        }
        let (token, end) = state.issued.last().unwrap();
        Reply::json(
            200,
            &json!({"access_token": token, "expires_in": left(*end).as_secs().to_string()}),
        )
    }
}
