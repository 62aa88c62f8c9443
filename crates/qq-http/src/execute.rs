//! One call from beginning to end: token, attempts, answer, all before one deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use qq_model::{AccessToken, ApiError, BearerToken};
use qq_transport::ProxyError;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use crate::client::Inner;
use crate::error::{DUPLICATE, Error, Reach, Redactor, why_unreadable};
use crate::request::{Repeat, Request};
use crate::response::{Response, may_report};
use crate::sent::waits_for_audit;
use crate::token::{Acquired, Flight, is_final};
use crate::transport::{Answer, Progress};

/// No deadline is farther away; a sum of times cannot overflow then.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes a call.
pub(crate) async fn call(
    client: &Inner,
    request: &Request,
    timeout: Duration,
) -> Result<Response, Error> {
    let label = request.label();
    let span =
        tracing::debug_span!("qq.http.request", method = %label.method, route = label.template);
    let mut run = Run {
        client,
        request,
        deadline: Instant::now() + timeout.min(FOREVER),
        made: 0,
        is_ambiguous: false,
        last: None,
    };
    async {
        let outcome = run.attempts().await;
        outcome.map_err(|error| run.finish(error))
    }
    .instrument(span)
    .await
}

struct Run<'a> {
    client: &'a Inner,
    request: &'a Request,
    deadline: Instant,
    /// How many requests were made.
    made: u32,
    /// Whether one of them may have been done although it failed.
    is_ambiguous: bool,
    /// Why the last attempt failed.
    last: Option<Error>,
}

