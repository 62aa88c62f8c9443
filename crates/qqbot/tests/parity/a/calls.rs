//! A19: the whole REST surface.

use std::collections::HashSet;

use qqbot::http::{ErrorKind, Route};
use qqbot::model::permission::{ModifyChannelPermissions, Permissions};
use serde_json::Value;

use crate::support::{Echo, assert_no_violations, client, emulator, run, stop};

#[cfg(test)]
#[path = "../../../../qq-http/tests/routes/calls.rs"]
mod table;

/// Messages, uploads and streams, whose calls are not in the table: A16, A18 and B9 send them.
const SENDS: [&str; 15] = [
    "get_app_access_token",
    "send_channel_message",
    "send_dms_message",
    "send_c2c_message",
    "send_c2c_stream_message",
    "send_group_message",
    "upload_c2c_file",
    "c2c_upload_prepare",
    "c2c_upload_part_finish",
    "upload_group_file",
    "group_upload_prepare",
    "group_upload_part_finish",
    "put_upload_part",
    "edit_channel_message",
    "mute_guild_members",
];

#[tokio::test]
async fn a19_rest_surface() {
    let emulator = emulator().await;
    let running = run(client(&emulator, Echo::default())).await;
    let api = running.client.api();
    let guild = &emulator.world().guilds[0];
    let read = api.guild(&*guild.id).get().await.unwrap();
    assert_eq!(&*read.name, guild.name);
    let member = api
        .channel(&*guild.channels[0].id)
        .member(&*guild.members[0].user_id);
    let grant = ModifyChannelPermissions::default().grant(Permissions::SPEAK);
    member.modify_permissions(&grant).await.unwrap();
    let granted = member.permissions().await.unwrap().permissions;
    assert!(granted.contains(Permissions::SPEAK));
    assert_no_violations(&emulator);

    // Every route of the platform's table has a call, and the platform knows each: it refuses the ids alone.
    for form in table::CALLS {
        if let Err(error) = (form.make)(api.clone()).await {
            assert_eq!(error.kind(), ErrorKind::Api, "{}: {error}", form.route);
        }
        assert!((form.request)(api).is_ok(), "{}", form.route);
    }
    let asked: HashSet<String> = emulator
        .requests()
        .into_iter()
        .filter_map(|request| request.route)
        .collect();
    let routes: Vec<Value> =
        serde_json::from_str(include_str!("../../../../qq-model/tables/routes.json")).unwrap();
    assert!(routes.len() > 100);
    for route in routes {
        let id = route["id"].as_str().unwrap();
        assert!(asked.contains(id) || SENDS.contains(&id), "no call of {id}");
        let is_known = Route::ALL.iter().any(|known| known.id() == id);
        assert!(
            is_known || id == "put_upload_part" || id == "get_app_access_token",
            "{id}"
        );
    }
    stop(&emulator, running).await;
}
