//! Acknowledging interactions.

use qq_http::CallRefused;
use qq_model::interaction::{InteractionAck, InteractionAckCode};

use super::Context;
use crate::BotError;
use crate::error::ErrorKind;
use crate::reply::AckHandle;

impl Context {
    /// Acknowledges the interaction at hand, so that the user's button stops spinning; whether this call did it:
    /// `false` when it was acknowledged before.
    ///
    /// The client acknowledges buttons and menu entries by itself, as a success, when their callbacks end, and half a
    /// second after they came at the latest ([`ClientBuilder::auto_ack`](crate::ClientBuilder::auto_ack)). A callback
    /// that wants to give another code calls this before, or [`take_ack`](Self::take_ack) if it needs longer. Through
    /// [`Context::api`](Context#structfield.api) it is the same acknowledgement: only the first goes out, and a second one
    /// is an error there.
    ///
    /// ```
    /// use qq_client::{Context, EventHandler};
    /// use qq_model::interaction::{Interaction, InteractionAckCode};
    ///
    /// struct Admins;
    ///
    /// impl EventHandler for Admins {
    ///     async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
    ///         if interaction.button_data() == Some("shut down") {
    ///             let _ = ctx.ack(InteractionAckCode::AdminOnly).await;
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] when the event at hand is no interaction, otherwise what the platform or the
    /// network said; then it can be tried again.
    pub async fn ack(&self, code: InteractionAckCode) -> Result<bool, BotError> {
        self.ack_with(&InteractionAck::new(code)).await
    }

    /// [`ack`](Self::ack) with more than a code.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack).
    pub async fn ack_with(&self, ack: &InteractionAck) -> Result<bool, BotError> {
        let Some(AckHandle(state)) = &self.origin.ack else {
            return Err(BotError::new(
                ErrorKind::InvalidRequest,
                "only interactions are acknowledged",
            ));
        };
        match self.api.interaction(state.id.clone()).ack_with(ack).await {
            Ok(()) => Ok(true),
            Err(error) if CallRefused::of(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves the acknowledgement of the interaction at hand to the callback, which has three seconds from the click;
    /// `false` when it was acknowledged already, or there is none.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn take_ack(&self) -> bool {
        self.origin
            .ack
            .as_ref()
            .is_some_and(|handle| handle.0.take())
    }
}
