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
use qqbot::model::credentials::APP_ID_VARIABLE;
use qqbot::model::environment::BASE_URL_VARIABLE;
use qqbot::prelude::*;

/// Where the emulator is that receivers and workers share.
const EMULATOR: u16 = 8787;
/// Where NATS is unless `NATS_URL` says otherwise.
const NATS: &str = "nats://127.0.0.1:4222";

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
    let (token, environment, _emulator) = platform(&address).await?;
    let nats = env::var("NATS_URL").unwrap_or_else(|_| NATS.to_owned());
    let config = ClusterConfig::new(nats).role(Role::Receiver);
    let cluster = Cluster::connect(config, &token).await?;
    // Intents are for the gateway; by webhook the console says which events come.
    let client = Client::builder(token, Intents::default())
        .environment(environment)
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

/// Who the bot is and where it lives; an emulator of its own lives as long as what is returned.
async fn platform(
    address: &str,
) -> Result<(Token, Environment, Option<Emulator>), Box<dyn std::error::Error>> {
    if env::var_os(APP_ID_VARIABLE).is_some() {
        return Ok((Token::from_env()?, Environment::from_env()?, None));
    }
    let token = Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET);
    if env::var_os(BASE_URL_VARIABLE).is_some() {
        return Ok((token, Environment::from_env()?, None));
    }
    let callback = env::var("CALLBACK_URL").unwrap_or_else(|_| format!("http://{address}/qqbot"));
    // Another receiver has it already, or this one starts it.
    let emulator = Emulator::builder()
        .port(EMULATOR)
        .webhook(&callback)?
        .start()
        .await
        .ok();
    let url = format!("http://127.0.0.1:{EMULATOR}");
    println!(
        "No credentials are set ({APP_ID_VARIABLE}): the bot runs on the emulator. Talk to it at {url}/"
    );
    Ok((token, Environment::custom(&url)?, emulator))
}
