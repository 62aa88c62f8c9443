//! Showing that the bot is at work.

use std::sync::Arc;
use std::time::Duration;

use qq_model::message::Scene;
use qq_model::outgoing::{InputNotify, MAX_INPUT_SECONDS, MessageBody};
use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Context;
use crate::error::ErrorKind;
use crate::reply::{BotFuture, Class, Content, Sending, WhenClosed};

/// An indicator is renewed before it ends.
const RENEWAL: Duration = Duration::from_secs(50);

/// Shows that the bot is at work while it lives: [`Context::typing`].
#[derive(Debug)]
#[must_use = "the indicator is renewed for as long as this lives"]
pub struct Typing {
    _stop: Option<DropGuard>,
}

impl Context {
    /// Shows that the bot is at work, now and until what is returned is dropped. One-to-one chats only; elsewhere it
    /// does nothing.
    ///
    /// An indicator counts as an answer, so one is shown only while at least one answer is left besides it. It lasts
    /// a minute unless a message ends it. Failures are logged and nothing else: an answer does not depend on it.
    ///
    /// ```no_run
    /// # async fn think() -> String { String::new() }
    /// # async fn run(ctx: qq_client::Context) -> Result<(), qq_client::BotError> {
    /// let typing = ctx.typing();
    /// let answer = think().await;
    /// drop(typing);
    /// ctx.reply(answer).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn typing(&self) -> Typing {
        if !self.is_in(Scene::C2C) {
            return Typing { _stop: None };
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::warn!("a typing indicator needs a Tokio runtime");
            return Typing { _stop: None };
        };
        let stop = CancellationToken::new();
        let ctx = self.clone();
        let shown = stop.clone();
        runtime.spawn(async move {
            loop {
                // A call that has begun is seen to its end: nobody knows whether half of one arrived.
                match ctx.send_typing(MAX_INPUT_SECONDS).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        tracing::debug!(?error, "no typing indicator");
                        return;
                    }
                }
                if shown.run_until_cancelled(sleep(RENEWAL)).await.is_none() {
                    return;
                }
            }
        });
        Typing {
            _stop: Some(stop.drop_guard()),
        }
    }

    /// Shows once that the bot is at work, for so many seconds, at most [`MAX_INPUT_SECONDS`]; whether it is shown:
    /// not when it would take the last answer, and in one-to-one chats only. Elsewhere nothing is sent.
    ///
    /// # Errors
    ///
    /// As for [`reply`](Self::reply).
    #[must_use = "nothing is shown before it is awaited"]
    pub fn send_typing(&self, seconds: u32) -> BotFuture<bool> {
        let ctx = self.clone();
        Box::pin(async move {
            if !ctx.is_in(Scene::C2C) {
                return Ok(false);
            }
            let target = ctx.reply_target()?;
            let scene = target.conversation.clone();
            let notify = MessageBody::input_notify(InputNotify::typing(seconds));
            let (shared, opened) = (Arc::clone(ctx.shared()), ctx.origin.received_at);
            let mut sending = Sending::new(ctx, scene, Content::Body(Box::new(notify)));
            sending.class = Class::Typing;
            sending.spare = 1;
            let sent = sending.run(&shared.replies, target, opened, WhenClosed::Error);
            match sent.await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::ReplyClosed => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}
