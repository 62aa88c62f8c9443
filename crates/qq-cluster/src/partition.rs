//! Which partition a conversation falls into, and what waits for what.

use std::hash::Hasher;

use qq_model::message::Conversation;
use qq_model::{Dispatch, Event};

/// Where an event belongs. Every process, of whatever build and machine, finds the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// That of its conversation.
    pub(crate) partition: u16,
    /// Events of one lane are stored in the order in which they came.
    pub(crate) lane: u64,
}

impl Place {
    pub(crate) fn of(dispatch: &Dispatch, partitions: u16) -> Self {
        let lane = conversation_key(dispatch);
        let partition = lane % u64::from(partitions.max(1));
        Self {
            partition: u16::try_from(partition).unwrap_or_default(),
            lane,
        }
    }
}

/// A number for the conversation of an event: events of one conversation have the same.
fn conversation_key(dispatch: &Dispatch) -> u64 {
    let mut hasher = Fnv::default();
    match dispatch.event.conversation() {
        Some(conversation) => {
            // A scene's name and an id, so that equal ids of different scenes are spread.
            let (scene, id) = match &conversation {
                Conversation::Channel(id) => ("channel", id.text()),
                Conversation::Direct(id) => ("direct", id.text()),
                Conversation::Group(id) => ("group", id.text()),
                Conversation::C2C(id) => ("c2c", id.text()),
            };
            hasher.write(scene.as_bytes());
            hasher.write(&[0]);
            hasher.write(id.as_bytes());
        }
        // An event outside any conversation waits for no other.
        None => hasher.write(message_id(dispatch).as_bytes()),
    }
    hasher.finish()
}

/// What an event waits for: events of one conversation come one after another. Button presses do not wait behind
/// messages: the platform wants an answer within three seconds.
pub(crate) fn lane_key(dispatch: &Dispatch) -> u64 {
    let key = conversation_key(dispatch);
    match &dispatch.event {
        Event::InteractionCreate(_) => !key,
        _ => key,
    }
}

/// What NATS knows an event again by. Messages repeat under other event ids, so their own id decides, and the pair of
/// events that a mention makes is one; everything else goes by the event id.
pub(crate) fn message_id(dispatch: &Dispatch) -> Box<str> {
    let message = match &dispatch.event {
        Event::AtMessageCreate(message) | Event::MessageCreate(message) => Some(&message.id),
        Event::DirectMessageCreate(message) => Some(&message.id),
        Event::GroupAtMessageCreate(message) | Event::GroupMessageCreate(message) => {
            Some(&message.id)
        }
        Event::C2CMessageCreate(message) => Some(&message.id),
        _ => None,
    };
    match (message.filter(|id| !id.is_empty()), &dispatch.id) {
        (Some(id), _) => format!("m:{id}").into(),
        (None, Some(id)) => format!("e:{id}").into(),
        // Nothing tells it from others, so it is taken for none of them.
        (None, None) => format!("r:{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into(),
    }
}

/// FNV-1a with a final mix: stable across builds, unlike the hashers of the standard library.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(group: &str, event: &str) -> Dispatch {
        let data = format!(r#"{{"id":"m-{event}","group_openid":"{group}"}}"#);
        let mut dispatch = Dispatch::new(Event::decode("GROUP_MESSAGE_CREATE", &data));
        dispatch.id = Some(event.into());
        dispatch
    }

    #[test]
    fn conversations_are_spread_evenly_and_stay_where_they_are() {
        let mut sizes = [0_u32; 64];
        for number in 0..64_000 {
            let group = format!("group-{number}");
            let place = Place::of(&message(&group, "a"), 64);
            assert_eq!(place, Place::of(&message(&group, "b"), 64));
            sizes[usize::from(place.partition)] += 1;
        }
        assert!(
            sizes.iter().all(|size| (800..1200).contains(size)),
            "{sizes:?}"
        );
        // Written down, because a running cluster would lose its order if it changed.
        assert_eq!(Place::of(&message("A", "a"), 64).partition, 58);
    }

    #[test]
    fn a_mention_under_two_names_is_one() {
        let event = |name: &str, id: &str| {
            let mut dispatch =
                Dispatch::new(Event::decode(name, r#"{"id":"m","group_openid":"G"}"#));
            dispatch.id = Some(id.into());
            message_id(&dispatch)
        };
        assert_eq!(
            event("GROUP_AT_MESSAGE_CREATE", "a"),
            event("GROUP_MESSAGE_CREATE", "b")
        );
        assert_ne!(event("GROUP_ADD_ROBOT", "a"), event("GROUP_ADD_ROBOT", "b"));
        let unnamed = || message_id(&Dispatch::new(Event::decode("GROUP_ADD_ROBOT", "{}")));
        assert_ne!(unnamed(), unnamed());
    }
}
