//! `cargo xtask conformance`: clients that nobody here wrote, run against the emulator.
//!
//! Each client is installed from its registry into a folder below the target folder, pointed at an
//! emulator of its own, and spoken to through the control API. What it answers, and what the
//! emulator noted about it, fills one row of a table.

mod checks;
mod control;
mod emulator;
mod http;
mod node;
pub(crate) mod python;
mod script;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Context as _, Error, Result};
use crate::process;
use crate::project::Project;
use checks::Row;
use control::Control;
use emulator::Emulator;

/// The cargo call that builds the emulator's program. It selects what the tests select, so that
/// nothing is compiled twice; `xtask` is left out because a running program cannot be replaced on
/// every system.
pub(crate) const BUILD: &[&str] = &[
    "build",
    "--workspace",
    "--exclude",
    "xtask",
    "--bins",
    "--examples",
    "--locked",
];

const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// A third-party client.
struct Client {
    /// Name and version as in its registry.
    name: &'static str,
    platform: Platform,
    /// The pinned packages to install, relative to the workspace root: a list for pip, or the
    /// folder of an npm lock file.
    pins: &'static str,
    /// The bot under test: a script that makes a few REST round trips and answers every message
    /// with a text that repeats it, started with the emulator's base address, an app id and a
    /// secret.
    driver: &'static str,
    /// Checks that this client cannot pass, whatever the platform does, and why.
    known: &'static [(&'static str, &'static str)],
}

/// What a client is written for.
#[derive(Clone, Copy)]
enum Platform {
    Python,
    Node,
}

impl Platform {
    /// The tool that is not on this machine, and how to get it.
    fn missing(self) -> Option<String> {
        match self {
            Self::Python => python::missing(),
            Self::Node => node::missing(),
        }
    }

    /// Installs the pinned packages; gives the interpreter.
    fn environment(self, pins: &Path, folder: &Path) -> Result<PathBuf> {
        match self {
            Self::Python => python::environment(pins, folder),
            Self::Node => node::environment(pins, folder),
        }
    }
}

const CLIENTS: &[Client] = &[
    Client {
        name: "qq-botpy 1.2.1",
        platform: Platform::Python,
        pins: "xtask/conformance/qq-botpy.txt",
        driver: "crates/qq-emulator/conformance/botpy_echo.py",
        known: &[],
    },
    Client {
        name: "qq-official-bot 1.0.13",
        platform: Platform::Node,
        pins: "xtask/conformance/qq-official-bot",
        driver: "crates/qq-emulator/conformance/official_echo.cjs",
        known: &[
            ("replay", "it identifies anew instead of resuming"),
            (
                "clean",
                "after that its heartbeat carries the number of the session before",
            ),
        ],
    },
];

/// The tool that is not on this machine but needed, and how to get it: the step is skipped then.
/// Clients for other platforms than Python are left out where theirs is missing.
pub(crate) fn missing_tool() -> Option<String> {
    python::missing()
}

/// Runs every client and prints the table. `Ok(false)` when a client failed a check.
pub(crate) fn run(project: &Project) -> Result<bool> {
    if let Some(missing) = missing_tool() {
        return Err(Error::new(missing));
    }
    process::run(project.cargo().args(BUILD), BUILD_LIMIT)?;
    let target = project.target_folder()?;
    let program = target
        .join("debug")
        .join(format!("qq-emulator{}", std::env::consts::EXE_SUFFIX));
    let folder = target.join("conformance");
    let mut rows = Vec::new();
    for client in CLIENTS {
        if let Some(missing) = client.platform.missing() {
            println!("{} is left out: {missing}", client.name);
            continue;
        }
        let folder = folder.join(client.name.replace(' ', "-"));
        std::fs::create_dir_all(&folder).context(|| format!("creating {}", folder.display()))?;
        rows.push(try_out(project, client, &program, &folder)?);
    }
    print!("\n{}", table::render(&rows));
    Ok(rows.iter().all(Row::passed))
}

/// One client against an emulator of its own; both end here.
fn try_out(project: &Project, client: &Client, program: &Path, folder: &Path) -> Result<Row> {
    let pins = project.root().join(client.pins);
    let interpreter = client.platform.environment(&pins, folder)?;
    let emulator = Emulator::start(program, &folder.join("emulator.log"))?;
    let control = Control::new(emulator.address());
    let bot = control.bot()?;
    println!(
        "{}: running against http://{}",
        client.name,
        emulator.address()
    );
    let mut driver = script::start(
        &interpreter,
        &project.root().join(client.driver),
        &[
            &format!("http://{}", emulator.address()),
            &bot.app_id,
            &bot.secret,
        ],
        folder,
    )?;
    let row = checks::all(client.name, client.known, &control, &mut driver);
    if !row.passed() {
        println!("logs of the client and the emulator: {}", folder.display());
    }
    Ok(row)
}
