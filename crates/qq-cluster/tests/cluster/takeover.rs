//! How long the conversations of a process that dies, or is stopped, stay silent.
//!
//! `TAKEOVERS` (4) says how often each kind of process dies and is stopped; `TAKEOVERS_OF` (all of them) which, as the table calls
//! it: `Worker stops`. From 100 on, the times are held against what the cluster promises with its usual lease: 10 s at most
//! after a death, 1 s after a planned stop, 99 times in 100.

use std::time::{Duration, Instant};

use qq_cluster::{Cluster, Role};

use super::nats_server::NatsServer;
use super::process::{Process, Site};
use super::support::{LEASE, PATIENCE, turn};
use super::talk::Talk;

/// So many that every shard and every partition has one.
const CONVERSATIONS: u32 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn the_conversations_of_a_process_that_ends_go_on() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let _turn = turn().await;
    let rounds: usize = std::env::var("TAKEOVERS").map_or(4, |text| text.parse().unwrap());
    let is_measured = rounds >= 100;
    let talk = Talk::start(CONVERSATIONS).await;
    let site = Site {
        nats: vec![nats.address()],
        replicas: 1,
        platform: talk.emulator.base_url().to_owned(),
        lease: if is_measured {
            Duration::from_secs(5)
        } else {
            LEASE
        },
        register: talk.register.clone(),
    };
    let cluster = site.cluster().await;
    let roles = [
        Role::Receiver,
        Role::Receiver,
        Role::Receiver,
        Role::Worker,
        Role::Worker,
        Role::Worker,
    ];
    let mut processes = Vec::new();
    for role in roles {
        processes.push(Process::start(role, &site).await);
    }
    talk.until_connected().await;
    println!("| what | times | p50 | p99 | longest |\n|---|---|---|---|---|");
    for role in [Role::Receiver, Role::Worker] {
        for is_planned in [false, true] {
            let kind = if is_planned { "stops" } else { "dies" };
            let chosen = std::env::var("TAKEOVERS_OF");
            if chosen.is_ok_and(|chosen| chosen != format!("{role:?} {kind}")) {
                continue;
            }
            let mut took = Vec::new();
            for _ in 0..rounds {
                until_even(&cluster, &processes).await;
                let number = processes
                    .iter()
                    .position(|process| process.role == role)
                    .unwrap();
                let mut gone = processes.remove(number);
                let begun = Instant::now();
                let ending = if is_planned {
                    gone.begin_stop();
                    Some(gone)
                } else {
                    drop(gone);
                    None
                };
                for _ in 0..CONVERSATIONS {
                    talk.say().await;
                }
                until_handled(&talk, &cluster).await;
                took.push(begun.elapsed());
                if let Some(gone) = ending {
                    gone.ended().await;
                }
                processes.push(Process::start(role, &site).await);
            }
            took.sort();
            let p50 = took[rounds / 2];
            let p99 = took[(rounds * 99).div_ceil(100) - 1];
            let longest = took[rounds - 1];
            println!("| a {role:?} {kind} | {rounds} | {p50:?} | {p99:?} | {longest:?} |");
            if is_measured {
                let promised = Duration::from_secs(if is_planned { 1 } else { 10 });
                assert!(p99 <= promised, "a {role:?} {kind}: {took:?}");
            }
        }
    }
    talk.assert_whole().await;
}

/// Waits until these processes are the members, and everything is spread over them.
async fn until_even(cluster: &Cluster, processes: &[Process]) {
    let start = Instant::now();
    loop {
        let members = cluster.members().await.unwrap();
        let is_even = members.len() == processes.len()
            && members.iter().all(|member| match member.role {
                Role::Receiver => member.shards == 2,
                _ => (5..=6).contains(&member.partitions),
            });
        if is_even {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{members:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until everything that was said was handled.
async fn until_handled(talk: &Talk, cluster: &Cluster) {
    let start = Instant::now();
    while !talk.is_all_handled() {
        if start.elapsed() > PATIENCE {
            let missing = talk.missing(&talk.handled());
            let partitions = cluster.partitions().await;
            let shards = cluster.shards().await;
            panic!("not handled: {missing:?}; {partitions:?}; {shards:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
