//! What a request is to the limits: on which route, about whom, active or not.

use http::Method;
use memchr::{memchr, memmem};
use serde::Deserialize;

use super::Counted;
use crate::request::Request;
use crate::route::Route;

/// The route of a call; of one that was written by hand too, if the table has it.
pub(super) fn route_of(request: &Request) -> Option<Route> {
    request
        .route()
        .or_else(|| find(request.method(), request.path()))
}

/// Whatever the first parameter of the path names; a path that no template is known of as a whole.
pub(super) fn peer_of(request: &Request, route: Option<Route>) -> &str {
    let path = request.path();
    let Some(route) = route else { return path };
    let Some(start) = memchr(b'{', route.template().as_bytes()) else {
        return "";
    };
    let rest = path.get(start..).unwrap_or_default();
    let end = memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Whether a message answers something.
pub(super) fn kind_of(request: &Request) -> Counted {
    match request.is_answer() {
        Some(true) => return Counted::All,
        Some(false) => return Counted::Active,
        None => {}
    }
    let body = request.body().unwrap_or_default();
    let mentions = |member: &[u8]| memmem::find(body, member).is_some();
    // Bodies are written by this crate: no escapes in names, no space after them.
    if !mentions(b"\"msg_id\":") && !mentions(b"\"event_id\":") {
        return Counted::Active;
    }
    match serde_json::from_slice(body) {
        Ok(Answer { msg_id, event_id }) if msg_id.is_some() || event_id.is_some() => Counted::All,
        _ => Counted::Active,
    }
}

#[derive(Deserialize)]
struct Answer {
    msg_id: Option<serde::de::IgnoredAny>,
    event_id: Option<serde::de::IgnoredAny>,
}

/// The route that a path belongs to: the one with the fewest parameters.
fn find(method: &Method, path: &str) -> Option<Route> {
    let parameters = |route: &Route| route.template().matches('{').count();
    let routes = Route::ALL.iter().filter(|route| route.method() == *method);
    routes
        .filter(|route| {
            let mut segments = path.split('/');
            let is_match = route.template().split('/').all(|expected| {
                segments.next().is_some_and(|segment| {
                    segment == expected || (expected.starts_with('{') && !segment.is_empty())
                })
            });
            is_match && segments.next().is_none()
        })
        .min_by_key(|route| parameters(route))
        .copied()
}

#[cfg(test)]
mod tests {
    use qq_model::Token;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::HttpClient;
    use crate::request::SendMessage;

    fn http() -> HttpClient {
        HttpClient::new(Token::new("1", "s")).unwrap()
    }

    fn kind(message: SendMessage) -> Counted {
        kind_of(&message.try_into_request().unwrap())
    }

    #[test]
    fn answers_are_not_active() {
        let http = http();
        assert_eq!(kind(http.group("g").send("hi")), Counted::Active);
        assert_eq!(
            kind(http.group("g").send("\"msg_id\":\"x\"")),
            Counted::Active
        );
        assert_eq!(kind(http.group("g").send("hi").reply_to("m")), Counted::All);
        assert_eq!(kind(http.channel(1).send("hi").reply_to("m")), Counted::All);
        assert_eq!(
            kind(http.user("u").send("hi").reply_to_event("e")),
            Counted::All
        );
        let raw = |body: Value| {
            let call = http.request(Method::POST, "/v2/groups/g/messages", Some(body));
            kind_of(&call.try_into_request().unwrap())
        };
        assert_eq!(
            raw(json!({"markdown": {"msg_id": "nested"}})),
            Counted::Active
        );
        assert_eq!(
            raw(json!({"content": "hi", "msg_id": null})),
            Counted::Active
        );
        assert_eq!(raw(json!({"content": "hi", "event_id": "e"})), Counted::All);
        assert_eq!(raw(json!([{"msg_id": 1}])), Counted::Active);
    }

    #[test]
    fn paths_by_hand_find_their_route() {
        let http = http();
        for (method, path, route, peer) in [
            (
                Method::POST,
                "/v2/groups/G%2F/messages?x=1",
                Some(Route::SendGroupMessage),
                "G%2F",
            ),
            (
                Method::POST,
                "/channels/7/messages",
                Some(Route::SendChannelMessage),
                "7",
            ),
            (Method::GET, "/users/@me", Some(Route::GetMe), ""),
            (Method::POST, "/users/@me", None, "/users/@me"),
            (
                Method::POST,
                "/v2/groups//messages",
                None,
                "/v2/groups//messages",
            ),
            (
                Method::POST,
                "/v2/groups/g/messages/",
                None,
                "/v2/groups/g/messages/",
            ),
            (Method::GET, "/v9/new?x", None, "/v9/new"),
        ] {
            let request = http.request(method, path, None).try_into_request().unwrap();
            assert_eq!(route_of(&request), route, "{path}");
            assert_eq!(peer_of(&request, route), peer, "{path}");
        }
        let request = http.group("a/b").send("x").try_into_request().unwrap();
        assert_eq!(peer_of(&request, request.route()), "a%2Fb");
    }
}
