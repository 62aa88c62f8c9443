//! Refusals, with the platform's codes.

use http::StatusCode;
use serde_json::{Value, json};

use crate::settings::ErrorBody;
use crate::tables;
use crate::violations::Finding;

/// The pairs of numbers that the live service uses for one failure.
const TWINS: [(i64, i64); 6] = [
    (11_244, 40_011_027),
    (11_255, 40_011_028),
    (11_298, 40_023_002),
    (100_017, 40_023_001),
    (850_026, 40_034_001),
    (850_019, 40_034_002),
];

/// A call that is not done.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: i64,
    message: Option<String>,
    pub(super) finding: Option<Finding>,
    data: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: i64) -> Box<Self> {
        Box::new(Self {
            status,
            code,
            message: None,
            finding: None,
            data: None,
        })
    }

    /// A business refusal: status 400 and the code's own text.
    pub(super) fn code(code: i64) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    pub(super) fn message(mut self: Box<Self>, message: impl Into<String>) -> Box<Self> {
        self.message = Some(message.into());
        self
    }

    pub(super) fn finding(mut self: Box<Self>, finding: Finding) -> Box<Self> {
        self.finding = Some(finding);
        self
    }

    /// What the error body carries beside its numbers.
    pub(super) fn data(mut self: Box<Self>, data: Value) -> Box<Self> {
        self.data = Some(data);
        self
    }

    /// An id that does not exist.
    pub(super) fn unknown(code: i64, what: &str, id: &str) -> Box<Self> {
        let why = format!("there is no {what} {id:?}");
        Self::code(code).message(why.clone()).finding(Finding::warn(
            "rest.unknown_id",
            "ids in paths exist",
            why,
        ))
    }

    /// A body or query with a value that is not allowed; `why` names the member and the fix.
    pub(super) fn value(code: i64, why: impl Into<String>) -> Box<Self> {
        let why = why.into();
        Self::code(code)
            .message(why.clone())
            .finding(Finding::error(
                "rest.value",
                "members have documented values",
                why,
            ))
    }

    /// The body was too large, too slow, or cut off.
    pub(super) fn unreadable_body() -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, 50_035)
            .message("the body could not be read")
            .finding(Finding::error(
                "rest.body.unreadable",
                "a body is complete, arrives within 30 s and has at most 16 MiB",
                "the body could not be read to its end",
            ))
    }

    pub(super) fn body(&self, trace_id: &str, form: ErrorBody) -> Value {
        let message = match &self.message {
            Some(message) => message.as_str(),
            None => tables::meaning(self.code),
        };
        let (code, err_code) = TWINS
            .into_iter()
            .find(|(code, err_code)| *code == self.code || *err_code == self.code)
            .unwrap_or((self.code, self.code));
        let mut body = match form {
            ErrorBody::Both => json!({
                "message": message, "code": code, "err_code": err_code, "trace_id": trace_id,
            }),
            ErrorBody::ErrCode => json!({
                "message": message, "err_code": err_code, "trace_id": trace_id,
            }),
        };
        if let Some(data) = &self.data {
            body["data"] = data.clone();
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_or_one() {
        let refusal = Refusal::code(11_244);
        let both = refusal.body("t", ErrorBody::Both);
        assert_eq!(both["code"], 11_244);
        assert_eq!(both["err_code"], 40_011_027);
        assert_eq!(both["message"], "token does not exist or has expired");
        assert_eq!(both["trace_id"], "t");
        let one = refusal.body("t", ErrorBody::ErrCode);
        assert!(one.get("code").is_none());
        assert_eq!(one["err_code"], 40_011_027);
        let plain = Refusal::code(40_054_005).body("t", ErrorBody::Both);
        assert_eq!(plain["code"], 40_054_005);
    }
}
