//! `cargo xtask test`: the steps of the gate one after the other, and what became of each.

mod nats;
mod steps;
mod summary;

use std::time::Instant;

use crate::error::Result;
use crate::project::{self, Project};
use steps::{STEPS, Step};
use summary::Row;

/// Which steps to run, and whether to go on after a failure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) fail_fast: bool,
}

/// What became of a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// Something is wrong, and this is what.
    Failed(String),
    /// Not run, and this is why.
    Skipped(String),
    /// Not run for want of something that is not promised anywhere, and this is what.
    Foregone(String),
    /// This step's work is part of another step of the same run.
    Within(&'static str),
}

/// The names of all steps, in the order they run.
pub(crate) fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// The steps that a selection leaves, in the order they run.
pub(crate) fn selected(selection: &Selection) -> Vec<&'static str> {
    chosen(selection).map(|step| step.name).collect()
}

/// The text of `cargo xtask test --list`.
pub(crate) fn list() -> String {
    STEPS
        .iter()
        .map(|step| format!("{:<12} {}\n", step.name, step.title))
        .collect()
}

/// Runs the selected steps and prints the summary. `Ok(false)` when any failed.
pub(crate) fn run(project: &Project, selection: &Selection) -> Result<bool> {
    let steps: Vec<&Step> = chosen(selection).collect();
    let ci = project::is_ci();
    let begun = Instant::now();
    let mut rows = Vec::new();
    let mut stopped = false;
    for (index, step) in steps.iter().enumerate() {
        if stopped {
            rows.push(Row::new(step.name, not_reached()));
            continue;
        }
        println!(
            "\n== [{}/{}] {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.title
        );
        let since = Instant::now();
        let outcome = under_ci(ci, step.run(project, &selected(selection)));
        let row = Row::new(step.name, outcome).took(since.elapsed());
        println!("== {}", row.line());
        stopped = selection.fail_fast && row.failed();
        rows.push(row);
    }
    print!("\n{}", summary::table(&rows, begun.elapsed()));
    Ok(!rows.iter().any(Row::failed))
}

fn chosen(selection: &Selection) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(|step| {
        let named = |names: &[String]| names.iter().any(|name| name == step.name);
        (selection.only.is_empty() || named(&selection.only)) && !named(&selection.skip)
    })
}

/// A step that cannot run for want of a tool is a failure under CI, where the tools are promised.
fn under_ci(ci: bool, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Skipped(why) if ci => Outcome::Failed(why),
        outcome => outcome,
    }
}

fn not_reached() -> Outcome {
    Outcome::Skipped("an earlier step failed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_names_are_unique_and_listed() {
        let mut names = step_names();
        for name in &names {
            assert!(list().contains(name));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn only_and_skip_narrow_the_steps_and_keep_their_order() {
        let selection = |only: &[&str], skip: &[&str]| Selection {
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            skip: skip.iter().map(|name| (*name).to_owned()).collect(),
            fail_fast: false,
        };
        assert_eq!(selected(&Selection::default()), step_names());
        assert_eq!(
            selected(&selection(&["tests", "fmt"], &[])),
            ["fmt", "tests"]
        );
        let without = selected(&selection(&[], &["clippy"]));
        assert_eq!(without.len(), STEPS.len() - 1);
        assert!(!without.contains(&"clippy"));
    }

    #[test]
    fn a_missing_tool_is_a_failure_under_ci_only() {
        let skipped = || Outcome::Skipped("no chromium".into());
        assert_eq!(under_ci(false, skipped()), skipped());
        assert_eq!(
            under_ci(true, skipped()),
            Outcome::Failed("no chromium".into())
        );
        assert_eq!(under_ci(true, Outcome::Passed), Outcome::Passed);
        let foregone = || Outcome::Foregone("no network".into());
        assert_eq!(under_ci(true, foregone()), foregone());
    }
}
