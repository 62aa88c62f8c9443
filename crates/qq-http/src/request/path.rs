//! Path parameters: percent-encoded, so that no id can change the route.

use crate::error::Error;
use crate::route::Route;

/// A route's path with its parameters filled in, in the order of the template.
///
/// A parameter that is empty, `.` or `..` is refused by its name: it would lead to another route, whether it is
/// encoded or not.
pub(super) fn expand(route: Route, parameters: &[&str]) -> Result<String, Error> {
    let template = route.template();
    let mut path = String::with_capacity(template.len() + 40 * parameters.len());
    let mut parameters = parameters.iter();
    let mut rest = template;
    while let Some((literal, tail)) = split(rest, b'{') {
        let (name, tail) = split(tail, b'}').unwrap_or((tail, ""));
        let value = parameters.next().copied().unwrap_or_default();
        match value {
            "" => return Err(refuse(route, name, "is empty")),
            "." | ".." => return Err(refuse(route, name, "is a step to another folder")),
            _ => {}
        }
        path.push_str(literal);
        encode(value, &mut path);
        rest = tail;
    }
    path.push_str(rest);
    Ok(path)
}

/// As [`str::split_once`], for ASCII, faster.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(at, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn refuse(route: Route, name: &str, why: &str) -> Error {
    Error::invalid_request(format!("{name} {why}: give the id that the platform sent"))
        .labelled(&route.into())
}

/// Appends a text as one path segment or one query value (RFC 3986): everything but unreserved characters is
/// encoded.
pub(super) fn encode(text: &str, path: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push(char::from(HEX[usize::from(byte >> 4)]));
            path.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn decode(segment: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = segment.as_bytes();
        while let [first, tail @ ..] = rest {
            if *first == b'%' {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn any_id_is_one_segment_and_comes_back(id in "\\PC+|[./%?#a\\x00-\\x20]{1,12}") {
            prop_assume!(id != "." && id != "..");
            let path = expand(Route::SendGroupMessage, &[&id]).unwrap();
            let segment = path.strip_prefix("/v2/groups/").unwrap().strip_suffix("/messages").unwrap();
            prop_assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            prop_assert_eq!(decode(segment), id);
        }
    }

    #[test]
    fn an_id_cannot_climb_out_of_its_route() {
        assert_eq!(
            expand(Route::SendChannelMessage, &["1/../../users/@me?x=#"]).unwrap(),
            "/channels/1%2F..%2F..%2Fusers%2F%40me%3Fx%3D%23/messages"
        );
        for id in ["", ".", ".."] {
            let error = expand(Route::SendDmsMessage, &[id]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains("guild_id"), "{error}");
        }
    }
}
