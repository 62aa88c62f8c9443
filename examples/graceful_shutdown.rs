//! A bot that may be stopped at any time: it finishes what it has begun, says so, and a second start goes on where the
//! first one ended: what was said meanwhile is answered, and nothing twice. Stop it with Ctrl-C while it works, say
//! something, and start it again.
//!
//! Without credentials it starts the emulator beside itself, which forgets everything when it ends; to see the second
//! start go on, run `cargo run -p qq-emulator` and set `QQ_BOT_BASE_URL` to its address. With `QQ_BOT_APP_ID` and
//! `QQ_BOT_SECRET` it connects to the real platform.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use qqbot::ClientBuilder;
use qqbot::client::FileStore;
use qqbot::prelude::*;
use qqbot_examples::Platform;

/// Where sessions, handled events and sent answers are kept.
const STATE: &str = "target/graceful-shutdown-state";
/// How long a stop may take.
const STOP: Duration = Duration::from_secs(10);

/// Takes its time for everything.
pub(crate) struct Slow {
    pub(crate) work: Duration,
}

impl Slow {
    async fn answer(&self, ctx: &Context, text: &str) {
        println!("Working on {text:?}");
        tokio::time::sleep(self.work).await;
        match ctx.reply(format!("Done: {text}")).await {
            Ok(_) => println!("Answered {text:?}"),
            Err(error) => eprintln!("not answered: {error:?}"),
        }
    }
}

impl EventHandler for Slow {
    async fn ready(&self, _ctx: Context, ready: Ready) {
        println!("Status: online as {}, anew", ready.user.username);
    }

    async fn resumed(&self, _ctx: Context, _resumed: Resumed) {
        println!("Status: back online, nothing was missed");
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        self.answer(&ctx, &message.text()).await;
    }

    async fn error(&self, error: BotError) {
        eprintln!("Status: {error:?}");
    }
}

/// Keeps everything in this folder that the next start needs.
pub(crate) fn with_state(
    builder: ClientBuilder,
    folder: &Path,
) -> Result<ClientBuilder, Box<dyn std::error::Error>> {
    let store = FileStore::open(folder)?;
    Ok(builder
        .session_store(store.clone())
        .dedupe_store(store.clone())
        .reply_store(store))
}

/// Ctrl-C, or SIGTERM from whoever looks after the process.
async fn told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Runs the bot until it is told to stop, and says how it stopped. Who needs no report calls
/// [`Client::run_until_ctrl_c`] instead.
pub(crate) async fn run(client: Client<Slow>) -> Result<(), Box<dyn std::error::Error>> {
    let client = Arc::new(client);
    let mut running = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.start().await }
    });
    tokio::select! {
        // It could not start, or ended for good.
        ended = &mut running => return Ok(ended??),
        told = told_to_stop() => told?,
    }
    println!("Status: stopping, at most {} s", STOP.as_secs());
    let report = client.stop_within(STOP).await?;
    println!(
        "Status: stopped; {} callbacks were cut off",
        report.unfinished
    );
    running.await??;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()))
        .with_writer(std::io::stderr)
        .init();
    let platform = Platform::find().await?;
    if let Some(hint) = platform.hint() {
        println!("{hint}");
    }
    let builder = Client::builder(
        platform.token.clone(),
        Intents::default().with_group_and_c2c(),
    )
    .environment(platform.environment.clone());
    let work = Duration::from_secs(3);
    let client = with_state(builder, Path::new(STATE))?
        .handler(Slow { work })
        .build()?;
    println!("Say something and press Ctrl-C while the bot works on it.");
    run(client).await
}
