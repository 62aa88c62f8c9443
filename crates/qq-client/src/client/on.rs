//! Handlers that are closures.

use std::future::Future;
use std::sync::Arc;

use qq_model::{Event, EventKinds};

use super::{Client, ClientHandle};
use crate::handlers::Call;
use crate::{BotError, Context, EventName, RawEvent, Registration};

impl<H> Client<H> {
    /// Calls a closure for every event of this kind or name, with its JSON.
    ///
    /// Closures are called in the order in which they were added, one after another, then the callback of the
    /// [`EventHandler`](crate::EventHandler). One that panics or takes too long is reported, and the next one is called
    /// all the same. They may be added and removed at any time; [`Registration`] removes.
    ///
    /// ```no_run
    /// # use qq_client::Client;
    /// # fn run<H>(client: &Client<H>) {
    /// use qq_model::EventKind;
    ///
    /// client.on(EventKind::GroupAddRobot, |ctx, raw| async move {
    ///     println!("{}: {}", raw.name(), raw.json());
    /// });
    /// let of_tomorrow = client.on("SOMETHING_NEW", |_, raw| async move { println!("{}", raw.json()) });
    /// of_tomorrow.remove();
    /// # }
    /// ```
    pub fn on<F, R>(&self, event: impl Into<EventName>, f: F) -> Registration
    where
        F: Fn(Context, RawEvent) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::raw(event.into(), f))
    }

    /// Calls a closure for every event. The event is decoded once and shared.
    ///
    /// For the order of calls see [`on`](Self::on).
    ///
    /// ```no_run
    /// # use qq_client::Client;
    /// # fn run<H>(client: &Client<H>) {
    /// client.on_typed(|ctx, event| async move {
    ///     if let Some(message) = event.as_message() {
    ///         println!("{:?}", ctx.conversation());
    ///     }
    /// });
    /// # }
    /// ```
    pub fn on_typed<F, R>(&self, f: F) -> Registration
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::typed(None, f))
    }

    /// Calls a closure for every event of these kinds; otherwise like [`on_typed`](Self::on_typed).
    pub fn on_kinds<F, R>(&self, kinds: EventKinds, f: F) -> Registration
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::typed(Some(kinds), f))
    }

    /// Calls a closure for every failure that nobody else is told about; see
    /// [`EventHandler::error`](crate::EventHandler::error), which is called after it.
    pub fn on_error<F, R>(&self, f: F) -> Registration
    where
        F: Fn(BotError) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::error(f))
    }
}

impl ClientHandle {
    /// Like [`Client::on`], from anywhere: a handler may add handlers.
    pub fn on<F, R>(&self, event: impl Into<EventName>, f: F) -> Registration
    where
        F: Fn(Context, RawEvent) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::raw(event.into(), f))
    }

    /// Like [`Client::on_typed`], from anywhere.
    pub fn on_typed<F, R>(&self, f: F) -> Registration
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::typed(None, f))
    }

    /// Like [`Client::on_kinds`], from anywhere.
    pub fn on_kinds<F, R>(&self, kinds: EventKinds, f: F) -> Registration
    where
        F: Fn(Context, Arc<Event>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::typed(Some(kinds), f))
    }

    /// Like [`Client::on_error`], from anywhere.
    pub fn on_error<F, R>(&self, f: F) -> Registration
    where
        F: Fn(BotError) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.shared.handlers.add(Call::error(f))
    }
}
