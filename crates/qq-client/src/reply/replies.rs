//! What all answers of a client share: the ledger, its store, those who wait, and who refuses unasked messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qq_http::HttpClient;
use qq_model::Event;
use qq_model::id::EventId;
use qq_model::message::Conversation;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::acks::Acks;
use super::is_numbered;
use super::keeper::Keeper;
use super::ledger::{Entry, Ledger};
use super::page::{Class, Outcome, Page, Place, Progress, Turn};
use super::refusal::Correction;
use super::reporter::Reporter;
use super::rules::Answered;
use super::settings::ReplySettings;
use super::target::ReplyTarget;
use super::waiting::{Chance, Waiting};
use crate::BotError;
use crate::dispatch::Delivery;

/// How long a chat that refused an unasked message is left alone, unless it says before that it takes them again.
const REFUSAL: Duration = Duration::from_secs(10 * 60);
/// How long no unasked message is sent to a chat whose quota is used up.
const USED_UP: Duration = Duration::from_secs(60);
/// How many chats that refuse unasked messages are remembered.
const REFUSALS: usize = 10_000;

/// The answers of one client.
pub(crate) struct Replies {
    pub(crate) settings: ReplySettings,
    pub(crate) keeper: Option<Keeper>,
    pub(crate) acks: Arc<Acks>,
    pub(crate) reporter: Reporter,
    /// Answers on their way.
    pub(crate) on_their_way: TaskTracker,
    ledger: Mutex<Ledger>,
    waiting: Waiting,
    /// Until when chats take no unasked messages.
    refusals: Mutex<HashMap<Conversation, Instant>>,
}

/// Something to answer, with the page of its answers.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) target: ReplyTarget,
    pub(crate) entry: Arc<Entry>,
    /// Whether this is the very event that is handled: then its answers come to the places that they had before.
    pub(crate) is_own: bool,
}

impl Replies {
    pub(crate) fn new(settings: &ReplySettings) -> Self {
        let reporter = Reporter::default();
        let keeper = settings
            .store
            .clone()
            .map(|store| Keeper::new(store, settings.store_timeout, reporter.clone()));
        Self {
            keeper,
            reporter,
            acks: Arc::new(Acks::new(settings.auto_ack)),
            on_their_way: TaskTracker::new(),
            ledger: Mutex::new(Ledger::new(settings.capacity)),
            waiting: Waiting::new(settings.queue_capacity, settings.queue_per_chat),
            refusals: Mutex::default(),
            settings: settings.clone(),
        }
    }

    /// When what came then can be answered no longer.
    pub(crate) fn closes_at(&self, target: &ReplyTarget, received_at: Instant) -> Option<Instant> {
        let answered = Answered::of(&target.reply_to);
        let rule = self
            .settings
            .rules
            .rule(target.conversation.scene(), answered);
        received_at.checked_add(rule.window)
    }

    /// The client runs: failures that nobody else is told about go there.
    pub(crate) fn start(&self, report: impl Fn(BotError) + Send + Sync + 'static) {
        self.reporter.set(Some(Box::new(report)));
        self.waiting.open();
    }

    /// No more events come: answers that wait for one end now; how many.
    pub(crate) fn give_up_waiting(&self) -> usize {
        self.waiting.close()
    }

    /// Waits for answers and acknowledgements that are on their way; how many answers still are at the deadline.
    pub(crate) async fn drain(&self, deadline: Instant) -> usize {
        let _ = timeout_at(deadline, self.acks.drain()).await;
        self.on_their_way.close();
        let _ = timeout_at(deadline, self.on_their_way.wait()).await;
        self.on_their_way.reopen();
        self.on_their_way.len()
    }

    /// The client has stopped.
    pub(crate) fn stop(&self) {
        self.acks.abort();
        self.reporter.set(None);
    }

    /// An event has come, before anybody handles it.
    pub(crate) fn observe(&self, delivery: &Delivery, api: &HttpClient) {
        self.acks.observe(delivery, api, &self.reporter);
        match &*delivery.event {
            Event::C2CMsgReject(switch) => {
                self.refuse(&Conversation::C2C(switch.openid.clone()), REFUSAL);
            }
            Event::GroupMsgReject(robot) => {
                self.refuse(&Conversation::Group(robot.group_openid.clone()), REFUSAL);
            }
            Event::C2CMsgReceive(switch) => {
                self.take_back(&Conversation::C2C(switch.openid.clone()));
            }
            Event::GroupMsgReceive(robot) => {
                self.take_back(&Conversation::Group(robot.group_openid.clone()));
            }
            _ => {}
        }
        if self.waiting.is_empty() {
            return;
        }
        let Some(target) = ReplyTarget::of(&delivery.event, delivery.event_id.as_ref()) else {
            return;
        };
        let rule = self
            .settings
            .rules
            .rule(target.conversation.scene(), Answered::of(&target.reply_to));
        // One answer is left to the event's own callback.
        let most = rule.budget.map_or(usize::MAX, |budget| {
            usize::try_from(budget.saturating_sub(1)).unwrap_or(usize::MAX)
        });
        self.waiting.offer(
            &Chance {
                target,
                received_at: delivery.received_at,
            },
            most,
        );
    }

