//! What the pages tell people to type and look for must exist.

use std::collections::BTreeSet;

use super::{Breach, Facts};
use crate::cli::COMMANDS;
use crate::error::Result;
use crate::gate;

const README: &str = "README.md";
const DEVELOPMENT: &str = "docs/development.md";

/// The commands the README opens with.
const FIRST_COMMANDS: &[&str] = &["cargo run --release --example ping", "cargo xtask test"];

pub(super) fn check(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let examples: BTreeSet<&str> = facts
        .members
        .iter()
        .flat_map(|member| &member.targets)
        .filter(|target| target.kind == "example")
        .map(|target| target.name.as_str())
        .collect();
    let readme = facts.read(README)?.unwrap_or_default();
    let mut breaches = missing(README, &readme, FIRST_COMMANDS);
    for file in facts.files.iter().filter(|file| file.ends_with(".md")) {
        if let Some(text) = facts.read(file)? {
            breaches.extend(dead_commands(file, &text, &examples));
        }
    }
    let development = facts.read(DEVELOPMENT)?.unwrap_or_default();
    breaches.extend(unexplained(
        &development,
        &crates(facts),
        &gate::step_names(),
    ));
    let config = facts.read(".cargo/config.toml")?.unwrap_or_default();
    breaches.extend(missing(".cargo/config.toml", &config, &["xtask = \"run"]));
    Ok(breaches)
}

/// The members of the workspace below `crates/`.
fn crates<'f>(facts: &'f Facts<'_>) -> Vec<&'f str> {
    facts
        .members
        .iter()
        .filter(|member| facts.relative(&member.manifest).starts_with("crates/"))
        .map(|member| member.name.as_str())
        .collect()
}

/// Crates without a paragraph, and steps without a row of the table, on the page for developers.
fn unexplained(page: &str, crates: &[&str], steps: &[&str]) -> Vec<Breach> {
    let has = |start: &str| page.lines().any(|line| line.starts_with(start));
    let crates = crates
        .iter()
        .filter(|name| !has(&format!("`{name}` is ")))
        .map(|name| format!("needs a paragraph that begins with \"`{name}` is\""));
    let steps = steps
        .iter()
        .filter(|name| !has(&format!("| `{name}` |")))
        .map(|name| format!("needs a row \"| `{name}` | ...\" in the table of steps"));
    crates
        .chain(steps)
        .map(|problem| Breach::new(DEVELOPMENT, problem))
        .collect()
}

fn missing(file: &str, text: &str, wanted: &[&str]) -> Vec<Breach> {
    wanted
        .iter()
        .filter(|wanted| !text.contains(**wanted))
        .map(|wanted| Breach::new(file, format!("does not mention {wanted}")))
        .collect()
}

/// Mentions of `cargo xtask <command>` and `--example <name>` that lead nowhere.
fn dead_commands(file: &str, text: &str, examples: &BTreeSet<&str>) -> Vec<Breach> {
    let tasks = words_after(text, "cargo xtask ")
        .filter(|(_, task)| !COMMANDS.iter().any(|(name, _)| name == task))
        .map(|(line, task)| (line, format!("there is no `cargo xtask {task}`")));
    let runs = words_after(text, "--example ")
        .filter(|(_, name)| !examples.contains(name))
        .map(|(line, name)| (line, format!("there is no example `{name}`")));
    tasks
        .chain(runs)
        .map(|(line, problem)| Breach::new(format!("{file}:{line}"), problem))
        .collect()
}

/// Each word that follows `lead` directly, with its line.
fn words_after<'t>(text: &'t str, lead: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    text.lines().enumerate().flat_map(move |(index, line)| {
        line.split(lead).skip(1).filter_map(move |rest| {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .unwrap_or(rest.len());
            (end > 0).then(|| (index + 1, &rest[..end]))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_lead_nowhere_are_found() {
        let examples = ["ping"].into_iter().collect();
        let good = "Run `cargo run --release --example ping`, then\ncargo xtask test --only fmt\n\
                    or `cargo xtask <command>`.";
        assert_eq!(dead_commands("README.md", good, &examples), []);
        let bad = "cargo run --example pong\n`cargo xtask polish`";
        let mut places: Vec<String> = dead_commands("README.md", bad, &examples)
            .into_iter()
            .map(|breach| breach.place)
            .collect();
        places.sort_unstable();
        assert_eq!(places, ["README.md:1", "README.md:2"]);
    }

    #[test]
    fn a_crate_or_step_without_explanation_is_found() {
        let page = "`qq-model` is types; `qq-cache` is not there yet.\n\n| `fmt` | formats |";
        assert_eq!(unexplained(page, &["qq-model"], &["fmt"]), []);
        let found = unexplained(page, &["qq-model", "qq-cache"], &["fmt", "docs"]);
        assert_eq!(found.len(), 2);
        assert!(found[0].problem.contains("qq-cache"));
        assert!(found[1].problem.contains("docs"));
    }

    #[test]
    fn what_a_page_leaves_out_is_found() {
        let page = "cargo run --release --example ping";
        let found = missing("README.md", page, FIRST_COMMANDS);
        assert_eq!(found.len(), 1);
        assert!(found[0].problem.contains("cargo xtask test"));
        assert_eq!(missing("README.md", "", FIRST_COMMANDS).len(), 2);
    }
}
