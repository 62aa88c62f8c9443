//! What a bot does about events.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use qq_model::event::payload;
use qq_model::{Event, EventKind, EventKinds, event_table};

use crate::{BotError, Context};

/// The callback's own body where one event falls back to another's callback.
macro_rules! default_body {
    (at_message_create, $handler:ident, $ctx:ident, $payload:ident) => {
        $handler.message_create($ctx, $payload)
    };
    (group_at_message_create, $handler:ident, $ctx:ident, $payload:ident) => {
        $handler.group_message_create($ctx, $payload)
    };
    ($callback:ident, $handler:ident, $ctx:ident, $payload:ident) => {{
        let _ = ($ctx, $payload);
        Unwritten
    }};
}

/// What a callback does that was not written: nothing. It has no size, which a callback that was written cannot have: its
/// future holds what it was called with.
struct Unwritten;

const _: () = assert!(size_of::<Unwritten>() == 0);

impl Future for Unwritten {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// Whether a callback was written, by the size of its future. It is not called.
const fn is_written<'a, H: 'a, P, F: Future>(_: &impl FnOnce(&'a H, Context, P) -> F) -> bool {
    size_of::<F>() > 0
}

macro_rules! define_handler {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        /// What a bot does about events: a callback for each, all of them empty unless written.
        ///
        /// Callbacks of one conversation run one after another, in the order of the events; callbacks of different
        /// conversations run side by side. A callback may take as long as it likes: heartbeats and other
        /// conversations do not wait for it. One that panics is reported to [`error`](Self::error).
        ///
        /// Events of a kind that nobody asks for are not even decoded: a callback that is not written asks for nothing
        /// (see [`ClientBuilder::kinds`](crate::ClientBuilder::kinds)).
        ///
        /// Messages that mention the bot arrive at [`message_create`](Self::message_create) and
        /// [`group_message_create`](Self::group_message_create) together with the others, unless
        /// [`at_message_create`](Self::at_message_create) or
        /// [`group_at_message_create`](Self::group_at_message_create) is written.
        ///
        /// ```
        /// use qq_client::{Context, EventHandler};
        /// use qq_model::message::GroupMessage;
        ///
        /// struct PingBot;
        ///
        /// impl EventHandler for PingBot {
        ///     async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        ///         if message.text() == "!ping" {
        ///             let _ = ctx.reply("Pong!").await;
        ///         }
        ///     }
        /// }
        /// ```
        #[diagnostic::on_unimplemented(
            message = "`{Self}` handles no events",
            note = "write `impl EventHandler for {Self} {{}}` and the callbacks the bot needs as `async fn`"
        )]
        pub trait EventHandler: Send + Sync + 'static {
            $(
                $(#[$doc])*
                fn $callback(&self, ctx: Context, payload: payload::$payload) -> impl Future<Output = ()> + Send {
                    default_body!($callback, self, ctx, payload)
                }
            )*

            /// An event whose name this version does not know.
            fn unknown_event(&self, ctx: Context, event: UnknownEvent) -> impl Future<Output = ()> + Send {
                let _ = (ctx, event);
                async {}
            }

            /// A failure that nobody else is told about: a lost connection, an event that could not be read, a
            /// callback that panicked. Failures that end the bot come out of [`Client::start`](crate::Client::start).
            fn error(&self, error: BotError) -> impl Future<Output = ()> + Send {
                let _ = error;
                async {}
            }
        }

        /// The kinds of events that a handler has callbacks for.
        pub(crate) fn kinds_of<H: EventHandler>() -> EventKinds {
            let mut kinds = EventKinds::none();
            $(
                let callback = |handler, ctx, payload: payload::$payload| H::$callback(handler, ctx, payload);
                if is_written::<H, _, _>(&callback) {
                    kinds = kinds.with(EventKind::$variant);
                }
            )*
            kinds
        }

        /// Calls the callback of an event.
        pub(crate) fn call<H: EventHandler>(handler: &H, ctx: Context, event: Event) -> impl Future<Output = ()> + Send {
            async move {
                match event {
                    $(Event::$variant(payload) => handler.$callback(ctx, *payload).await,)*
                    Event::Unknown { name, raw } => handler.unknown_event(ctx, UnknownEvent { name, raw: raw.get().into() }).await,
                    Event::Undecodable { kind, error, .. } => handler.error(BotError::decode(kind, *error)).await,
                    // The table has a row for every known event, so nothing is left but events of a newer model.
                    other => handler.error(BotError::unhandled(other.name())).await,
                }
            }
        }
    };
}

event_table!(define_handler);

/// An event whose name this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// The name (`t`).
    pub name: Box<str>,
    /// The JSON text of the payload (`d`), as it came.
    pub raw: Box<str>,
}

/// Handles nothing.
impl EventHandler for () {}

#[cfg(test)]
mod tests {
    use qq_model::gateway::Ready;
    use qq_model::message::{C2CMessage, GroupMessage};

    use super::*;

    struct Written;

    impl EventHandler for Written {
        async fn ready(&self, _: Context, _: Ready) {}

        async fn group_message_create(&self, _: Context, _: GroupMessage) {}

        fn c2c_message_create(&self, _: Context, _: C2CMessage) -> impl Future<Output = ()> + Send {
            std::future::ready(())
        }
    }

    #[test]
    fn only_callbacks_that_were_written_ask_for_events() {
        assert_eq!(kinds_of::<()>(), EventKinds::none());
        let kinds: Vec<_> = kinds_of::<Written>().iter().collect();
        // The one falls back to the other.
        let mut expected = vec![
            EventKind::Ready,
            EventKind::GroupMessageCreate,
            EventKind::GroupAtMessageCreate,
            EventKind::C2CMessageCreate,
        ];
        expected.sort_by_key(|kind| *kind as usize);
        assert_eq!(kinds, expected);
    }
}
