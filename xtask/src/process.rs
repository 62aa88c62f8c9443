//! Child processes: each has a deadline, and none outlives the task that started it.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Context as _, Error, Result};

/// How often a child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// Runs a command on this terminal. An error says that it could not start, failed, or took too long.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let name = describe(command);
    let mut child = start(command)?;
    let status = child.wait(limit)?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new(format!("`{name}` ended with {status}")))
    }
}

/// Runs a command and returns what it prints on its standard output.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Result<String> {
    let name = describe(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start(command)?;
    let output = child.0.stdout.take().map(read_aside);
    let errors = child.0.stderr.take().map(read_aside);
    let status = child.wait(limit)?;
    let output = joined(output).context(|| format!("reading the output of `{name}`"))?;
    let errors = joined(errors).context(|| format!("reading the output of `{name}`"))?;
    if !status.success() {
        return Err(Error::new(format!(
            "`{name}` ended with {status}:\n{}",
            errors.trim()
        )));
    }
    Ok(output)
}

/// Starts a command that goes on until it is dropped.
pub(crate) fn start(command: &mut Command) -> Result<Running> {
    command.stdin(Stdio::null());
    let child = command
        .spawn()
        .context(|| format!("starting `{}`", describe(command)))?;
    Ok(Running(child))
}

/// A child process; dropping it ends it and everything it started.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.0.try_wait().context(|| "waiting for a process".into())
    }

    /// Waits for the process. Past `limit` it is ended and the error says so.
    fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                self.end();
                return Err(Error::new(format!(
                    "ended after {} s without a result",
                    limit.as_secs()
                )));
            }
            thread::sleep(POLL);
        }
    }

    fn end(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let below = descendants(self.0.id());
        // Both fail only when the process has ended meanwhile, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
        for pid in below {
            // A shell's own `kill`: the separate program is not on every machine.
            let _ = Command::new("sh")
                .arg("-c")
                .arg(format!("kill -KILL {pid}"))
                .stderr(Stdio::null())
                .status();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A command as somebody would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![program.file_name().map_or_else(
        || program.to_string_lossy().into_owned(),
        |name| name.to_string_lossy().into_owned(),
    )];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

type Reader = thread::JoinHandle<std::io::Result<String>>;

fn read_aside(mut pipe: impl std::io::Read + Send + 'static) -> Reader {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })
}

fn joined(reader: Option<Reader>) -> Result<String> {
    let Some(reader) = reader else {
        return Ok(String::new());
    };
    reader
        .join()
        .map_err(|_| Error::new("the reader stopped"))?
        .context(|| "reading".into())
}

/// The processes below `root`, read from `/proc`; empty where the system has none.
fn descendants(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pairs: Vec<(u32, u32)> = entries
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            pairs
                .iter()
                .filter(|pair| pair.1 == parent)
                .map(|pair| pair.0),
        );
        next += 1;
    }
    found.split_off(1)
}

/// The parent's id in the text of `/proc/<pid>/stat`; the name in brackets may hold anything.
fn parent_in(stat: &str) -> Option<u32> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_name_with_brackets_does_not_hide_the_parent() {
        assert_eq!(parent_in("42 (a) b) S 7 42 42 0"), Some(7));
        assert_eq!(parent_in("42"), None);
    }

    #[cfg(unix)]
    #[test]
    fn output_and_failure_are_told_apart() {
        let limit = Duration::from_secs(10);
        assert_eq!(capture(&mut shell("echo hi"), limit).unwrap(), "hi\n");
        let error = capture(&mut shell("echo why >&2; exit 3"), limit).unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
        let error = run(&mut shell("exit 4"), limit).unwrap_err();
        assert!(error.to_string().contains('4'), "{error}");
        let error = run(&mut Command::new("no-such-program-here"), limit).unwrap_err();
        assert!(
            error.to_string().contains("no-such-program-here"),
            "{error}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn past_its_deadline_a_command_ends_with_all_it_started() {
        let marker = format!("86399.{}", std::process::id());
        let mut command = shell(&format!("sleep {marker} & sleep {marker}; true"));
        let error = run(&mut command, Duration::from_millis(300)).unwrap_err();
        assert!(error.to_string().contains("without a result"), "{error}");
        let deadline = Instant::now() + Duration::from_secs(5);
        while sleepers(&marker) > 0 {
            assert!(Instant::now() < deadline, "a child is still running");
            thread::sleep(POLL);
        }
    }

    #[cfg(target_os = "linux")]
    fn sleepers(marker: &str) -> usize {
        let line = format!("sleep\0{marker}\0");
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
            .filter(|text| text == line.as_bytes())
            .count()
    }
}
