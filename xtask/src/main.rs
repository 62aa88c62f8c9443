//! The project's own tasks, run as `cargo xtask <command>`; `cargo xtask help` lists them.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to the terminal"
)]

mod cli;
mod conformance;
mod coverage;
mod error;
mod fuzz;
mod gate;
mod house;
mod process;
mod project;
mod tools;

use std::process::ExitCode;

use cli::Command;
use error::Result;
use project::Project;

fn main() -> ExitCode {
    match cli::parse(std::env::args().skip(1)).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Carries out one command. `Ok(false)` means it ran and found something wrong, and has said what.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Help => {
            println!("{}", cli::help());
            Ok(true)
        }
        Command::ListSteps => {
            print!("{}", gate::list());
            Ok(true)
        }
        Command::Test(selection) => gate::run(&Project::locate()?, &selection),
        Command::House => house::run(&Project::locate()?),
        Command::Conformance => conformance::run(&Project::locate()?),
        Command::Coverage => coverage::run(&Project::locate()?),
        Command::Fuzz => fuzz::run(&Project::locate()?),
    }
}
