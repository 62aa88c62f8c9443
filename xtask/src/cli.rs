//! The command line: one command, its options, and a help text.

use crate::error::{Error, Result};
use crate::gate::{self, Selection};

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(Selection),
    ListSteps,
    House,
    Conformance,
    Coverage,
    Fuzz,
}

/// Every command with the line that `help` prints for it.
pub(crate) const COMMANDS: &[(&str, &str)] = &[
    ("test", "everything the gate needs; see the options below"),
    (
        "conformance",
        "run third-party clients against the emulator",
    ),
    (
        "coverage",
        "compare the types of qq-model with the protocol tables",
    ),
    (
        "fuzz",
        "run each fuzz target for a short while; needs cargo-fuzz",
    ),
    ("house", "check the rules of the house"),
    ("help", "print this text"),
];

/// The text of `cargo xtask help`.
pub(crate) fn help() -> String {
    let mut text = String::from("usage: cargo xtask <command>\n\ncommands:\n");
    for (name, what) in COMMANDS {
        text.push_str(&format!("  {name:<13} {what}\n"));
    }
    text.push_str(
        "\noptions of `test`:\n\
         \x20 --only <step>  run this step alone; may be given more than once, or as a,b\n\
         \x20 --skip <step>  leave this step out; likewise\n\
         \x20 --fail-fast    stop at the first step that fails\n\
         \x20 --list         print the steps and stop\n\
         \nsteps: ",
    );
    text.push_str(&gate::step_names().join(", "));
    text
}

/// Reads the arguments after `cargo xtask`.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command> {
    let mut args = args.into_iter();
    let Some(command) = args.next() else {
        return Ok(Command::Help);
    };
    let command = match command.as_str() {
        "test" => return parse_test(args),
        "house" => Command::House,
        "conformance" => Command::Conformance,
        "coverage" => Command::Coverage,
        "fuzz" => Command::Fuzz,
        "help" | "--help" | "-h" => Command::Help,
        other => {
            return Err(Error::new(format!(
                "no command `{other}`; `cargo xtask help` lists them"
            )));
        }
    };
    match args.next() {
        None => Ok(command),
        Some(extra) => Err(Error::new(format!(
            "unexpected argument `{extra}`; `cargo xtask help` shows what each command takes"
        ))),
    }
}

fn parse_test(mut args: impl Iterator<Item = String>) -> Result<Command> {
    let mut selection = Selection::default();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        match (flag.as_str(), inline) {
            ("--only", value) => selection
                .only
                .extend(step_list("--only", value.or_else(|| args.next()))?),
            ("--skip", value) => selection
                .skip
                .extend(step_list("--skip", value.or_else(|| args.next()))?),
            ("--fail-fast", None) => selection.fail_fast = true,
            ("--list", None) => return Ok(Command::ListSteps),
            ("--help" | "-h", None) => return Ok(Command::Help),
            (flag, _) => {
                return Err(Error::new(format!(
                    "`cargo xtask test` does not take `{flag}`; `cargo xtask help` lists its options"
                )));
            }
        }
    }
    if gate::selected(&selection).is_empty() {
        return Err(Error::new("--only and --skip leave no step to run"));
    }
    Ok(Command::Test(selection))
}

fn step_list(flag: &str, value: Option<String>) -> Result<Vec<String>> {
    let known = gate::step_names();
    let value = value.ok_or_else(|| {
        Error::new(format!(
            "{flag} needs a step; the steps are {}",
            known.join(", ")
        ))
    })?;
    value
        .split(',')
        .map(|name| {
            if known.contains(&name) {
                Ok(name.to_owned())
            } else {
                Err(Error::new(format!(
                    "no step `{name}`; the steps are {}",
                    known.join(", ")
                )))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn message(line: &str) -> String {
        parsed(line).unwrap_err().to_string()
    }

    #[test]
    fn every_listed_command_is_understood() {
        for (name, _) in COMMANDS {
            assert!(parsed(name).is_ok(), "{name}");
            assert!(help().contains(name));
        }
        assert_eq!(parsed("").unwrap(), Command::Help);
    }

    #[test]
    fn steps_are_chosen_by_name_in_both_spellings() {
        let expected = Command::Test(Selection {
            only: vec!["fmt".into(), "clippy".into()],
            skip: vec!["clippy".into()],
            fail_fast: true,
        });
        assert_eq!(
            parsed("test --only fmt,clippy --skip clippy --fail-fast").unwrap(),
            expected
        );
        assert_eq!(
            parsed("test --only=fmt --only=clippy --skip=clippy --fail-fast").unwrap(),
            expected
        );
        assert_eq!(parsed("test --list").unwrap(), Command::ListSteps);
    }

    #[test]
    fn mistakes_name_the_word_and_the_choices() {
        assert!(message("tset").contains("`tset`"));
        assert!(message("house now").contains("`now`"));
        assert!(message("test --fast").contains("`--fast`"));
        assert!(message("test --fail-fast=yes").contains("--fail-fast"));
        assert!(message("test --only").contains("fmt"));
        assert!(message("test --only frmt").contains("`frmt`"));
        assert!(message("test --only fmt --skip fmt").contains("no step to run"));
    }
}
