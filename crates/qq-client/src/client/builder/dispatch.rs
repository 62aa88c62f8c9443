//! How events are dispatched.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use qq_model::{Event, EventKinds};

use super::ClientBuilder;
use crate::handlers::Call;
use crate::{BotError, Context, EventName, EventSource, OverflowPolicy, RawEvent};

impl<H> ClientBuilder<H> {
    /// Calls a closure for every event of this kind or name, with its JSON; see [`Client::on`](crate::Client::on).
    #[must_use]
    pub fn on<F, R>(mut self, event: impl Into<EventName>, f: F) -> Self
    where
        F: Fn(Context, RawEvent) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.closures.push(Call::raw(event.into(), f));
        self
    }

    /// Calls a closure for every event; see [`Client::on_typed`](crate::Client::on_typed).
    #[must_use]
    pub fn on_typed<F, R>(mut self, f: F) -> Self
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.closures.push(Call::typed(None, f));
        self
    }

    /// Calls a closure for every failure; see [`Client::on_error`](crate::Client::on_error).
    #[must_use]
    pub fn on_error<F, R>(mut self, f: F) -> Self
    where
        F: Fn(BotError) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.closures.push(Call::error(f));
        self
    }

    /// Takes events from a source of one's own, which is made anew for every start; may be called several times. The
    /// gateway is left alone unless [`gateway`](Self::gateway) switches it on again.
    ///
    /// ```no_run
    /// # use qq_client::{BotError, Client, EventSource};
    /// # fn build<S: EventSource>(token: qq_model::Token, subscribe: fn() -> S) -> Result<(), BotError> {
    /// let client = Client::builder(token, qq_model::Intents::empty()).event_source(subscribe).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn event_source<S: EventSource>(
        mut self,
        open: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        self.settings
            .sources
            .push(Arc::new(move || Box::new(open())));
        self.settings.has_gateway = false;
        self
    }

    /// Whether the gateway is used; it is, unless [`event_source`](Self::event_source) or `webhook` was called.
    #[must_use]
    pub const fn gateway(mut self, is_used: bool) -> Self {
        self.settings.has_gateway = is_used;
        self
    }

    /// Takes exactly the events of these kinds, besides READY, RESUMED and those that this version does not know. Others
    /// are dropped by their name, before they are decoded: neither handlers nor the cache nor collectors see them, and
    /// [`Stats::unwanted`](crate::Stats::unwanted) counts them.
    ///
    /// Unless said otherwise the client takes what somebody asks for at the moment, and drops the rest of what comes by
    /// gateway and webhook in the same way:
    ///
    /// * a callback of the [`EventHandler`](crate::EventHandler) that was written asks for its event. Exactly the callbacks
    ///   that were not written return a future without size, so an `async fn` always counts; a plain `fn` counts unless it
    ///   hands out the future of another handler's callback that was not written;
    /// * [`on`](Self::on) asks for its kind, [`on_kinds`](crate::Client::on_kinds) for its kinds, and
    ///   [`on_typed`](Self::on_typed) for everything, from the moment that they are added until they are removed;
    /// * the [`cache`](Self::cache) asks for what it learns from, so with the default cache little is dropped but audio,
    ///   forums and the like; collectors, [`WhenClosed::Queue`](crate::WhenClosed::Queue), the
    ///   [`quote_store`](Self::quote_store) and [`auto_ack`](Self::auto_ack) ask for what they need.
    ///
    /// ```
    /// use qq_client::Client;
    /// use qq_model::{EventKinds, Intents, Token};
    ///
    /// // Everything, wanted or not: what counts is to have seen it.
    /// let builder = Client::builder(Token::new("102000000", "secret"), Intents::all()).kinds(EventKinds::all());
    /// ```
    #[must_use]
    pub const fn kinds(mut self, kinds: EventKinds) -> Self {
        self.settings.dispatch.kinds = Some(kinds);
        self
    }

    /// How many events may wait or run at a time, 4096 unless said otherwise, at least 2. What happens to more is said by
    /// [`overflow`](Self::overflow).
    #[must_use]
    pub fn event_capacity(mut self, capacity: usize) -> Self {
        self.settings.dispatch.capacity = capacity.max(2);
        self
    }

    /// What happens to an event when as many wait or run as may: unless said otherwise it waits. The client then reads
    /// no further until one has been handled; heartbeats go on.
    #[must_use]
    pub const fn overflow(mut self, policy: OverflowPolicy) -> Self {
        self.settings.dispatch.overflow = policy;
        self
    }

    /// How many events of one conversation may wait or run at a time, at least 1; as many as of all unless said otherwise.
    #[must_use]
    pub fn conversation_capacity(mut self, capacity: usize) -> Self {
        self.settings.dispatch.conversation_capacity = Some(capacity.max(1));
        self
    }

    /// What happens to an event when as many of its conversation wait or run as may.
    ///
    /// With [`OverflowPolicy::Wait`], which is the default, such events share half of the places of
    /// [`event_capacity`](Self::event_capacity), and the other half is left to conversations that keep within their
    /// bound: those go on at once. Only when that half is full as well does the client read no further. A conversation
    /// that may be flooded for ever should rather drop.
    #[must_use]
    pub const fn conversation_overflow(mut self, policy: OverflowPolicy) -> Self {
        self.settings.dispatch.conversation_overflow = policy;
        self
    }

    /// How long a handler may take for one event; as long as it likes unless said otherwise. One that takes longer is
    /// ended where it waits and reported to [`EventHandler::error`](crate::EventHandler::error); the event counts as
    /// handled, and its conversation goes on.
    #[must_use]
    pub const fn handler_timeout(mut self, limit: Duration) -> Self {
        self.settings.dispatch.handler_timeout = Some(limit);
        self
    }
}
