//! Which events somebody asks for; the others are dropped before they are decoded.

use std::sync::atomic::Ordering;

use qq_model::{EventKind, EventKinds};

use crate::client::Settings;
use crate::shared::Shared;

/// What the client itself needs to know, however few handlers there are: who takes unasked messages, and what exists
/// again that was missing.
const ALWAYS: [EventKind; 9] = [
    EventKind::Ready,
    EventKind::Resumed,
    EventKind::C2CMsgReceive,
    EventKind::C2CMsgReject,
    EventKind::GroupMsgReceive,
    EventKind::GroupMsgReject,
    EventKind::GuildCreate,
    EventKind::ChannelCreate,
    EventKind::GroupAddRobot,
];
const MESSAGES: [EventKind; 6] = [
    EventKind::MessageCreate,
    EventKind::AtMessageCreate,
    EventKind::DirectMessageCreate,
    EventKind::GroupMessageCreate,
    EventKind::GroupAtMessageCreate,
    EventKind::C2CMessageCreate,
];
/// What can be quoted by an index.
const QUOTABLE: [EventKind; 3] = [
    EventKind::GroupMessageCreate,
    EventKind::GroupAtMessageCreate,
    EventKind::C2CMessageCreate,
];
const REACTIONS: [EventKind; 2] = [
    EventKind::MessageReactionAdd,
    EventKind::MessageReactionRemove,
];
/// What ends a collector whose chat or message is no more.
const ENDS: [EventKind; 7] = [
    EventKind::GroupDelRobot,
    EventKind::FriendDel,
    EventKind::ChannelDelete,
    EventKind::GuildDelete,
    EventKind::MessageDelete,
    EventKind::PublicMessageDelete,
    EventKind::DirectMessageDelete,
];

/// What is asked for as long as the client lives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// Exactly these, as the user said.
    Said(EventKinds),
    /// These, and what closures, collectors and waiting answers ask for meanwhile.
    AtLeast(EventKinds),
}

impl Wanted {
    /// What this handler and these settings ask for.
    pub(crate) fn new(handler: EventKinds, settings: &Settings) -> Self {
        if let Some(kinds) = settings.dispatch.kinds {
            return Self::Said(kinds);
        }
        let mut kinds = with(handler, &ALWAYS);
        let missing = !settings.knowledge.missing.is_zero();
        for kind in settings.knowledge.cache.event_kinds() {
            kinds = kinds.with(kind);
        }
        if missing {
            kinds = kinds.with(EventKind::GuildMemberAdd);
        }
        if settings.knowledge.quotes.store.is_some() {
            kinds = with(kinds, &QUOTABLE);
        }
        if settings.reply.auto_ack.is_some() {
            kinds = kinds.with(EventKind::InteractionCreate);
        }
        Self::AtLeast(kinds)
    }

    /// What is asked for whatever happens meanwhile.
    pub(crate) const fn always(self) -> EventKinds {
        match self {
            Self::Said(kinds) | Self::AtLeast(kinds) => kinds,
        }
    }
}

impl Shared {
    /// Whether somebody asks for events of this kind now; counts those that nobody does.
    pub(crate) fn wants(&self, wanted: Wanted, kind: EventKind) -> bool {
        let is_wanted = match wanted {
            Wanted::Said(kinds) => kinds.contains(kind),
            Wanted::AtLeast(kinds) => {
                kinds.contains(kind) || self.handlers.want(kind) || self.waits_for(kind)
            }
        };
        if !is_wanted {
            let unwanted = &self.counters.unwanted;
            unwanted.fetch_add(1, Ordering::Relaxed);
        }
        is_wanted
    }

    /// Whether a collector or an answer waits for events of this kind.
    fn waits_for(&self, kind: EventKind) -> bool {
        let collectors = &self.knowledge.collectors;
        (MESSAGES.contains(&kind)
            && (collectors.messages() > 0 || self.replies.waiting_answers() > 0))
            || (REACTIONS.contains(&kind) && collectors.reactions() > 0)
            || (kind == EventKind::InteractionCreate && collectors.buttons() > 0)
            || (ENDS.contains(&kind) && collectors.len() > 0)
    }
}

fn with(kinds: EventKinds, more: &[EventKind]) -> EventKinds {
    more.iter().fold(kinds, |kinds, kind| kinds.with(*kind))
}
