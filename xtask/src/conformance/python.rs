//! Python packages: an environment with pinned packages, and a script that runs in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Context as _, Error, Result};
use crate::process;
use crate::tools;

/// Creating an environment, and downloading some fourteen small packages, on a slow network.
const INSTALL: Duration = Duration::from_secs(600);

const QUESTION: Duration = Duration::from_secs(30);

/// What this machine lacks, and how to get it.
pub(crate) fn missing() -> Option<String> {
    let Some(python) = tools::PYTHON.find() else {
        return Some(tools::PYTHON.missing());
    };
    // Debian ships these two modules in a package of their own.
    let mut ask = Command::new(python);
    ask.args(["-c", "import ensurepip, venv"]);
    process::capture(&mut ask, QUESTION).err().map(|_| {
        "python3 has no venv module; install it with \
         `apt-get install --no-install-recommends python3-venv`"
            .into()
    })
}

/// The interpreter of an environment below `folder` that holds exactly the pinned packages. A
/// second call with the same pins finds it ready and needs no network.
pub(crate) fn environment(requirements: &Path, folder: &Path) -> Result<PathBuf> {
    let system = tools::PYTHON
        .find()
        .ok_or_else(|| Error::new(tools::PYTHON.missing()))?;
    let wanted = fs::read_to_string(requirements)
        .context(|| format!("reading {}", requirements.display()))?;
    let venv = folder.join("venv");
    let python = venv.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    // Written last, so that an interrupted installation is done again.
    let installed = venv.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) && python.exists() {
        return Ok(python);
    }
    println!(
        "installing {} from PyPI into {}",
        requirements.display(),
        venv.display()
    );
    let mut create = Command::new(system);
    create.args(["-m", "venv", "--clear"]).arg(&venv);
    process::run(&mut create, INSTALL)?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--no-input", "--quiet"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(requirements);
    process::run(&mut install, INSTALL)?;
    fs::write(&installed, wanted).context(|| format!("writing {}", installed.display()))?;
    Ok(python)
}
