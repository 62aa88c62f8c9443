//! The cache against a naive one: random events, REST results, reads, waits and limits. Everything that can be
//! observed must be equal: answers, lists, reported changes, what was evicted and why.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test fail the test"
)]

mod naive;
mod ops;
mod view;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use qq_cache::{Cache, Change, KindConfig, KindStats, ManualClock};
use qq_model::Event;
use serde_json::{Value as Json, json};

use self::naive::{KINDS, Kind, Limits, Naive, Report, Value, has_owner};
use self::ops::{Op, limits, op};
use self::view::{list, read, report};

fn text(n: u8) -> String {
    format!("text {n}")
}

/// Both sides.
struct Pair {
    cache: Cache,
    clock: Arc<ManualClock>,
    naive: Vec<Naive>,
    now: (u64, u64),
}

impl Pair {
    fn new(limits: &[Limits]) -> Self {
        let clock = Arc::new(ManualClock::new());
        let cache = Cache::builder()
            .guilds(|config| limits[0].apply(config))
            .channels(|config| limits[1].apply(config))
            .members(|config| limits[2].apply(config))
            .groups(|config| limits[3].apply(config))
            .group_members(|config| limits[4].apply(config))
            .users(|config| limits[5].apply(config))
            .messages(KindConfig::off)
            .clock(clock.clone())
            .build();
        let naive = KINDS.into_iter().zip(limits).map(|(kind, limits)| Naive {
            kind,
            limits: limits.clone(),
            entries: Vec::new(),
            stats: KindStats::default(),
        });
        Self {
            cache,
            clock,
            naive: naive.collect(),
            now: (0, 0),
        }
    }

    fn of(&mut self, kind: Kind) -> &mut Naive {
        &mut self.naive[kind as usize]
    }

    fn write(
        &mut self,
        kind: Kind,
        owner: u8,
        key: u8,
        write: impl Fn(Value) -> Value,
    ) -> Option<Report> {
        let now = self.now;
        self.of(kind).write(owner, key, now, write)
    }

    fn event(&self, name: &str, data: &Json) -> Vec<Report> {
        let event = Event::decode(name, &data.to_string());
        self.cache.update(&event).iter().map(report).collect()
    }

