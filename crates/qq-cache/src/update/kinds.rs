//! Which events a cache learns from.

use qq_model::{EventKind, EventKinds};

use crate::Cache;

/// What tells of messages in guild channels.
const CHANNEL_MESSAGES: &[EventKind] = &[EventKind::MessageCreate, EventKind::AtMessageCreate];
const GROUP_MESSAGES: &[EventKind] = &[
    EventKind::GroupMessageCreate,
    EventKind::GroupAtMessageCreate,
];

impl Cache {
    /// The kinds of events that [`update`](Self::update) can learn from, by what is [on](crate::KindConfig::off). Others
    /// need not be given to it.
    ///
    /// ```
    /// use qq_cache::{Cache, CacheConfig};
    /// use qq_model::EventKind;
    ///
    /// assert!(Cache::new(CacheConfig::off()).event_kinds().is_empty());
    /// assert!(Cache::default().event_kinds().contains(EventKind::GuildCreate));
    /// ```
    #[must_use]
    pub fn event_kinds(&self) -> EventKinds {
        use EventKind as Kind;
        let kinds = &self.kinds;
        let mut wanted = EventKinds::none();
        let mut want = |is_on: bool, events: &[EventKind]| {
            if is_on {
                wanted = events.iter().fold(wanted, |set, kind| set.with(*kind));
            }
        };
        let guilds = [Kind::GuildCreate, Kind::GuildUpdate, Kind::GuildDelete];
        want(!kinds.guilds.is_off(), &guilds);
        let channels = [
            Kind::ChannelCreate,
            Kind::ChannelUpdate,
            Kind::ChannelDelete,
            Kind::GuildDelete,
        ];
        want(!kinds.channels.is_off(), &channels);
        want(!kinds.roles.is_off(), &[Kind::GuildDelete]);
        let members = [
            Kind::GuildMemberAdd,
            Kind::GuildMemberUpdate,
            Kind::GuildMemberRemove,
            Kind::GuildDelete,
        ];
        want(!kinds.members.is_off(), &members);
        want(!kinds.members.is_off(), CHANNEL_MESSAGES);
        let groups = [
            Kind::GroupAddRobot,
            Kind::GroupDelRobot,
            Kind::GroupMsgReceive,
            Kind::GroupMsgReject,
            Kind::GroupMemberAdd,
            Kind::GroupMemberRemove,
        ];
        let any_of_groups = !kinds.groups.is_off() || !kinds.group_members.is_off();
        want(any_of_groups, &groups);
        want(any_of_groups, GROUP_MESSAGES);
        let users = [
            Kind::C2CMessageCreate,
            Kind::FriendAdd,
            Kind::FriendDel,
            Kind::C2CMsgReceive,
            Kind::C2CMsgReject,
        ];
        want(!kinds.users.is_off(), &users);
        let messages = [
            Kind::DirectMessageCreate,
            Kind::C2CMessageCreate,
            Kind::MessageDelete,
            Kind::PublicMessageDelete,
            Kind::DirectMessageDelete,
        ];
        let keeps_messages = !kinds.messages.is_off();
        want(keeps_messages, &messages);
        want(keeps_messages, CHANNEL_MESSAGES);
        want(keeps_messages, GROUP_MESSAGES);
        wanted
    }
}

#[cfg(test)]
mod tests {
    use qq_model::Event;
    use serde_json::json;

    use crate::{Cache, CacheConfig, KindConfig};

    /// A payload of which every kind of event takes what it knows.
    fn payload() -> String {
        let user = json!({"id": "7", "username": "x"});
        json!({
            "id": "1", "guild_id": "1", "channel_id": "2", "group_openid": "G", "openid": "U", "name": "x",
            "content": "x", "user": user, "member": {"nick": "x", "joined_at": "2026-11-21T12:00:00+08:00"},
            "author": {"id": "7", "username": "x", "user_openid": "U", "member_openid": "M"},
            "message": {"id": "1", "guild_id": "1", "channel_id": "2", "author": user},
            "member_openid": "M", "op_member_openid": "M", "timestamp": 1_700_000_000,
        })
        .to_string()
    }

    #[test]
    fn no_event_changes_anything_that_is_not_asked_for() {
        let one = || -> Vec<(&str, CacheConfig)> {
            macro_rules! only {
                ($($kind:ident),*) => {
                    vec![$((stringify!($kind), CacheConfig { $kind: KindConfig::new(100), ..CacheConfig::off() })),*]
                };
            }
            only!(
                guilds,
                channels,
                roles,
                members,
                groups,
                group_members,
                users,
                messages,
                media
            )
        };
        let mut learned = 0;
        for (name, config) in one() {
            let cache = Cache::new(config);
            let wanted = cache.event_kinds();
            // Twice, so that there is something to remove.
            for kind in qq_model::EventKind::ALL
                .iter()
                .chain(qq_model::EventKind::ALL)
            {
                let text = payload();
                // Numbers and texts of times differ between events.
                let events = [
                    text.clone(),
                    text.replace("1700000000", "\"2026-11-21T12:00:00+08:00\""),
                ];
                for event in events.map(|text| Event::decode(kind.as_str(), &text)) {
                    let before = cache.stats();
                    let changes = cache.update(&event);
                    let entries = |stats: &crate::CacheStats| format!("{stats:?}");
                    let is_news = changes.iter().next().is_some();
                    if is_news && !wanted.contains(*kind) {
                        panic!("{name}: {kind} changes {changes:?}, {}", entries(&before));
                    }
                    learned += usize::from(is_news);
                }
            }
        }
        assert!(learned > 30, "{learned}: the payload says too little");
    }
}
