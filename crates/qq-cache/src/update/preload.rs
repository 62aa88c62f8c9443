//! Asking for memory before it is needed.

use qq_model::Event;
use qq_model::message::Conversation;

use crate::Cache;

/// How many mentioned members are looked for in advance.
const MENTIONS: usize = 2;

/// Where the entries are that an event is about. See [`Cache::preload`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Preload {
    group: Option<u64>,
    /// Who wrote, and who is mentioned.
    group_members: [Option<u64>; 1 + MENTIONS],
    member: Option<u64>,
    user: Option<u64>,
}

impl Cache {
    /// Says that the cache will be [updated](Self::update) with this event soon, but not at once.
    ///
    /// Entries that nobody has asked for lately are in memory that the processor has to wait for. It need not where it was
    /// told in time, in two steps: this one asks for what says where the entries are, and
    /// [`finish_preload`](Self::finish_preload) for the entries. It changes nothing but how long `update` takes, and is
    /// worth its while in a flood of events, of which the next is known while one is handled.
    ///
    /// ```
    /// use qq_cache::Cache;
    /// use qq_model::Event;
    ///
    /// # let (first, second) = (Event::decode("GUILD_CREATE", "{}"), Event::decode("GUILD_CREATE", "{}"));
    /// let cache = Cache::default();
    /// let preload = cache.preload(&second);
    /// cache.update(&first);
    /// cache.finish_preload(&preload);
    /// // Something else meanwhile.
    /// cache.update(&second);
    /// ```
    #[must_use]
    pub fn preload(&self, event: &Event) -> Preload {
        let kinds = &self.kinds;
        let mut preload = Preload::default();
        match event {
            Event::GroupMessageCreate(message) | Event::GroupAtMessageCreate(message) => {
                if let Conversation::Group(group) = message.conversation() {
                    preload.group = kinds.groups.preload(None, &group);
                    let author = message.author_id();
                    let mentioned = message.mentions.iter();
                    let mentioned = mentioned.filter_map(|mention| mention.member_openid.as_ref());
                    let members = std::iter::once(&author).chain(mentioned);
                    for (place, member) in preload.group_members.iter_mut().zip(members) {
                        *place = kinds.group_members.preload(Some(&group), member);
                    }
                }
            }
            Event::MessageCreate(message) | Event::AtMessageCreate(message) => {
                let member = &message.author.id;
                preload.member = kinds.members.preload(Some(&message.guild_id), member);
            }
            Event::DirectMessageCreate(message) => {
                let member = &message.author.id;
                let guild = message.src_guild_id.as_ref();
                preload.member = guild.and_then(|guild| kinds.members.preload(Some(guild), member));
            }
            Event::C2CMessageCreate(message) => {
                preload.user = kinds.users.preload(None, &message.author_id());
            }
            _ => {}
        }
        preload
    }

    /// Asks for the entries, once what says where they are has had the time to come.
    pub fn finish_preload(&self, preload: &Preload) {
        let kinds = &self.kinds;
        kinds.groups.prefetch(preload.group);
        for member in preload.group_members {
            kinds.group_members.prefetch(member);
        }
        kinds.members.prefetch(preload.member);
        kinds.users.prefetch(preload.user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheConfig, KindConfig};

    /// Messages of all scenes, of few people and many.
    fn events() -> Vec<Event> {
        let mut random = 1_u32;
        let mut below = |end: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % end
        };
        let mut events = Vec::new();
        for n in 0..2_000 {
            let (place, person, other) = (below(20), below(60), below(60));
            let user = format!(r#"{{"id":"{person}","username":"{person}"}}"#);
            let (name, data) = match below(5) {
                0 => (
                    "C2C_MESSAGE_CREATE",
                    format!(r#"{{"id":"{n}","author":{{"user_openid":"{person}"}}}}"#),
                ),
                1 => (
                    "MESSAGE_CREATE",
                    format!(
                        r#"{{"id":"{n}","guild_id":"{place}","channel_id":"1","author":{user}}}"#
                    ),
                ),
                2 => (
                    "DIRECT_MESSAGE_CREATE",
                    format!(
                        r#"{{"id":"{n}","guild_id":"9","src_guild_id":"{place}","author":{user}}}"#
                    ),
                ),
                _ => (
                    "GROUP_MESSAGE_CREATE",
                    format!(
                        r#"{{"id":"{n}","group_openid":"{place}","author":{{"member_openid":"{person}"}},"mentions":[{{"member_openid":"{other}"}}]}}"#
                    ),
                ),
            };
            events.push(Event::decode(name, &data));
        }
        events
    }

    #[test]
    fn it_changes_nothing() {
        let few = || {
            Cache::new(CacheConfig {
                groups: KindConfig::new(10),
                group_members: KindConfig::new(50),
                members: KindConfig::new(50),
                users: KindConfig::new(10),
                messages: KindConfig::new(30),
                ..CacheConfig::default()
            })
        };
        // Hashes are seeded for each cache, and so is what comes into which shard.
        let one_shard = || {
            Cache::new(CacheConfig {
                shards: 1,
                ..CacheConfig::default()
            })
        };
        let off = || Cache::new(CacheConfig::off());
        let events = events();
        for (plain, preloaded) in [(few(), few()), (one_shard(), one_shard()), (off(), off())] {
            let mut next = preloaded.preload(&events[0]);
            for (at, event) in events.iter().enumerate() {
                preloaded.finish_preload(&next);
                if let Some(event) = events.get(at + 1) {
                    next = preloaded.preload(event);
                }
                let changes = |cache: &Cache| format!("{:?}", cache.update(event));
                assert_eq!(changes(&plain), changes(&preloaded));
            }
            let stats = |cache: &Cache| format!("{:?}", cache.stats());
            assert_eq!(stats(&plain), stats(&preloaded));
        }
        assert!(
            events
                .iter()
                .all(|event| !matches!(event, Event::Undecodable { .. }))
        );
    }
}
