//! One line for people: what happened, to which call, with which numbers, and what to do.

use std::error::Error as StdError;
use std::fmt;

use qq_model::Advice;

use super::{Error, ErrorKind};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if inner.kind == ErrorKind::OutcomeUnknown {
            f.write_str("it is unknown whether this was done: ")?;
        }
        f.write_str(self.what())?;
        if let (Some(known), Some(message)) = (inner.known, &inner.message)
            && known.meaning != &**message
        {
            write!(f, " ({message})")?;
        }
        match &inner.call {
            Some(call) => write!(f, " [{} {}", call.method, call.template)?,
            // Nothing was asked of the platform, and what to do is said.
            None if inner.status.is_none()
                && matches!(self.advice(), Advice::Unknown | Advice::InvalidRequest) =>
            {
                return Ok(());
            }
            None => f.write_str(" [no call")?,
        }
        if let Some(status) = inner.status {
            write!(f, ", status {}", status.as_u16())?;
        }
        if let Some(code) = inner.code.or(inner.err_code) {
            write!(f, ", code {code}")?;
        }
        if let (Some(_), Some(err_code)) = (
            inner.code,
            inner.err_code.filter(|code| inner.code != Some(*code)),
        ) {
            write!(f, "/{err_code}")?;
        }
        if let Some(trace_id) = &inner.trace_id {
            write!(f, ", trace {trace_id}")?;
        }
        if inner.attempts > 1 {
            write!(f, ", {} attempts", inner.attempts)?;
        }
        if inner.lacks_budget {
            f.write_str(", retry budget used up")?;
        }
        f.write_str("]: ")?;
        match inner.kind {
            ErrorKind::OutcomeUnknown => f.write_str(
                "repeat it only if twice does no harm, or with the same msg_id and msg_seq",
            ),
            // The advice of these is that of the platform's own failures elsewhere.
            ErrorKind::Network if self.is_retryable() => f.write_str(
                "nothing was done; see whether the network, a proxy and the address are right, and try again",
            ),
            ErrorKind::Timeout => f.write_str("nothing was done; try again, or with more time"),
            _ => f.write_str(self.advice().text()),
        }?;
        match inner.retry_after {
            Some(after) if self.is_retryable() => {
                write!(f, " (in {} s)", after.as_secs_f32().ceil())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("what", &inner.what)
            .field("call", &inner.call)
            .field("status", &inner.status)
            .field("code", &inner.code)
            .field("err_code", &inner.err_code)
            .field("message", &inner.message)
            .field("trace_id", &inner.trace_id)
            .field("retry_after", &inner.retry_after)
            .field("raw_body", &inner.raw_body)
            .field("attempts", &inner.attempts)
            .field("advice", &self.advice())
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
