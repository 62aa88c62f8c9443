//! The state machine of a stream: which frame goes out next, and what its answer means.

use std::collections::VecDeque;
use std::time::Duration;

use qq_model::error_code::Retryable;
use qq_model::outgoing::{
    MessageBody, MessageMarkdown, ReplyTo, StreamContentType, StreamMessage, StreamMessageRequest,
    StreamMessageResult,
};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Streamed;
use super::builder::{NextSeq, Occasion, StreamBuilder};
use super::error::StreamError;
use super::text::Text;
use crate::client::HttpClient;
use crate::error::{DUPLICATE, Error, ErrorKind, Reach};
use crate::request::Request;
use crate::sent::Sent;

/// The deadline of one frame: a slow answer does not mean that it was not shown.
const FRAME_TIMEOUT: Duration = Duration::from_secs(10);
/// More frames than this in a row that may not have arrived are not remembered.
const MOST_DOUBTFUL: usize = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Writer {
    http: HttpClient,
    request: Request,
    occasion: Occasion,
    content_type: StreamContentType,
    msg_seq: Option<u32>,
    next_msg_seq: Option<NextSeq>,
    throttle: Duration,
    finish_timeout: Duration,
    has_fallback: bool,
    user: qq_model::id::UserOpenid,
    pub(super) text: Text,
    frames: StreamMessage,
    shown: Shown,
    /// Whether the last frame of the current message may have arrived.
    may_be_over: bool,
    /// Frames that may not have arrived, since the last that did.
    doubtful: VecDeque<(StreamMessageRequest, usize)>,
    /// The next frame goes out then, or later.
    next_at: Option<Instant>,
    failures: u32,
    ids: Vec<Box<str>>,
    /// What each of the messages is quoted by.
    ref_idxs: Vec<Option<Box<str>>>,
    /// Where the frames are sent.
    runtime: Option<Handle>,
    last_error: Option<Error>,
    state: State,
}

/// Whether something of the current message is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    No,
    Maybe,
    Yes,
}

enum State {
    Open,
    /// Nothing was shown and nothing will be: the text gathers for a normal message.
    Fallback,
    /// It is over, for this reason if it did not end well.
    Over(Option<Error>),
}

/// Why a frame did not arrive.
enum Failure {
    /// The next frame may arrive.
    Transient(Error),
    /// No frame will.
    Final(Error),
    /// It began, and nobody knows its id.
    Lost(Error),
}

impl Writer {
    pub(super) fn new(builder: StreamBuilder, request: Request) -> Self {
        let StreamBuilder {
            http,
            user,
            occasion,
            content_type,
            msg_seq,
            next_msg_seq,
            throttle,
            finish_timeout,
            has_fallback,
        } = builder;
        // What the platform takes for an answer without number.
        let is_answer = matches!(occasion, Occasion::Reply(_));
        let msg_seq = msg_seq.or(is_answer.then_some(1));
        let frames = frames(&content_type, &occasion, msg_seq);
        Self {
            http,
            request,
            occasion,
            content_type,
            msg_seq,
            next_msg_seq,
            throttle,
            finish_timeout,
            has_fallback,
            user,
            text: Text::default(),
            frames,
            shown: Shown::No,
            may_be_over: false,
            doubtful: VecDeque::new(),
            next_at: None,
            failures: 0,
            ids: Vec::new(),
            ref_idxs: Vec::new(),
            runtime: None,
            last_error: None,
            state: State::Open,
        }
    }

    pub(super) const fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// The runtime that sent the first frame; none before.
    pub(super) fn runtime(&self) -> Option<Handle> {
        self.runtime.clone()
    }

    /// Whether text may be on the screen that the user's client will take back.
    pub(super) fn may_show(&self) -> bool {
        matches!(self.state, State::Open) && self.shown != Shown::No
    }

    pub(super) fn is_open(&self) -> Result<(), StreamError> {
        match &self.state {
            State::Over(Some(error)) => Err(error.clone().into()),
            State::Open | State::Fallback | State::Over(None) => Ok(()),
        }
    }