    /// Does `op` on both sides and returns what each reports.
    fn apply(&mut self, op: &Op) -> (Vec<Report>, Vec<Report>) {
        let merge = |text: Option<String>, flag: Option<bool>| {
            move |old: Value| (text.clone().or(old.0), flag.or(old.1), old.2)
        };
        let (got, expected) = match op.clone() {
            Op::Guild(id, name, owner) => (
                self.event(
                    "GUILD_UPDATE",
                    &json!({"id":id,"name":text(name),"owner":owner}),
                ),
                vec![self.write(Kind::Guild, 0, id, merge(Some(text(name)), owner))],
            ),
            Op::GuildDelete(id) => {
                let got = self.event("GUILD_DELETE", &json!({"id":id}));
                self.of(Kind::Channel).remove_owned(id);
                self.of(Kind::Member).remove_owned(id);
                (got, vec![self.of(Kind::Guild).remove(0, id)])
            }
            Op::Channel(guild, id, name) => (
                self.event(
                    "CHANNEL_UPDATE",
                    &json!({"id":id,"guild_id":guild,"name":text(name)}),
                ),
                vec![self.write(Kind::Channel, guild, id, merge(Some(text(name)), None))],
            ),
            Op::ChannelDelete(id) => (
                self.event("CHANNEL_DELETE", &json!({"id":id,"guild_id":1})),
                vec![self.of(Kind::Channel).remove(0, id)],
            ),
            Op::MemberUpdate(guild, id, nick) => (
                self.event(
                    "GUILD_MEMBER_UPDATE",
                    &json!({"guild_id":guild,"user":{"id":id},"nick":nick.map(text)}),
                ),
                vec![self.write(Kind::Member, guild, id, merge(nick.map(text), None))],
            ),
            Op::MemberRemove(guild, id) => (
                self.event(
                    "GUILD_MEMBER_REMOVE",
                    &json!({"guild_id":guild,"user":{"id":id}}),
                ),
                vec![self.of(Kind::Member).remove(guild, id)],
            ),
            Op::ChannelMessage(guild, id, nick, mute) => {
                let data = json!({"id":"m","guild_id":guild,"author":{"id":id},"member":{"nick":nick.map(text),"mute":mute}});
                let expected = self.write(Kind::Member, guild, id, merge(nick.map(text), mute));
                (self.event("MESSAGE_CREATE", &data), vec![expected])
            }
            Op::GroupAdd(id) => (
                self.event("GROUP_ADD_ROBOT", &json!({"group_openid":id})),
                vec![self.write(Kind::Group, 0, id, merge(None, None))],
            ),
            Op::GroupDelete(id) => {
                let got = self.event("GROUP_DEL_ROBOT", &json!({"group_openid":id}));
                self.of(Kind::GroupMember).remove_owned(id);
                (got, vec![self.of(Kind::Group).remove(0, id)])
            }
            Op::GroupSwitch(id, on) => {
                let name = if on {
                    "GROUP_MSG_RECEIVE"
                } else {
                    "GROUP_MSG_REJECT"
                };
                let expected = self.write(Kind::Group, 0, id, merge(None, Some(on)));
                (
                    self.event(name, &json!({"group_openid":id})),
                    vec![expected],
                )
            }
            Op::GroupJoin(group, id) => {
                let at = 1_700_000_000 + i64::from(id);
                let data = json!({"group_openid":group,"member_openid":id,"timestamp":at});
                let expected =
                    self.write(Kind::GroupMember, group, id, |old| (old.0, old.1, Some(at)));
                (self.event("GROUP_MEMBER_ADD", &data), vec![expected])
            }
            Op::GroupLeave(group, id) => (
                self.event(
                    "GROUP_MEMBER_REMOVE",
                    &json!({"group_openid":group,"member_openid":id}),
                ),
                vec![self.of(Kind::GroupMember).remove(group, id)],
            ),
            Op::GroupMessage(group, id, name, bot) => {
                let author = json!({"member_openid":id,"username":name.map(text),"bot":bot});
                let seen = self.write(Kind::Group, 0, group, merge(None, None));
                let member = self.write(
                    Kind::GroupMember,
                    group,
                    id,
                    merge(name.map(text), Some(bot)),
                );
                let data = json!({"id":"m","group_openid":group,"author":author});
                (
                    self.event("GROUP_AT_MESSAGE_CREATE", &data),
                    vec![seen, member],
                )
            }
            Op::GroupMemberRest(group, id, name, bot) => {
                let member = json!({"member_openid":id,"username":name.map(text),"bot":bot});
                let member = serde_json::from_value(member).unwrap();
                let got = self
                    .cache
                    .insert_group_member(&u64::from(group).into(), &member);
                let got = got.map(|member| {
                    report(&Change::GroupMember {
                        group: u64::from(group).into(),
                        member,
                    })
                });
                let expected = self.write(Kind::GroupMember, group, id, |_| {
                    (name.map(text), bot, None)
                });
                (got.into_iter().collect(), vec![expected])
            }
            Op::UserMessage(id, name) => {
                let data = json!({"id":"m","author":{"user_openid":id,"username":name.map(text)}});
                let expected = self.write(Kind::User, 0, id, merge(name.map(text), None));
                (self.event("C2C_MESSAGE_CREATE", &data), vec![expected])
            }
            Op::UserSwitch(id, on) => {
                let name = if on {
                    "C2C_MSG_RECEIVE"
                } else {
                    "C2C_MSG_REJECT"
                };
                let expected = self.write(Kind::User, 0, id, merge(None, Some(on)));
                (self.event(name, &json!({"openid":id})), vec![expected])
            }
            Op::UserDelete(id) => (
                self.event("FRIEND_DEL", &json!({"openid":id})),
                vec![self.of(Kind::User).remove(0, id)],
            ),
            Op::Read(kind, owner, key) => {
                let owner = if has_owner(kind) { owner } else { 0 };
                let now = self.now;
                let expected = self.of(kind).read(owner, key, now);
                let got = read(&self.cache, kind, owner, key);
                (
                    vec![(kind, owner, key, got, None)],
                    vec![Some((kind, owner, key, expected, None))],
                )
            }
            Op::List(kind, owner) => {
                let mut got = list(&self.cache, kind, owner);
                got.sort();
                let entries = self.of(kind).entries.iter();
                let mut expected: Vec<_> = entries
                    .filter(|entry| has_owner(kind) && entry.owner == owner)
                    .map(|entry| Some((kind, owner, entry.key, Some(entry.value.clone()), None)))
                    .collect();
                expected.sort();
                (got, expected)
            }
            Op::Wait(seconds) => {
                self.clock.advance(Duration::from_secs(seconds));
                self.now.0 += seconds;
                (vec![], vec![])
            }
            Op::Sweep => {
                self.cache.sweep();
                (vec![], vec![])
            }
        };
        (got, expected.into_iter().flatten().collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_does_what_a_naive_one_does(
        limits in proptest::collection::vec(limits(), KINDS.len()),
        ops in proptest::collection::vec(op(), 1..150),
    ) {
        let mut pair = Pair::new(&limits);
        for op in &ops {
            pair.now.1 += 1;
            let now = pair.now.0;
            for naive in &mut pair.naive {
                naive.expire(now);
            }
            if matches!(op, Op::GuildDelete(_) | Op::GroupDelete(_)) {
                // What is cleared away with its owner counts as removed even if it has expired.
                pair.cache.sweep();
            }
            let (got, expected) = pair.apply(op);
            prop_assert_eq!(got, expected, "{:?}", op);
        }
        let now = pair.now.0;
        pair.cache.sweep();
        let stats = pair.cache.stats();
        for (naive, got) in pair.naive.iter_mut().zip([
            stats.guilds,
            stats.channels,
            stats.members,
            stats.groups,
            stats.group_members,
            stats.users,
        ]) {
            naive.expire(now);
            naive.stats.entries = naive.entries.len() as u64;
            let mut got = got;
            prop_assert!(got.entries == 0 || got.bytes > 0);
            got.bytes = 0;
            // Which of two limits an entry met first is not part of the comparison.
            got.expired += std::mem::take(&mut got.expired_idle);
            prop_assert_eq!(got, naive.stats, "{:?}", naive.kind);
        }
    }
}
