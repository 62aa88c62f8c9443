//! What happens at random.

use proptest::prelude::*;

use crate::naive::{KINDS, Kind, Limits};

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Guild(u8, u8, Option<bool>),
    GuildDelete(u8),
    Channel(u8, u8, u8),
    ChannelDelete(u8),
    MemberUpdate(u8, u8, Option<u8>),
    MemberRemove(u8, u8),
    ChannelMessage(u8, u8, Option<u8>, Option<bool>),
    GroupAdd(u8),
    GroupDelete(u8),
    GroupSwitch(u8, bool),
    GroupJoin(u8, u8),
    GroupLeave(u8, u8),
    GroupMessage(u8, u8, Option<u8>, bool),
    GroupMemberRest(u8, u8, Option<u8>, Option<bool>),
    UserMessage(u8, Option<u8>),
    UserSwitch(u8, bool),
    UserDelete(u8),
    Read(Kind, u8, u8),
    List(Kind, u8),
    Wait(u64),
    Sweep,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let (o, k, t) = (1..3_u8, 1..6_u8, 0..3_u8);
    let (text, flag) = (
        proptest::option::of(0..3_u8),
        proptest::option::of(any::<bool>()),
    );
    let kind = (0..KINDS.len()).prop_map(|at| KINDS[at]);
    prop_oneof![
        2 => (k.clone(), t.clone(), flag.clone()).prop_map(|(k, t, f)| Op::Guild(k, t, f)),
        1 => o.clone().prop_map(Op::GuildDelete),
        3 => (o.clone(), k.clone(), t).prop_map(|(o, k, t)| Op::Channel(o, k, t)),
        1 => k.clone().prop_map(Op::ChannelDelete),
        2 => (o.clone(), k.clone(), text.clone()).prop_map(|(o, k, t)| Op::MemberUpdate(o, k, t)),
        1 => (o.clone(), k.clone()).prop_map(|(o, k)| Op::MemberRemove(o, k)),
        2 => (o.clone(), k.clone(), text.clone(), flag.clone()).prop_map(|(o, k, t, f)| Op::ChannelMessage(o, k, t, f)),
        1 => k.clone().prop_map(Op::GroupAdd),
        1 => o.clone().prop_map(Op::GroupDelete),
        2 => (k.clone(), any::<bool>()).prop_map(|(k, f)| Op::GroupSwitch(k, f)),
        2 => (o.clone(), k.clone()).prop_map(|(o, k)| Op::GroupJoin(o, k)),
        1 => (o.clone(), k.clone()).prop_map(|(o, k)| Op::GroupLeave(o, k)),
        3 => (o.clone(), k.clone(), text.clone(), any::<bool>()).prop_map(|(o, k, t, f)| Op::GroupMessage(o, k, t, f)),
        2 => (o.clone(), k.clone(), text.clone(), flag).prop_map(|(o, k, t, f)| Op::GroupMemberRest(o, k, t, f)),
        2 => (k.clone(), text).prop_map(|(k, t)| Op::UserMessage(k, t)),
        1 => (k.clone(), any::<bool>()).prop_map(|(k, f)| Op::UserSwitch(k, f)),
        1 => k.clone().prop_map(Op::UserDelete),
        6 => (kind.clone(), o.clone(), k).prop_map(|(kind, o, k)| Op::Read(kind, o, k)),
        2 => (kind, o).prop_map(|(kind, o)| Op::List(kind, o)),
        2 => (1..6_u64).prop_map(Op::Wait),
        1 => Just(Op::Sweep),
    ]
}

prop_compose! {
    pub(crate) fn limits()(
        capacity in 0..6_usize,
        ttl in proptest::option::of(1..15_u64),
        idle in proptest::option::of(1..10_u64),
        oldest in any::<bool>(),
    ) -> Limits {
        Limits { capacity, ttl, idle, oldest }
    }
}
