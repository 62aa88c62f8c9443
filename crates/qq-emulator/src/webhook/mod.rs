//! The platform's other transport: events as signed HTTP calls to the bot.
//!
//! [`Webhooks`] is the state and runs under the platform's lock; [`push`] is the task that moves
//! events from it to the bots.

mod address;
mod bad;
mod check;
mod push;
mod request;
mod sign;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Notify;

use crate::faults::Action;
use crate::gateway::go_json;
use crate::platform::{Actor, FOREVER, State};
use crate::settings::Settings;
use crate::violations::Finding;
use address::Address;

pub use bad::Corrupt;
pub(crate) use bad::send_bad;
pub(crate) use check::{check_address, set, set_once_it_answers};
pub(crate) use push::serve;

/// The addresses that bots have set, and what waits to be pushed to them.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    targets: BTreeMap<String, Target>,
    /// Wakes the pusher.
    notify: Arc<Notify>,
    generation: u64,
}

/// The address of one bot.
#[derive(Debug)]
struct Target {
    address: Address,
    /// Tells this address from an earlier one of the same bot.
    generation: u64,
    /// Set at the start of the emulator: a reset keeps it.
    from_start: bool,
    queue: VecDeque<Delivery>,
    /// An event that a fault pushes after the next one.
    held_back: Option<Delivery>,
    /// Attempts under way.
    flying: usize,
    /// Deliveries that wait for their next attempt.
    waiting: usize,
    delivered: u64,
    lost: u64,
}

/// One event on its way.
#[derive(Debug, Clone)]
struct Delivery {
    body: Bytes,
    event_id: Arc<str>,
    /// Attempts made.
    attempts: u32,
    /// The time stamp of the first attempt.
    timestamp: Option<String>,
    /// A pause before the first attempt.
    delay: Duration,
}

/// A bot's address; an entry of `GET webhook`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WebhookView {
    /// The bot's app id.
    pub app_id: String,
    /// The address.
    pub url: String,
    /// Events that wait, or are under way.
    pub queued: usize,
    /// Events acknowledged.
    pub delivered: u64,
    /// Events given up.
    pub lost: u64,
}

impl Webhooks {
    /// Whether the bot gets its events over a webhook.
    pub(crate) fn has(&self, app_id: &str) -> bool {
        self.targets.contains_key(app_id)
    }

    /// Whether any bot does.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The longest queue.
    pub(crate) fn backlog(&self) -> u64 {
        let longest = self.targets.values().map(Target::queued).max();
        longest.unwrap_or(0) as u64
    }

    pub(crate) fn view(&self) -> Vec<WebhookView> {
        let view = |(app_id, target): (&String, &Target)| WebhookView {
            app_id: app_id.clone(),
            url: target.address.to_string(),
            queued: target.queued(),
            delivered: target.delivered,
            lost: target.lost,
        };
        self.targets.iter().map(view).collect()
    }

    /// Forgets what waits, and every address that was not set at the start.
    pub(crate) fn reset(&mut self) {
        let kept: Vec<(String, Address)> = std::mem::take(&mut self.targets)
            .into_iter()
            .filter(|(_, target)| target.from_start)
            .map(|(app_id, target)| (app_id, target.address))
            .collect();
        for (app_id, address) in kept {
            self.insert(app_id, address, true);
        }
    }

    fn insert(&mut self, app_id: String, address: Address, from_start: bool) {
        self.generation += 1;
        let target = Target {
            address,
            generation: self.generation,
            from_start,
            queue: VecDeque::new(),
            held_back: None,
            flying: 0,
            waiting: 0,
            delivered: 0,
            lost: 0,
        };
        self.targets.insert(app_id, target);
    }

    fn remove(&mut self, app_id: &str) {
        self.targets.remove(app_id);
    }

    /// The target, unless its address has changed since.
    fn target(&mut self, app_id: &str, generation: u64) -> Option<&mut Target> {
        self.targets
            .get_mut(app_id)
            .filter(|target| target.generation == generation)
    }
}

impl Target {
    fn queued(&self) -> usize {
        self.queue.len() + self.flying + self.waiting + usize::from(self.held_back.is_some())
    }
}

/// Queues an event for every bot that has an address. `d` is the event's data as JSON.
pub(crate) fn offer(state: &mut State, name: &str, id: &str, d: &str) {
    let text = |text: &str| go_json(&text.into());
    let body = Bytes::from(format!(
        r#"{{"op":0,"id":{},"d":{d},"t":{}}}"#,
        text(id),
        text(name)
    ));
    let most = state.settings.webhook_queue;
    let mut full = Vec::new();
    for target in state.webhooks.targets.values_mut() {
        if target.queued() >= most {
            target.lost += 1;
            full.push(client(&target.address));
            continue;
        }
        let mut delivery = Delivery {
            body: body.clone(),
            event_id: id.into(),
            attempts: 0,
            timestamp: None,
            delay: Duration::ZERO,
        };
        let fault = state.faults.of_webhook(name);
        let before = match (&fault, target.held_back.take()) {
            // Two that are held back would only change places.
            (Some(fault), Some(held)) if fault.action == Action::Reorder => {
                target.queue.push_back(held);
                None
            }
            (_, held) => held,
        };
        if let Some(fault) = fault {
            delivery.delay = Duration::from_millis(fault.delay_ms).min(FOREVER);
            match fault.action {
                Action::Discard => {
                    target.lost += 1;
                    target.queue.extend(before);
                    continue;
                }
                Action::Duplicate => target.queue.push_back(delivery.clone()),
                Action::Reorder => {
                    target.held_back = Some(delivery);
                    continue;
                }
                Action::Malformed => delivery.body = body.slice(..body.len() / 2),
                Action::Frame { text } => delivery.body = text.into(),
                // The pause alone; the others are about calls and frames.
                _ => {}
            }
        }
        target.queue.push_back(delivery);
        target.queue.extend(before);
    }
    state.webhooks.notify.notify_one();
    for client in full {
        let finding = Finding::warn(
            "webhook.queue_full",
            "a callback is answered at once",
            format!("{most} events wait already; {id} is lost"),
        );
        state.record(&actor(client), finding);
    }
}

/// How a webhook is named in the violation log.
fn client(address: &Address) -> String {
    format!("webhook {}", address.place())
}

fn actor(client: String) -> Actor {
    Actor {
        client,
        ..Actor::default()
    }
}

/// The limits of one attempt.
fn attempt_limit(settings: &Settings) -> Duration {
    Duration::from_millis(settings.webhook_timeout)
}
