//! A new version in the middle of the day: every process is replaced, one after the other, while people talk.

use std::time::{Duration, Instant};

use qq_cluster::Role;

use super::nats_server::NatsServer;
use super::process::{Process, Site};
use super::support::{LEASE, PATIENCE, turn};
use super::talk::Talk;

const ROLES: [Role; 6] = [
    Role::Receiver,
    Role::Worker,
    Role::Receiver,
    Role::Worker,
    Role::Receiver,
    Role::Worker,
];

#[tokio::test(flavor = "multi_thread")]
async fn all_processes_are_replaced_and_every_event_is_handled_once() {
    let Some(nats) = NatsServer::start().await else {
        return;
    };
    let _turn = turn().await;
    let talk = Talk::start(60).await;
    let site = Site {
        nats: vec![nats.address()],
        replicas: 1,
        platform: talk.emulator.base_url().to_owned(),
        // Nobody dies here, on a busy machine either.
        lease: LEASE * 5,
        register: talk.register.clone(),
    };
    let cluster = site.cluster().await;
    let mut processes = Vec::new();
    for role in ROLES {
        processes.push(Process::start(role, &site).await);
    }
    talk.until_connected().await;
    let restart = async {
        for _ in ROLES {
            let mut gone = processes.remove(0);
            let role = gone.role;
            gone.begin_stop();
            gone.ended().await;
            let next = Process::start(role, &site).await;
            let start = Instant::now();
            while !cluster
                .members()
                .await
                .unwrap()
                .iter()
                .any(|member| member.process == next.id())
            {
                assert!(start.elapsed() < PATIENCE, "a process did not join");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            processes.push(next);
        }
    };
    let talking = async {
        while talk.said() < 6_000 {
            talk.say_all(10, 200).await;
        }
    };
    tokio::pin!(restart, talking);
    // People talk for as long as processes are replaced.
    tokio::select! {
        () = &mut restart => {}
        () = &mut talking => panic!("the restart took too long"),
    }
    talk.say_all(60, 200).await;
    let unanswered = talk.assert_whole().await;
    assert_eq!(unanswered, []);
    for (conversation, numbers) in talk.handled() {
        let doubled: Vec<_> = numbers.iter().filter(|(_, count)| *count > 1).collect();
        assert!(
            doubled.is_empty(),
            "conversation {conversation}: handled twice: {doubled:?}"
        );
    }
    assert_eq!(
        talk.emulator.sessions().len(),
        super::talk::SHARDS as usize,
        "sessions are resumed"
    );
}
