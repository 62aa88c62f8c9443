//! Members and claims.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{LEASE, PATIENCE, Process, layout, layout_with};
use crate::claims::{Claim, Record, Tenant};
use crate::members::{Duty, Member, describe, living};
use crate::nats::{Layout, connect};
use crate::nats_server::NatsServer;
use crate::{ClusterConfig, ClusterError, ClusterErrorKind, Role};

/// Writes down who holds what, when two did at once, and what was taken from the dead.
#[derive(Default)]
pub(super) struct Register {
    held: Mutex<Vec<(u32, Box<str>)>>,
    pub(super) doubled: Mutex<Vec<u32>>,
    takeovers: Mutex<Vec<u32>>,
    /// What takes until this changes when it is to be handed over.
    unfinished: watch::Sender<Option<u32>>,
}

struct Holder {
    register: Arc<Register>,
    name: Box<str>,
}

struct Entry<'a>(&'a Holder, u32);

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0
            .register
            .held
            .lock()
            .unwrap()
            .retain(|(number, _)| *number != self.1);
    }
}

impl Tenant for Holder {
    async fn hold(&self, claim: Claim, stop: CancellationToken) -> Result<(), ClusterError> {
        {
            let mut held = self.register.held.lock().unwrap();
            if held.iter().any(|(number, _)| *number == claim.number) {
                self.register.doubled.lock().unwrap().push(claim.number);
            }
            held.push((claim.number, self.name.clone()));
        }
        if claim.is_takeover {
            self.register.takeovers.lock().unwrap().push(claim.number);
        }
        let _entry = Entry(self, claim.number);
        stop.cancelled().await;
        let mut unfinished = self.register.unfinished.subscribe();
        let finished = unfinished.wait_for(|number| *number != Some(claim.number));
        finished.await.unwrap();
        Ok(())
    }

    async fn autopsy(&self, _: u32, _: &Record) -> Result<(u64, u64), ClusterError> {
        Ok((0, 0))
    }
}

pub(super) fn process(
    layout: &Layout,
    lease: Duration,
    register: &Arc<Register>,
    name: &str,
) -> Process {
    let tenant = Arc::new(Holder {
        register: Arc::clone(register),
        name: name.into(),
    });
    Process::start(
        layout,
        lease,
        Duty::gateway(Role::Worker),
        "partition",
        COUNT,
        tenant,
    )
}

const COUNT: u32 = 16;

impl Register {
    fn holders(&self) -> (usize, BTreeSet<Box<str>>) {
        let held = self.held.lock().unwrap();
        (
            held.len(),
            held.iter().map(|(_, name)| name.clone()).collect(),
        )
    }

