//! Request headers in whatever form they come.

use std::collections::{BTreeMap, HashMap};

use http::HeaderMap;

/// The bot that a callback is for: its app id, decimal.
pub const APP_ID: &str = "x-bot-appid";
/// The signature of a callback: 128 hexadecimal digits.
pub const SIGNATURE: &str = "x-signature-ed25519";
/// When a callback was signed: seconds since 1970, decimal.
pub const TIMESTAMP: &str = "x-signature-timestamp";

/// Looks up a request header. Implemented for [`http::HeaderMap`], and for the lists of pairs and the maps that
/// function runtimes hand over.
///
/// ```
/// use qq_webhook::headers::{self, Headers};
///
/// let pairs = [("X-Bot-Appid", "102000000")];
/// assert_eq!(pairs.header(headers::APP_ID), Some(&b"102000000"[..]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read as request headers",
    note = "pass an `http::HeaderMap`, a slice of `(name, value)` pairs or a map of them"
)]
pub trait Headers {
    /// The first value of the header `name`, which is in lower case. Names compare without regard to case.
    fn header(&self, name: &str) -> Option<&[u8]>;
}

impl<H: Headers + ?Sized> Headers for &H {
    fn header(&self, name: &str) -> Option<&[u8]> {
        (**self).header(name)
    }
}

impl Headers for HeaderMap {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(http::HeaderValue::as_bytes)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn header(&self, name: &str) -> Option<&[u8]> {
        find(self.iter().map(|(name, value)| (name, value)), name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const LENGTH: usize> Headers for [(N, V); LENGTH] {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.as_slice().header(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.as_slice().header(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, S> Headers for HashMap<N, V, S> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        find(self.iter(), name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        find(self.iter(), name)
    }
}

fn find<'a, N, V>(mut pairs: impl Iterator<Item = (&'a N, &'a V)>, name: &str) -> Option<&'a [u8]>
where
    N: AsRef<str> + 'a,
    V: AsRef<[u8]> + 'a,
{
    pairs
        .find(|(found, _)| found.as_ref().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_without_regard_to_case() {
        let pairs = [
            ("Other".to_owned(), "1"),
            ("X-BOT-Appid".to_owned(), "2"),
            ("x-bot-appid".to_owned(), "3"),
        ];
        assert_eq!(pairs.header(APP_ID), Some(&b"2"[..]));
        assert_eq!(Vec::from(pairs.clone()).header(APP_ID), Some(&b"2"[..]));
        let pair = [("X-Bot-Appid", "7")];
        assert_eq!(HashMap::from(pair).header(APP_ID), Some(&b"7"[..]));
        assert_eq!(BTreeMap::from(pair).header(APP_ID), Some(&b"7"[..]));
        let mut map = HeaderMap::new();
        map.insert("X-Bot-Appid", http::HeaderValue::from_static("8"));
        assert_eq!(map.header(APP_ID), Some(&b"8"[..]));
        assert_eq!(map.header(SIGNATURE), None);
    }
}
