//! From a request to its answer.

mod claim;
mod validation;

use bytes::Bytes;
use http::{Method, Response};
use qq_model::EventKind;
use qq_model::gateway::{Envelope, OpCode};

pub use self::claim::Claim;
use crate::answer;
use crate::error::{Error, ErrorKind};
use crate::event::{RawEvent, WebhookEvent};
use crate::headers::Headers;
use crate::replay::{Claimed, Fingerprint};
use crate::verifier::{Head, Verifier};

/// What [`Verifier::handle`] made of a request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Handled {
    /// The answer. Send it before the event is worked on: the platform sends the event again when it waits too long.
    pub response: Response<Bytes>,
    /// The event, if the request brought one that has not been taken before.
    pub event: Option<WebhookEvent>,
    /// Why the request was refused, for the log.
    pub error: Option<Error>,
}

/// What [`Verifier::receive`] made of a request.
#[derive(Debug)]
pub enum Received {
    /// An address check, a heartbeat, a repeated or unwanted event: all there is to do is to send this answer.
    Answered(Response<Bytes>),
    /// An event that has not been taken before. The [`Claim`] gives the answer.
    Event(RawEvent, Claim),
}

impl Verifier {
    /// Does everything for one request. The event counts as taken.
    ///
    /// Without I/O and without a runtime, so it fits into any function that gets a request and returns an answer:
    ///
    /// ```
    /// use http::Method;
    /// use qq_webhook::Verifier;
    /// use qq_model::Token;
    ///
    /// let verifier = Verifier::new(&Token::new("102000000", "DG5g3B4j9X2KOErG"))?;
    /// let headers = [("X-Bot-Appid", "102000000"), ("X-Signature-Timestamp", "1725442341")];
    /// let handled = verifier.handle(&Method::POST, &headers, r#"{"op":0,"t":"FRIEND_ADD","d":{}}"#);
    /// assert_eq!(handled.response.status(), 401);
    /// assert!(handled.event.is_none());
    /// # Ok::<(), qq_webhook::BuildError>(())
    /// ```
    ///
    /// Repeated events are known by the memory of this process alone. Where each request meets a fresh process, the
    /// ids of taken events belong into a store that all of them share; see [`receive`](Self::receive).
    pub fn handle<H: Headers + ?Sized>(
        &self,
        method: &Method,
        headers: &H,
        body: impl Into<Bytes>,
    ) -> Handled {
        match self.receive(method, headers, body) {
            Ok(Received::Answered(response)) => Handled {
                response,
                event: None,
                error: None,
            },
            Ok(Received::Event(event, claim)) => Handled {
                response: claim.accept(),
                event: Some(event.decode()),
                error: None,
            },
            Err(error) => Handled {
                response: error.response(),
                event: None,
                error: Some(error),
            },
        }
    }

    /// Does everything for one request, but leaves it to the caller whether an event counts as taken: first make it
    /// durable, then [`Claim::accept`]; or [`Claim::refuse`], and the platform sends it again.
    ///
    /// # Errors
    ///
    /// Those of [`verify`](Self::verify), [`ErrorKind::MethodNotAllowed`],
    /// [`MalformedBody`](ErrorKind::MalformedBody), [`RefusedValidation`](ErrorKind::RefusedValidation) and
    /// [`InProgress`](ErrorKind::InProgress). All are counted. Send [`Error::response`].
    pub fn receive<H: Headers + ?Sized>(
        &self,
        method: &Method,
        headers: &H,
        body: impl Into<Bytes>,
    ) -> Result<Received, Error> {
        let head = self.begin(method, headers)?;
        self.finish(&head, &body.into())
    }

    /// The part that needs no body.
    pub(crate) fn begin<H: Headers + ?Sized>(
        &self,
        method: &Method,
        headers: &H,
    ) -> Result<Head, Error> {
        self.counted(if method == Method::POST {
            self.head(headers)
        } else {
            Err(ErrorKind::MethodNotAllowed)
        })
    }

    /// The part that needs it.
    pub(crate) fn finish(&self, head: &Head, body: &Bytes) -> Result<Received, Error> {
        self.counted(self.read(head, body))
    }

    fn read(&self, head: &Head, body: &Bytes) -> Result<Received, Error> {
        let keys = self.authenticate(head, body)?;
        let text = std::str::from_utf8(body)
            .map_err(|error| Error::with_source(ErrorKind::MalformedBody, error))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let envelope = Envelope::scan(text)
            .map_err(|error| Error::with_source(ErrorKind::MalformedBody, error))?;
        let counters = &self.shared().counters;
        let (counter, response) = match envelope.op {
            OpCode::Dispatch => return self.event(head, body, text, &envelope),
            OpCode::HttpCallbackValidation => (
                &counters.validations,
                validation::answer(keys, envelope.data)?,
            ),
            OpCode::Heartbeat => (
                &counters.heartbeats,
                answer::heartbeat(envelope.data.parse().ok()),
            ),
            _ => (&counters.ignored, answer::success()),
        };
        counter.add(1);
        Ok(Received::Answered(response))
    }

    fn event(
        &self,
        head: &Head,
        body: &Bytes,
        text: &str,
        envelope: &Envelope<'_>,
    ) -> Result<Received, Error> {
        let shared = self.shared();
        let event = RawEvent::new(head.app_id.clone(), body, text, envelope).filter(|event| {
            event
                .name()
                .parse()
                .map_or(true, |kind: EventKind| shared.events.contains(kind))
        });
        let Some(event) = event else {
            shared.counters.ignored.add(1);
            return Ok(Received::Answered(answer::success()));
        };
        let app_id = head.app_id.text();
        let fingerprint = match event.id() {
            Some(id) => Fingerprint::of_id(&app_id, &id.text()),
            None => Fingerprint::of_signature(&app_id, head.signature.as_bytes()),
        };
        match shared.replay.claim(fingerprint, shared.now()) {
            Claimed::New => Ok(Received::Event(event, Claim::new(shared, fingerprint))),
            Claimed::InProgress => Err(ErrorKind::InProgress.into()),
            Claimed::Taken => {
                shared.counters.repeated.add(1);
                Ok(Received::Answered(answer::success()))
            }
        }
    }
}
