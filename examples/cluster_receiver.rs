//! A process that holds the bot's gateway sessions and leaves what comes to workers (`cluster_worker`).
//!
//! Start as many as you like: they share the shards, and when one ends another goes on where it was. NATS is expected at
//! `NATS_URL`, or on this machine. Without credentials the first one starts the emulator and prints the address of its
//! chat page.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::process::ExitCode;

use qq_emulator::Emulator;
use qqbot::cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qqbot::prelude::*;
use qqbot_examples::{Platform, nats_url};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The receiver ended: {error:?}");
            eprintln!("It needs NATS with JetStream: nats-server -js -sd /tmp/qqbot-nats");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let platform = Platform::shared(Emulator::builder()).await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let config = ClusterConfig::new(nats_url()).role(Role::Receiver);
    let cluster = Cluster::connect(config, &platform.token).await?;
    let client = Client::builder(platform.token, Intents::default().with_group_and_c2c())
        .environment(platform.environment)
        .cluster(&cluster)
        .build()?;
    println!(
        "Receiving for the cluster {}. Ctrl-C hands over.",
        cluster.name()
    );
    client.run_until_ctrl_c().await?;
    println!("Published {} events.", cluster.stats().published);
    Ok(())
}
