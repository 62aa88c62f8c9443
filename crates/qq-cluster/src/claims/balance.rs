//! Who should have what: decided by each process alone, from what it sees, and settled by compare-and-set.

use std::collections::BTreeMap;

use super::claimer::Present;

/// What a process should do about shards or partitions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    /// Free ones to take.
    pub(crate) take: Vec<u32>,
    /// Own ones to hand over.
    pub(crate) release: Vec<u32>,
}

/// Decides for the process `me`. `holders` says who has what; those whose holder does not live are free.
///
/// Everything is spread evenly over those that share: with `n` things and `m` processes each has `n / m`, and the first `n % m` of
/// them, by id, one more. A process takes no more than its share, so that two that start together do not fight.
pub(crate) fn moves(
    count: u32,
    holders: &BTreeMap<u32, Box<str>>,
    present: &Present,
    me: &str,
) -> Moves {
    let Present { living, sharing } = present;
    let Some(rank) = sharing.iter().position(|id| &**id == me) else {
        // Not seen by itself yet, or about to go: nothing is taken, nothing given away.
        return Moves::default();
    };
    let members = sharing.len();
    let count_usize = count as usize;
    let share = count_usize / members + usize::from(rank < count_usize % members);
    let mine: Vec<u32> = (0..count)
        .filter(|thing| holders.get(thing).is_some_and(|holder| &**holder == me))
        .collect();
    if mine.len() > share {
        // Those taken last go first: they are the least warm. The order of ids serves as well as any.
        return Moves {
            take: Vec::new(),
            release: mine[share..].to_vec(),
        };
    }
    let is_free = |thing: &u32| {
        holders
            .get(thing)
            .is_none_or(|holder| !living.contains(holder))
    };
    let mut free: Vec<u32> = (0..count).filter(is_free).collect();
    // Each begins at another place, so that processes that see the same do not want the same.
    if !free.is_empty() {
        let start = rank * free.len() / members;
        free.rotate_left(start);
    }
    free.truncate(share - mine.len());
    Moves {
        take: free,
        release: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// These live, and the first so many of them share.
    fn present(ids: &[&str], sharing: usize) -> Present {
        let set = |ids: &[&str]| ids.iter().map(|id| Box::from(*id)).collect();
        Present {
            living: set(ids),
            sharing: set(&ids[..sharing]),
        }
    }

    /// Lets every process act in turn until nothing moves; who has what.
    fn settle(count: u32, holders: &mut BTreeMap<u32, Box<str>>, present: &Present) -> usize {
        for round in 0..100 {
            let mut is_calm = true;
            for me in &present.living {
                let moves = moves(count, holders, present, me);
                is_calm &= moves == Moves::default();
                for thing in moves.release {
                    holders.remove(&thing);
                }
                for thing in moves.take {
                    holders.insert(thing, me.clone());
                }
            }
            if is_calm {
                return round;
            }
        }
        panic!("never calm");
    }

    #[test]
    fn everything_is_held_and_evenly() {
        fastrand::seed(7);
        for _ in 0..500 {
            let count = fastrand::u32(1..200);
            let names: Vec<String> = (0..fastrand::usize(1..9))
                .map(|n| format!("m{n}"))
                .collect();
            let living: BTreeSet<Box<str>> =
                names.iter().map(|name| name.as_str().into()).collect();
            let present = Present {
                sharing: living.clone(),
                living,
            };
            // Any start: free, held by the living, held by the dead.
            let mut holders: BTreeMap<u32, Box<str>> = (0..count)
                .filter_map(|thing| match fastrand::u32(0..3) {
                    0 => None,
                    1 => Some((thing, "dead".into())),
                    _ => Some((thing, fastrand::choice(&names)?.as_str().into())),
                })
                .collect();
            settle(count, &mut holders, &present);
            assert_eq!(holders.len(), count as usize);
            let living = &present.living;
            for me in living {
                let held = holders.values().filter(|holder| *holder == me).count();
                let fair = count as usize / living.len();
                assert!(
                    (fair..=fair + 1).contains(&held),
                    "{held} of {count} among {}",
                    living.len()
                );
            }
        }
    }

    #[test]
    fn what_is_even_stays() {
        let members = present(&["a", "b"], 2);
        let holders = BTreeMap::from([(0, "a".into()), (1, "b".into()), (2, "a".into())]);
        assert_eq!(moves(3, &holders, &members, "a"), Moves::default());
        assert_eq!(moves(3, &holders, &members, "b"), Moves::default());
    }

    #[test]
    fn a_dead_process_is_replaced_and_an_unseen_one_waits() {
        let members = present(&["a"], 1);
        let holders = BTreeMap::from([(0, "a".into()), (1, "b".into())]);
        assert_eq!(moves(2, &holders, &members, "a").take, [1]);
        assert_eq!(moves(2, &holders, &members, "c"), Moves::default());
    }

    #[test]
    fn whoever_leaves_keeps_what_it_has_and_others_take_what_it_gives_up() {
        let members = present(&["a", "b", "c"], 2);
        let has = |number: u32, id: &str| (number, Box::from(id));
        let mut holders = BTreeMap::from([has(0, "a"), has(1, "b"), has(2, "c"), has(3, "c")]);
        for me in ["a", "b", "c"] {
            assert_eq!(moves(4, &holders, &members, me), Moves::default(), "{me}");
        }
        holders.remove(&3);
        assert_eq!(moves(4, &holders, &members, "a").take, [3]);
        assert_eq!(moves(4, &holders, &members, "b").take, [3]);
        assert_eq!(moves(4, &holders, &members, "c"), Moves::default());
    }
}