    /// Sends what has gathered, if it is time.
    pub(super) async fn advance(&mut self) -> Result<(), StreamError> {
        if self.next_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        self.send_news().await
    }

    /// Sends what has gathered, when it is time.
    pub(super) async fn flush(&mut self) -> Result<(), StreamError> {
        if matches!(self.state, State::Open) && self.text.has_news() {
            self.pause().await;
        }
        self.send_news().await
    }

    async fn send_news(&mut self) -> Result<(), StreamError> {
        if !matches!(self.state, State::Open) || !self.text.has_news() {
            return Ok(());
        }
        let end = self.text.fitting();
        let outcome = if end < self.text.end() {
            let deadline = Instant::now() + self.finish_timeout;
            // Frames of the further message follow with the next text.
            self.end_message(end, deadline)
                .await
                .map(|()| self.begin_further(end))
        } else {
            self.frame(end, false).await
        };
        match outcome {
            Ok(()) | Err(Failure::Transient(_)) => Ok(()),
            Err(failure) => self.give_up(failure).await,
        }
    }

    /// Ends the stream after a refusal, with what was shown so far; or keeps the text for a normal message.
    async fn give_up(&mut self, failure: Failure) -> Result<(), StreamError> {
        let error = match failure {
            Failure::Final(_)
                if self.shown == Shown::No && self.ids.is_empty() && self.has_fallback =>
            {
                self.state = State::Fallback;
                return Ok(());
            }
            Failure::Final(error) => {
                if self.shown != Shown::No {
                    let deadline = Instant::now() + self.finish_timeout;
                    // The first refusal is what the caller is told, whatever comes of this.
                    drop(self.end_message(self.text.reached(), deadline).await);
                }
                error
            }
            Failure::Transient(error) | Failure::Lost(error) => error,
        };
        self.state = State::Over(Some(error.clone()));
        self.tell(Err(&error));
        Err(error.into())
    }

    /// Sends the last frame.
    pub(super) async fn finish(&mut self) -> Result<Streamed, StreamError> {
        self.is_open()?;
        let deadline = Instant::now() + self.finish_timeout;
        let outcome = self.end(deadline).await;
        self.state = State::Over(outcome.as_ref().err().cloned());
        let streamed = outcome.map(|fallback| Streamed {
            ids: std::mem::take(&mut self.ids),
            ref_idxs: std::mem::take(&mut self.ref_idxs),
            fallback,
        });
        self.tell(streamed.as_ref());
        Ok(streamed?)
    }

    /// Tells the observer how it ended, unless there was nothing to send.
    fn tell(&self, outcome: Result<&Streamed, &Error>) {
        let text = self.text.whole();
        if !text.is_empty() {
            let observer = &self.http.inner().observer;
            observer.streamed(&self.user, text, outcome);
        }
    }

    async fn end(&mut self, deadline: Instant) -> Result<Option<Sent>, Error> {
        while matches!(self.state, State::Open) {
            let end = self.text.fitting();
            // Without text, or right after a message that took all of it, there is nothing to end.
            if self.text.message(end).is_empty() && self.shown == Shown::No {
                return Ok(None);
            }
            match self.end_message(end, deadline).await {
                Ok(()) if end == self.text.end() => return Ok(None),
                Ok(()) => self.begin_further(end),
                Err(Failure::Final(_))
                    if self.shown == Shown::No && self.ids.is_empty() && self.has_fallback =>
                {
                    self.state = State::Fallback;
                }
                Err(Failure::Transient(error) | Failure::Final(error) | Failure::Lost(error)) => {
                    return Err(error);
                }
            }
        }
        self.fall_back(deadline).await.map(Some)
    }

    /// The text as a normal message, which takes the number that the stream did not use.
    async fn fall_back(&mut self, deadline: Instant) -> Result<Sent, Error> {
        let whole = self.text.whole();
        let mut body = if self.content_type == StreamContentType::Markdown {
            MessageBody::markdown(MessageMarkdown::native(whole))
        } else {
            MessageBody::text(whole)
        };
        match &self.occasion {
            Occasion::Unasked => {}
            Occasion::Reply(target) => body = body.reply_to(target.clone()),
            Occasion::Wakeup => body = body.wakeup(),
        }
        if let Some(number) = self.msg_seq {
            body = body.msg_seq(number);
        }
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(FRAME_TIMEOUT);
        self.http
            .user(self.user.clone())
            .send(body)
            .timeout(left)
            .await
    }

