//! The world on disk: snapshots that survive restarts.
//!
//! `state.json` is written whole under another name and then renamed, so that it is never half
//! there. What happened less than [`PAUSE`] before the process was killed may be missing; nothing
//! is when it ended in order.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::clock::Millis;
use crate::ids::Ids;
use crate::json_error::{self, JsonError};
use crate::platform::{Actor, Platform, State};
use crate::ring::Ring;
use crate::server::Guard;
use crate::views::{OutboxEntry, TimelineItem};
use crate::violations::Finding;
use crate::world::World;
use crate::world::messages::{Adopted, Memory};
use crate::world::store::console::Console;
use crate::world::store::groups::{GroupNotes, Strategies};
use crate::world::store::guilds::{ChannelNotes, GuildNotes};
use crate::world::store::reactions::Reactions;
use crate::world::store::wakeups::Wakeups;

/// The version of the file.
const VERSION: u32 = 1;
/// At least this long from one snapshot to the next.
const PAUSE: Duration = Duration::from_millis(500);
const FILE: &str = "state.json";
const UNFINISHED: &str = "state.json.new";

/// What is kept, as it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    version: u32,
    advanced_ms: Millis,
    ids: u64,
    call_ids: u64,
    world: World,
    adopted: Adopted,
    memory: Memory,
    seqs: HashMap<String, u64>,
    timeline: Ring<TimelineItem>,
    outbox: Ring<OutboxEntry>,
    reactions: Reactions,
    guilds: HashMap<String, GuildNotes>,
    channels: HashMap<String, ChannelNotes>,
    groups: HashMap<String, GroupNotes>,
    strategies: Strategies,
    console: Console,
    refusing: BTreeSet<String>,
    #[serde(default)]
    strangers: BTreeSet<String>,
    wakeups: Wakeups,
}

/// The same, as it is written.
#[derive(Serialize)]
struct Saving<'a> {
    version: u32,
    advanced_ms: Millis,
    ids: u64,
    call_ids: u64,
    world: &'a World,
    adopted: &'a Adopted,
    memory: &'a Memory,
    seqs: &'a HashMap<String, u64>,
    timeline: &'a Ring<TimelineItem>,
    outbox: &'a Ring<OutboxEntry>,
    reactions: &'a Reactions,
    guilds: &'a HashMap<String, GuildNotes>,
    channels: &'a HashMap<String, ChannelNotes>,
    groups: &'a HashMap<String, GroupNotes>,
    strategies: &'a Strategies,
    console: &'a Console,
    refusing: &'a BTreeSet<String>,
    strangers: &'a BTreeSet<String>,
    wakeups: &'a Wakeups,
}

impl Saved {
    /// Puts it in the place of what a new state begins with.
    pub(crate) fn restore(self, state: &mut State) {
        state.clock.advance(self.advanced_ms);
        state.ids = Ids::new(self.ids);
        state.call_ids = Ids::new(self.call_ids);
        state.world = self.world;
        state.adopted = self.adopted;
        state.memory = self.memory;
        state.seqs = self.seqs;
        state.timeline = self.timeline;
        state.outbox = self.outbox;
        let store = &mut state.store;
        store.reactions = self.reactions;
        store.guilds = self.guilds;
        store.channels = self.channels;
        store.groups = self.groups;
        store.strategies = self.strategies;
        store.console = self.console;
        store.refusing = self.refusing;
        store.strangers = self.strangers;
        store.wakeups = self.wakeups;
    }
}

fn snapshot(state: &State) -> serde_json::Result<Vec<u8>> {
    let store = &state.store;
    serde_json::to_vec(&Saving {
        version: VERSION,
        advanced_ms: state.clock.skipped(),
        ids: state.ids.seed(),
        call_ids: state.call_ids.seed(),
        world: &state.world,
        adopted: &state.adopted,
        memory: &state.memory,
        seqs: &state.seqs,
        timeline: &state.timeline,
        outbox: &state.outbox,
        reactions: &store.reactions,
        guilds: &store.guilds,
        channels: &store.channels,
        groups: &store.groups,
        strategies: &store.strategies,
        console: &store.console,
        refusing: &store.refusing,
        strangers: &store.strangers,
        wakeups: &store.wakeups,
    })
}

/// Makes the folder and reads what was kept there; `None` if there is nothing yet.
///
/// # Errors
/// The folder cannot be used, or the file is broken: it is left as it is.
pub(crate) fn load(folder: &Path) -> Result<Option<Saved>, io::Error> {
    fs::create_dir_all(folder)?;
    // Says now rather than later that nothing can be written there.
    drop(File::create(folder.join(UNFINISHED))?);
    let text = match fs::read_to_string(folder.join(FILE)) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    };
    let broken = |why: JsonError| io::Error::new(io::ErrorKind::InvalidData, why);
    let saved: Saved = json_error::read(&text).map_err(broken)?;
    if saved.version != VERSION {
        let why = format!("this is version {VERSION} of the format");
        return Err(broken(JsonError::at(&text, "version", why)));
    }
    saved
        .world
        .check()
        .map_err(|(field, why)| broken(JsonError::at(&text, &format!("world.{field}"), why)))?;
    Ok(Some(saved))
}

/// The file in a folder, for messages.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Writes a snapshot after every change, until the platform stops; then the last one.
pub(crate) async fn keep(platform: Arc<Platform>, folder: PathBuf, _guard: Guard) {
    let mut stopping = platform.stopping();
    let mut changes = platform.changes();
    let mut written = None;
    loop {
        changes.mark_unchanged();
        write_if_new(&platform, &folder, &mut written).await;
        let change = async {
            let changed = changes.changed().await;
            sleep(PAUSE).await;
            changed
        };
        tokio::select! {
            () = stopping.requested() => break,
            changed = change => if changed.is_err() { break },
        }
    }
    write_if_new(&platform, &folder, &mut written).await;
}

/// `written` is a digest of what the file has.
async fn write_if_new(platform: &Platform, folder: &Path, written: &mut Option<u64>) {
    let snapshot = match platform.read(snapshot) {
        Ok(snapshot) => snapshot,
        Err(why) => return complain(platform, &why.to_string()),
    };
    let mut hasher = DefaultHasher::new();
    snapshot.hash(&mut hasher);
    let digest = hasher.finish();
    if *written == Some(digest) {
        return;
    }
    let folder = folder.to_owned();
    let outcome = tokio::task::spawn_blocking(move || write(&folder, &snapshot)).await;
    match outcome.unwrap_or_else(|why| Err(io::Error::other(why))) {
        Ok(()) => *written = Some(digest),
        Err(why) => complain(platform, &why.to_string()),
    }
}

fn write(folder: &Path, snapshot: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(snapshot)?;
    // What is renamed shall be on the disk, or a power failure leaves an empty file.
    file.sync_all()?;
    fs::rename(unfinished, folder.join(FILE))
}

fn complain(platform: &Platform, why: &str) {
    platform.update_quietly(|state| {
        let rule = "the data folder can be written";
        let finding = Finding::error("data.write", rule, format!("{FILE}: {why}"));
        let actor = Actor {
            client: "emulator".into(),
            ..Actor::default()
        };
        state.record(&actor, finding);
    });
}
