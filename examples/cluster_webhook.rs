//! A process that takes the bot's webhook callbacks and leaves what comes to workers (`cluster_worker`).
//!
//! Start as many as you like behind a load balancer that speaks HTTPS with the platform; each wants an address of its own
//! in `LISTEN` (127.0.0.1:8080). A callback is acknowledged when NATS has it, and one that comes again to another process
//! is known. NATS is expected at `NATS_URL`, or on this machine. Without credentials the first one starts the emulator,
//! which pushes to `CALLBACK_URL`: the balancer's address, or this process's own.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
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
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let callback = env::var("CALLBACK_URL").unwrap_or_else(|_| format!("http://{address}/qqbot"));
    let platform = Platform::shared(Emulator::builder().webhook(&callback)?).await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let config = ClusterConfig::new(nats_url()).role(Role::Receiver);
    let cluster = Cluster::connect(config, &platform.token).await?;
    // Intents are for the gateway; by webhook the console says which events come.
    let client = Client::builder(platform.token, Intents::default())
        .environment(platform.environment)
        .webhook(&*address, "/qqbot")
        .cluster(&cluster)
        .build()?;
    println!(
        "Listening on {address} for the cluster {}. Ctrl-C stops.",
        cluster.name()
    );
    client.run_until_ctrl_c().await?;
    let stats = cluster.stats();
    println!(
        "Published {} events; {} more were known.",
        stats.published, stats.repeated
    );
    Ok(())
}
