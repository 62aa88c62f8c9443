//! The calls that a bot makes, answered at once.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::AnyError;

pub(crate) async fn serve(mut stream: TcpStream, gateway: u16) -> Result<(), AnyError> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:"))
                    .and_then(|length| length.trim().parse().ok())
                    .unwrap_or(0_usize);
                if request.len() >= end + 4 + length {
                    break (head, end + 4 + length);
                }
            }
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        request.drain(..length);
        let body = if head.starts_with("post /v2/groups") {
            json!({"id": "ROBOT1.0_answer", "timestamp": "2026-05-23T10:00:00+08:00"})
        } else if head.contains("gateway") {
            json!({"url": format!("ws://127.0.0.1:{gateway}/"), "shards": 1,
                "session_start_limit": {"total": 1000, "remaining": 1000, "reset_after": 1000, "max_concurrency": 1}})
        } else if head.contains("@me") {
            json!({"id": "1", "username": "bench", "bot": true})
        } else {
            json!({"access_token": "bench", "expires_in": "7200"})
        }
        .to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}
