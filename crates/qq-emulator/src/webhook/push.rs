//! The task that pushes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::request::{Call, Failure, Link, Reply, record, seconds};
use super::sign::Key;
use super::{Delivery, actor, attempt_limit, client};
use crate::platform::{FOREVER, Platform, State};
use crate::server::Guard;
use crate::settings::RetryTimestamp;
use crate::violations::Finding;

/// An attempt: which target it belongs to, and what is delivered.
struct Attempt {
    app_id: String,
    generation: u64,
    delivery: Delivery,
    /// What was sent, where a recording wants to know.
    sent: Option<Call>,
}

type Flying = FuturesUnordered<BoxFuture<'static, (Attempt, Result<Reply, Failure>)>>;
type Waiting = FuturesUnordered<BoxFuture<'static, Attempt>>;

/// Pushes until the platform stops.
pub(crate) async fn serve(platform: Arc<Platform>, _guard: Guard) {
    let link = Link::new();
    let notify = platform.read(|state| Arc::clone(&state.webhooks.notify));
    let mut stopping = platform.stopping();
    let (mut flying, mut waiting) = (Flying::new(), Waiting::new());
    loop {
        platform.update_quietly(|state| launch(state, &link, &flying));
        tokio::select! {
            () = stopping.requested() => return,
            () = notify.notified() => {}
            Some((attempt, outcome)) = flying.next() => {
                let again = platform.update(|state| settle(state, attempt, outcome));
                waiting.extend(again);
            }
            Some(attempt) = waiting.next() => {
                platform.update_quietly(|state| requeue(state, attempt));
            }
        }
    }
}

/// Starts what may be started.
fn launch(state: &mut State, link: &Link, flying: &Flying) {
    let settings = &state.settings;
    let limit = attempt_limit(settings);
    for (app_id, target) in &mut state.webhooks.targets {
        if target.queue.is_empty() || target.flying >= settings.webhook_parallel {
            continue;
        }
        let Some(key) = state
            .world
            .bot(app_id)
            .and_then(|bot| Key::new(&bot.secret))
        else {
            // Nothing can be signed for a bot that the world has no longer.
            target.queue.clear();
            continue;
        };
        while target.flying < settings.webhook_parallel {
            let Some(mut delivery) = target.queue.pop_front() else {
                break;
            };
            target.flying += 1;
            // A repeated push waits no more.
            let delay = std::mem::take(&mut delivery.delay);
            delivery.attempts += 1;
            let first = delivery
                .timestamp
                .get_or_insert_with(|| seconds().to_string());
            let timestamp = match settings.webhook_retry_timestamp {
                RetryTimestamp::Fresh => seconds().to_string(),
                RetryTimestamp::First => first.clone(),
            };
            let call = Call {
                address: target.address.clone(),
                app_id: app_id.clone(),
                body: delivery.body.clone(),
                signature: Some(key.sign([timestamp.as_bytes(), &delivery.body])),
                timestamp,
                trace_id: state.call_ids.hex(32),
            };
            let attempt = Attempt {
                app_id: app_id.clone(),
                generation: target.generation,
                delivery,
                sent: state.recorder.is_some().then(|| call.clone()),
            };
            let link = link.clone();
            flying.push(Box::pin(async move {
                if delay > Duration::ZERO {
                    tokio::time::sleep(delay).await;
                }
                let outcome = link.send(call, limit).await;
                (attempt, outcome)
            }));
        }
    }
}

/// Writes down how an attempt went; gives what waits for the next one.
fn settle(
    state: &mut State,
    attempt: Attempt,
    outcome: Result<Reply, Failure>,
) -> Option<BoxFuture<'static, Attempt>> {
    if let Some(call) = &attempt.sent {
        record(state, call, None, &outcome);
    }
    let limit = attempt_limit(&state.settings);
    let verdict = judge(outcome, state.settings.webhook_empty_ack, limit);
    let most = state.settings.webhook_attempts;
    let pause = Duration::from_millis(state.settings.webhook_retry_ms).min(FOREVER);
    let target = state.webhooks.target(&attempt.app_id, attempt.generation)?;
    target.flying -= 1;
    let actor = actor(client(&target.address));
    let given_up = !verdict.acknowledged && attempt.delivery.attempts >= most;
    if verdict.acknowledged {
        target.delivered += 1;
    } else if given_up {
        target.lost += 1;
    } else {
        target.waiting += 1;
    }
    let id = Arc::clone(&attempt.delivery.event_id);
    if let Some(mut finding) = verdict.finding {
        finding.message = format!(
            "{id}, attempt {}: {}",
            attempt.delivery.attempts, finding.message
        );
        state.record(&actor, finding);
    }
    if given_up {
        let finding = Finding::warn(
            "webhook.lost",
            "an event is acknowledged in one of the attempts",
            format!("{id} was not acknowledged in {most} attempts and is lost"),
        );
        state.record(&actor, finding);
    }
    if verdict.acknowledged || given_up {
        return None;
    }
    Some(Box::pin(async move {
        tokio::time::sleep(pause).await;
        attempt
    }))
}

/// Puts an attempt that has waited before everything else.
fn requeue(state: &mut State, attempt: Attempt) {
    let Attempt {
        app_id,
        generation,
        delivery,
        ..
    } = attempt;
    if let Some(target) = state.webhooks.target(&app_id, generation) {
        target.waiting -= 1;
        target.queue.push_front(delivery);
    }
}

struct Verdict {
    acknowledged: bool,
    finding: Option<Finding>,
}

fn judge(outcome: Result<Reply, Failure>, empty_ack: bool, limit: Duration) -> Verdict {
    const RULE: &str = "a callback is answered with 200 and {\"op\":12,\"d\":0}";
    let refused = |code, message: String| Verdict {
        acknowledged: false,
        finding: Some(Finding::error(code, RULE, message)),
    };
    let taken = |finding| Verdict {
        acknowledged: true,
        finding,
    };
    let reply = match outcome {
        Ok(reply) => reply,
        Err(Failure::Timeout) => {
            let message = format!("no answer within {} ms", limit.as_millis());
            return refused("webhook.timeout", message);
        }
        Err(Failure::Broken(why)) => return refused("webhook.unreachable", why),
    };
    if !reply.status.is_success() {
        return refused(
            "webhook.status",
            format!("status {}", reply.status.as_u16()),
        );
    }
    if reply.body.is_empty() {
        let finding = Finding::info("webhook.ack_empty", RULE, "an empty body");
        return Verdict {
            acknowledged: empty_ack,
            finding: Some(finding),
        };
    }
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match (answer["op"].as_i64(), &answer["d"]) {
        (Some(12), d) if d.as_i64() == Some(0) => taken(None),
        (Some(12), d) if d.as_i64().is_some() => Verdict {
            acknowledged: false,
            finding: Some(Finding::info(
                "webhook.ack_failure",
                RULE,
                "the bot reports that it could not take the event",
            )),
        },
        _ => taken(Some(Finding::warn(
            "webhook.ack_form",
            RULE,
            "another body, which the platform tolerates",
        ))),
    }
}
