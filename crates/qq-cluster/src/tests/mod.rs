//! The parts together, over a real server.

mod members;
mod receiver;
mod worker;

use std::time::Duration;

use crate::ClusterConfig;
use crate::nats::{Layout, connect};
use crate::nats_server::NatsServer;

/// Short, so that tests are.
const LEASE: Duration = Duration::from_secs(2);

async fn layout(server: &NatsServer) -> Layout {
    let config = ClusterConfig::new(server.url()).lease(LEASE);
    let context = connect(&config, "test").await.unwrap();
    Layout::open(context, &config, "1").await.unwrap()
}
