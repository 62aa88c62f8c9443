//! Members and claims.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{LEASE, layout};
use crate::claims::{Claim, Record, Tenant, Things, keep};
use crate::members::{Duty, Membership, describe};
use crate::nats::{Layout, connect};
use crate::nats_server::NatsServer;
use crate::{ClusterConfig, ClusterError, ClusterErrorKind, Role};

/// Writes down who holds what, and when two did at once.
#[derive(Default)]
struct Register {
    held: Mutex<Vec<(u32, Box<str>)>>,
    doubled: Mutex<Vec<u32>>,
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
        let _entry = Entry(self, claim.number);
        stop.cancelled().await;
        Ok(())
    }

    async fn autopsy(&self, _: u32, _: &Record) -> Result<(u64, u64), ClusterError> {
        Ok((0, 0))
    }
}

struct Process {
    tasks: JoinSet<Result<(), ClusterError>>,
    stop: CancellationToken,
}

async fn process(layout: &Layout, register: &Arc<Register>, name: &str) -> Process {
    let things = Things {
        claims: layout.claims.clone(),
        members: layout.members.clone(),
        prefix: "partition".to_owned(),
        count: 16,
        takes_part: Duty::works,
    };
    let members = layout.members.clone();
    let tenant = Arc::new(Holder {
        register: Arc::clone(register),
        name: name.into(),
    });
    let stop = CancellationToken::new();
    let end = stop.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let membership = Membership::join(members, Duty::gateway(Role::Worker), LEASE).await?;
        let held = watch::Sender::new(0);
        let result = keep(
            &things,
            &membership,
            &tenant,
            &held,
            &end,
            Duration::from_secs(5),
        )
        .await;
        membership.leave().await;
        result
    });
    Process { tasks, stop }
}

impl Register {
    fn holders(&self) -> (usize, BTreeSet<Box<str>>) {
        let held = self.held.lock().unwrap();
        (
            held.len(),
            held.iter().map(|(_, name)| name.clone()).collect(),
        )
    }

    async fn until(
        &self,
        what: &str,
        limit: Duration,
        is_so: impl Fn(usize, usize) -> bool,
    ) -> Duration {
        let start = Instant::now();
        loop {
            let (count, names) = self.holders();
            if is_so(count, names.len()) {
                return start.elapsed();
            }
            assert!(start.elapsed() < limit, "{what}: {count} held by {names:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_stop_hands_over_at_once_and_a_death_within_a_lease() {
    let Some(server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, &register, "one").await;
    register
        .until("one has all", LEASE * 2, |count, names| {
            (count, names) == (16, 1)
        })
        .await;
    let mut two = process(&layout, &register, "two").await;
    register
        .until("two have all", LEASE * 2, |count, names| {
            (count, names) == (16, 2)
        })
        .await;
    let members = describe(&layout.members).await.unwrap();
    assert_eq!(members.len(), 2);

    two.stop.cancel();
    let start = Instant::now();
    two.tasks.join_next().await.unwrap().unwrap().unwrap();
    register
        .until("handed over", Duration::from_secs(1), |count, names| {
            (count, names) == (16, 1)
        })
        .await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );

    let mut three = process(&layout, &register, "three").await;
    register
        .until("three has a share", LEASE * 2, |count, names| {
            (count, names) == (16, 2)
        })
        .await;
    one.tasks.shutdown().await;
    register
        .until("taken over", LEASE * 3, |count, names| {
            (count, names) == (16, 1)
        })
        .await;
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
    three.tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_reach_nats_stops_before_another_begins() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, &register, "one").await;
    register
        .until("one has all", LEASE * 2, |count, _| count == 16)
        .await;
    server.kill();
    let error = one.tasks.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Interrupted);
    assert_eq!(register.holders().0, 0);
    server.resume().await;
    let _two = process(&layout, &register, "two").await;
    register
        .until("two has all", LEASE * 3, |count, _| count == 16)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_restart_of_the_server_costs_nobody_a_claim() {
    let Some(mut server) = NatsServer::start().await else {
        return;
    };
    let layout = layout(&server).await;
    let register = Arc::new(Register::default());
    let mut one = process(&layout, &register, "one").await;
    register
        .until("one has all", LEASE * 2, |count, _| count == 16)
        .await;
    server.kill();
    server.resume().await;
    assert!(
        tokio::time::timeout(LEASE * 2, one.tasks.join_next())
            .await
            .is_err(),
        "the process lost its place"
    );
    assert_eq!(register.holders().0, 16);
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
    let context = connect(&config, "test").await.unwrap();
    Layout::open(context.clone(), &config, "1").await.unwrap();
    Layout::open(context.clone(), &config, "1").await.unwrap();

    let other = config.clone().name("qqbot-1");
    let mismatch = Layout::open(context.clone(), &other, "2")
        .await
        .unwrap_err();
    assert_eq!(mismatch.kind(), ClusterErrorKind::Mismatch, "{mismatch:?}");
    let mismatch = Layout::open(context.clone(), &config.clone().partitions(3), "1")
        .await
        .unwrap_err();
    assert_eq!(mismatch.kind(), ClusterErrorKind::Mismatch, "{mismatch:?}");
    let foreign = Layout::open(context.clone(), &config.clone().lease(LEASE * 7), "1")
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
