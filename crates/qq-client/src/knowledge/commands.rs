//! Frames of the user's own to the gateway.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_gateway::{SendError, ShardSender};
use qq_model::gateway::ShardId;
use tokio::time::Instant;

use crate::error::ErrorKind;
use crate::{BotError, ConnectionSession};

/// So many frames of the user's may go through one shard within [`WINDOW`]. The platform publishes no number;
/// this is what gateways of this kind allow, with room left for heartbeats.
const FRAMES: usize = 100;
/// See [`FRAMES`].
const WINDOW: Duration = Duration::from_secs(60);

/// The shards of a running client, as senders see them.
#[derive(Default)]
pub(crate) struct Gateways {
    shards: Mutex<Vec<Gate>>,
}

struct Gate {
    id: ShardId,
    sender: ShardSender,
    /// When the latest frames were sent.
    sent: VecDeque<Instant>,
}

impl Gateways {
    pub(crate) fn add(&self, id: ShardId, sender: ShardSender) {
        lock(&self.shards).push(Gate {
            id,
            sender,
            sent: VecDeque::new(),
        });
    }

    pub(crate) fn clear(&self) {
        lock(&self.shards).clear();
    }

    /// Sends a frame through the shards that have a session and that the test picks; how many those are.
    pub(crate) fn send(
        &self,
        frame: &str,
        live: &[ConnectionSession],
        picks: impl Fn(u32) -> bool,
    ) -> Result<usize, BotError> {
        check(frame)?;
        let now = Instant::now();
        let mut shards = lock(&self.shards);
        let mut chosen: Vec<&mut Gate> = shards
            .iter_mut()
            .filter(|gate| {
                let is_live = live
                    .iter()
                    .any(|session| session.shard_id == gate.id.index());
                is_live && picks(gate.id.index())
            })
            .collect();
        // All or none: a frame that one shard has no room for is sent by no shard.
        for gate in &mut chosen {
            gate.make_room(now)?;
        }
        for gate in &mut chosen {
            gate.sender
                .try_send(frame)
                .map_err(|error| refused(&error))?;
            gate.sent.push_back(now);
        }
        Ok(chosen.len())
    }
}

impl Gate {
    fn make_room(&mut self, now: Instant) -> Result<(), BotError> {
        while self
            .sent
            .front()
            .is_some_and(|sent| now.duration_since(*sent) >= WINDOW)
        {
            self.sent.pop_front();
        }
        if self.sent.len() < FRAMES {
            return Ok(());
        }
        Err(BotError::new(
            ErrorKind::RateLimited,
            format!(
                "shard {} was sent {FRAMES} frames within {} s: wait, then try again",
                self.id.index(),
                WINDOW.as_secs()
            ),
        ))
    }
}

/// A frame is a JSON object with a number `op`.
fn check(frame: &str) -> Result<(), BotError> {
    let invalid = |why: &str| {
        BotError::new(
            ErrorKind::InvalidRequest,
            format!("the frame {why}: send {{\"op\": ..., \"d\": ...}}"),
        )
    };
    let value: serde_json::Value =
        serde_json::from_str(frame).map_err(|error| invalid(&format!("is no JSON ({error})")))?;
    match value.get("op") {
        Some(op) if op.is_u64() => Ok(()),
        Some(_) => Err(invalid("has an op that is no number")),
        None => Err(invalid("has no op")),
    }
}

fn refused(error: &SendError) -> BotError {
    let kind = match error {
        SendError::TooLarge { .. } => ErrorKind::InvalidRequest,
        SendError::Full => ErrorKind::RateLimited,
        _ => ErrorKind::NotReady,
    };
    BotError::of(kind, *error)
}

/// What is guarded is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_with_an_op_pass() {
        assert!(check(r#"{"op":1,"d":null}"#).is_ok());
        for (frame, why) in [
            ("", "no JSON"),
            ("[]", "no op"),
            (r#"{"d":1}"#, "no op"),
            (r#"{"op":"1"}"#, "no number"),
        ] {
            let error = check(frame).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(why), "{frame}: {error}");
        }
    }
}
