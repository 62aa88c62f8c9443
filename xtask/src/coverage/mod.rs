//! `cargo xtask coverage`: what of the platform `qq-model` has types for, and the emulator plays.
//!
//! Walks the protocol tables in `crates/qq-model/tables` and the crate's own list of what it knows, both ways:
//! routes, objects, members, enumerations, events, intents and error codes without a type, and types and members
//! without an entry. What is so on purpose stands in `exceptions.json` beside the tables, with its reason; an
//! exception that is no longer needed is a finding too.

mod check;
mod emulator;
mod exceptions;
mod tables;

use std::path::Path;

use crate::error::Result;
use crate::project::Project;

use check::Report;
use exceptions::Exceptions;
use tables::Tables;

/// Where the tables are.
const FOLDER: &str = "crates/qq-model/tables";

/// Prints the report. `Ok(false)` when something is missing.
pub(crate) fn run(project: &Project) -> Result<bool> {
    let report = report(&project.root().join(FOLDER))?;
    print!("{report}");
    let emulator = emulator::report(&project.root().join("crates"))?;
    print!("{emulator}");
    Ok(report.is_complete() && emulator.is_complete())
}

fn report(folder: &Path) -> Result<Report> {
    let tables = Tables::read(folder)?;
    let exceptions = Exceptions::read(&folder.join("exceptions.json"))?;
    Ok(check::check(&tables, &exceptions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_platform_is_missing() {
        let project = Project::locate().unwrap();
        let report = report(&project.root().join(FOLDER)).unwrap();
        assert!(report.is_complete(), "{report}");
    }
}
