//! A process that handles what receivers (`cluster_receiver`) publish. Start as many as you like.
//!
//! Each worker has a share of the conversations. The order within a conversation holds, and when a worker ends, in whatever
//! way, another handles what it had not finished.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::process::ExitCode;

use qqbot::cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qqbot::prelude::*;
use qqbot_examples::{Platform, nats_url};

struct Worker;

impl Worker {
    async fn answer(&self, ctx: &Context, text: &str) {
        let answer = format!("Process {} heard: {text}", std::process::id());
        if let Err(error) = ctx.reply(answer).await {
            eprintln!("not answered: {error:?}");
        }
    }
}

impl EventHandler for Worker {
    async fn message_create(&self, ctx: Context, message: Message) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("{error:?}");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The worker ended: {error:?}");
            eprintln!("It needs NATS with JetStream: nats-server -js -sd /tmp/qqbot-nats");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let platform = Platform::joined()?;
    let config = ClusterConfig::new(nats_url()).role(Role::Worker);
    let cluster = Cluster::connect(config, &platform.token).await?;
    let client = Client::builder(platform.token, Intents::default())
        .environment(platform.environment)
        .cluster(&cluster)
        .handler(Worker)
        .build()?;
    println!(
        "Working for the cluster {}. Ctrl-C hands over.",
        cluster.name()
    );
    client.run_until_ctrl_c().await?;
    println!("Handled {} events.", cluster.stats().handled);
    Ok(())
}
