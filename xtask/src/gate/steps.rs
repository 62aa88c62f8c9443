//! The steps of the gate.
//!
//! They share their builds. `build` and `tests` both select the whole workspace with its
//! dev-dependencies, so that cargo resolves the same features for both and compiles each dependency
//! once; a step for one package (`-p`) would resolve other features and compile much of the tree
//! again. `docs` takes from `clippy` the checked dependencies whose features no dev-dependency adds
//! to. The features that `xtask` itself asks for must stay within those of the other members.

use std::time::Duration;

use super::{Outcome, nats};
use crate::error::Result;
use crate::project::Project;
use crate::{conformance, coverage, house, process, tools};

/// The longest any one cargo call may take, a first build on a slow machine included.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// A cargo call, with the variables it needs.
    Cargo(
        &'static [&'static str],
        Option<(&'static str, &'static str)>,
    ),
    House,
    Coverage,
    /// Tests of the step `tests` that need tools, and the cargo call that runs them alone.
    Needing(&'static [&'static tools::Tool], &'static [&'static str]),
    /// Tests of the cluster over a newer server.
    NewerNats,
    Conformance,
}

/// All steps, cheap ones first.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        title: "every file is formatted",
        work: Work::Cargo(&["fmt", "--all", "--", "--check"], None),
    },
    Step {
        name: "house",
        title: "the rules of the house hold",
        work: Work::House,
    },
    Step {
        name: "coverage",
        title: "qq-model has a type for everything in the protocol tables",
        work: Work::Coverage,
    },
    Step {
        name: "clippy",
        title: "no lint speaks up, in any target, with all features",
        work: Work::Cargo(
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            None,
        ),
    },
    Step {
        name: "docs",
        title: "the documentation builds without a warning",
        work: Work::Cargo(
            &[
                "doc",
                "--workspace",
                "--no-deps",
                "--all-features",
                "--locked",
            ],
            Some(("RUSTDOCFLAGS", "-D warnings")),
        ),
    },
    Step {
        name: "build",
        title: "programs and examples build",
        work: Work::Cargo(conformance::BUILD, None),
    },
    Step {
        name: "tests",
        title: "unit and integration tests",
        work: Work::Cargo(
            &[
                "test",
                "--workspace",
                "--tests",
                "--no-fail-fast",
                "--locked",
            ],
            None,
        ),
    },
    Step {
        name: "doctests",
        title: "examples in the documentation and the README",
        work: Work::Cargo(
            &["test", "--workspace", "--doc", "--no-fail-fast", "--locked"],
            None,
        ),
    },
    Step {
        name: "browser",
        title: "the chat page in a headless Chromium",
        work: Work::Needing(
            &[&tools::CHROMIUM, &tools::CHROMEDRIVER],
            &["test", "--workspace", "--test", "chat_page", "--locked"],
        ),
    },
    Step {
        name: "cluster",
        title: "processes that come, go and die over real NATS servers",
        work: Work::Needing(
            &[&tools::NATS_SERVER],
            &["test", "-p", "qq-cluster", "--tests", "--locked"],
        ),
    },
    Step {
        name: "newer-nats",
        title: "the cluster over a newer NATS server than Debian's",
        work: Work::NewerNats,
    },
    Step {
        name: "conformance",
        title: "third-party clients work against the emulator",
        work: Work::Conformance,
    },
];

/// The step that runs all tests, those that need tools among them.
const TESTS: &str = "tests";

impl Step {
    /// Does the step's work. `running` names all steps of this run.
    pub(crate) fn run(&self, project: &Project, running: &[&str]) -> Outcome {
        match &self.work {
            Work::Cargo(args, variable) => cargo(project, args, *variable),
            Work::House => verdict(house::run(project), "a rule of the house is broken"),
            Work::Coverage => verdict(coverage::run(project), "something has no type"),
            Work::Needing(tools, args) => match missing(tools) {
                Some(why) => Outcome::Skipped(why),
                None if running.contains(&TESTS) => Outcome::Within(TESTS),
                None => cargo(project, args, None),
            },
            Work::NewerNats => nats::run(project),
            Work::Conformance => match conformance::missing_tool() {
                Some(why) => Outcome::Skipped(why),
                None => verdict(conformance::run(project), "a client failed a check"),
            },
        }
    }
}

fn cargo(project: &Project, args: &[&str], variable: Option<(&str, &str)>) -> Outcome {
    let component = tools::COMPONENTS
        .iter()
        .find(|component| args.first() == Some(&component.command));
    if let Some(component) = component
        && project
            .ask_cargo(&[component.command, "--version"])
            .is_err()
    {
        return Outcome::Failed(component.missing());
    }
    let mut command = project.cargo();
    command.args(args);
    if let Some((name, value)) = variable {
        command.env(name, value);
        println!("{name}={value:?}");
    }
    println!("{}", process::describe(&command));
    verdict(process::run(&mut command, LIMIT).map(|()| true), "")
}

fn verdict(result: Result<bool>, unmet: &str) -> Outcome {
    match result {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed(unmet.into()),
        Err(error) => {
            eprintln!("error: {error}");
            Outcome::Failed(error.to_string())
        }
    }
}

fn missing(tools: &[&tools::Tool]) -> Option<String> {
    tools
        .iter()
        .find(|tool| tool.find().is_none())
        .map(|tool| tool.missing())
}
