//! What follows the end of a connection.

use std::time::{Duration, Instant};

use qq_model::gateway::CloseAction;

use super::fault::Fault;
use super::state::{Action, Report, State, Then};
use super::{KEEP_SESSION, Machine};
use crate::backoff::{between, later};
use crate::timeouts::Phase;

/// Connections in a row that may be lost between RESUME and RESUMED without an event having come. A RESUME
/// that is refused, or not answered in time, gives the session up at once.
const RESUME_ATTEMPTS: u32 = 2;

/// How a connection is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is gone, or was never there.
    Drop,
    /// Nobody answers: a word of farewell, no waiting.
    Abort,
    /// With a closing handshake.
    Close,
}

/// What has failed in a row.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Attempts since the last stable session.
    attempts: u32,
    resumes: u32,
    identifies: u32,
    tokens: u32,
}

impl Failures {
    /// A session is live. The attempts are forgotten only when it proves stable.
    pub(super) const fn live(&mut self) {
        self.resumes = 0;
        self.identifies = 0;
        self.tokens = 0;
    }
}

#[cfg(test)]
impl Failures {
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl Machine {
    /// A connection, or the attempt to get one, ends with this fault.
    pub(super) fn end(&mut self, fault: Fault, ending: Ending, now: Instant) {
        let phase = self.phase_of(fault, now);
        let action = self.count(fault, phase, now);
        self.heart.stop();
        if action == CloseAction::RefreshToken {
            self.actions.push_back(Action::RefuseToken);
        }
        if action == CloseAction::Stop {
            self.stop(fault, phase, ending);
            return;
        }
        if matches!(action, CloseAction::Identify | CloseAction::IdentifySlowly)
            && let Some(track) = &mut self.track
        {
            track.give_up();
        }
        let (delay, is_loud) = self.delay(fault, action);
        self.failures.attempts = self.failures.attempts.saturating_add(1);
        self.report(Report {
            fault,
            phase,
            retry_after: Some(delay),
            is_loud,
        });
        let until = later(now, delay);
        match ending {
            Ending::Close => self.start_closing(
                KEEP_SESSION,
                Then::Wait {
                    until,
                    cause: fault,
                },
                now,
            ),
            Ending::Abort | Ending::Drop => {
                self.leave(ending);
                self.state = State::Waiting {
                    until,
                    cause: fault,
                };
            }
        }
    }

    /// Our close frame goes out; `then` follows the server's.
    pub(super) fn start_closing(&mut self, code: u16, then: Then, now: Instant) {
        self.heart.stop();
        self.actions.push_back(Action::Close(code));
        self.state = State::Closing {
            deadline: later(now, self.rules.timeouts.close),
            then,
        };
    }

    /// The closing handshake is over, one way or the other.
    pub(super) fn closing_ended(&mut self, then: Then, now: Instant) {
        self.actions.push_back(Action::Drop);
        self.state = match then {
            Then::Stop => State::Closed,
            Then::Wait { until, cause } => State::Waiting {
                until: until.max(now),
                cause,
            },
        };
    }

    fn stop(&mut self, fault: Fault, phase: Option<Phase>, ending: Ending) {
        // The closes that stop a shard end its session; refused credentials do not.
        if let Fault::Closed(code) = fault
            && code.action() == CloseAction::Stop
        {
            self.track = None;
        }
        self.report(Report {
            fault,
            phase,
            retry_after: None,
            is_loud: true,
        });
        self.leave(ending);
        self.state = State::Closed;
    }

    fn leave(&mut self, ending: Ending) {
        self.actions.push_back(match ending {
            Ending::Abort => Action::Abort(KEEP_SESSION),
            Ending::Drop | Ending::Close => Action::Drop,
        });
    }

    fn report(&mut self, report: Report) {
        self.actions.push_back(Action::Report(report));
    }

    fn phase_of(&self, fault: Fault, now: Instant) -> Option<Phase> {
        if fault == Fault::Timeout && self.heart.is_overdue(now) {
            return Some(Phase::Heartbeat);
        }
        self.state.phase()
    }

    /// Counts the failure, and says what it calls for in the light of the earlier ones.
    fn count(&mut self, fault: Fault, phase: Option<Phase>, now: Instant) -> CloseAction {
        let mut action = fault.action();
        match self.state {
            State::Ready { since }
                if now.saturating_duration_since(since) >= self.rules.backoff.stable =>
            {
                self.failures.attempts = 0;
            }
            State::Identifying { .. } => {
                self.failures.identifies = self.failures.identifies.saturating_add(1);
            }
            // A replay that made headway was not refused.
            State::Resuming {
                progress: false, ..
            } if action == CloseAction::Resume => {
                self.failures.resumes += 1;
                let is_refusal = match fault {
                    Fault::InvalidSession { .. } => true,
                    Fault::Timeout => phase == Some(Phase::Resumed),
                    _ => false,
                };
                if is_refusal || self.failures.resumes >= RESUME_ATTEMPTS {
                    action = CloseAction::Identify;
                }
            }
            State::Resuming { progress: true, .. } => self.failures.resumes = 0,
            _ => {}
        }
        if action == CloseAction::Identify {
            self.failures.resumes = 0;
        }
        if action == CloseAction::RefreshToken {
            self.failures.tokens += 1;
            if self.failures.tokens >= self.rules.backoff.token_refusals {
                self.actions.push_back(Action::RefuseToken);
                action = CloseAction::Stop;
            }
        }
        action
    }

    /// How long to wait, and whether that deserves attention.
    fn delay(&mut self, fault: Fault, action: CloseAction) -> (Duration, bool) {
        let backoff = self.rules.backoff;
        match (fault, action) {
            (Fault::Quota { reset_after }, _) => {
                let spread = between(Duration::ZERO, backoff.first, &mut self.rng);
                (reset_after.saturating_add(spread), true)
            }
            // The gateway is there and has answered: what follows is another question, not the same again.
            (Fault::Closed(_) | Fault::InvalidSession { .. }, CloseAction::Identify)
                if matches!(self.state, State::Resuming { .. }) =>
            {
                (backoff.soon(&mut self.rng), false)
            }
            (_, CloseAction::ResumeAfterPause) => (backoff.pause(&mut self.rng), false),
            (_, CloseAction::Resume | CloseAction::RefreshToken | CloseAction::Identify) => {
                if self.failures.identifies >= backoff.identify_refusals {
                    (backoff.slow(&mut self.rng), true)
                } else {
                    (backoff.delay(self.failures.attempts, &mut self.rng), false)
                }
            }
            // Unknown codes, and actions that this version does not know.
            _ => (backoff.slow(&mut self.rng), true),
        }
    }
}
