//! Where a bot wants its events.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// An address that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(Uri);

impl Address {
    /// Reads an address: `http`, a host, and, unless `any_host`, one of this machine.
    ///
    /// # Errors
    /// A sentence that names the field and the fix.
    pub(super) fn parse(url: &str, any_host: bool) -> Result<Self, String> {
        let uri: Uri = url
            .parse()
            .map_err(|why| format!("url: {url:?} is no address ({why})"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(
                    "url: the emulator calls http only; put TLS in front of the bot in production"
                        .into(),
                );
            }
            _ => {
                return Err(format!(
                    "url: give a whole address such as http://127.0.0.1:8080/callback, not {url:?}"
                ));
            }
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err("url: leave out the user and password".into());
        }
        let host = uri.host().unwrap_or_default();
        if host.is_empty() {
            return Err(format!("url: {url:?} has no host"));
        }
        if !any_host && !is_loopback(host) {
            return Err(format!(
                "url: {host} is not this machine; use 127.0.0.1, ::1 or localhost, or set \
                 webhook_any_host"
            ));
        }
        Ok(Self(uri))
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }

    /// The address without its query, which may hold what others shall not read.
    pub(super) fn place(&self) -> String {
        let authority = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        format!("http://{authority}{}", self.0.path())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_of_this_machine_only() {
        for url in [
            "http://127.0.0.1:8080/qq?x=1",
            "http://localhost",
            "http://[::1]:80/",
            "http://127.9.9.9/",
        ] {
            Address::parse(url, false).unwrap();
        }
        for (url, why) in [
            ("", "url: "),
            ("/callback", "whole address"),
            ("ftp://127.0.0.1/", "whole address"),
            ("https://127.0.0.1/", "http only"),
            ("http://10.0.0.1/", "not this machine"),
            ("http://127.0.0.1.example.com/", "not this machine"),
            ("http://me:secret@127.0.0.1/", "user and password"),
        ] {
            let error = Address::parse(url, false).unwrap_err();
            assert!(error.starts_with("url:") && error.contains(why), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        Address::parse("http://10.0.0.1/", true).unwrap();
    }
}
