//! Tests of `qq-cluster` over a newer `nats-server` than the one in `PATH`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Outcome;
use crate::conformance::python;
use crate::error::{Context as _, Error, Result};
use crate::process;
use crate::project::Project;

/// The package that holds it.
const PACKAGE: &str = "xtask/nats-server.txt";

/// Those in which servers of other versions behaved otherwise; under a minute of them.
const TESTS: &[&str] = &[
    "test",
    "--workspace",
    "--lib",
    "--locked",
    "--",
    "tests::identify::",
    "tests::members::",
    "tests::trio::",
    "tests::worker::",
];

const QUESTION: Duration = Duration::from_secs(30);

/// A first build on a slow machine included.
const LIMIT: Duration = Duration::from_secs(40 * 60);

pub(super) fn run(project: &Project) -> Outcome {
    if let Some(why) = python::missing() {
        return Outcome::Skipped(why);
    }
    let folder = match install(project) {
        Ok(folder) => folder,
        // Debian's server was tested, and PyPI may not be within reach.
        Err(error) => return Outcome::Foregone(format!("no newer nats-server: {error}")),
    };
    let tested = with_first_in_path(&folder).and_then(|path| {
        let mut command = project.cargo();
        command.args(TESTS).env("PATH", path);
        println!("PATH={}:$PATH", folder.display());
        println!("{}", process::describe(&command));
        process::run(&mut command, LIMIT)
    });
    match tested {
        Ok(()) => Outcome::Passed,
        Err(error) => {
            eprintln!("error: {error}");
            Outcome::Failed(error.to_string())
        }
    }
}

/// The folder of a server that runs.
fn install(project: &Project) -> Result<PathBuf> {
    let folder = project.target_folder()?.join("nats-server");
    let python = python::environment(&project.root().join(PACKAGE), &folder)?;
    let folder = python
        .parent()
        .ok_or_else(|| Error::new("the interpreter is in no folder"))?;
    let server = folder.join(format!("nats-server{}", env::consts::EXE_SUFFIX));
    process::run(Command::new(server).arg("--version"), QUESTION)?;
    Ok(folder.to_owned())
}

fn with_first_in_path(folder: &Path) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders).context(|| "putting nats-server into PATH".into())
}