impl Run<'_> {
    /// Attempts until one succeeds, no other would help, or the deadline comes. Whatever waits here waits until the
    /// deadline at most: for a token, for a turn, for an answer, and between attempts.
    async fn attempts(&mut self) -> Result<Response, Error> {
        let client = self.client;
        let (mut failures, mut was_renewed) = (0, false);
        loop {
            let Acquired {
                token,
                authorization,
                renewal,
            } = match client.tokens.acquire(self.deadline).await {
                Ok(acquired) => acquired,
                Err(error) => {
                    failures += 1;
                    // The next fetch waits for its turn by itself.
                    let is_setting = error
                        .proxy_error()
                        .is_some_and(ProxyError::is_configuration);
                    let is_late = Instant::now() >= self.deadline;
                    if is_final(&error) || is_setting || is_late || failures >= client.retry.most()
                    {
                        return Err(error);
                    }
                    continue;
                }
            };
            let mut permit = match client.limiter.permit(self.request, self.deadline).await {
                Ok(permit) => permit,
                // A request was made, and its failure says more.
                Err(error) => return Err(self.last.take().unwrap_or(error)),
            };
            let request = client.prepare(self.request, authorization)?;
            self.made += 1;
            permit.send();
            let outcome = self
                .exchange(request, renewal, failures)
                .await
                .and_then(|answer| self.judge(answer, &token));
            permit.end(outcome.as_ref().err());
            let error = match outcome {
                Ok(response) => {
                    client.purse.earn();
                    return Ok(response);
                }
                Err(error) => error,
            };
            self.note(&error);
            self.is_ambiguous |= error.reach() == Reach::Unknown;
            let is_refusal = error.refuses_token() && !was_renewed;
            let wait = if is_refusal {
                was_renewed = true;
                client.tokens.refused(&token);
                Duration::ZERO
            } else {
                failures += 1;
                match client
                    .retry
                    .wait(&error, self.request.repeatable(), failures)
                {
                    Some(wait) => wait,
                    None => return self.give_up(error),
                }
            };
            if Instant::now() + wait >= self.deadline {
                return Err(error);
            }
            // A refused token is nobody's outage, and is replaced for all calls at once.
            if !is_refusal && !client.purse.spend() {
                tracing::debug!(
                    attempt = self.made,
                    "not repeated: the retry budget is used up"
                );
                return self.give_up(error.without_retry_budget());
            }
            self.last = Some(error);
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
    }

    /// One request and its answer, in time: before the deadline, and earlier where another attempt may follow.
    async fn exchange(
        &self,
        request: http::Request<Option<Bytes>>,
        renewal: Option<Flight>,
        failures: u32,
    ) -> Result<Answer, Error> {
        let client = self.client;
        let end = match client.retry.patience(self.request, failures) {
            Some(patience) => (Instant::now() + patience).min(self.deadline),
            None => self.deadline,
        };
        let mut progress = Progress::default();
        let exchange = timeout_at(end, client.transport.exchange(request, &mut progress));
        let outcome = match renewal {
            None => exchange.await,
            // A renewal that fails is noted by the manager; this call goes on with the token it has.
            Some(flight) => {
                let renewal = async { drop(client.tokens.follow(flight).await) };
                Box::pin(beside(renewal, exchange)).await
            }
        };
        outcome.unwrap_or_else(|_| Err(progress.timed_out()))
    }

    /// The end of the attempts. A repeat that is refused as a duplicate of an attempt that was refused itself says
    /// nothing new: the first refusal is why the message was not sent.
    fn give_up(&mut self, error: Error) -> Result<Response, Error> {
        match self.last.take() {
            Some(first) if error.has_code(DUPLICATE) && !self.is_ambiguous => Err(first),
            _ => Err(error),
        }
    }

    /// What an answer means. A failure is told by its code, which may come with status 200 too.
    fn judge(&self, answer: Answer, token: &BearerToken) -> Result<Response, Error> {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let redactor = Redactor(&[token.expose()]);
        let mut is_duplicate = false;
        if let Some(api) = api_error(&body) {
            if api.has_code(DUPLICATE)
                && self.is_ambiguous
                && self.request.repeatable() == Repeat::SameSequence
            {
                is_duplicate = true;
            } else if !waits_for_audit(&api) {
                return Err(Error::from_api(
                    status, &headers, &body, &api, redactor, false,
                ));
            }
        } else if !status.is_success() {
            // Without a code the platform's text and trace id still help.
            if let Some(api) = platform_text(&body) {
                return Err(Error::from_api(
                    status, &headers, &body, &api, redactor, false,
                ));
            }
            return Err(Error::from_http(status, &headers, &body, redactor, false));
        } else if self.request.repeatable() == Repeat::SameSequence
            && status != StatusCode::NO_CONTENT
            && !is_object(&body)
        {
            // Asked again, the platform says whether it has the message.
            let what = why_unreadable(&headers, &body, "it is no JSON object");
            return Err(Error::undecodable(what, status, &headers, &body, redactor));
        }
        let label = self.request.label();
        let response = Response {
            status,
            headers,
            body,
            label,
            attempts: self.made,
            is_duplicate,
            token: token.clone(),
        };
        tracing::debug!(
            attempt = self.made,
            status = status.as_u16(),
            trace_id = response.trace_id(),
            "answered"
        );
        Ok(response)
    }

    fn note(&self, error: &Error) {
        tracing::debug!(
            attempt = self.made,
            status = error.status().map(|status| status.as_u16()),
            code = error.err_code().or(error.code()),
            trace_id = error.trace_id(),
            kind = ?error.kind(),
            "failed"
        );
    }

    /// An error as the caller sees it: with the call it belongs to, and honest about what may have been done.
    fn finish(&self, error: Error) -> Error {
        let is_unknown = self.is_ambiguous || error.reach() == Reach::Unknown;
        let error = error
            .labelled_if_not(&self.request.label())
            .with_attempts(self.made);
        match self.request.repeatable() {
            Repeat::Unsent | Repeat::SameSequence if is_unknown => error.into_outcome_unknown(),
            _ => error,
        }
    }
}

/// The platform's own report of a failure, or of an audit, in a body.
fn api_error(body: &Bytes) -> Option<ApiError> {
    // Most answers have no code, and then need not be read twice.
    if !may_report(body) {
        return None;
    }
    serde_json::from_slice(body)
        .ok()
        .filter(|api: &ApiError| api.is_failure() || waits_for_audit(api))
}

/// A failure that the platform gave a text or a trace id, and no code.
fn platform_text(body: &Bytes) -> Option<ApiError> {
    serde_json::from_slice(body)
        .ok()
        .filter(|api: &ApiError| api.text().is_some() || api.trace_id.is_some())
}

/// Whether a body may be a JSON object, by its first and last character.
fn is_object(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), [b'{', .., b'}'])
}

/// Runs two futures until the second is done; the first is driven on the side.
async fn beside<T>(side: impl Future<Output = ()>, main: impl Future<Output = T>) -> T {
    let (mut side, mut main) = (pin!(side), pin!(main));
    let mut is_done = false;
    poll_fn(|cx| {
        is_done = is_done || side.as_mut().poll(cx).is_ready();
        main.as_mut().poll(cx)
    })
    .await
}
