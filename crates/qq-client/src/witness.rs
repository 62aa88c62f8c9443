//! What the client sees of its own REST calls, whoever makes them: callbacks, managers, or the user through the api.

use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

use qq_http::{CallObserver, CallRefused, Error, OutgoingMessage, Request, Response, Route};
use qq_http::{Sent, Streamed};
use qq_model::id::UserOpenid;
use qq_model::message::Conversation;

use crate::shared::Shared;
use crate::stats::{SendKind, SendResult};

/// The observer of a client's api. It knows the client once that has been made.
#[derive(Default)]
pub(crate) struct Witness(OnceLock<Weak<Shared>>);

impl Witness {
    /// Tells this client from now on.
    pub(crate) fn tell(&self, shared: &Arc<Shared>) {
        // A client is made once, so the place is free.
        let _ = self.0.set(Arc::downgrade(shared));
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        self.0.get()?.upgrade()
    }
}

impl CallObserver for Witness {
    fn before(&self, request: &Request) -> Result<(), CallRefused> {
        if request.route() != Some(Route::PutInteraction) {
            return Ok(());
        }
        match self.shared() {
            Some(shared) => shared.replies.acks.claim(request.path()),
            None => Ok(()),
        }
    }

    fn after(&self, request: &Request, outcome: Result<&Response, &Error>) {
        let kind = match request.route() {
            Some(Route::PutInteraction) => SendKind::Ack,
            Some(
                Route::DeleteChannelMessage
                | Route::DeleteDmsMessage
                | Route::DeleteC2CMessage
                | Route::DeleteGroupMessage,
            ) => SendKind::Recall,
            _ => return,
        };
        let Some(shared) = self.shared() else {
            return;
        };
        if kind == SendKind::Ack {
            shared.replies.acks.settle(request.path(), outcome.err());
        }
        let result = outcome.map_or_else(SendResult::of_error, |_| SendResult::Sent);
        shared.counters.send(kind, result);
    }

    fn sent(&self, message: &OutgoingMessage<'_>, outcome: Result<&Sent, &Error>) {
        let Some(shared) = self.shared() else {
            return;
        };
        let kind = SendKind::of_message(message);
        let result = outcome.map_or_else(SendResult::of_error, |sent| SendResult::of(kind, sent));
        shared.counters.send(kind, result);
        if kind != SendKind::Typing {
            shared.note_send(result, outcome.err());
        }
        if let Ok(sent) = outcome
            && kind != SendKind::Typing
        {
            let (me, text) = (shared.user(), message.body.content());
            let knowledge = &shared.knowledge;
            knowledge.note_sent(me.as_deref(), message.conversation, text, sent);
        }
    }

    fn streamed(&self, user: &UserOpenid, text: &str, outcome: Result<&Streamed, &Error>) {
        let Some(shared) = self.shared() else {
            return;
        };
        match outcome {
            // Told by `sent`.
            Ok(streamed) if streamed.fallback.is_some() => return,
            Ok(streamed) => {
                let chat = Conversation::C2C(user.clone());
                let me = shared.user();
                let knowledge = &shared.knowledge;
                knowledge.note_streamed(me.as_deref(), &chat, text, streamed);
            }
            Err(_) => {}
        }
        let result = outcome.map_or_else(SendResult::of_error, |_| SendResult::Sent);
        shared.counters.send(SendKind::Stream, result);
        shared.note_send(result, outcome.err());
    }

    fn token(&self, outcome: Result<SystemTime, &Error>) {
        if let Some(shared) = self.shared() {
            shared.note_token(outcome.err());
        }
    }
}
