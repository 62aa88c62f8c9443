//! `cargo xtask fuzz`: a short run of every fuzz target in `fuzz/`.

use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process;
use crate::project::Project;

/// The targets, as `fuzz/Cargo.toml` names them.
const TARGETS: &[&str] = &[
    "body_decode",
    "emulator",
    "event_decode",
    "event_reader",
    "gateway_machine",
    "header_scan",
    "webhook_handle",
];
/// How long each target runs.
const RUN: Duration = Duration::from_secs(20);
/// How long one may take with its build.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Runs each target. What it finds, cargo-fuzz prints, and leaves in `fuzz/artifacts`.
pub(crate) fn run(project: &Project) -> Result<bool> {
    if process::capture(Command::new("cargo").args(["fuzz", "--version"]), RUN).is_err() {
        return Err(Error::new(
            "cargo-fuzz is missing: `cargo install cargo-fuzz`",
        ));
    }
    let mut is_clean = true;
    for target in TARGETS {
        println!("fuzzing {target} for {} s", RUN.as_secs());
        let mut command = Command::new("cargo");
        // A stable toolchain has no sanitizers; the crates have no unsafe code that they would watch.
        command
            .args(["fuzz", "run", "--sanitizer", "none", target, "--"])
            .arg(format!("-max_total_time={}", RUN.as_secs()))
            .current_dir(project.root());
        if let Err(error) = process::run(&mut command, LIMIT) {
            eprintln!("error: {error}");
            is_clean = false;
        }
    }
    Ok(is_clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_manifest_is_run() {
        let manifest = include_str!("../../fuzz/Cargo.toml");
        let named: Vec<_> = manifest
            .lines()
            .filter_map(|line| {
                line.strip_prefix("path = \"fuzz_targets/")?
                    .strip_suffix(".rs\"")
            })
            .collect();
        let mut targets = TARGETS.to_vec();
        targets.sort_unstable();
        let mut sorted = named.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, targets);
    }
}
