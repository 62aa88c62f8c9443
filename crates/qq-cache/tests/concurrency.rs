//! Many threads on one small cache: whatever the order, nothing is torn, lost or left over.

use std::sync::Barrier;
use std::thread;

use qq_cache::{Cache, Change};
use qq_model::Event;

const THREADS: usize = 8;
const ROUNDS: u64 = 4_000;

fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

#[test]
fn readers_writers_evictions_and_removals_together() {
    let cache = Cache::builder()
        .shards(4)
        .channels(|channels| channels.capacity(2_100))
        .group_members(|members| members.capacity(2_100))
        .build();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 1..=THREADS as u64 {
            let (cache, start) = (cache.clone(), &start);
            scope.spawn(move || {
                let mut random = thread * 0x9E37_79B9;
                start.wait();
                for round in 0..ROUNDS {
                    let n = next(&mut random);
                    let (owner, id) = (n % 16, (n >> 8) % 9_000);
                    let event = match n >> 60 {
                        0..8 => Event::decode(
                            "GROUP_MEMBER_ADD",
                            &format!(r#"{{"group_openid":"{owner}","member_openid":"{id}","timestamp":{id}}}"#),
                        ),
                        8..12 => Event::decode(
                            "CHANNEL_UPDATE",
                            // A channel stays in its guild.
                            &format!(r#"{{"id":"{id}","guild_id":"{}","name":"{thread}"}}"#, id % 16),
                        ),
                        12 => Event::decode(
                            "GROUP_MEMBER_REMOVE",
                            &format!(r#"{{"group_openid":"{owner}","member_openid":"{id}"}}"#),
                        ),
                        _ => Event::decode("RESUMED", "{}"),
                    };
                    for change in cache.update(&event) {
                        if let Change::GroupMember { member, .. } = change {
                            assert_eq!(member.new_value().or(member.old()).unwrap().member_openid().as_u64(), Some(id));
                        }
                    }
                    if let Some(member) = cache.group_member(&owner.into(), &id.into()) {
                        let joined = member.joined_at().and_then(|time| time.unix_seconds());
                        assert_eq!(joined, Some(i64::try_from(id).unwrap()), "a torn value");
                    }
                    if let Some(channel) = cache.channel(&id.into()) {
                        assert_eq!(channel.guild_id.as_u64(), Some(id % 16));
                    }
                    if round % 500 == thread {
                        cache.update(&Event::decode("GROUP_DEL_ROBOT", &format!(r#"{{"group_openid":"{owner}"}}"#)));
                        let guild = owner.into();
                        assert!(cache.guild_channels(&guild).iter().all(|c| c.guild_id == guild));
                    }
                    let stats = cache.stats();
                    assert!(stats.channels.entries <= 2_100 && stats.group_members.entries <= 2_100);
                }
            });
        }
    });
    let listed: usize = (0..16)
        .map(|group| cache.group_members(&u64::into(group)).len())
        .sum();
    let channels: usize = (0..16)
        .map(|guild| cache.guild_channels(&u64::into(guild)).len())
        .sum();
    let stats = cache.stats();
    assert_eq!(stats.group_members.entries, listed as u64);
    assert_eq!(stats.channels.entries, channels as u64);
    assert!(
        stats.group_members.evicted_for_capacity > 0,
        "the test must evict"
    );
    for kind in [stats.group_members, stats.channels] {
        assert_eq!(
            kind.inserts,
            kind.entries + kind.removes + kind.evicted_for_capacity
        );
    }
}
