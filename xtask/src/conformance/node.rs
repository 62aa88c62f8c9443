//! Node clients: a folder with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Context as _, Error, Result};
use crate::process;
use crate::tools;

/// Downloading some forty small packages, on a slow network.
const INSTALL: Duration = Duration::from_secs(600);

const PINS: [&str; 2] = ["package.json", "package-lock.json"];

/// What this machine lacks, and how to get it.
pub(super) fn missing() -> Option<String> {
    [tools::NODE, tools::NPM]
        .iter()
        .find(|tool| tool.find().is_none())
        .map(tools::Tool::missing)
}

/// Installs exactly the packages of the lock file in `pins` into `folder`; gives the interpreter. A
/// second call with the same pins needs no network.
pub(super) fn environment(pins: &Path, folder: &Path) -> Result<PathBuf> {
    let find = |tool: &tools::Tool| tool.find().ok_or_else(|| Error::new(tool.missing()));
    let (node, npm) = (find(&tools::NODE)?, find(&tools::NPM)?);
    let mut wanted = String::new();
    for name in PINS {
        let path = pins.join(name);
        let text = fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
        let copy = folder.join(name);
        fs::write(&copy, &text).context(|| format!("writing {}", copy.display()))?;
        wanted.push_str(&text);
    }
    // Written last, so that an interrupted installation is done again.
    let installed = folder.join("node_modules").join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(node);
    }
    println!(
        "installing {} from the npm registry into {}",
        pins.display(),
        folder.display()
    );
    let mut install = Command::new(npm);
    install
        // Scripts of packages are nothing that the checks need.
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--loglevel", "error"])
        .current_dir(folder);
    process::run(&mut install, INSTALL)?;
    fs::write(&installed, wanted).context(|| format!("writing {}", installed.display()))?;
    Ok(node)
}
