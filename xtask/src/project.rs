//! Where the workspace is, and how its cargo is called.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Context as _, Error, Result};
use crate::process;

/// How long a question to cargo or git may take; long enough for a first download of the registry.
const QUESTION: Duration = Duration::from_secs(300);

/// The workspace that the current folder is in.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Finds the workspace around the current folder.
    pub(crate) fn locate() -> Result<Self> {
        let mut cargo = Command::new(cargo_program());
        cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
        let manifest = process::capture(&mut cargo, QUESTION)?;
        let root = Path::new(manifest.trim())
            .parent()
            .ok_or_else(|| Error::new("cargo named no workspace manifest"))?
            .to_path_buf();
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The cargo that runs this task, started at the workspace root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(&self.root);
        command
    }

    /// What cargo prints for `args`.
    pub(crate) fn ask_cargo(&self, args: &[&str]) -> Result<String> {
        process::capture(self.cargo().args(args), QUESTION)
    }

    /// What git prints for `args`.
    pub(crate) fn ask_git(&self, args: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        process::capture(git.args(args).current_dir(&self.root), QUESTION)
    }

    /// `cargo metadata` of the workspace with all its features.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let text = self.ask_cargo(&[
            "metadata",
            "--format-version=1",
            "--locked",
            "--all-features",
        ])?;
        serde_json::from_str(&text).context(|| "reading the output of cargo metadata".into())
    }

    /// The folder cargo builds into.
    pub(crate) fn target_folder(&self) -> Result<PathBuf> {
        self.metadata()?
            .get("target_directory")
            .and_then(Value::as_str)
            .map(PathBuf::from)
            .ok_or_else(|| Error::new("cargo metadata has no target_directory"))
    }
}

/// Whether this is a run under continuous integration, where a missing tool is a failure.
pub(crate) fn is_ci() -> bool {
    says_ci(env::var("CI").ok().as_deref())
}

fn says_ci(value: Option<&str>) -> bool {
    !matches!(value, None | Some("" | "0" | "false"))
}

/// Cargo tells its children which cargo it is.
fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_from_a_folder_inside_it() {
        let project = Project::locate().unwrap();
        assert!(project.root().join("xtask/Cargo.toml").is_file());
    }

    #[test]
    fn ci_is_what_the_variable_says() {
        for off in [None, Some(""), Some("0"), Some("false")] {
            assert!(!says_ci(off), "{off:?}");
        }
        for on in [Some("1"), Some("true")] {
            assert!(says_ci(on), "{on:?}");
        }
    }
}
