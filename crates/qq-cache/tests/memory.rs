//! How many bytes the cache takes, by an allocator that counts them. Alone in its file: the count is of the
//! whole process.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of a test, which print its figure and fail it"
)]

use std::alloc::System;

use cap::Cap;
use qq_cache::Cache;
use qq_model::group::GroupMember;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// An id as the platform forms them, 32 hexadecimal digits.
fn openid(n: u64) -> String {
    format!(
        "{:032X}",
        u128::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    )
}

fn member(n: u64) -> GroupMember {
    let json = format!(
        r#"{{"member_openid":"{}","username":"成员{n}","member_role":"member","bot":false,"joined_at":"2026-05-23T10:00:00+08:00"}}"#,
        openid(n)
    );
    serde_json::from_str(&json).unwrap()
}

#[test]
fn bytes_are_few_bounded_counted_and_given_back() {
    a_group_member_is_small();
    a_million_keys_leave_nothing_behind();
}

fn a_group_member_is_small() {
    const GROUPS: u64 = 100;
    const MEMBERS: u64 = 50_000;
    let before = ALLOCATOR.allocated();
    let cache = Cache::builder()
        .group_members(|members| members.capacity(60_000))
        .build();
    for n in 0..MEMBERS {
        cache.insert_group_member(&openid(n % GROUPS).into(), &member(n));
    }
    let stats = cache.stats().group_members;
    assert_eq!(stats.entries, MEMBERS);
    let bytes = (ALLOCATOR.allocated() - before) as u64;
    println!("{} bytes per group member", bytes / MEMBERS);
    assert!(bytes / MEMBERS <= 130, "{}", bytes / MEMBERS);
    // What the cache says of itself is what it takes.
    let said = cache.stats().bytes();
    assert!(
        said.abs_diff(bytes) < bytes / 20,
        "said {said}, takes {bytes}"
    );

    cache.clear();
    let left = ALLOCATOR.allocated().saturating_sub(before);
    assert!(left < 200_000, "{left} bytes left of {bytes}");
}

fn a_million_keys_leave_nothing_behind() {
    let cache = Cache::builder()
        .group_members(|members| members.capacity(1_000))
        .build();
    let mut most = 0;
    let before = ALLOCATOR.allocated();
    for n in 0..1_000_000 {
        // As many groups as members: owners come and go, too.
        let mut member = GroupMember::default();
        member.member_openid = n.into();
        cache.insert_group_member(&(n / 3).into(), &member);
        most = most.max(ALLOCATOR.allocated().saturating_sub(before));
    }
    let stats = cache.stats().group_members;
    assert_eq!(
        (stats.entries, stats.evicted_for_capacity),
        (1_000, 999_000)
    );
    assert!(most < 400_000, "{most} bytes at most");
}
