//! The closures of a client.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use qq_model::{Event, EventKind, EventKinds};

use super::{EventName, RawEvent, Registration};
use crate::{BotError, Context};

type Called = Pin<Box<dyn Future<Output = ()> + Send>>;
type Raw = dyn Fn(Context, RawEvent) -> Called + Send + Sync;
type Typed = dyn Fn(Context, Arc<Event>) -> Called + Send + Sync;
type OnError = dyn Fn(BotError) -> Called + Send + Sync;

/// The closures of a client, in the order in which they were added.
pub(crate) struct Handlers {
    me: Weak<Self>,
    list: Mutex<List>,
    /// How many are for events, so that a client without any asks nobody.
    for_events: AtomicUsize,
    /// The kinds that they are for, one bit each.
    kinds: AtomicU64,
    /// Those of which they take the text.
    text_kinds: AtomicU64,
    /// Grows with every change.
    version: AtomicU64,
}

#[derive(Default)]
struct List {
    entries: Arc<Vec<Entry>>,
    next_id: u64,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    call: Call,
}

/// What to call, and for what.
#[derive(Clone)]
pub(crate) enum Call {
    Raw(EventName, Arc<Raw>),
    Typed(Option<EventKinds>, Arc<Typed>),
    Error(Arc<OnError>),
}

impl Call {
    pub(crate) fn raw<F, R>(name: EventName, f: F) -> Self
    where
        F: Fn(Context, RawEvent) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::Raw(name, Arc::new(move |ctx, raw| Box::pin(f(ctx, raw))))
    }

    pub(crate) fn typed<F, R>(kinds: Option<EventKinds>, f: F) -> Self
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::Typed(kinds, Arc::new(move |ctx, event| Box::pin(f(ctx, event))))
    }

    pub(crate) fn error<F, R>(f: F) -> Self
    where
        F: Fn(BotError) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::Error(Arc::new(move |error| Box::pin(f(error))))
    }

    /// The kinds that this is for. Events that this version does not know are handed to everybody.
    fn kinds(&self) -> EventKinds {
        match self {
            Self::Raw(EventName::Any, _) | Self::Typed(None, _) => EventKinds::all(),
            Self::Raw(EventName::Kind(kind), _) => EventKinds::none().with(*kind),
            Self::Typed(Some(kinds), _) => *kinds,
            Self::Raw(EventName::Other(_), _) | Self::Error(_) => EventKinds::none(),
        }
    }

    /// The kinds of which this takes the text.
    fn text_kinds(&self) -> EventKinds {
        match self {
            Self::Raw(..) => self.kinds(),
            Self::Typed(..) | Self::Error(_) => EventKinds::none(),
        }
    }

    /// Whether this is to be called for an event.
    fn wants(&self, event: &Event) -> bool {
        match self {
            Self::Raw(EventName::Any, _) | Self::Typed(None, _) => true,
            Self::Raw(EventName::Kind(kind), _) => event.kind() == Some(*kind),
            Self::Raw(EventName::Other(name), _) => {
                matches!(event, Event::Unknown { name: new, .. } if new == name)
            }
            Self::Typed(Some(kinds), _) => event.kind().is_some_and(|kind| kinds.contains(kind)),
            Self::Error(_) => false,
        }
    }
}

const fn bit(kind: EventKind) -> u64 {
    1 << kind as u32
}

fn bits(kinds: EventKinds) -> u64 {
    kinds.iter().fold(0, |bits, kind| bits | bit(kind))
}

impl Handlers {
    pub(crate) fn new(calls: impl IntoIterator<Item = Call>) -> Arc<Self> {
        let handlers = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            list: Mutex::default(),
            for_events: AtomicUsize::new(0),
            kinds: AtomicU64::new(0),
            text_kinds: AtomicU64::new(0),
            version: AtomicU64::new(0),
        });
        for call in calls {
            handlers.add(call);
        }
        handlers
    }

    /// Adds a closure behind those that are there.
    pub(crate) fn add(&self, call: Call) -> Registration {
        let mut list = self.lock();
        let id = list.next_id;
        list.next_id += 1;
        Arc::make_mut(&mut list.entries).push(Entry { id, call });
        self.count(&list);
        Registration::new(Weak::clone(&self.me), id)
    }

    pub(super) fn remove(&self, id: u64) -> bool {
        let mut list = self.lock();
        let Some(index) = list.entries.iter().position(|entry| entry.id == id) else {
            return false;
        };
        let removed = Arc::make_mut(&mut list.entries).remove(index);
        self.count(&list);
        drop(list);
        // What a closure holds may do anything when it is dropped.
        drop(removed);
        true
    }

    /// Whether there are closures for events.
    pub(crate) fn has_any(&self) -> bool {
        self.for_events.load(Ordering::Acquire) > 0
    }

    /// Another number after every change.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The kinds whose text some closure takes.
    pub(crate) fn text_kinds(&self) -> EventKinds {
        let bits = self.text_kinds.load(Ordering::Acquire);
        let kinds = EventKinds::all().iter();
        kinds.filter(|kind| bits & bit(*kind) != 0).collect()
    }

    /// Whether some closure takes the text of this kind.
    pub(crate) fn take_text(&self, kind: Option<EventKind>) -> bool {
        kind.is_some_and(|kind| self.text_kinds.load(Ordering::Acquire) & bit(kind) != 0)
    }

    /// The closures that this event is for.
    pub(crate) fn wanting(&self, event: &Event) -> Vec<Call> {
        let entries = Arc::clone(&self.lock().entries);
        let calls = entries.iter().map(|entry| &entry.call);
        calls.filter(|call| call.wants(event)).cloned().collect()
    }

    /// The closures that failures are told to.
    pub(crate) fn on_error(&self) -> Vec<Arc<OnError>> {
        let entries = Arc::clone(&self.lock().entries);
        let calls = entries.iter().filter_map(|entry| match &entry.call {
            Call::Error(call) => Some(Arc::clone(call)),
            _ => None,
        });
        calls.collect()
    }

    fn count(&self, list: &List) {
        let calls = list.entries.iter().map(|entry| &entry.call);
        let for_events = calls.filter(|call| !matches!(call, Call::Error(_))).count();
        self.for_events.store(for_events, Ordering::Release);
        let kinds = list.entries.iter().map(|entry| entry.call.kinds());
        let kinds = kinds.fold(0, |all, kinds| all | bits(kinds));
        self.kinds.store(kinds, Ordering::Release);
        let kinds = list.entries.iter().map(|entry| entry.call.text_kinds());
        let kinds = kinds.fold(0, |all, kinds| all | bits(kinds));
        self.text_kinds.store(kinds, Ordering::Release);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Whether a closure is for events of this kind.
    pub(crate) fn want(&self, kind: EventKind) -> bool {
        self.kinds.load(Ordering::Acquire) & bit(kind) != 0
    }

    /// The list is whole after every statement, so a panic elsewhere spoils nothing.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
