//! The `qq-emulator` command as a process, on a free port.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const COMMAND: &str = env!("CARGO_BIN_EXE_qq-emulator");

/// A folder of the test's own, removed when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("qq-emulator-it-{}-{n}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running command.
pub(crate) struct Process {
    child: Child,
    /// Kept open: who prints into a closed pipe fails.
    _output: Lines<BufReader<ChildStdout>>,
    /// `host:port`.
    pub(crate) address: String,
}

impl Process {
    pub(crate) async fn start(args: &[&str]) -> Self {
        let mut child = Command::new(COMMAND)
            .args(["--port", "0"])
            .args(args)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = timeout(Duration::from_secs(30), lines.next_line()).await;
            let line = line.unwrap().unwrap().expect("more output");
            if let Some(address) = line.trim().strip_prefix("export QQ_BOT_BASE_URL=http://") {
                break address.to_owned();
            }
        };
        Self {
            child,
            _output: lines,
            address,
        }
    }

    /// What a start that fails says.
    pub(crate) async fn refusal(args: &[&str]) -> String {
        let failed = Command::new(COMMAND)
            .args(["--port", "0"])
            .args(args)
            .kill_on_drop(true)
            .output();
        let failed = timeout(Duration::from_secs(30), failed)
            .await
            .unwrap()
            .unwrap();
        assert!(!failed.status.success());
        String::from_utf8(failed.stderr).unwrap()
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Kills it so that it can do nothing any more.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it in order.
    pub(crate) async fn interrupt(mut self) {
        let pid = self.child.id().unwrap().to_string();
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .await
            .unwrap();
        let status = timeout(Duration::from_secs(30), self.child.wait()).await;
        assert!(status.expect("ends in time").unwrap().success());
    }
}