    /// Sends the last frame of the current message until it arrives, is refused, or the deadline comes.
    async fn end_message(&mut self, end: usize, deadline: Instant) -> Result<(), Failure> {
        let attempts = async {
            loop {
                self.pause().await;
                match self.frame(end, true).await {
                    Err(Failure::Transient(_)) => {}
                    other => return other,
                }
            }
        };
        match timeout_at(deadline, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let error = self.last_error.clone().unwrap_or_else(|| {
                    Error::timed_out(Reach::Unsent, "the last frame did not arrive in time")
                        .labelled(&self.request.label())
                });
                Err(Failure::Transient(if self.may_be_over {
                    error.into_outcome_unknown()
                } else {
                    error
                }))
            }
        }
    }

    fn begin_further(&mut self, end: usize) {
        self.text.roll_over(end);
        self.shown = Shown::No;
        self.may_be_over = false;
        self.doubtful.clear();
        self.msg_seq = match (&mut self.next_msg_seq, self.msg_seq) {
            (Some(next), _) => Some(next()),
            (None, number) => number.map(|number| number.saturating_add(1)),
        };
        self.frames = frames(&self.content_type, &self.occasion, self.msg_seq);
    }

    async fn pause(&mut self) {
        if let Some(at) = self.next_at {
            sleep_until(at).await;
        }
    }

    /// One frame with the text up to there. Until its answer is there it counts as one that may have arrived, also
    /// when this future is dropped.
    async fn frame(&mut self, end: usize, is_last: bool) -> Result<(), Failure> {
        if self.frames.id().is_none() {
            if self.shown == Shown::Maybe && !self.is_numbered() {
                let error =
                    Error::network(Reach::Unknown, "the answer to the first frame was lost");
                let error = self.last_error.clone().unwrap_or(error);
                return Err(Failure::Lost(error.into_outcome_unknown()));
            }
            // A frame without the stream's id begins one, and the first number is 0.
            self.frames = frames(&self.content_type, &self.occasion, self.msg_seq);
        }
        let before = self.frames.clone();
        let text = self.text.message(end).to_owned();
        let frame = if is_last {
            self.frames.replace_last(text)
        } else {
            self.frames.replace(text)
        };
        let is_noted = self.frames.id().is_some() && self.doubtful.len() < MOST_DOUBTFUL;
        if is_noted {
            self.doubtful.push_back((frame.clone(), end));
        }
        let error = match self.transmit(&frame, end).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if error.is_outcome_unknown() {
            return Err(Failure::Transient(error));
        }
        // It is known not to have arrived, and its number is free.
        self.frames = before;
        if is_noted {
            self.doubtful.pop_back();
        }
        if may_pass(&error) {
            return Err(Failure::Transient(error));
        }
        if self.shown == Shown::Maybe && error.has_code(DUPLICATE) {
            return Err(Failure::Lost(error.into_outcome_unknown()));
        }
        if !self.doubtful.is_empty() {
            return self.repeat_doubtful(error, end, is_last).await;
        }
        if self.may_be_over {
            // The refusal may be due to an earlier last frame that did arrive.
            return Err(Failure::Final(error.into_outcome_unknown()));
        }
        Err(Failure::Final(error))
    }

    /// After a refusal that may be due to a gap in the numbers: sends the frames once more that may not have
    /// arrived, unchanged and with their own numbers, which does no harm where they did.
    async fn repeat_doubtful(
        &mut self,
        refusal: Error,
        end: usize,
        is_last: bool,
    ) -> Result<(), Failure> {
        let mut is_gap = false;
        while let Some((frame, reached)) = self.doubtful.front().cloned() {
            self.pause().await;
            match self.transmit(&frame, reached).await {
                Ok(()) if frame.is_last() && is_last && reached == end => return Ok(()),
                Ok(()) => is_gap = true,
                Err(error) if error.is_outcome_unknown() || may_pass(&error) => {
                    return Err(Failure::Transient(error));
                }
                Err(_) => drop(self.doubtful.pop_front()),
            }
        }
        if is_gap {
            return Err(Failure::Transient(refusal));
        }
        self.last_error = Some(refusal.clone());
        Err(Failure::Final(if self.may_be_over {
            refusal.into_outcome_unknown()
        } else {
            refusal
        }))
    }

    /// Sends a frame, and keeps count of what may be on the screen.
    async fn transmit(&mut self, frame: &StreamMessageRequest, end: usize) -> Result<(), Error> {
        self.runtime = self.runtime.take().or_else(|| Handle::try_current().ok());
        let request = self.request.clone().json(frame)?;
        let (shown, may_be_over) = (self.shown, self.may_be_over);
        let reached = self.text.reach(end);
        if self.shown == Shown::No {
            self.shown = Shown::Maybe;
        }
        self.may_be_over |= frame.is_last();
        self.next_at = Some(Instant::now() + self.throttle);
        let answer = self.http.run(&request, Some(FRAME_TIMEOUT)).await;
        let answer = answer.and_then(|response| {
            response
                .json::<StreamMessageResult>()
                .map_err(Error::into_outcome_unknown)
        });
        let error = match answer {
            Ok(result) => {
                // From the answer on: the call may have waited or been repeated before the platform saw it.
                self.next_at = Some(Instant::now() + self.throttle);
                self.took(frame, end, &result);
                return Ok(());
            }
            Err(error) => error,
        };
        self.failures = self.failures.saturating_add(1);
        self.next_at = Some(Instant::now() + self.backoff(&error));
        self.last_error = Some(error.clone());
        if !error.is_outcome_unknown() {
            // It is known not to have arrived.
            self.text.unreach(reached);
            (self.shown, self.may_be_over) = (shown, may_be_over);
        }
        Err(error)
    }

    fn took(&mut self, frame: &StreamMessageRequest, end: usize, result: &StreamMessageResult) {
        let is_new = self.frames.id().is_none();
        self.frames.taken(result);
        if let (true, Some(id)) = (is_new, self.frames.id()) {
            self.ids.push(id.into());
            self.ref_idxs.push(None);
        }
        let ref_idx = result
            .ext_info
            .as_ref()
            .and_then(|info| info.ref_idx.as_ref());
        if let (Some(ref_idx), Some(own)) = (ref_idx, self.ref_idxs.last_mut()) {
            *own = Some(ref_idx.clone());
        }
        self.text.accept(end, result.remain_msg_len);
        self.shown = Shown::Yes;
        self.failures = 0;
        self.last_error = None;
        self.doubtful
            .retain(|(doubtful, _)| doubtful.index() > frame.index());
    }

    /// Whether the platform refuses a second stream like this one.
    const fn is_numbered(&self) -> bool {
        matches!(self.occasion, Occasion::Reply(ReplyTo::Message(_))) && self.msg_seq.is_some()
    }

    /// The pause after a failure, which doubles with each.
    fn backoff(&self, error: &Error) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(8);
        let pause = self.throttle.saturating_mul(1 << doublings);
        let asked = error.retry_after().unwrap_or_default();
        pause.max(asked).min(LONGEST_PAUSE)
    }
}

fn frames(
    content_type: &StreamContentType,
    occasion: &Occasion,
    msg_seq: Option<u32>,
) -> StreamMessage {
    let mut frames = StreamMessage::new(content_type.clone());
    match occasion {
        Occasion::Unasked => {}
        Occasion::Reply(target) => frames = frames.reply_to(target.clone()),
        Occasion::Wakeup => frames = frames.wakeup(),
    }
    match msg_seq {
        Some(number) => frames.msg_seq(number),
        None => frames,
    }
}

/// Whether the next frame may arrive although this one did not.
fn may_pass(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited => true,
        ErrorKind::Http | ErrorKind::Api => {
            error
                .status()
                .is_some_and(|status| status.is_server_error())
                || matches!(
                    error.retryable(),
                    Some(Retryable::Yes | Retryable::AfterPause)
                )
        }
        _ => false,
    }
}
