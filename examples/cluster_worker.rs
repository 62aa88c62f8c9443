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

use std::env;
use std::process::ExitCode;

use qqbot::cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qqbot::model::credentials::APP_ID_VARIABLE;
use qqbot::model::environment::BASE_URL_VARIABLE;
use qqbot::prelude::*;

/// Where the first receiver starts the emulator.
const EMULATOR: &str = "http://127.0.0.1:8787";
/// Where NATS is unless `NATS_URL` says otherwise.
const NATS: &str = "nats://127.0.0.1:4222";

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
    let (token, environment) = platform()?;
    let nats = env::var("NATS_URL").unwrap_or_else(|_| NATS.to_owned());
    let config = ClusterConfig::new(nats).role(Role::Worker);
    let cluster = Cluster::connect(config, &token).await?;
    let client = Client::builder(token, Intents::default())
        .environment(environment)
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

/// Who the bot is and where it lives: the real platform when credentials are set, else the receivers' emulator.
fn platform() -> Result<(Token, Environment), Box<dyn std::error::Error>> {
    if env::var_os(APP_ID_VARIABLE).is_some() {
        return Ok((Token::from_env()?, Environment::from_env()?));
    }
    let token = Token::new(qq_emulator::DEFAULT_APP_ID, qq_emulator::DEFAULT_SECRET);
    let environment = match env::var_os(BASE_URL_VARIABLE) {
        Some(_) => Environment::from_env()?,
        None => Environment::custom(EMULATOR)?,
    };
    Ok((token, environment))
}
