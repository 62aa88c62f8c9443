//! Lists to their end.

use futures_util::{FutureExt, StreamExt};
use qq_model::panel::PanelScope;
use qq_model::reaction::Emoji;
use serde_json::{Value, json};

use crate::server::Server;

fn server(pages: impl IntoIterator<Item = Value>) -> Server {
    Server::answering(pages.into_iter().map(|page| (200, page.to_string())))
}

fn members(ids: &[u32]) -> Value {
    ids.iter()
        .map(|id| json!({"user": {"id": id.to_string()}}))
        .collect()
}

fn paths(server: &Server) -> Vec<String> {
    let received = server.received();
    received.into_iter().map(|one| one.path_and_query).collect()
}

#[tokio::test]
async fn members_end_with_an_empty_page_and_none_comes_twice() {
    let server = server([members(&[1, 2]), members(&[2, 3]), members(&[3]), json!([])]);
    let mut items = server.client().guild(7).members().limit(2).items();
    let mut ids = Vec::new();
    while let Some(member) = items.next().await {
        ids.push(member.unwrap().user.unwrap().id.to_string());
    }
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(items.next().await.is_none(), "it stays at its end");
    assert_eq!(
        paths(&server),
        [
            "/guilds/7/members?limit=2",
            "/guilds/7/members?after=2&limit=2",
            "/guilds/7/members?after=3&limit=2"
        ],
        "a page that leads to itself is the last"
    );
}

#[tokio::test]
async fn a_short_page_of_members_is_not_the_last_and_one_of_guilds_is() {
    let short = server([members(&[1]), members(&[2]), json!(null)]);
    let pages: Vec<_> = short.client().guild(7).members().pages().collect().await;
    assert_eq!(pages.len(), 2);
    assert_eq!(paths(&short)[2], "/guilds/7/members?after=2&limit=400");

    let full: Value = (0..100).map(|id| json!({"id": id.to_string()})).collect();
    let guilds = server([full, json!([{"id": "100"}])]);
    let count = guilds.client().guilds().items().count().await;
    assert_eq!(count, 101);
    assert_eq!(
        paths(&guilds),
        [
            "/users/@me/guilds?limit=100",
            "/users/@me/guilds?after=99&limit=100"
        ]
    );
}

#[tokio::test]
async fn cursors_are_followed_to_the_end() {
    let group = server([
        json!({"members": [{"member_openid": "a"}], "next_cursor": "c&1"}),
        json!({"members": null, "next_cursor": "c2"}),
        json!({"members": [{"member_openid": "b"}], "next_cursor": ""}),
    ]);
    let mut pages = group.client().group("G").members().pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().len());
    }
    assert_eq!(sizes, [1, 1], "empty pages are passed over");
    assert_eq!(
        paths(&group),
        [
            "/v2/groups/G/members",
            "/v2/groups/G/members?cursor=c%261",
            "/v2/groups/G/members?cursor=c2"
        ]
    );

    let users = server([
        json!({"users": [{"id": "1"}], "cookie": "k", "is_end": false}),
        json!({"users": [{"id": "1"}, {"id": "2"}], "cookie": "k2", "is_end": true}),
    ]);
    let emoji = Emoji::system(4);
    let reactions = users.client().channel(1).message("m").reactions(&emoji);
    assert_eq!(reactions.items().count().await, 2);

    let panels = server([
        json!({"records": [{"panel_id": "p"}], "next_cursor": "n", "is_end": false}),
        json!({"records": [{"panel_id": "q"}], "is_end": true}),
    ]);
    let list = panels.client().panels().list(PanelScope::C2C);
    assert_eq!(list.items().count().await, 2);

    let roles = server([
        json!({"data": [{"user": {"id": "1"}}], "next": "1"}),
        json!({"data": [{"user": {"id": "2"}}], "next": "0"}),
    ]);
    let list = roles.client().guild(1).role(2).members();
    assert_eq!(list.items().count().await, 2);
    assert_eq!(
        paths(&roles)[1],
        "/guilds/1/roles/2/members?limit=400&start_index=1"
    );
}

#[tokio::test]
async fn a_circle_of_cursors_ends() {
    let page = |next: &str| json!({"list": [{"join_request_id": "r"}], "next_cursor": next});
    let circle = server((0..100).map(|n| page(if n % 2 == 0 { "a" } else { "b" })));
    let requests = circle.client().group("G").join_requests();
    assert_eq!(requests.items().count().await, 1);
    assert_eq!(circle.received().len(), 4, "three pages without news");
}

#[tokio::test]
async fn an_error_is_told_once_and_ends_the_list() {
    let refused = json!({"code": 11253, "message": "no"}).to_string();
    let server = Server::answering([(200, members(&[1]).to_string()), (403, refused)]);
    let mut pages = server.client().guild(7).members().pages();
    assert!(pages.next().await.unwrap().is_ok());
    assert_eq!(pages.next().await.unwrap().unwrap_err().code(), Some(11253));
    assert!(pages.next().await.is_none());
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_wait_that_was_given_up_loses_no_page() {
    let server = server([members(&[1]), members(&[2]), json!([])]);
    let mut pages = server.client().guild(7).members().pages();
    for _ in 0..3 {
        assert!(pages.next().now_or_never().is_none(), "it has to wait");
    }
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(
            page.unwrap()
                .into_iter()
                .map(|member| member.user.unwrap().id.to_string()),
        );
    }
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(server.received().len(), 3);
}
