//! The `qq-emulator` command.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::future::poll_immediate;
use qq_emulator::{DEFAULT_SEED, Emulator, World};

const EXAMPLES: &str = "\
Examples:
  qq-emulator
      Chat page, REST, gateway and control API at http://127.0.0.1:8787/
  qq-emulator --port 0 --heartbeat-interval 2000
      On a free port, with a heartbeat every two seconds
  qq-emulator --world world.json --data state
      With people, groups and guilds from a file, kept in a folder
  qq-emulator --webhook http://127.0.0.1:8080/callback --faults faults.json
      Events by webhook, and faults from a file
  curl -d '{\"scene\":\"group\",\"content\":\"!ping\"}' http://127.0.0.1:8787/emulator/v1/messages
      A user says something in the group
  curl http://127.0.0.1:8787/emulator/v1/outbox
      What the bot has sent";

/// A local emulator of the QQ bot platform, with a chat page.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Options {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8787)]
    port: u16,

    /// The address to listen on. Whoever can reach it controls the emulator
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The heartbeat interval that clients are told, in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    heartbeat_interval: Option<u64>,

    /// The seed of all ids: the same seed gives the same world
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,

    /// Who and what exists: a JSON file as `GET world` gives it; most of it can be left out
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,

    /// Keep the world in this folder: it survives restarts, and goes before --world and --seed
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Faults from the start: a JSON file as `POST faults` takes it
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Push events to this address, as soon as a bot answers there
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,

    /// Answer REST calls that break the documents, or that are merely tolerated, with status 400
    #[arg(long)]
    strict: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let mut message = format!("qq-emulator: {why}");
            if let Some(cause) = why.source() {
                message.push_str(&format!(": {cause}"));
            }
            // There is nowhere left to report a broken stderr to.
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Emulator::builder()
        .host(options.host)
        .port(options.port)
        .seed(options.seed);
    if let Some(interval) = options.heartbeat_interval {
        builder = builder.heartbeat_interval(Duration::from_millis(interval));
    }
    if options.strict {
        builder = builder.settings(|settings| settings.strict = true);
    }
    if let Some(path) = &options.world {
        let world = World::from_json(&read(path)?, options.seed);
        builder = builder.world(world.map_err(|why| named(path, &why))?);
    }
    if let Some(folder) = options.data {
        builder = builder.data(folder);
    }
    if let Some(path) = &options.faults {
        let plan = read(path)?;
        builder = builder.faults(&plan).map_err(|why| named(path, &why))?;
    }
    if let Some(url) = &options.webhook {
        builder = builder
            .webhook(url)
            .map_err(|why| format!("--webhook: {why}"))?;
    }
    let emulator = builder.start().await?;
    // The first poll installs the handler: whoever has read the greeting may interrupt.
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let early = poll_immediate(interrupted.as_mut()).await;
    greet(&emulator, options.host)?;
    match early {
        Some(result) => result?,
        None => interrupted.await?,
    }
    let complaints = emulator.violations();
    emulator.stop().await;
    // A bot's mistakes are on the page; that nothing was kept is for whoever started this.
    match complaints.iter().rfind(|found| found.code == "data.write") {
        Some(found) => Err(found.message.clone().into()),
        None => Ok(()),
    }
}

/// An error about a file.
fn named(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| named(path, &why))
}

fn greet(emulator: &Emulator, host: IpAddr) -> std::io::Result<()> {
    let base = emulator.base_url();
    let mut out = std::io::stdout().lock();
    writeln!(out, "qq-emulator {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out)?;
    writeln!(out, "  chat page     {base}/")?;
    writeln!(out, "  control API   {base}/emulator/v1/")?;
    writeln!(out, "  app id        {}", emulator.app_id())?;
    writeln!(out, "  secret        {}", emulator.secret())?;
    writeln!(out)?;
    writeln!(out, "A bot finds it with these environment variables:")?;
    writeln!(out)?;
    writeln!(out, "  export QQ_BOT_APP_ID={}", emulator.app_id())?;
    writeln!(out, "  export QQ_BOT_SECRET={}", emulator.secret())?;
    writeln!(out, "  export QQ_BOT_BASE_URL={base}")?;
    writeln!(out)?;
    if !host.is_loopback() {
        writeln!(
            out,
            "Warning: listening on {host}. The emulator has no passwords: whoever reaches it \
             controls it.\n"
        )?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}
