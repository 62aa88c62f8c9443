//! What a shard was built with.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use qq_model::event::EventKinds;
use qq_model::gateway::{Header, OpCode, ShardId};
use qq_model::{AccessToken, EventKind, Intents};
use qq_transport::{Connect, Endpoint, Tls};

use crate::machine::Fault;
use crate::{IdentifyQueue, Limits, ShardError};

/// A test on the frame of an event, before it is decoded.
pub(super) type Filter = dyn Fn(&Header<'_>, &str) -> bool + Send + Sync;

/// A test on the kind of an event.
pub(super) type WantedKinds = dyn Fn(EventKind) -> bool + Send + Sync;

pub(super) struct Config {
    pub(super) url: Box<str>,
    pub(super) endpoint: Endpoint,
    pub(super) token: Arc<dyn AccessToken>,
    pub(super) intents: Intents,
    pub(super) shard: ShardId,
    pub(super) connect: Arc<dyn Connect>,
    /// Filled on the first use: plain connections need none.
    pub(super) tls: OnceLock<Tls>,
    pub(super) queue: Arc<dyn IdentifyQueue>,
    pub(super) limits: Limits,
    /// `None`: all of them.
    pub(super) kinds: Option<EventKinds>,
    pub(super) kinds_when: Option<Box<WantedKinds>>,
    pub(super) keep_unknown: bool,
    pub(super) filter: Option<Box<Filter>>,
}

impl Config {
    /// Whether the consumer wants this frame, if it is an event. The others are the shard's own.
    pub(super) fn wants(&self, header: &mut Header<'_>, frame: &str) -> bool {
        let wants_all = self.kinds.is_none()
            && self.kinds_when.is_none()
            && self.keep_unknown
            && self.filter.is_none();
        if header.op != OpCode::Dispatch || wants_all {
            return true;
        }
        self.wants_event(header.kind(), header, frame)
    }

    /// The same of an event, whose kind is known if this version knows its name.
    pub(super) fn wants_event(
        &self,
        kind: Option<EventKind>,
        header: &mut Header<'_>,
        frame: &str,
    ) -> bool {
        let wanted = match kind {
            Some(EventKind::Ready | EventKind::Resumed) => return true,
            Some(kind) => {
                self.kinds.is_none_or(|kinds| kinds.contains(kind))
                    && self.kinds_when.as_ref().is_none_or(|wants| wants(kind))
            }
            None => self.keep_unknown,
        };
        wanted
            && self.filter.as_ref().is_none_or(|filter| {
                header.find_id();
                filter(header, frame)
            })
    }
}

/// Checks a gateway address. The token is sent there, so it must be encrypted unless it stays on this
/// machine or `allow_plain` says otherwise.
pub(super) fn check_address(url: &str, allow_plain: bool) -> Result<Endpoint, ShardError> {
    let endpoint = Endpoint::parse(url)
        .map_err(|error| ShardError::fatal(Fault::Address, None, Some(Box::new(error))))?;
    if !url.starts_with("ws") {
        return Err(ShardError::fatal(Fault::Address, None, None));
    }
    if !endpoint.is_encrypted() && !allow_plain && !is_loopback(endpoint.host()) {
        return Err(ShardError::fatal(Fault::PlainAddress, None, None));
    }
    Ok(endpoint)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardErrorKind;

    #[test]
    fn only_this_machine_may_be_spoken_to_in_plain() {
        for url in [
            "wss://gateway.example/websocket/",
            "ws://127.0.0.1:8787",
            "ws://[::1]:1/x",
            "ws://localhost:1",
        ] {
            assert!(check_address(url, false).is_ok(), "{url}");
        }
        for url in [
            "ws://gateway.example",
            "ws://10.0.0.1:80",
            "ws://localhost.evil.example",
            "ws://127.0.0.1.evil.example",
        ] {
            let error = check_address(url, false).unwrap_err();
            assert_eq!(error.kind(), ShardErrorKind::Configuration);
            assert!(error.to_string().contains("allow_plain"), "{error}");
            assert!(check_address(url, true).is_ok(), "{url}");
        }
        for url in ["https://gateway.example", "gateway.example", "", "wss://"] {
            assert!(check_address(url, true).is_err(), "{url}");
        }
    }
}
