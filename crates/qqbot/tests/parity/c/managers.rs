//! Cache and REST in one.

use std::time::Duration;

use qq_emulator::{Emulator, Say};
use qqbot::prelude::*;
use tokio::time::{advance, pause, resume};

use super::support::{Echo, assert_no_violations, builder, client, eventually};
use super::transport::{Transport, calls, stop};

#[tokio::test]
async fn c10_guild_manager() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let guild = emulator.world().guilds[0].clone();
    let (guilds, id) = (client.guilds(), guild.id.as_str());
    assert!(guilds.get(id).is_none());
    assert_eq!(*guilds.resolve(id).await.unwrap().name, *guild.name);
    assert_eq!(*guilds.get(id).unwrap().name, *guild.name);
    guilds.resolve(id).await.unwrap();
    assert_eq!(calls(&emulator, "get_guild"), 1, "the cache answers");
    guilds.fetch(id).await.unwrap();
    assert_eq!(calls(&emulator, "get_guild"), 2, "fetch asks");
    let (one, two) = tokio::join!(guilds.resolve("1"), guilds.resolve("1"));
    assert_eq!(one.unwrap_err().kind(), two.unwrap_err().kind());
    assert_eq!(calls(&emulator, "get_guild"), 3, "both share one call");
}

#[tokio::test]
async fn c10_channel_manager() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let channel = emulator.world().guilds[0].channels[0].clone();
    let (channels, id) = (client.channels(), channel.id.as_str());
    assert!(channels.get(id).is_none());
    assert_eq!(*channels.resolve(id).await.unwrap().name, *channel.name);
    assert!(channels.get(id).is_some());
    channels.resolve(id).await.unwrap();
    assert_eq!(calls(&emulator, "get_channel"), 1);
    channels.fetch(id).await.unwrap();
    assert_eq!(calls(&emulator, "get_channel"), 2);

    let sent = channels.send(id, "hello").await.unwrap();
    let sent = sent.id().unwrap().clone();
    let outbox = emulator.outbox();
    assert_eq!((&*outbox[0].conversation, outbox[0].text()), (id, "hello"));
    assert_eq!(sent, outbox[0].message_id.as_str());
    let message = channels.fetch_message(id, sent.clone()).await.unwrap();
    assert_eq!((&message.id, &*message.content), (&sent, "hello"));
    assert_eq!(calls(&emulator, "get_channel_message"), 1);
    assert_no_violations(&emulator);
}

/// The platform tells of one-to-one users by events only.
#[tokio::test]
async fn c10_user_manager() {
    for &transport in Transport::ALL {
        let emulator = Emulator::builder().start().await.unwrap();
        let options = builder(&emulator).handler(Echo::default());
        let running = transport.run(&emulator, options).await;
        let users = running.client.users();
        let user = emulator.world().users[0].openid.clone();
        assert!(users.get(user.as_str()).is_none());
        let said = emulator.say(Say::c2c("hello")).await;
        assert_eq!(said.conversation, user);
        eventually("the user", || users.get(user.as_str()).is_some()).await;
        let me = users.fetch_me().await.unwrap();
        assert_eq!(*me.username, *emulator.world().bots[0].name);
        users.send(user.as_str(), "unasked").await.unwrap();
        let sent = |entry: &qq_emulator::OutboxEntry| {
            entry.text() == "unasked" && entry.conversation == user && entry.reply_to.is_none()
        };
        assert!(emulator.outbox().iter().any(sent));
        eventually("the echo", || emulator.outbox().len() == 2).await;
        stop(running).await;
    }
}

