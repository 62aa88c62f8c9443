//! A million members of QQ groups in the cache: bytes and time, beside the same in `DashMap`.
//!
//! `cargo bench -p qqbot-benches --bench cache_members [-- <members> <groups>]`

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures"
)]

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use cap::Cap;
use dashmap::{DashMap, DashSet};
use qq_cache::{Cache, KindConfig};
use qq_model::Event;
use qq_model::group::GroupMember;
use qq_model::id::{GroupOpenid, MemberOpenid};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Threads of the part with several; more than cores, so that they meet.
const THREADS: u64 = 4;
/// Operations that a figure is the mean of.
const OPERATIONS: u64 = 1_000_000;

/// The way in which members are asked for: far from each other, each as likely.
fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

fn openid(n: u64) -> String {
    format!(
        "{:032X}",
        u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    )
}

fn member_openid(n: u64) -> MemberOpenid {
    openid(n).into()
}

fn member(n: u64) -> GroupMember {
    let name = match n % 5 {
        0 => format!("小明{n}"),
        1 => format!("Member number {n} of many"),
        2 => format!("{n}"),
        3 => format!("阿{n}的小号"),
        _ => format!("user{n}"),
    };
    let mut member = GroupMember::default();
    member.member_openid = member_openid(n);
    member.username = Some(name.into());
    member.member_role = "member".into();
    member.bot = Some(false);
    member.joined_at = "2026-05-23T10:00:00+08:00".parse().ok();
    member
}

/// What both maps can do.
trait Map: Clone + Send + Sync {
    fn insert(&self, group: &GroupOpenid, member: &GroupMember);
    fn read(&self, group: &GroupOpenid, member: &MemberOpenid) -> usize;
}

impl Map for Cache {
    fn insert(&self, group: &GroupOpenid, member: &GroupMember) {
        self.insert_group_member(group, member);
    }

    fn read(&self, group: &GroupOpenid, member: &MemberOpenid) -> usize {
        self.group_member(group, member)
            .map_or(0, |member| member.username().map_or(0, str::len))
    }
}

/// `DashMap` with an index of each group's members, without any bound: it has no place for one.
#[derive(Clone, Default)]
struct Dash {
    members: Arc<DashMap<(GroupOpenid, MemberOpenid), Arc<GroupMember>>>,
    groups: Arc<DashMap<GroupOpenid, DashSet<MemberOpenid>>>,
}

impl Map for Dash {
    fn insert(&self, group: &GroupOpenid, member: &GroupMember) {
        let id = member.member_openid.clone();
        let key = (group.clone(), id.clone());
        if self.members.insert(key, Arc::new(member.clone())).is_none() {
            self.groups.entry(group.clone()).or_default().insert(id);
        }
    }

    fn read(&self, group: &GroupOpenid, member: &MemberOpenid) -> usize {
        let found = self.members.get(&(group.clone(), member.clone()));
        let member = found.map(|guard| Arc::clone(&guard));
        member.map_or(0, |member| member.username.as_deref().map_or(0, str::len))
    }
}

/// Nanoseconds per operation of `run`, without what `prepare` takes: the median of many batches, because other
/// programs take their share of the machine.
fn nanos<T>(prepare: impl Fn(u64) -> T, mut run: impl FnMut(&T)) -> f64 {
    const BATCH: u64 = 500;
    let mut batches: Vec<f64> = (0..OPERATIONS / BATCH)
        .map(|batch| {
            let inputs: Vec<_> = (0..BATCH).map(|n| prepare(batch * BATCH + n)).collect();
            let start = Instant::now();
            for input in &inputs {
                run(input);
            }
            start.elapsed().as_secs_f64() * 1e9 / BATCH as f64
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[batches.len() / 2]
}

struct World {
    members: u64,
    groups: Vec<GroupOpenid>,
}

impl World {
    fn new(members: u64, groups: u64) -> Self {
        // Ids of groups are far from those of members.
        let groups = (0..groups).map(|n| openid(n + (1 << 40)).into()).collect();
        Self { members, groups }
    }

    fn group(&self, n: u64) -> &GroupOpenid {
        let at = usize::try_from(n).unwrap_or_default() % self.groups.len();
        &self.groups[at]
    }

    fn fill(&self, map: &impl Map) {
        for n in 0..self.members {
            map.insert(self.group(n), &member(n));
        }
    }

    fn measure(&self, name: &str, map: &impl Map) {
        let before = ALLOCATOR.allocated();
        self.fill(map);
        let bytes = (ALLOCATOR.allocated() - before) as f64 / self.members as f64;
        let pick = |n| scatter(n) % self.members;
        let read = nanos(
            |n| (self.group(pick(n)), member_openid(pick(n))),
            |(group, id)| {
                black_box(map.read(group, id));
            },
        );
        let write = nanos(
            |n| {
                (
                    self.group(pick(n)),
                    member(pick(n) + 7 * self.members * (n % 2)),
                )
            },
            |(group, member)| {
                // Half of them are known; the others are new, and evict where there is a bound.
                map.insert(group, member);
            },
        );
        let start = Instant::now();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for n in 0..OPERATIONS / THREADS {
                        let n = pick(n * THREADS + thread);
                        black_box(map.read(self.group(n), &member_openid(n)));
                    }
                });
            }
        });
        let threads = start.elapsed().as_secs_f64() * 1e9 / OPERATIONS as f64;
        println!(
            "{name:<14}{bytes:>10.1} bytes each{read:>9.0} ns/read{write:>9.0} ns/write{threads:>9.0} ns/read with {THREADS} threads (ids formed too)"
        );
    }

    /// Messages of known members: what a busy bot's cache does most.
    fn messages(&self) {
        let cache = bounded(self.members);
        self.fill(&cache);
        let event = |n: u64| {
            let n = scatter(n) % self.members;
            let known = member(n);
            let name = known.username.unwrap_or_default();
            Event::decode(
                "GROUP_MESSAGE_CREATE",
                &format!(
                    r#"{{"id":"M{n}","group_openid":"{}","content":"x","author":{{"member_openid":"{}","username":"{name}","member_role":"member"}}}}"#,
                    self.group(n),
                    known.member_openid,
                ),
            )
        };
        let update = nanos(
            |n| Arc::new(event(n)),
            |event| {
                cache.update_shared(event);
            },
        );
        println!(
            "{:>9} members in {:>5} groups: {update:>6.0} ns per group message",
            self.members,
            self.groups.len()
        );
    }
}

fn bounded(members: u64) -> Cache {
    let room = usize::try_from(members + members / 10).unwrap_or(usize::MAX);
    Cache::builder()
        .group_members(|config| config.capacity(room))
        .messages(KindConfig::off)
        .build()
}

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|text| text.parse().ok())
        .collect();
    let members = numbers.first().copied().unwrap_or(1_000_000).max(1_000);
    let groups = numbers.get(1).copied().unwrap_or(1_000).clamp(1, members);
    let world = World::new(members, groups);
    println!("{members} members in {groups} groups");
    {
        let cache = bounded(members);
        world.measure("qq-cache", &cache);
        let stats = cache.stats().group_members;
        println!("  {stats:?}");
    }
    world.measure("dashmap", &Dash::default());
    for small in [members / 1_000, members / 30, members] {
        World::new(small, groups.min(small)).messages();
    }
}
