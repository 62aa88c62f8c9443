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
    let (token, environment, _emulator) = platform().await?;
    let nats = env::var("NATS_URL").unwrap_or_else(|_| NATS.to_owned());
    let config = ClusterConfig::new(nats).role(Role::Receiver);
    let cluster = Cluster::connect(config, &token).await?;
    let client = Client::builder(token, Intents::default().with_group_and_c2c())
        .environment(environment)
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

/// Who the bot is and where it lives; an emulator of its own lives as long as what is returned.
async fn platform() -> Result<(Token, Environment, Option<Emulator>), Box<dyn std::error::Error>> {
    if env::var_os(APP_ID_VARIABLE).is_some() {
        return Ok((Token::from_env()?, Environment::from_env()?, None));
    }
    let token = Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET);
    if env::var_os(BASE_URL_VARIABLE).is_some() {
        return Ok((token, Environment::from_env()?, None));
    }
    // Another receiver has it already, or this one starts it.
    let emulator = Emulator::builder().port(EMULATOR).start().await.ok();
    let url = format!("http://127.0.0.1:{EMULATOR}");
    println!(
        "No credentials are set ({APP_ID_VARIABLE}): the bot runs on the emulator. Talk to it at {url}/"
    );
    Ok((token, Environment::custom(&url)?, emulator))
}