#[tokio::test]
async fn c10_members_roles_groups_and_messages() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let world = emulator.world();
    let (guild, user) = (world.guilds[0].id.as_str(), world.users[0].id.as_str());
    for _ in 0..2 {
        let member = client.members().resolve(guild, user).await.unwrap();
        assert_eq!(member.user.as_ref().unwrap().id, user);
    }
    assert_eq!(calls(&emulator, "get_guild_member"), 1);

    let role = world.guilds[0].roles[0].clone();
    for _ in 0..2 {
        let found = client.roles().resolve(guild, role.id.as_str()).await;
        assert_eq!(*found.unwrap().name, *role.name);
    }
    assert_eq!(calls(&emulator, "list_guild_roles"), 1);

    let group = &world.groups[0];
    let (id, member) = (group.id.as_str(), group.members[0].openid.as_str());
    for _ in 0..2 {
        let found = client.groups().resolve(id).await.unwrap();
        assert_eq!(found.group_openid, id);
        let found = client.groups().resolve_member(id, member).await.unwrap();
        assert_eq!(*found.member_openid(), member);
    }
    assert_eq!(calls(&emulator, "get_group_info"), 1);
    assert_eq!(calls(&emulator, "get_group_member"), 1);
    client.groups().send(id, "to the group").await.unwrap();
    assert_eq!(emulator.outbox()[0].conversation, id);

    let channel = world.guilds[0].channels[0].id.as_str();
    // Of what another process sends nothing is known here.
    let token = Token::new(emulator.app_id(), emulator.secret());
    let elsewhere = HttpClient::builder(token)
        .environment(Environment::custom(emulator.base_url()).unwrap())
        .build()
        .unwrap();
    let sent = elsewhere.channel(channel).messages().send("x").await;
    let sent = sent.unwrap().id().unwrap().clone();
    for _ in 0..2 {
        let found = client.messages().resolve(channel, sent.clone()).await;
        assert_eq!(found.unwrap().content(), "x");
    }
    assert_eq!(calls(&emulator, "get_channel_message"), 1);
}

#[tokio::test]
async fn c10_what_managers_send_is_known_for_quotes() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    let world = emulator.world();
    let (group, user) = (&*world.groups[0].id, &*world.users[0].openid);
    let channel = &*world.guilds[0].channels[0].id;
    let messages = client.messages();
    for (conversation, sent) in [
        (
            Conversation::Group(group.into()),
            client.groups().send(group, "sent").await.unwrap(),
        ),
        (
            Conversation::C2C(user.into()),
            client.users().send(user, "sent").await.unwrap(),
        ),
        (
            Conversation::Channel(channel.into()),
            client.channels().send(channel, "sent").await.unwrap(),
        ),
    ] {
        let known = messages.get(sent.id().unwrap().clone()).unwrap();
        assert_eq!(known.content(), "sent");
        assert_eq!(known.conversation(), Some(conversation.clone()));
        if let Some(index) = sent.ref_idx() {
            let quoted = messages.get_by_index(&conversation, index).unwrap();
            assert_eq!(Some(&quoted.id()), sent.id());
        } else {
            let has_none = matches!(conversation, Conversation::Channel(_));
            assert!(has_none, "groups and users quote by index");
        }
    }
}

/// The client's clock, `by` later; the sockets stay in real time.
async fn later(by: Duration) {
    pause();
    advance(by).await;
    resume();
}

#[tokio::test]
async fn c10_an_absence_is_forgotten_after_thirty_seconds() {
    let emulator = Emulator::builder().start().await.unwrap();
    let client = client(&emulator, Echo::default());
    for (wait, asked) in [(0, 1), (0, 1), (28, 1), (3, 2), (0, 2), (31, 3)] {
        later(Duration::from_secs(wait)).await;
        let error = client.channels().resolve(12_345).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Api, "{error:?}");
        assert_eq!(calls(&emulator, "get_channel"), asked, "after {wait} s");
    }
    // With another time, and for another manager.
    let options = builder(&emulator).remember_missing(Duration::from_secs(5));
    let client = options.build().unwrap();
    for (wait, asked) in [(0, 1), (4, 1), (2, 2)] {
        later(Duration::from_secs(wait)).await;
        assert!(client.guilds().resolve(54_321).await.is_err());
        assert_eq!(calls(&emulator, "get_guild"), asked, "after {wait} s");
    }
}