    /// An event is about to be handled that was begun before, by this process or another: its answers come to the same
    /// places again.
    pub(crate) fn begin_again(&self, event: &Event, event_id: Option<&EventId>) {
        if self.keeper.is_some()
            && let Some(answered) = ReplyTarget::reply_to(event, event_id)
        {
            lock(&self.ledger).forget(&answered);
        }
    }

    /// What is there to answer this target with.
    pub(crate) fn desk(&self, target: ReplyTarget, opened: Instant, is_own: bool) -> Desk {
        let rule = self
            .settings
            .rules
            .rule(target.conversation.scene(), Answered::of(&target.reply_to));
        let is_numbered = is_numbered(&target.conversation);
        let entry = lock(&self.ledger).entry(&target.reply_to, Instant::now(), || {
            let page = Page::new(opened, rule, is_numbered);
            if self.keeper.is_some() {
                page
            } else {
                page.in_memory()
            }
        });
        Desk {
            target,
            entry,
            is_own,
        }
    }

    /// The turn of the next answer, which leaves `spare` others of the budget. Places are taken in the order in which
    /// this is polled first.
    pub(crate) async fn turn(&self, desk: &Desk, class: Class, spare: u32) -> Turn {
        let place = if desk.is_own {
            desk.entry.page().next_place(class)
        } else {
            usize::MAX
        };
        if let Some(keeper) = &self.keeper {
            keeper.load(&desk.target.reply_to, &desk.entry).await;
        }
        let turn = desk.entry.page().turn(class, place, spare, Instant::now());
        match (turn, &self.keeper) {
            (Turn::Open(mut place), Some(keeper)) if !place.is_resumed => {
                let slot = place.slot;
                let may_send = keeper
                    .save(&desk.target.reply_to, &desk.entry, Some(slot))
                    .await;
                if !may_send {
                    return Turn::Doubtful;
                }
                if let Some(number) = desk.entry.page().number(slot) {
                    place.number = number;
                }
                Turn::Open(place)
            }
            (turn, _) => turn,
        }
    }

    /// Notes that an answer goes out as something else than an answer to this, from the place that it had, if any.
    /// `is_sent`: it will be; otherwise it is not worth a call of the store.
    pub(crate) async fn elsewhere(
        &self,
        desk: &Desk,
        class: Class,
        place: Option<Place>,
        is_sent: bool,
    ) -> Place {
        let slot = match place {
            Some(place) => place.slot,
            None => desk.entry.page().elsewhere(class),
        };
        let place = Place {
            slot,
            number: 0,
            is_resumed: false,
        };
        if is_sent {
            self.note(desk, place, Progress::Begun).await;
        }
        place
    }

    /// Notes what became of an answer.
    pub(crate) async fn settle(&self, desk: &Desk, place: Place, outcome: Option<Outcome>) {
        let progress = match outcome {
            Some(outcome) => Progress::Sent(self.keeper.as_ref().map(|_| Box::new(outcome))),
            None => Progress::Refused,
        };
        self.note(desk, place, progress).await;
    }

    /// Notes how far an answer got.
    pub(crate) async fn note(&self, desk: &Desk, place: Place, progress: Progress) {
        let number = (place.number > 0).then_some(place.number);
        let is_news = desk.entry.page().settle(place.slot, number, progress);
        if is_news && let Some(keeper) = &self.keeper {
            keeper.save(&desk.target.reply_to, &desk.entry, None).await;
        }
    }

    /// Believes a refusal of an unasked message.
    pub(crate) fn correct_active(&self, conversation: &Conversation, correction: Correction) {
        match correction {
            Correction::NoActive => self.refuse(conversation, REFUSAL),
            Correction::ActiveUsedUp => self.refuse(conversation, USED_UP),
            Correction::NumberUsed | Correction::Closed(_) => {}
        }
    }

    /// Whether a chat takes no unasked messages for now.
    pub(crate) fn refuses_active(&self, conversation: &Conversation) -> bool {
        lock(&self.refusals)
            .get(conversation)
            .is_some_and(|until| Instant::now() < *until)
    }

    /// Waits for a next message of a chat; `None` when none came in time, or too many wait.
    pub(crate) async fn next_message(
        &self,
        conversation: &Conversation,
        deadline: Instant,
    ) -> Option<Chance> {
        let mut place = self.waiting.join(conversation)?;
        timeout_at(deadline, &mut place.chance).await.ok()?.ok()
    }

    /// Answers that wait for a next message.
    pub(crate) fn waiting_answers(&self) -> usize {
        self.waiting.len()
    }

    /// How often the store failed.
    pub(crate) fn store_failures(&self) -> u64 {
        self.keeper.as_ref().map_or(0, Keeper::failures)
    }

    fn refuse(&self, conversation: &Conversation, time: Duration) {
        let now = Instant::now();
        let mut refusals = lock(&self.refusals);
        if refusals.len() >= REFUSALS {
            refusals.retain(|_, until| *until > now);
        }
        if refusals.len() < REFUSALS {
            refusals.insert(conversation.clone(), now + time);
        }
    }

    fn take_back(&self, conversation: &Conversation) {
        lock(&self.refusals).remove(conversation);
    }
}

/// The locks here guard plain data that is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
