//! The processes of a run.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::AnyError;

/// This program again, in one of its parts. It does what it is told, line by line, says a line when it is done, and ends
/// when nobody tells it anything any more.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start<A: AsRef<str>>(args: &[A]) -> Result<Self, AnyError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args.iter().map(AsRef::as_ref))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self {
            input: child.stdin.take().ok_or("no input")?,
            output: BufReader::new(child.stdout.take().ok_or("no output")?),
            child,
        })
    }

    pub(crate) fn say(&mut self, line: &str) -> Result<(), AnyError> {
        Ok(writeln!(self.input, "{line}")?)
    }

    pub(crate) fn line(&mut self) -> Result<String, AnyError> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("a process ended".into());
        }
        Ok(line.trim().to_owned())
    }

    pub(crate) fn ask(&mut self, line: &str) -> Result<String, AnyError> {
        self.say(line)?;
        self.line()
    }

    /// The microseconds of CPU since the mark.
    pub(crate) fn cpu(&mut self) -> Result<f64, AnyError> {
        Ok(self.ask("report")?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What this process is told, line by line.
pub(crate) fn orders() -> mpsc::UnboundedReceiver<String> {
    let (sender, orders) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    orders
}

/// A `nats-server` with its own port and folder.
pub(crate) struct Nats {
    child: Child,
    folder: PathBuf,
    pub(crate) url: String,
}

impl Nats {
    pub(crate) fn start() -> Result<Self, AnyError> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder =
            std::env::temp_dir().join(format!("qqbot-bench-{}-{port}", std::process::id()));
        let child = Command::new("nats-server")
            .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("nats-server cannot be started: {error}"))?;
        // From here on it ends with this value.
        let nats = Self {
            child,
            folder,
            url: format!("nats://127.0.0.1:{port}"),
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > Duration::from_secs(30) {
                return Err("nats-server did not start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(nats)
    }

    /// The microseconds of CPU so far: user and system, in ticks of 10 ms.
    pub(crate) fn cpu(&self) -> Result<f64, AnyError> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("no statistics")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |index: usize| -> Result<f64, AnyError> {
            Ok(fields.get(index).ok_or("no statistics")?.parse()?)
        };
        Ok((ticks(11)? + ticks(12)?) * 10_000.0)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
