//! The parts together, over a real server.

mod foreign;
mod identify;
mod members;
mod receiver;
mod start;
mod trio;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::claims::{HAND_OVER, Tenant, Things, keep};
use crate::members::{Duty, Membership};
use crate::nats::{Layout, connect};
use crate::nats_server::NatsServer;
use crate::{ClusterConfig, ClusterError};

/// Short, so that tests are.
const LEASE: Duration = Duration::from_secs(2);

/// How long a test waits for what has to happen, on a slow machine with much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn layout(server: &NatsServer) -> Layout {
    layout_with(server, LEASE).await
}

async fn layout_with(server: &NatsServer, lease: Duration) -> Layout {
    let config = ClusterConfig::new(server.url()).lease(lease);
    let connection = connect(&config, "test").await.unwrap();
    Layout::open(connection, &config, "1").await.unwrap()
}

/// A process of the cluster, as a task: dropping it is its death.
struct Process {
    tasks: JoinSet<Result<(), ClusterError>>,
    stop: CancellationToken,
}

impl Process {
    /// Joins under this lease, and holds its share of so many things until it is stopped.
    fn start(
        layout: &Layout,
        lease: Duration,
        duty: Duty,
        prefix: impl Into<String>,
        count: u32,
        tenant: Arc<impl Tenant>,
    ) -> Self {
        let things = Things {
            claims: layout.claims.clone(),
            members: layout.members.clone(),
            prefix: prefix.into(),
            count,
            takes_part: |_| true,
        };
        let stop = CancellationToken::new();
        let end = stop.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let membership = Membership::join(things.members.clone(), duty, lease).await?;
            let held = watch::Sender::new(0);
            let result = keep(&things, &membership, &tenant, &held, &end, HAND_OVER).await;
            membership.leave().await;
            result
        });
        Self { tasks, stop }
    }
}
