//! The program `qqbot`: what is wrong with a bot, and what a code of the platform means.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use qqbot::client::{Cause, Checkup, Doctor, Language};
use qqbot::{Environment, HttpClient, Intents, Token};

/// Helps with bots on QQ. The bot is named by `QQ_BOT_APP_ID` and `QQ_BOT_SECRET`, another server than the platform by
/// `QQ_BOT_BASE_URL`.
#[derive(Parser)]
#[command(name = "qqbot", version)]
struct Arguments {
    /// The language of the answer; that of the system unless said otherwise.
    #[arg(long, global = true)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds out why a bot does not run: token, identity, clock, gateway, quota, intents.
    Doctor {
        /// The events that the bot asks for: names as `group_and_c2c`, separated by commas; `default`, `all`, or a
        /// number. What every bot is granted is always among them, but with a number.
        #[arg(long, default_value = "default")]
        intents: String,
        /// Opens no session: the bot may be running.
        #[arg(long)]
        no_session: bool,
        /// Uses the platform's sandbox.
        #[arg(long)]
        sandbox: bool,
    },
    /// Says what a code of the platform means and what to do: of a call, a closed connection, or the console.
    Explain {
        /// The code, as 11298 or 4914.
        code: i64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Lang {
    En,
    Zh,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let language = match arguments.lang {
        Some(Lang::En) => Language::English,
        Some(Lang::Zh) => Language::Chinese,
        None => Language::from_env(),
    };
    match arguments.command {
        Command::Doctor {
            intents,
            no_session,
            sandbox,
        } => match checkup(&intents, no_session, sandbox).await {
            Ok(checkup) => {
                print!("{}", checkup.text(language));
                if checkup.is_healthy() {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        },
        Command::Explain { code } => explain(code, language),
    }
}

async fn checkup(
    intents: &str,
    no_session: bool,
    sandbox: bool,
) -> Result<Checkup, Box<dyn std::error::Error>> {
    let intents = read_intents(intents)?;
    let token = match Token::from_env() {
        Ok(token) => token,
        Err(error) => return Ok(Checkup::of_invalid_token(&error)),
    };
    let environment = if sandbox {
        Environment::sandbox()
    } else {
        Environment::from_env()?
    };
    let http = HttpClient::builder(token)
        .environment(environment)
        .timeout(Duration::from_secs(10))
        .build()?;
    let mut doctor = Doctor::new(http, intents);
    if no_session {
        doctor = doctor.without_session();
    }
    Ok(doctor.check().await)
}

fn read_intents(text: &str) -> Result<Intents, String> {
    match text {
        "default" => return Ok(Intents::default()),
        "all" => return Ok(Intents::all()),
        _ => {}
    }
    if let Ok(bits) = text.parse() {
        return Ok(Intents::from_bits_retain(bits));
    }
    let mut intents = Intents::default();
    for name in text.split(',').map(str::trim) {
        intents |= Intents::from_name(&name.to_uppercase()).ok_or_else(|| {
            let known: Vec<_> = Intents::all()
                .iter_names()
                .map(|(name, _)| name.to_lowercase())
                .collect();
            format!("--intents: {name:?} is none of {}", known.join(", "))
        })?;
    }
    Ok(intents)
}

fn explain(code: i64, language: Language) -> ExitCode {
    let Some(cause) = Cause::of_code(code) else {
        let meaning = qqbot::model::error_code::ErrorCode(code).meaning();
        match meaning {
            Some(meaning) => println!("{code}: {meaning}"),
            None => eprintln!("{code}: ?"),
        }
        return if meaning.is_some() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    };
    println!("{}\n{}", cause.text(language), cause.next_step(language));
    ExitCode::SUCCESS
}
