//! The `qq-emulator` command.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

const COMMAND: &str = env!("CARGO_BIN_EXE_qq-emulator");

#[tokio::test]
async fn says_how_to_connect_and_ends_when_it_is_interrupted() {
    let mut child = Command::new(COMMAND)
        .args(["--port", "0", "--heartbeat-interval", "700", "--seed", "1"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    while !text.contains("Ctrl-C") {
        let line = timeout(Duration::from_secs(30), lines.next_line()).await;
        text.push_str(&line.unwrap().unwrap().expect("more output"));
        text.push('\n');
    }
    assert!(text.contains("export QQ_BOT_APP_ID=102000001"), "{text}");
    assert!(
        text.contains("export QQ_BOT_SECRET=emulator-secret"),
        "{text}"
    );
    assert!(!text.contains("Warning"), "{text}");
    let base = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("export QQ_BOT_BASE_URL=http://"))
        .unwrap()
        .to_owned();
    let mut stream = TcpStream::connect(&base).await.unwrap();
    stream
        .write_all(b"GET /emulator/v1/settings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"heartbeat_interval\":700"), "{answer}");

    let pid = child.id().unwrap().to_string();
    Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await
        .unwrap();
    // Milliseconds, unless the machine has much else to do.
    let status = timeout(Duration::from_secs(30), child.wait()).await;
    assert!(status.expect("ends in time").unwrap().success());
}

#[tokio::test]
async fn help_has_examples_and_errors_name_the_cause() {
    let help = Command::new(COMMAND).arg("--help").output().await.unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for part in [
        "--port",
        "--host",
        "--heartbeat-interval",
        "--seed",
        "--world",
        "--data",
        "--record",
        "--upstream",
        "--replay",
        "--replay-speed",
        "--faults",
        "--webhook",
        "--strict",
        "Examples:",
        "curl",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let failed = Command::new(COMMAND)
        .args(["--port", &port])
        .output()
        .await
        .unwrap();
    assert!(!failed.status.success());
    let text = String::from_utf8(failed.stderr).unwrap();
    assert!(
        text.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{text}"
    );
    assert!(text.contains("in use"), "{text}");
    let wrong = Command::new(COMMAND)
        .args(["--heartbeat-interval", "0"])
        .output()
        .await
        .unwrap();
    assert!(!wrong.status.success());
}

#[tokio::test]
async fn faults_of_a_file_are_planned_and_bad_files_are_explained() {
    let folder = std::env::temp_dir().join(format!("qq-emulator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("faults.json");
    for (text, why) in [
        ("[{]", "line 1 column 3"),
        (
            r#"[{"route":"get_me","status":"x"}]"#,
            "line 1, column 29: [0].status: give a number",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let failed = Command::new(COMMAND)
            .arg("--faults")
            .arg(&file)
            .output()
            .await
            .unwrap();
        assert!(!failed.status.success());
        let said = String::from_utf8(failed.stderr).unwrap();
        assert!(
            said.contains(why) && said.contains("faults.json: "),
            "{said}"
        );
    }
    let failed = Command::new(COMMAND)
        .args(["--webhook", "http://10.0.0.1/"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(
        said.contains("--webhook: url: 10.0.0.1 is not this machine"),
        "{said}"
    );

    std::fs::write(&file, r#"[{"route":"get_app_access_token","status":503}]"#).unwrap();
    let mut child = Command::new(COMMAND)
        .args(["--port", "0", "--strict", "--faults"])
        .arg(&file)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = loop {
        let line = timeout(Duration::from_secs(30), lines.next_line()).await;
        let line = line.unwrap().unwrap().expect("more output");
        if let Some(base) = line.trim().strip_prefix("export QQ_BOT_BASE_URL=http://") {
            break base.to_owned();
        }
    };
    for (request, expected) in [
        ("POST /app/getAppAccessToken", "503 Service Unavailable"),
        ("GET /emulator/v1/settings", "\"strict\":true"),
    ] {
        let mut stream = TcpStream::connect(&base).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
    child.kill().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
