//! A bot under test: a script and what runs it.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Context as _, Error, Result};
use crate::process::{self, Running};

/// Starts a script in `folder`; what it prints goes to `client.log` there.
pub(super) fn start(
    interpreter: &Path,
    script: &Path,
    args: &[&str],
    folder: &Path,
) -> Result<Running> {
    if !script.is_file() {
        return Err(Error::new(format!("{} is missing", script.display())));
    }
    let path = folder.join("client.log");
    let log = File::create(&path).context(|| format!("creating {}", path.display()))?;
    let second = log
        .try_clone()
        .context(|| format!("opening {}", path.display()))?;
    process::start(
        Command::new(interpreter)
            .arg(script)
            .args(args)
            .current_dir(folder)
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(second)),
    )
}
