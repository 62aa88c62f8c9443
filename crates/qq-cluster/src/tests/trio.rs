//! Several servers that keep everything together.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use qq_model::Token;
use tokio::time::sleep;

use super::members::{Register, process};
use crate::claims::Record;
use crate::nats::{Layout, connect};
use crate::nats_server::{NatsServer, free_port};
use crate::nats_trio::NatsTrio;
use crate::{Cluster, ClusterConfig, ClusterErrorKind};

/// How often processes want the same at the same moment.
const ROUNDS: u32 = 60;

async fn connect_to(server: &NatsServer) -> Cluster {
    let config = ClusterConfig::new(server.url()).replicas(3);
    Cluster::connect(config, &Token::new("1", "a-secret"))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_want_the_same_one_gets_it() {
    let Some(trio) = NatsTrio::start().await else {
        return;
    };
    let mut clusters = Vec::new();
    for server in &trio.servers {
        clusters.push(connect_to(server).await);
    }
    let layouts: Vec<&Layout> = clusters.iter().map(Cluster::layout).collect();
    let record = |name: String| Record {
        member: name.into(),
        floor: 0,
        deaths: 0,
    };
    let mut revision = None;
    for round in 0..ROUNDS {
        let attempts = layouts.iter().enumerate().map(|(number, layout)| {
            let mine = record(format!("m{number}"));
            async move {
                // Whoever asks over another server asks a little later.
                sleep(Duration::from_micros(fastrand::u64(..1500))).await;
                match revision {
                    None => layout.claims.create("thing.1", &mine).await,
                    Some(revision) => layout.claims.update("thing.1", &mine, revision).await,
                }
            }
        });
        let results = join_all(attempts).await;
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            assert_eq!(error.kind(), ClusterErrorKind::Conflict, "{error:?}");
        }
        let winners: Vec<u64> = results.into_iter().filter_map(Result::ok).collect();
        assert!(winners.len() <= 1, "round {round}: {winners:?} have it");
        let entry = layouts[0].claims.load::<Record>("thing.1").await.unwrap();
        let entry = entry.unwrap();
        assert!(winners.iter().all(|winner| *winner == entry.revision));
        revision = Some(entry.revision);
        if round % 2 == 1 {
            let deleted = layouts[0].claims.delete("thing.1", entry.revision).await;
            deleted.unwrap();
            revision = None;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_start_together_do_not_take_from_each_other() {
    let Some(trio) = NatsTrio::start().await else {
        return;
    };
    let cluster = connect_to(&trio.servers[0]).await;
    let register = Arc::new(Register::default());
    let names = ["one", "two", "three"];
    let lease = Duration::from_secs(5);
    let mut processes = Vec::new();
    for name in names {
        processes.push(process(cluster.layout(), lease, &register, name));
        // While those before take what is free.
        sleep(Duration::from_millis(fastrand::u64(10..60))).await;
    }
    let mut sorted = names;
    sorted.sort_unstable();
    register.until_held_by(&sorted).await;
    assert_eq!(*register.doubled.lock().unwrap(), [] as [u32; 0]);
}

#[tokio::test]
async fn too_few_servers_are_not_ready() {
    let (own, other) = (free_port(), free_port());
    let [own, other] = [own, other].map(|port| format!("nats://127.0.0.1:{port}"));
    let arguments = [
        "-js",
        "--server_name",
        "n0",
        "--cluster_name",
        "trio",
        "--cluster",
        &own,
        "--routes",
        &other,
    ];
    let Some(server) = NatsServer::start_with(&arguments).await else {
        return;
    };
    let error = connect(&ClusterConfig::new(server.url()), "test")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::NotReady, "{error:?}");
    assert!(error.is_retryable());
}
