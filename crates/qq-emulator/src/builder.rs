//! Sets an emulator up and starts it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::clock::millis;
use crate::emulator::Emulator;
use crate::faults::{self, Fault, Plan};
use crate::json_error::JsonError;
use crate::platform::{Origin, Platform};
use crate::recording::replay::{self, ReplaySpeed};
use crate::recording::{Recorder, Recording};
use crate::settings::Settings;
use crate::world::World;
use crate::{DEFAULT_SEED, data, server, webhook};

/// How long [`Emulator::next_reply`] waits.
const REPLY_DEADLINE: Duration = Duration::from_secs(5);

/// Sets an [`Emulator`] up.
#[derive(Debug, Clone)]
#[must_use]
pub struct EmulatorBuilder {
    host: IpAddr,
    port: u16,
    seed: u64,
    settings: Settings,
    world: Option<World>,
    faults: Vec<Fault>,
    webhook: Option<String>,
    reply_deadline: Duration,
    data: Option<PathBuf>,
    record: Option<PathBuf>,
    replay: Option<(Recording, ReplaySpeed)>,
}

/// The emulator could not be started.
pub struct StartError {
    place: Place,
    source: io::Error,
}

enum Place {
    Address(SocketAddr),
    File(PathBuf),
}

impl StartError {
    pub(crate) fn listen(address: SocketAddr, source: io::Error) -> Self {
        Self {
            place: Place::Address(address),
            source,
        }
    }

    pub(crate) fn file(path: PathBuf, source: io::Error) -> Self {
        Self {
            place: Place::File(path),
            source,
        }
    }