    /// Waits until everything is held, by these and by each of them.
    pub(super) async fn until_held_by(&self, names: &[&str]) {
        let start = Instant::now();
        loop {
            let (count, holders) = self.holders();
            if count == COUNT as usize
                && holders.iter().map(|name| &**name).eq(names.iter().copied())
            {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{count} held by {holders:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn of(&self, name: &str) -> Vec<u32> {
        let held = self.held.lock().unwrap();
        let of = held.iter().filter(|(_, holder)| **holder == *name);
        of.map(|(number, _)| *number).collect()
    }

    fn takeovers(&self) -> usize {
        self.takeovers.lock().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_stop_hands_over_and_a_death_is_taken_over() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, LEASE, &register, "one");
    register.until_held_by(&["one"]).await;
    let mut two = process(&layout, LEASE, &register, "two");
    register.until_held_by(&["one", "two"]).await;
    assert_eq!(describe(&layout.members).await.unwrap().len(), 2);

    two.stop.cancel();
    two.tasks.join_next().await.unwrap().unwrap().unwrap();
    // What was handed over is free at once, so that nobody waits for the end of a lease.
    assert_eq!(describe(&layout.members).await.unwrap().len(), 1);
    register.until_held_by(&["one"]).await;
    assert_eq!(register.takeovers(), 0);

    let mut three = process(&layout, LEASE, &register, "three");
    register.until_held_by(&["one", "three"]).await;
    one.tasks.shutdown().await;
    register.until_held_by(&["three"]).await;
    assert_eq!(register.takeovers(), COUNT as usize / 2);
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
    three.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_does_not_keep_the_others_waiting() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let lease = LEASE * 5;
    let layout = layout_with(&server, lease).await;
    let register = Arc::new(Register::default());
    let _one = process(&layout, lease, &register, "one");
    let mut two = process(&layout, lease, &register, "two");
    let start = Instant::now();
    while register.of("one").len() != 8 || register.of("two").len() != 8 {
        assert!(start.elapsed() < PATIENCE, "it is not even");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let slow = register.of("two")[3];
    register.unfinished.send_replace(Some(slow));
    two.stop.cancel();
    // All but one are taken before the process has left, and stay where they are for as long as it takes to leave.
    let until_moved = async || {
        while register.of("one").len() != 15 || register.of("two") != [slow] {
            let held = register.held.lock().unwrap().clone();
            assert!(start.elapsed() < PATIENCE, "{slow} of {held:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until_moved().await;
    let members = living(&layout.members).await.unwrap();
    let (leaving, _) = members.iter().find(|(_, has)| has.is_leaving).unwrap();
    let key = format!("leaving.{leaving}");
    let said = async || {
        let entry = layout.members.load_bytes(&key).await.unwrap();
        entry.expect("it was forgotten").revision
    };
    let first = said().await;
    while said().await == first {
        assert!(start.elapsed() < PATIENCE, "it was not said again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until_moved().await;
    register.unfinished.send_replace(None);
    two.tasks.join_next().await.unwrap().unwrap().unwrap();
    register.until_held_by(&["one"]).await;
    assert_eq!(register.takeovers(), 0);
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
    // Nothing is left of it that another cluster could take for a process.
    let store = layout.members.store();
    let state = store.stream.get_info().await.unwrap().state;
    assert_eq!(state.messages, 1, "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_reach_nats_stops_before_another_begins() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, LEASE, &register, "one");
    register.until_held_by(&["one"]).await;
    server.kill();
    let error = one.tasks.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Interrupted);
    assert_eq!(register.holders().0, 0);
    server.resume().await;
    let _two = process(&layout, LEASE, &register, "two");
    register.until_held_by(&["two"]).await;
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_restart_of_the_server_costs_nobody_a_claim() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    // Long, so that the restart is short beside it on a busy machine as well.
    let lease = LEASE * 5;
    let layout = layout_with(&server, lease).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, lease, &register, "one");
    register.until_held_by(&["one"]).await;
    let id = describe(&layout.members).await.unwrap()[0].id.clone();
    let renewed = async || {
        let entry = layout.members.load::<Member>(&format!("worker.{id}")).await;
        entry.unwrap().expect("the process lost its place").revision
    };
    let before = renewed().await;
    server.kill();
    server.resume().await;
    let start = Instant::now();
    while renewed().await == before {
        assert!(start.elapsed() < PATIENCE, "it did not renew");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    register.until_held_by(&["one"]).await;
    assert_eq!(register.takeovers(), 0);
    assert!(one.tasks.try_join_next().is_none(), "it ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_has_by_now_is_dropped_at_once() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    // Long, so that what happens does not happen because it is over.
    let lease = LEASE * 30;
    let layout = layout_with(&server, lease).await;
    let register = Arc::new(Register::default());
    let _one = process(&layout, lease, &register, "one");
    register.until_held_by(&["one"]).await;
    let key = "partition.3";
    let entry = layout.claims.load::<Record>(key).await.unwrap().unwrap();
    let other = Record {
        member: "other".into(),
        ..entry.value
    };
    let changed = layout.claims.update(key, &other, entry.revision).await;
    changed.unwrap();
    // The other does not live, so whoever notices takes it back, as from the dead.
    let start = Instant::now();
    while register.takeovers() == 0 {
        assert!(start.elapsed() < PATIENCE, "it was not noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    register.until_held_by(&["one"]).await;
    assert_eq!(*register.takeovers.lock().unwrap(), [3]);
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_at_start_is_named() {
    let nobody = connect(&ClusterConfig::new("nats://127.0.0.1:9"), "test")
        .await
        .unwrap_err();
    assert_eq!(nobody.kind(), ClusterErrorKind::Unreachable);
    let Some(server) = NatsServer::start_with(&["-js", "--user", "bot", "--pass", "right"]).await
    else {
        return;
    };
    let config = ClusterConfig::new(server.url());
    for config in [config.clone(), config.clone().user("bot", "wrong")] {
        assert_eq!(
            connect(&config, "test").await.unwrap_err().kind(),
            ClusterErrorKind::Credentials
        );
    }
    let config = config.user("bot", "right");
    let connection = connect(&config, "test").await.unwrap();
    Layout::open(connection.clone(), &config, "1")
        .await
        .unwrap();
    Layout::open(connection.clone(), &config, "1")
        .await
        .unwrap();

    let other = config.clone().name("qqbot-1");
    let mismatch = Layout::open(connection.clone(), &other, "2")
        .await
        .unwrap_err();
    assert_eq!(mismatch.kind(), ClusterErrorKind::Mismatch, "{mismatch:?}");
    let mismatch = Layout::open(connection.clone(), &config.clone().partitions(3), "1")
        .await
        .unwrap_err();
    assert_eq!(mismatch.kind(), ClusterErrorKind::Mismatch, "{mismatch:?}");
    let foreign = Layout::open(connection.clone(), &config.clone().lease(LEASE * 7), "1")
        .await
        .unwrap_err();
    assert_eq!(
        foreign.kind(),
        ClusterErrorKind::ForeignLayout,
        "{foreign:?}"
    );

    let Some(plain) = NatsServer::start_with(&[]).await else {
        return;
    };
    let disabled = connect(&ClusterConfig::new(plain.url()), "test")
        .await
        .unwrap_err();
    assert_eq!(
        disabled.kind(),
        ClusterErrorKind::JetStreamDisabled,
        "{disabled:?}"
    );
}
