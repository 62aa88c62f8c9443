//! The `qq-emulator` command.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::future::poll_immediate;
use qq_emulator::{DEFAULT_SEED, Emulator, Proxy, Recording, ReplaySpeed, World};

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
  qq-emulator --record session.jsonl --upstream https://HOST
      Between a bot and the platform at that host, writing down what they say
  qq-emulator --replay session.jsonl --replay-speed max
      The same events again, without pauses
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

    /// Write every frame and call to this new file, as lines of JSON without secrets
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// With --record: be no emulator, but stand between a bot and the server at this address
    #[arg(
        long,
        value_name = "URL",
        requires = "record",
        conflicts_with_all = ["world", "data", "faults", "webhook", "replay", "strict"]
    )]
    upstream: Option<String>,

    /// Push the events of a recording, once a bot is there
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    /// How many times as fast as it was recorded, or max
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = speed)]
    #[arg(requires = "replay")]
    replay_speed: ReplaySpeed,

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

/// Reads `--replay-speed`.
fn speed(text: &str) -> Result<ReplaySpeed, String> {
    if text == "max" {
        return Ok(ReplaySpeed::Max);
    }
    match text.parse() {
        Ok(times) if times > 0.0 && f64::is_finite(times) => Ok(ReplaySpeed::Times(times)),
        _ => Err("give a number above 0, such as 1 or 0.5, or max".into()),
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    if let (Some(upstream), Some(file)) = (&options.upstream, &options.record) {
        return record(&options, upstream, file).await;
    }
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
    if let Some(file) = options.record {
        builder = builder.record(file);
    }
    if let Some(file) = &options.replay {
        builder = builder.replay(Recording::read(file)?, options.replay_speed);
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
    let recording = emulator.recording_problem();
    emulator.stop().await;
    // A bot's mistakes are on the page; that nothing was kept is for whoever started this.
    if let Some(why) = recording {
        return Err(format!("--record: {why}").into());
    }
    match complaints.iter().rfind(|found| found.code == "data.write") {
        Some(found) => Err(found.message.clone().into()),
        None => Ok(()),
    }
}

/// Stands between a bot and a server until it is interrupted.
async fn record(
    options: &Options,
    upstream: &str,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let proxy = Proxy::builder(upstream, file).map_err(|why| format!("--upstream: {why}"))?;
    let proxy = proxy.host(options.host).port(options.port).start().await?;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let early = poll_immediate(interrupted.as_mut()).await;
    greet_proxy(&proxy, options, upstream, file)?;
    match early {
        Some(result) => result?,
        None => interrupted.await?,
    }
    let problem = proxy.problem();
    proxy.stop().await;
    match problem {
        Some(why) => Err(format!("--record: {why}").into()),
        None => Ok(()),
    }
}

fn greet_proxy(
    proxy: &Proxy,
    options: &Options,
    upstream: &str,
    file: &Path,
) -> std::io::Result<()> {
    let base = proxy.base_url();
    let mut out = std::io::stdout().lock();
    writeln!(out, "qq-emulator {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out)?;
    writeln!(out, "  between a bot and {upstream}")?;
    writeln!(out, "  writing to {}", file.display())?;
    writeln!(out)?;
    writeln!(out, "A bot with its own app id and secret finds it with")?;
    writeln!(out)?;
    writeln!(out, "  export QQ_BOT_BASE_URL={base}")?;
    writeln!(out)?;
    if !options.host.is_loopback() {
        let host = options.host;
        writeln!(
            out,
            "Warning: listening on {host}: others can talk through it.\n"
        )?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
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
    for bot in emulator.world().bots.iter().skip(1) {
        let (app_id, secret) = (&bot.app_id, &bot.secret);
        writeln!(out, "  another bot   app id {app_id}, secret {secret}")?;
    }
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
