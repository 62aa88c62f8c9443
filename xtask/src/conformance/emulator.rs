//! The emulator's program, started for one client.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::http;
use crate::error::{Context as _, Error, Result};
use crate::process::{self, Running};

/// How long the program may take until it answers.
const START: Duration = Duration::from_secs(15);

/// A free port can be taken by somebody else before the program opens it; then another is tried.
const TRIES: usize = 3;

const POLL: Duration = Duration::from_millis(50);

/// A running emulator. It ends when dropped.
#[derive(Debug)]
pub(super) struct Emulator {
    address: SocketAddr,
    _process: Running,
}

impl Emulator {
    /// Starts the program on a free port of 127.0.0.1 and waits until it answers.
    pub(super) fn start(program: &Path, log: &Path) -> Result<Self> {
        let mut last = None;
        for _ in 0..TRIES {
            match Self::start_once(program, log) {
                Ok(emulator) => return Ok(emulator),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new("the emulator was not started")))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    fn start_once(program: &Path, log: &Path) -> Result<Self> {
        let address = free_address().context(|| "looking for a free port".into())?;
        let output = File::create(log).context(|| format!("creating {}", log.display()))?;
        let errors = output
            .try_clone()
            .context(|| format!("opening {}", log.display()))?;
        let mut process = process::start(
            Command::new(program)
                .args(["--port", &address.port().to_string()])
                .stdout(Stdio::from(output))
                .stderr(Stdio::from(errors)),
        )?;
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = process.ended()? {
                return Err(failed(&format!("ended with {status}"), log));
            }
            let Err(error) = http::get(address, "/emulator/v1/world") else {
                return Ok(Self {
                    address,
                    _process: process,
                });
            };
            if Instant::now() >= deadline {
                return Err(failed(&format!("does not answer: {error}"), log));
            }
            thread::sleep(POLL);
        }
    }
}

fn failed(how: &str, log: &Path) -> Error {
    let said = fs::read_to_string(log).unwrap_or_default();
    Error::new(format!("the emulator {how}\n{}", said.trim()))
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_at_once_is_reported_with_what_it_said() {
        let log = std::env::temp_dir().join(format!("xtask-emulator-{}.log", std::process::id()));
        let error = Emulator::start(Path::new("/bin/false"), &log).unwrap_err();
        fs::remove_file(&log).unwrap();
        assert!(error.to_string().contains("ended with"), "{error}");
    }
}
