//! What each event does to the cache, and what the cache says about it.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail the test")]

use std::sync::Arc;

use qq_cache::{Cache, CacheConfig, CachedMessage, Change, Changed};
use qq_model::group::GroupMember;
use qq_model::message::{Conversation, MemberRole};
use qq_model::{Event, JsonText};
use serde_json::{Value, json};

fn event(name: &str, data: &Value) -> Event {
    let event = Event::decode(name, &data.to_string());
    assert!(event.kind().is_some(), "{name} is unknown");
    event
}

fn only(cache: &Cache, name: &str, data: &Value) -> Change {
    let changes: Vec<_> = cache.update(&event(name, data)).into_iter().collect();
    let [change] = <[Change; 1]>::try_from(changes).unwrap();
    change
}

fn nothing(cache: &Cache, name: &str, data: &Value) {
    let changes = cache.update(&event(name, data));
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn guild_events() {
    let cache = Cache::default();
    let made = json!({"id":"1","name":"a","owner_id":"9","icon":"i","joined_at":"2026-05-23T10:00:00+08:00","op_user_id":"9"});
    let Change::Guild(Changed::Created { new }) = only(&cache, "GUILD_CREATE", &made) else {
        panic!()
    };
    assert_eq!(new.op_user_id, None);
    nothing(&cache, "GUILD_CREATE", &made);

    // Updates leave out icon and joined_at: what was known stays.
    let renamed = json!({"id":"1","name":"b","owner_id":"9"});
    let Change::Guild(Changed::Updated { old, new }) = only(&cache, "GUILD_UPDATE", &renamed)
    else {
        panic!()
    };
    assert_eq!((&*old.name, &*new.name), ("a", "b"));
    assert_eq!(new.icon.as_deref(), Some("i"));
    assert!(new.joined_at.is_some());
    assert!(Arc::ptr_eq(&cache.guild(&"1".into()).unwrap(), &new));

    cache.update(&event("CHANNEL_CREATE", &json!({"id":"7","guild_id":"1"})));
    cache.update(&event(
        "GUILD_MEMBER_ADD",
        &json!({"guild_id":"1","user":{"id":"5"}}),
    ));
    cache.insert_role(
        &"1".into(),
        serde_json::from_value(json!({"id":"4"})).unwrap(),
    );
    let Change::Guild(Changed::Deleted { old }) = only(&cache, "GUILD_DELETE", &renamed) else {
        panic!()
    };
    assert_eq!(&*old.name, "b");
    assert!(cache.guild(&"1".into()).is_none());
    assert!(cache.guild_channels(&"1".into()).is_empty());
    assert!(cache.channel(&"7".into()).is_none());
    assert!(cache.member(&"1".into(), &"5".into()).is_none());
    assert!(cache.role(&"1".into(), &"4".into()).is_none());
    nothing(&cache, "GUILD_DELETE", &renamed);
}

#[test]
fn channel_events() {
    let cache = Cache::default();
    let channel = |name: &str| json!({"id":"7","guild_id":"1","name":name,"type":0});
    let positioned = json!({"id":"7","guild_id":"1","name":"a","position":3});
    only(&cache, "CHANNEL_CREATE", &positioned);
    let Change::Channel(changed) = only(&cache, "CHANNEL_UPDATE", &channel("b")) else {
        panic!()
    };
    assert_eq!(&*changed.old().unwrap().name, "a");
    assert_eq!(changed.new_value().unwrap().position, Some(3));
    let Change::Channel(Changed::Deleted { old }) = only(&cache, "CHANNEL_DELETE", &channel("b"))
    else {
        panic!()
    };
    assert_eq!(&*old.name, "b");
    nothing(&cache, "CHANNEL_DELETE", &channel("b"));
}

#[test]
fn guild_member_events_and_messages() {
    let cache = Cache::default();
    let (guild, user) = ("1".into(), "5".into());
    // A message comes first: the member is known by it, and the message is kept.
    let said = json!({"id":"m1","guild_id":"1","channel_id":"7","content":"hi",
        "author":{"id":"5","username":"u","avatar":"x"},"member":{"roles":["1"],"joined_at":"2026-05-23T10:00:00+08:00"}});
    let changes: Vec<_> = cache
        .update(&event("MESSAGE_CREATE", &said))
        .into_iter()
        .collect();
    assert!(matches!(
        changes[..],
        [
            Change::Member {
                member: Changed::Created { .. },
                ..
            },
            Change::Message(Changed::Created { .. })
        ]
    ));
    // The same member again: only the message is new.
    let mut again = said.clone();
    again["id"] = json!("m2");
    assert!(matches!(
        only(&cache, "AT_MESSAGE_CREATE", &again),
        Change::Message(Changed::Created { .. })
    ));
    let before = cache.member(&guild, &user).unwrap();

    let renamed = json!({"guild_id":"1","user":{"id":"5","username":"u"},"nick":"n","roles":[]});
    let Change::Member { member, .. } = only(&cache, "GUILD_MEMBER_UPDATE", &renamed) else {
        panic!()
    };
    assert!(Arc::ptr_eq(member.old().unwrap(), &before));
    let now = member.new_value().unwrap();
    assert_eq!(now.nick.as_deref(), Some("n"));
    assert_eq!(now.roles, ["1"]);
    assert_eq!(now.user.as_ref().unwrap().avatar.as_deref(), Some("x"));

    // A direct message says who is a member of the guild that it was opened from.
    let direct = json!({"id":"d","guild_id":"900","src_guild_id":"1","author":{"id":"5","username":"v"},"member":{}});
    assert_eq!(
        cache
            .update(&event("DIRECT_MESSAGE_CREATE", &direct))
            .iter()
            .count(),
        2
    );
    let member = cache.member(&guild, &user).unwrap();
    assert_eq!(&*member.user.as_ref().unwrap().username, "v");
    assert_eq!(cache.guild_members(&"900".into()), []);

    only(&cache, "GUILD_MEMBER_REMOVE", &renamed);
    assert!(cache.member(&guild, &user).is_none());
}

#[test]
fn recalled_messages_go() {
    let cache = Cache::default();
    for (create, delete) in [
        ("MESSAGE_CREATE", "MESSAGE_DELETE"),
        ("AT_MESSAGE_CREATE", "PUBLIC_MESSAGE_DELETE"),
        ("DIRECT_MESSAGE_CREATE", "DIRECT_MESSAGE_DELETE"),
    ] {
        let said = json!({"id":"m","content":"hi","guild_id":"1"});
        only(&cache, create, &said);
        assert_eq!(cache.message(&"m".into()).unwrap().content(), "hi");
        let Change::Message(Changed::Deleted { old }) =
            only(&cache, delete, &json!({"message":{"id":"m"}}))
        else {
            panic!()
        };
        assert_eq!(old.content(), "hi");
        assert!(cache.message(&"m".into()).is_none());
    }
}

#[test]
fn group_events() {
    let cache = Cache::default();
    let (group, member) = ("G".into(), "A".into());
    let robot = json!({"group_openid":"G","timestamp":1});
    assert!(matches!(
        only(&cache, "GROUP_ADD_ROBOT", &robot),
        Change::Group(Changed::Created { .. })
    ));
    only(&cache, "GROUP_MSG_REJECT", &robot);
    assert_eq!(
        cache.group(&group).unwrap().allow_proactive_msg,
        Some(false)
    );
    only(&cache, "GROUP_MSG_RECEIVE", &robot);
    assert_eq!(cache.group(&group).unwrap().allow_proactive_msg, Some(true));

    let joined = json!({"group_openid":"G","member_openid":"A","timestamp":1_779_501_600});
    only(&cache, "GROUP_MEMBER_ADD", &joined);
    let said = json!({"id":"m","group_openid":"G","content":"x",
        "author":{"member_openid":"A","username":"小明","member_role":"admin"},
        "mentions":[{"member_openid":"B","username":"b"},{"scope":"all"}]});
    let changes: Vec<_> = cache
        .update(&event("GROUP_MESSAGE_CREATE", &said))
        .into_iter()
        .collect();
    let [
        Change::GroupMember { member: a, .. },
        Change::GroupMember { member: b, .. },
        Change::Message(_),
    ] = &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!(a.old().unwrap().role(), MemberRole::Member);
    assert_eq!(a.old().unwrap().username(), None);
    assert!(matches!(b, Changed::Created { new } if new.username() == Some("b")));
    let now = cache.group_member(&group, &member).unwrap();
    assert_eq!(now.username(), Some("小明"));
    assert_eq!(now.role(), MemberRole::Admin);
    assert_eq!(
        now.joined_at().unwrap().unix_seconds(),
        Some(1_779_501_600),
        "what a message does not say stays"
    );

    let Change::GroupMember { member: left, .. } = only(&cache, "GROUP_MEMBER_REMOVE", &joined)
    else {
        panic!()
    };
    assert_eq!(left.old(), Some(&now));
    assert_eq!(cache.group_members(&group).len(), 1);
    only(&cache, "GROUP_DEL_ROBOT", &robot);
    assert!(cache.group(&group).is_none());
    assert!(cache.group_members(&group).is_empty());
}

#[test]
fn user_events() {
    let cache = Cache::default();
    let who = json!({"openid":"U","timestamp":1,"author":{"union_openid":"X"}});
    only(&cache, "FRIEND_ADD", &who);
    only(&cache, "C2C_MSG_REJECT", &who);
    let said = json!({"id":"m","content":"x","author":{"user_openid":"U","username":"u","union_openid":""}});
    cache.update(&event("C2C_MESSAGE_CREATE", &said));
    let user = cache.user(&"U".into()).unwrap();
    assert_eq!(user.username.as_deref(), Some("u"));
    assert_eq!(user.union_openid, Some("X".into()));
    assert_eq!(user.allow_proactive_msg, Some(false));
    only(&cache, "C2C_MSG_RECEIVE", &who);
    let Change::User(Changed::Deleted { old }) = only(&cache, "FRIEND_DEL", &who) else {
        panic!()
    };
    assert_eq!(old.allow_proactive_msg, Some(true));
    assert!(cache.user(&"U".into()).is_none());
}

#[test]
fn quotes_are_found_in_their_own_chat() {
    let cache = Cache::default();
    let said = json!({"id":"m","group_openid":"G","content":"quoted","author":{"member_openid":"A"},
        "message_scene":{"ext":["msg_idx=REFIDX_1=="]}});
    cache.update(&event("GROUP_MESSAGE_CREATE", &said));
    let find =
        |group: &str| cache.message_by_index(&Conversation::Group(group.into()), "REFIDX_1==");
    assert_eq!(find("G").unwrap().content(), "quoted");
    assert_eq!(find("H"), None);
    cache.remove_message(&"m".into());
    assert_eq!(find("G"), None);
}

#[test]
fn shared_events_are_not_copied() {
    let cache = Cache::default();
    let said = Arc::new(event(
        "C2C_MESSAGE_CREATE",
        &json!({"id":"m","author":{"user_openid":"U"}}),
    ));
    cache.update_shared(&said);
    let message = cache.message(&"m".into()).unwrap();
    assert!(Arc::ptr_eq(message.event(), &said));
    assert!(message.as_c2c().is_some() && message.as_group().is_none());
    let other = Arc::new(event("RESUMED", &json!({})));
    assert_eq!(CachedMessage::from_event(&other), None);
}

#[test]
fn rest_results_replace_and_lists_forget() {
    let cache = Cache::default();
    let (guild, group) = ("1".into(), "G".into());
    let channels = |ids: &[u32]| -> Vec<_> {
        ids.iter()
            .map(|id| serde_json::from_value(json!({"id":id,"position":10 - id})).unwrap())
            .collect()
    };
    cache.replace_channels(&guild, channels(&[1, 2, 3]));
    cache.replace_channels(&guild, channels(&[2, 3, 4]));
    let ids: Vec<_> = cache
        .guild_channels(&guild)
        .iter()
        .map(|channel| channel.id.to_string())
        .collect();
    assert_eq!(ids, ["4", "3", "2"], "by position");

    let role = |id: u32| serde_json::from_value(json!({"id":id})).unwrap();
    cache.replace_roles(&guild, [role(4), role(10)]);
    cache.replace_roles(&guild, [role(10), role(2)]);
    let ids: Vec<_> = cache
        .guild_roles(&guild)
        .iter()
        .map(|role| role.id.to_string())
        .collect();
    assert_eq!(ids, ["2", "10"]);

    let mut member: GroupMember = serde_json::from_value(
        json!({"member_openid":"A","username":"a","union_openid":"X","new":1}),
    )
    .unwrap();
    cache.insert_group_member(&group, &member);
    let kept = cache.group_member(&group, &"A".into()).unwrap();
    assert_eq!(kept.to_group_member(), member);
    member.username = None;
    cache.insert_group_member(&group, &member);
    let kept = cache.group_member(&group, &"A".into()).unwrap();
    assert_eq!(kept.username(), None);

    let info = serde_json::from_value(json!({"group_openid":"G","group_name":"g"})).unwrap();
    cache.insert_group_info(info);
    let state = serde_json::from_value(json!({"allow_proactive_msg":false})).unwrap();
    cache.insert_group_bot_state(&group, state);
    let known = cache.group(&group).unwrap();
    assert_eq!(&*known.info.as_ref().unwrap().group_name, "g");
    assert_eq!(known.allow_proactive_msg, Some(false));
}

#[test]
fn values_without_an_id_are_not_kept() {
    let cache = Cache::default();
    for (name, data) in [
        ("GUILD_CREATE", json!({"name":"x"})),
        ("CHANNEL_CREATE", json!({"id":"1"})),
        ("GUILD_MEMBER_ADD", json!({"guild_id":"1"})),
        ("GROUP_ADD_ROBOT", json!({})),
        ("GROUP_MEMBER_ADD", json!({"group_openid":"G"})),
        ("FRIEND_ADD", json!({})),
        ("C2C_MESSAGE_CREATE", json!({"content":"x"})),
        ("MESSAGE_CREATE", json!({"content":"x"})),
        ("READY", json!({"user":{"id":"1"}})),
    ] {
        nothing(&cache, name, &data);
    }
    assert!(cache.stats().iter().all(|(_, kind)| kind.entries == 0));
}

#[test]
fn kinds_that_are_off_keep_and_count_nothing() {
    let cache = Cache::new(CacheConfig::off());
    nothing(&cache, "GUILD_CREATE", &json!({"id":"1"}));
    let said = json!({"id":"m","group_openid":"G","author":{"member_openid":"A"}});
    nothing(&cache, "GROUP_MESSAGE_CREATE", &said);
    assert!(cache.guild(&"1".into()).is_none());
    assert_eq!(cache.stats(), Cache::new(CacheConfig::off()).stats());
    assert_eq!(cache.stats().bytes(), 0);
}

#[test]
fn caches_share_nothing_and_clones_share_everything() {
    let (one, other) = (Cache::default(), Cache::default());
    one.update(&event("GUILD_CREATE", &json!({"id":"1"})));
    assert!(other.guild(&"1".into()).is_none());
    assert!(one.clone().guild(&"1".into()).is_some());
    fn shareable<T: Clone + Send + Sync + 'static>(_: &T) {}
    shareable(&one);
}

#[test]
fn a_message_that_is_kept_as_text_is_decoded_once_for_its_readers() {
    let cache = Cache::default();
    let text = json!({
        "id": "M1", "group_openid": "G", "content": "hi", "author": {"member_openid": "U"},
        "message_scene": {"ext": ["msg_idx=REFIDX_1"]},
    })
    .to_string();
    let message = Event::decode("GROUP_MESSAGE_CREATE", &text);
    let as_text = JsonText::from(&*text);
    let changes = cache.update_with_text(&message, &as_text);
    let bytes = cache.stats().messages.bytes;
    let created = changes.iter().last().unwrap();
    let Change::Message(Changed::Created { new }) = created else {
        panic!("{created:?}");
    };
    assert_eq!(**new.event(), message);
    assert!(changes == changes.clone() && changes.iter().eq(changes.iter()));

    let first = cache.message(&"M1".into()).unwrap();
    let second = cache.message(&"M1".into()).unwrap();
    assert!(Arc::ptr_eq(first.event(), second.event()));
    assert_eq!(first.id(), "M1");
    let group = Conversation::Group("G".into());
    let indexed = cache.message_by_index(&group, "REFIDX_1").unwrap();
    assert!(Arc::ptr_eq(first.event(), indexed.event()));
    assert!(cache.stats().messages.bytes > bytes, "decoded it is larger");

    // The same message again, and then as it was edited.
    assert!(cache.update_with_text(&message, &as_text).is_empty());
    let edited = text.replace("\"hi\"", "\"ho\"");
    let message = Event::decode("GROUP_MESSAGE_CREATE", &edited);
    let changes = cache.update_with_text(&message, &edited.into());
    let Some(Change::Message(Changed::Updated { old, new })) = changes.into_iter().last() else {
        panic!("it was updated");
    };
    assert_eq!((old.content(), new.content()), ("hi", "ho"));
    assert!(cache.remove_message(&"M1".into()).is_some());
    assert!(cache.message(&"M1".into()).is_none());
    assert!(cache.message_by_index(&group, "REFIDX_1").is_none());
}

#[test]
fn a_member_of_whom_the_same_is_said_again_changes_by_what_is_said_otherwise() {
    let cache = Cache::default();
    let says = |nick: &str, roles: &[&str]| {
        let data = json!({
            "id": "M", "channel_id": "2", "guild_id": "1", "author": {"id": "7", "username": "a"},
            "member": {"nick": nick, "roles": roles, "joined_at": "2026-05-23T10:00:00+08:00"},
        });
        let changes = cache.update(&event("MESSAGE_CREATE", &data));
        changes
            .iter()
            .filter(|change| matches!(change, Change::Member { .. }))
            .count()
    };
    assert_eq!(says("x", &["1"]), 1);
    // Compared, then known by its hash.
    assert_eq!([(); 3].map(|()| says("x", &["1"])), [0, 0, 0]);
    assert_eq!(says("y", &["1"]), 1);
    assert_eq!(says("x", &["1"]), 1, "it was another name meanwhile");
    assert_eq!(says("x", &[]), 0, "an empty list says nothing");
    assert_eq!(says("x", &["1", "2"]), 1);
    assert_eq!([(); 2].map(|()| says("x", &["1", "2"])), [0, 0]);

    // What a call says is newer than what messages said before, but not than what they say after.
    let (guild, user) = ("1".into(), "7".into());
    let mut member = (*cache.member(&guild, &user).unwrap()).clone();
    member.nick = Some("z".into());
    cache.insert_member(&guild, member).unwrap();
    assert_eq!(says("x", &["1", "2"]), 1);
    assert_eq!(
        cache.member(&guild, &user).unwrap().nick.as_deref(),
        Some("x")
    );
    cache.remove_member(&guild, &user).unwrap();
    assert_eq!(says("x", &["1", "2"]), 1);
}
