//! Sends one message to a group, with `qq-http` alone: a script for cron, CI, or a terminal.
//!
//! ```console
//! $ QQ_BOT_APP_ID=... QQ_BOT_SECRET=... cargo run --example send -- <group openid> <text>
//! ```
//!
//! With `QQ_BOT_BASE_URL` it sends to that server, such as the emulator.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
use std::error::Error;
use std::process::ExitCode;

use qq_http::{Environment, HttpClient, Sent, Token};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [group, text] = arguments.as_slice() else {
        eprintln!("usage: send <group openid> <text>");
        return ExitCode::from(2);
    };
    match qq_http::block_on(send(group, text)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("not sent: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("not sent, as there is no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn send(group: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let http = HttpClient::builder(Token::from_env()?)
        .environment(Environment::from_env()?)
        .build()?;
    match http.group(group).send(text).await {
        Ok(Sent::PendingAudit(audit)) => println!("waits for audit {}", audit.audit_id),
        Ok(sent) => println!(
            "sent as {}",
            sent.id().map_or_else(String::new, ToString::to_string)
        ),
        // Its text names the cause, the call, the platform's code and trace id, and what to do.
        Err(error) if error.is_outcome_unknown() => {
            return Err(format!("perhaps it was: {error}").into());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
