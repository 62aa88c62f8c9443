//! The body of a refused REST call.

use crate::id::AuditId;

object! {
    /// The error body of every REST call.
    ///
    /// `code` and `err_code` are different numbers for the same failure; either may be missing.
    pub struct ApiError {
        /// The older number.
        pub code: Option<i64>,
        /// The newer number.
        pub err_code: Option<i64>,
        /// For people, in Chinese or English; never stable enough to decide on.
        pub message: Option<Box<str>>,
        /// The same as `message`, in some captures.
        pub err_msg: Option<Box<str>>,
        /// What the platform's support asks for.
        pub trace_id: Option<Box<str>>,
        /// Set for audits only.
        pub data: Option<Box<ApiErrorData>>,
        /// Seen by one SDK only.
        pub errors: Option<Box<serde_json::Value>>,
    }

    /// What an audit answer carries.
    pub struct ApiErrorData {
        /// The audit that the message waits for.
        pub message_audit: Option<MessageAuditRef>,
    }

    /// A message audit.
    pub struct MessageAuditRef {
        /// Which audit; the outcome is pushed with the same id.
        pub audit_id: AuditId,
    }
}

impl ApiError {
    /// Whether this body reports a failure at all: a number other than 0.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.codes().next().is_some()
    }

    /// Both numbers, the newer first, without zeros.
    pub fn codes(&self) -> impl Iterator<Item = i64> {
        [self.err_code, self.code]
            .into_iter()
            .flatten()
            .filter(|code| *code != 0)
    }

    /// Whether either number is this one.
    #[must_use]
    pub fn has_code(&self, code: i64) -> bool {
        self.codes().any(|own| own == code)
    }

    /// The text for people.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.message
            .as_deref()
            .or(self.err_msg.as_deref())
            .filter(|text| !text.is_empty())
    }

    /// The audit that a message waits for.
    #[must_use]
    pub fn audit_id(&self) -> Option<&AuditId> {
        self.data
            .as_ref()?
            .message_audit
            .as_ref()
            .map(|audit| &audit.audit_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_number_counts() {
        let error: ApiError =
            serde_json::from_str(r#"{"message":"x","code":11244,"err_code":40011027}"#).unwrap();
        assert!(error.has_code(11244) && error.has_code(40_011_027) && error.is_failure());
        let fine: ApiError = serde_json::from_str(r#"{"code":0,"message":"success"}"#).unwrap();
        assert!(!fine.is_failure());
    }

    #[test]
    fn an_audit_is_found() {
        let error: ApiError =
            serde_json::from_str(r#"{"code":304023,"data":{"message_audit":{"audit_id":"a-1"}}}"#)
                .unwrap();
        assert_eq!(error.audit_id().unwrap(), "a-1");
    }
}
