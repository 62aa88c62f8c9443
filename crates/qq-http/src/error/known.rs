//! What the platform's code table says about a refusal.

use qq_model::error_code::{ErrorCategory, Retryable};
use qq_model::{Advice, ApiError, ErrorCode};

/// The pair of `msg_id` and `msg_seq` was used: an earlier attempt with the same pair arrived.
pub(crate) const DUPLICATE: i64 = 40_054_005;

/// What is known of a refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) meaning: &'static str,
    pub(crate) advice: Advice,
    pub(crate) retryable: Retryable,
}

impl Known {
    /// The first of a refusal's two numbers that says something.
    pub(crate) fn find(api: &ApiError, is_token_endpoint: bool) -> Option<Self> {
        let known = || {
            api.codes()
                .filter_map(|code| Self::of(ErrorCode(code), is_token_endpoint))
        };
        known()
            .find(|known| known.advice != Advice::Unknown)
            .or_else(|| known().next())
    }

    fn of(code: ErrorCode, is_token_endpoint: bool) -> Option<Self> {
        if is_token_endpoint {
            let other = code
                .other_meanings()
                .find(|(category, _)| *category == ErrorCategory::TokenEndpoint);
            if let Some((_, meaning)) = other {
                return Some(Self {
                    meaning,
                    advice: Advice::Configuration,
                    retryable: Retryable::No,
                });
            }
        }
        let info = code.info()?;
        Some(Self {
            meaning: plain(info.meaning),
            advice: info.advice,
            retryable: info.retryable,
        })
    }
}

/// Some numbers are newer names of others, and mean what those mean.
fn plain(meaning: &'static str) -> &'static str {
    let Some(twin) = meaning.strip_prefix("err_code twin of ") else {
        return meaning;
    };
    match twin.split_once(": ") {
        Some((_, own)) => own,
        None => twin
            .parse()
            .ok()
            .and_then(|code| ErrorCode(code).info())
            .map_or(meaning, |info| info.meaning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, is_token_endpoint: bool) -> Option<Known> {
        Known::find(&serde_json::from_str(json).unwrap(), is_token_endpoint)
    }

    #[test]
    fn a_number_means_what_its_endpoint_means() {
        let here = find(r#"{"code":10004}"#, true).unwrap();
        assert_eq!(
            (here.advice, here.retryable),
            (Advice::Configuration, Retryable::No)
        );
        assert_ne!(
            find(r#"{"code":10004}"#, false).unwrap().meaning,
            here.meaning
        );
        assert_eq!(
            find(r#"{"code":100016}"#, true).unwrap().advice,
            Advice::Configuration
        );
    }

    #[test]
    fn a_newer_number_means_what_the_older_one_means() {
        for (newer, older) in [(40_023_001, 100_017), (40_011_027, 11_244)] {
            let meaning = |code: i64| {
                find(&format!(r#"{{"code":{code}}}"#), false)
                    .unwrap()
                    .meaning
            };
            assert_eq!(meaning(newer), meaning(older));
        }
        let meaning = find(r#"{"err_code":40011028}"#, false).unwrap().meaning;
        assert_eq!(meaning, "user or group does not exist for this bot");
    }

    #[test]
    fn the_number_that_says_something_decides() {
        let known = find(r#"{"code":11244,"err_code":40011027}"#, false).unwrap();
        assert_eq!(known.advice, Advice::RefreshToken);
        assert!(find(r#"{"code":7,"err_code":8}"#, false).is_none());
        assert_eq!(
            find(&format!(r#"{{"err_code":{DUPLICATE}}}"#), false)
                .unwrap()
                .advice,
            Advice::Duplicate
        );
    }
}
