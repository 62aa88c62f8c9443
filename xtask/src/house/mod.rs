//! `cargo xtask house`: the rules that keep the workspace in shape.
//!
//! Each rule is a function from what cargo, git or a file says to a list of [`Breach`]es, so that a
//! test can show it a bad input. A rule about a crate that does not exist yet binds when it appears.

mod facts;
mod manifests;
mod pages;
mod paths;
mod rust_text;
mod sources;
mod trees;
mod versions;

use std::fmt;

use crate::error::Result;
use crate::project::Project;
use facts::Facts;

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// A file, a crate, or `file:line`.
    place: String,
    /// What is wrong there, and what to do about it.
    problem: String,
}

impl Breach {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// A rule: what it promises and how that is checked.
struct Rule {
    promise: &'static str,
    check: fn(&Facts<'_>) -> Result<Vec<Breach>>,
}

const RULES: &[Rule] = &[
    Rule {
        promise: "crates depend only on what their layer may know",
        check: trees::check,
    },
    Rule {
        promise: "one TLS, one HTTP and one WebSocket stack, one version of each",
        check: versions::check,
    },
    Rule {
        promise: "workspace dependencies turn default features off",
        check: manifests::check_features,
    },
    Rule {
        promise: "every member has the licence, a rust-version and the workspace's lints",
        check: manifests::check_members,
    },
    Rule {
        promise: "every crate root forbids unsafe code",
        check: sources::check_unsafe,
    },
    Rule {
        promise: "platform host names are in qq-model's environment only",
        check: sources::check_hosts,
    },
    Rule {
        promise: "no file names a path of somebody's machine",
        check: paths::check,
    },
    Rule {
        promise: "the pages name commands, examples and crates that exist",
        check: pages::check,
    },
];

/// Checks every rule and prints what it finds. `Ok(false)` when any rule is broken.
pub(crate) fn run(project: &Project) -> Result<bool> {
    let facts = Facts::gather(project)?;
    let mut broken = 0;
    for rule in RULES {
        let breaches = (rule.check)(&facts)?;
        println!(
            "{:<7} {}",
            if breaches.is_empty() { "ok" } else { "BROKEN" },
            rule.promise
        );
        for breach in &breaches {
            println!("        {breach}");
        }
        broken += usize::from(!breaches.is_empty());
    }
    println!("{} of {} rules hold", RULES.len() - broken, RULES.len());
    Ok(broken == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_keeps_its_rules() {
        assert!(run(&Project::locate().unwrap()).unwrap(), "see the output");
    }
}