    /// Whether another program listens on the address already, perhaps an emulator.
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        matches!(self.place, Place::Address(_)) && self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// As `Display`, with the causes: a program whose `main` returns one says what to do.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Address(address) => write!(f, "cannot listen on {address}"),
            Place::File(file) => write!(f, "cannot use {}", file.display()),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            seed: DEFAULT_SEED,
            settings: Settings::default(),
            world: None,
            faults: Vec::new(),
            webhook: None,
            reply_deadline: REPLY_DEADLINE,
            data: None,
            record: None,
            replay: None,
        }
    }

    /// The port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address to listen on; 127.0.0.1 unless told otherwise. The emulator has no defences:
    /// whoever reaches it controls it.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// The seed of every id; the same seed and the same calls give the same ids.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The heartbeat interval that HELLO announces, in whole milliseconds, at least one.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.settings.heartbeat_interval = millis(interval).max(1);
        self
    }

    /// Changes any of the settings.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Who and what exists, instead of the default world.
    pub fn world(mut self, world: World) -> Self {
        self.world = Some(world);
        self
    }

    /// Keeps the world in a folder, so that it survives restarts: guilds, groups, members, roles,
    /// messages, reactions, schedules, threads and what else bots made, the time that was skipped,
    /// and where the ids go on. Sessions, tokens, settings, faults, uploaded files and quotas are
    /// not kept. What is there goes before [`EmulatorBuilder::world`] and the seed.
    ///
    /// A snapshot is written at most every half second after a change, and at the end; it takes the
    /// place of the one before in one step. A process that is killed loses about that half second.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Writes every frame and call to a new file of JSON lines, without secrets. To record what a
    /// bot and another server say to each other, put a [`Proxy`] between them.
    ///
    /// [`Proxy`]: crate::Proxy
    pub fn record(mut self, file: impl Into<PathBuf>) -> Self {
        self.record = Some(file.into());
        self
    }

    /// Pushes the events of a recording, once a bot is connected or its webhook set. Conversations
    /// that the world does not have can be answered all the same. [`Emulator::replay`] tells how
    /// far it is.
    pub fn replay(mut self, recording: Recording, speed: ReplaySpeed) -> Self {
        self.replay = Some((recording, speed));
        self
    }

    /// Plans faults from the start, as JSON of `POST faults`. A reset goes back to them.
    ///
    /// # Errors
    /// A sentence that names the line or the field, and the fix.
    pub fn faults(mut self, json: &str) -> Result<Self, String> {
        let placed = |why: String| match why.split_once(": ") {
            Some((field, rest)) if field.starts_with('[') => {
                // One fault may stand alone, without a list around it.
                let alone = json.trim_start().starts_with('{');
                let plan: Value = serde_json::from_str(json).unwrap_or_default();
                let path = match field.strip_prefix("[0].") {
                    _ if plan.get("faults").is_some() => format!("faults{field}"),
                    Some(path) if alone => path.to_owned(),
                    _ => field.to_owned(),
                };
                JsonError::at(json, &path, rest).to_string()
            }
            _ => why,
        };
        let faults = faults::parse(json.as_bytes()).map_err(placed)?;
        Plan::default().add(faults.clone()).map_err(placed)?;
        self.faults = faults;
        Ok(self)
    }

    /// Pushes the first bot's events to this address. The address is checked with op 13 again and
    /// again, until a bot answers there; why it does not is recorded as `webhook.check`. A reset
    /// keeps the address.
    ///
    /// # Errors
    /// A sentence that says why this is no address that may be called.
    pub fn webhook(mut self, url: &str) -> Result<Self, String> {
        webhook::check_address(url, self.settings.webhook_any_host)?;
        self.webhook = Some(url.to_owned());
        Ok(self)
    }

    /// How long [`Emulator::next_reply`] and [`Emulator::acknowledgement`] wait; 5 s unless told
    /// otherwise.
    pub fn reply_deadline(mut self, deadline: Duration) -> Self {
        self.reply_deadline = deadline;
        self
    }

    /// Listens and serves, in tasks of the current Tokio runtime.
    ///
    /// # Errors
    /// The address is taken or not allowed; the data folder cannot be used, or what is kept there
    /// is broken; the recording exists already, or cannot be made.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O and time enabled.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let wanted = SocketAddr::new(self.host, self.port);
        let failed = |source| StartError::listen(wanted, source);
        let saved = match &self.data {
            Some(folder) => {
                data::load(folder).map_err(|source| StartError::file(data::file(folder), source))?
            }
            None => None,
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let reachable = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let base_url = format!("http://{}", SocketAddr::new(reachable, address.port()));
        let platform = Platform::new(
            Origin {
                seed: self.seed,
                settings: self.settings,
                world: self.world,
                faults: self.faults,
            },
            base_url,
            address.ip().is_unspecified(),
        );
        if let Some(path) = self.record {
            let recorder =
                Recorder::create(&path, None).map_err(|source| StartError::file(path, source))?;
            platform.update(|state| {
                for bot in &state.world.bots {
                    recorder.hide(&bot.secret);
                }
                state.recorder = Some(Arc::new(recorder));
            });
        }
        if let Some(saved) = saved {
            platform.update(|state| saved.restore(state));
        }
        let (app_id, secret) = platform.read(|state| match state.world.bots.first() {
            Some(bot) => (bot.app_id.clone(), bot.secret.clone()),
            None => (String::new(), String::new()),
        });
        let (guard, tasks) = mpsc::channel(1);
        tokio::spawn(webhook::serve(Arc::clone(&platform), guard.clone()));
        if let Some(url) = self.webhook {
            let platform = Arc::clone(&platform);
            tokio::spawn(webhook::set_once_it_answers(platform, url, guard.clone()));
        }
        if let Some((recording, speed)) = self.replay {
            platform.update(|state| state.replay.events = recording.len());
            let platform = Arc::clone(&platform);
            tokio::spawn(replay::play(platform, recording, speed, guard.clone()));
        }
        if let Some(folder) = self.data {
            tokio::spawn(data::keep(Arc::clone(&platform), folder, guard.clone()));
        }
        tokio::spawn(server::serve(Arc::clone(&platform), listener, guard));
        Ok(Emulator {
            platform,
            address,
            app_id,
            secret,
            tasks,
            reply_deadline: self.reply_deadline,
            replies_seen: AtomicU64::new(0),
        })
    }
}
