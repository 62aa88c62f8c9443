//! What is asked of every client.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::control::{Connection, Control};
use crate::error::{Error, Result};
use crate::process::Running;

/// From the start of a client's process to its session.
const CONNECT: Duration = Duration::from_secs(30);

/// From a message to its answer.
const ANSWER: Duration = Duration::from_secs(15);

/// From a lost connection to the next one; clients wait up to five seconds before they try.
const RECONNECT: Duration = Duration::from_secs(45);

const POLL: Duration = Duration::from_millis(50);

/// One client and how its checks ended.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) client: &'static str,
    pub(super) results: Vec<Check>,
}

/// One check; `failure` says what went wrong.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) failure: Option<String>,
}

impl Row {
    pub(super) fn passed(&self) -> bool {
        self.results.iter().all(|check| check.failure.is_none())
    }

    fn note(&mut self, name: &'static str, result: Result<()>) {
        let failure = result.err().map(|error| error.to_string());
        if let Some(why) = &failure {
            println!("{}: {name}: {why}", self.client);
        }
        self.results.push(Check { name, failure });
    }
}

/// Runs every check, each with a deadline of its own.
pub(super) fn all(client: &'static str, control: &Control, process: &mut Running) -> Row {
    let mut row = Row {
        client,
        results: Vec::new(),
    };
    let mut watch = Watch { control, process };
    let none = BTreeSet::new();
    row.note("connects", watch.connection_beyond(&none, CONNECT));
    for scene in ["group", "c2c", "channel", "direct"] {
        row.note(scene, watch.talk(scene, "hello", ANSWER));
    }
    let before = control.connections();
    // Said while nobody listens: the gateway has to replay it.
    row.note(
        "replay",
        control
            .drop_gateway()
            .and_then(|()| watch.talk("group", "are you there", RECONNECT)),
    );
    row.note(
        "reconnect",
        before
            .and_then(|before| watch.connection_beyond(&before, RECONNECT))
            .and_then(|()| watch.talk("group", "welcome back", ANSWER)),
    );
    row.note("clean", no_errors(control));
    row
}

fn no_errors(control: &Control) -> Result<()> {
    let errors = control.errors()?;
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("violations: {}", errors.join("; "))))
}

/// Waits for things to happen while a client's process runs.
struct Watch<'a> {
    control: &'a Control,
    process: &'a mut Running,
}

impl Watch<'_> {
    /// Says something and waits for the answer.
    fn talk(&mut self, scene: &str, content: &str, limit: Duration) -> Result<()> {
        let message = self.control.say(scene, content)?;
        self.until(limit, "no answer", |control| {
            Ok(control.reply_to(&message)?.is_some())
        })
    }

    /// Waits for a connection that is not one of `known`.
    fn connection_beyond(&mut self, known: &BTreeSet<Connection>, limit: Duration) -> Result<()> {
        self.until(limit, "no new session", |control| {
            Ok(!control.connections()?.is_subset(known))
        })
    }

    fn until(
        &mut self,
        limit: Duration,
        otherwise: &str,
        happened: impl Fn(&Control) -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !happened(self.control)? {
            if let Some(status) = self.process.ended()? {
                return Err(Error::new(format!("the client ended with {status}")));
            }
            if Instant::now() >= deadline {
                return Err(Error::new(format!(
                    "{otherwise} after {} s",
                    limit.as_secs()
                )));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}
