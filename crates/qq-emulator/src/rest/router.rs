//! From method and path to a route of the table.

use std::borrow::Cow;

use http::{Method, StatusCode};
use serde_json::Value;

use super::body::Received;
use super::error::Refusal;
use crate::tables::{self, Route, Segment};
use crate::violations::Finding;

/// A route with the values of its path parameters.
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) route: &'static Route,
    pub(super) params: Vec<(&'static str, String)>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// No route has this path.
    Path,
    /// The path exists with other methods.
    Method(Vec<&'static Method>),
}

/// Finds the route. No path of the platform fits two routes of one method but `PATCH
/// /guilds/{guild_id}/mute`, whose two bodies the table lists apart.
pub(super) fn find(method: &Method, path: &str) -> Result<Matched, Missing> {
    let parts: Vec<String> = path
        .strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|part| percent_decode(part).into_owned())
        .collect();
    let fitting: Vec<&'static Route> = tables::routes()
        .iter()
        // An upload goes to an address that the platform hands out, not to a path of its own.
        .filter(|route| route.id != "put_upload_part")
        .filter(|route| fits(route, &parts))
        .collect();
    if fitting.is_empty() {
        return Err(Missing::Path);
    }
    match fitting.iter().find(|route| route.method == *method) {
        Some(route) => Ok(Matched {
            route,
            params: params(route, &parts),
        }),
        None => Err(Missing::Method(
            fitting.iter().map(|route| &route.method).collect(),
        )),
    }
}

impl Matched {
    /// Two routes share `PATCH /guilds/{guild_id}/mute`: the one for members has `user_ids`.
    pub(super) fn by_body(self, body: &Received) -> Self {
        let names_members = body
            .value()
            .is_ok_and(|fields| fields.get("user_ids").is_some_and(Value::is_array));
        if self.route.id != "mute_guild" || !names_members {
            return self;
        }
        let members = tables::routes()
            .iter()
            .find(|route| route.id == "mute_guild_members");
        Self {
            route: members.unwrap_or(self.route),
            params: self.params,
        }
    }
}

impl Missing {
    pub(super) fn refuse(&self, method: &Method, path: &str) -> Box<Refusal> {
        let (status, code, finding) = match self {
            Self::Path => (
                StatusCode::NOT_FOUND,
                404,
                Finding::error(
                    "rest.path",
                    "only the platform's routes are called",
                    format!("{method} {path}: no such path"),
                ),
            ),
            Self::Method(allowed) => {
                let allowed: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
                let finding = Finding::error(
                    "rest.method",
                    "a route is called with its own method",
                    format!("{method} {path}: allowed are {}", allowed.join(", ")),
                );
                (StatusCode::METHOD_NOT_ALLOWED, 405, finding)
            }
        };
        let message = finding.message.clone();
        Refusal::new(status, code).message(message).finding(finding)
    }
}

fn fits(route: &Route, parts: &[String]) -> bool {
    route.segments.len() == parts.len()
        && route
            .segments
            .iter()
            .zip(parts)
            .all(|(segment, part)| match segment {
                Segment::Literal(text) => text == part,
                Segment::Parameter(_) => !part.is_empty(),
            })
}

fn params(route: &'static Route, parts: &[String]) -> Vec<(&'static str, String)> {
    route
        .segments
        .iter()
        .zip(parts)
        .filter_map(|(segment, part)| match segment {
            Segment::Parameter(name) => Some((name.as_str(), part.clone())),
            Segment::Literal(_) => None,
        })
        .collect()
}

/// The names and values of a query.
pub(crate) fn query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent_decode(&text.replace('+', " ")).into_owned();
            (decode(name), decode(value))
        })
        .collect()
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = |at: usize| {
            tail.get(at)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.extend(u8::try_from(high * 16 + low));
                rest = &tail[2..];
            }
            _ => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_route_by_its_own_path() {
        for route in tables::routes() {
            if route.id == "put_upload_part" {
                continue;
            }
            let path = route.path.replace(['{', '}'], "");
            let found = find(&route.method, &path).unwrap();
            // Two routes share PATCH /guilds/{guild_id}/mute.
            assert_eq!(
                (&found.route.method, &found.route.path),
                (&route.method, &route.path)
            );
        }
    }

    #[test]
    fn reads_parameters_and_says_why_there_is_none() {
        let found = find(&Method::GET, "/v2/groups/join_approval_strategy").unwrap();
        assert_eq!(found.route.id, "list_join_approval_strategies");
        let found = find(&Method::GET, "/users/%40me").unwrap();
        assert_eq!(found.route.id, "get_me");
        let found = find(&Method::GET, "/channels/1%2F2/messages/%E4%BD%A0%zz").unwrap();
        assert_eq!(found.params[0].1, "1/2");
        assert_eq!(found.params[1].1, "你%zz");
        assert_eq!(find(&Method::GET, "/nowhere").unwrap_err(), Missing::Path);
        assert_eq!(
            find(&Method::GET, "/channels//messages").unwrap_err(),
            Missing::Path
        );
        assert_eq!(
            find(&Method::POST, "/gateway").unwrap_err(),
            Missing::Method(vec![&Method::GET])
        );
    }

    #[test]
    fn reads_queries() {
        assert_eq!(
            query("limit=2&after=a%26b+c&flag"),
            [
                ("limit".into(), "2".into()),
                ("after".into(), "a&b c".into()),
                ("flag".into(), String::new())
            ]
        );
    }
}
