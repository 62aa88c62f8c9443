//! Looking things up.

use std::sync::Arc;

use crate::support::{Echo, client};
use qq_emulator::{Emulator, Fault};
use qqbot::prelude::*;

fn calls(emulator: &Emulator, route: &str) -> usize {
    emulator
        .requests()
        .iter()
        .filter(|request| request.route.as_deref() == Some(route))
        .count()
}

#[tokio::test]
async fn c10_a_thousand_resolves_make_one_call_and_the_cache_keeps_it() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = Arc::new(client(&emulator, Echo::default()));
    let guild = emulator.world().guilds[0].id.clone();
    assert!(client.guilds().get(guild.as_str()).is_none());
    let asks = (0..1000).map(|_| {
        let (client, guild) = (Arc::clone(&client), guild.clone());
        tokio::spawn(async move { client.guilds().resolve(guild.as_str()).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(&*ask.await.unwrap().unwrap().name, "harbour");
    }
    assert_eq!(calls(&emulator, "get_guild"), 1);
    assert!(client.guilds().get(guild.as_str()).is_some());
    client.guilds().fetch(guild.as_str()).await.unwrap();
    assert_eq!(calls(&emulator, "get_guild"), 2, "fetch always asks");
}

#[tokio::test]
async fn c10_every_manager_gets_fetches_and_resolves() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let world = emulator.world();
    let guild = &world.guilds[0];
    let (guild_id, channel, user) = (&*guild.id, &*guild.channels[0].id, &*world.users[0].id);

    assert!(client.channels().get(channel).is_none());
    assert_eq!(
        &*client.channels().resolve(channel).await.unwrap().name,
        "general"
    );
    assert!(client.channels().get(channel).is_some());
    assert_eq!(
        client.channels().fetch_all(guild_id).await.unwrap().len(),
        guild.channels.len()
    );
    assert_eq!(
        client.cache().guild_channels(&guild_id.into()).len(),
        guild.channels.len()
    );

    let member = client.members().resolve(guild_id, user).await.unwrap();
    assert_eq!(
        member.user.as_ref().map(|user| &*user.username),
        Some("mia")
    );
    assert!(client.members().get(guild_id, user).is_some());

    let roles = client.roles().fetch_all(guild_id).await.unwrap();
    assert!(!roles.is_empty());
    assert_eq!(
        client
            .roles()
            .resolve(guild_id, roles[0].id.clone())
            .await
            .unwrap()
            .id,
        roles[0].id
    );
    let missing = client.roles().resolve(guild_id, 999_999).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);

    let group = &world.groups[0];
    let found = client.groups().resolve(group.id.as_str()).await.unwrap();
    assert_eq!(
        found
            .info
            .as_ref()
            .map(|info| info.group_openid.to_string()),
        Some(group.id.clone())
    );
    let member = &*group.members[0].openid;
    let found = client
        .groups()
        .resolve_member(group.id.as_str(), member)
        .await
        .unwrap();
    assert_eq!(found.username(), Some("mia"));
    assert!(
        client
            .groups()
            .get_member(group.id.as_str(), member)
            .is_some()
    );

    let sent = client.channels().send(channel, "hello").await.unwrap();
    let sent = sent.id().unwrap().clone();
    let message = client
        .channels()
        .fetch_message(channel, sent.clone())
        .await
        .unwrap();
    assert_eq!(&*message.content, "hello");
    assert_eq!(
        client
            .messages()
            .resolve(channel, sent.clone())
            .await
            .unwrap()
            .content(),
        "hello"
    );
    assert!(client.messages().get(sent).is_some());
    assert_eq!(&*client.users().fetch_me().await.unwrap().username, "robin");
}

#[tokio::test]
async fn what_is_missing_is_remembered_and_failures_are_not() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    for _ in 0..3 {
        let error = client.channels().resolve(12_345).await.unwrap_err();
        assert!(error.rest().is_some(), "{error:?}");
    }
    assert_eq!(calls(&emulator, "get_channel"), 1);

    let guild = emulator.world().guilds[0].id.clone();
    emulator
        .fault(Fault::route("get_guild").times(1).status(418))
        .unwrap();
    assert!(client.guilds().resolve(guild.as_str()).await.is_err());
    assert!(client.guilds().resolve(guild.as_str()).await.is_ok());
}
