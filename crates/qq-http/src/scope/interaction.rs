//! One interaction.

use qq_model::interaction::{InteractionAck, InteractionAckCode};

use super::at::At;
use crate::request::Call;
use crate::route::Route;

/// One interaction: [`HttpClient::interaction`](crate::HttpClient::interaction).
#[derive(Clone, Debug)]
pub struct InteractionScope(pub(super) At);

impl InteractionScope {
    /// Acknowledges it, once and within 3 seconds, or the button keeps spinning.
    ///
    /// ```no_run
    /// # async fn run(http: qq_http::HttpClient) -> Result<(), qq_http::Error> {
    /// use qq_model::interaction::InteractionAckCode;
    ///
    /// http.interaction("c7e1").ack(InteractionAckCode::Success).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn ack(&self, code: InteractionAckCode) -> Call<()> {
        self.ack_with(&InteractionAck::new(code))
    }

    /// Acknowledges it with more than a code; searches take that.
    pub fn ack_with(&self, ack: &InteractionAck) -> Call<()> {
        self.0.put(Route::PutInteraction, ack)
    }
}
