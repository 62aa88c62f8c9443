//! JSON over plain HTTP to a server on this machine.
//!
//! Requests are HTTP/1.0: the server then sends no chunks and closes after its answer, so that the
//! answer is simply what can be read.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::{Context as _, Error, Result};

/// One call, from connecting to the last byte.
const LIMIT: Duration = Duration::from_secs(10);

/// Far above any answer of the control API.
const LONGEST: usize = 16 << 20;

/// `GET path`; the answer must be 2xx and JSON.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<Value> {
    call(address, "GET", path, None)
}

/// `POST path` with a JSON body; the answer must be 2xx and JSON.
pub(super) fn post(address: SocketAddr, path: &str, body: &Value) -> Result<Value> {
    call(address, "POST", path, Some(body))
}

fn call(address: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(address, request.as_bytes())
        .and_then(|answer| read_answer(&answer))
        .context(|| format!("{method} http://{address}{path}"))
}

fn exchange(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let deadline = Instant::now() + LIMIT;
    let lost = |error: std::io::Error| Error::new(error.to_string());
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).map_err(lost)?;
    stream.set_write_timeout(Some(LIMIT)).map_err(lost)?;
    stream.write_all(request).map_err(lost)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(format!(
                "no whole answer in {} s",
                LIMIT.as_secs()
            )));
        }
        stream.set_read_timeout(Some(left)).map_err(lost)?;
        match stream.read(&mut chunk).map_err(lost)? {
            0 => return Ok(answer),
            length => answer.extend_from_slice(&chunk[..length]),
        }
        if answer.len() > LONGEST {
            return Err(Error::new("the answer is longer than 16 MiB"));
        }
    }
}

/// The JSON of an answer. An empty body is `null`.
fn read_answer(answer: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(answer).context(|| "the answer is not text".into())?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| Error::new("the answer is not HTTP"))?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status: u16 = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| Error::new(format!("the answer is not HTTP: {status_line:?}")))?;
    let promised = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    if promised.is_some_and(|length| length != body.len()) {
        return Err(Error::new("the answer was cut short"));
    }
    if !(200..300).contains(&status) {
        let shown: String = body.chars().take(500).collect();
        return Err(Error::new(format!("{status}: {shown}")));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).context(|| "the answer is not JSON".into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server for one call, which gives `answer` and returns the request it read.
    fn server(answer: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let request = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            // Reads what is left, so that closing does not cut the answer off.
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream.read_to_end(&mut request).unwrap();
            String::from_utf8(request).unwrap()
        });
        (address, request)
    }

    #[test]
    fn a_call_sends_its_body_and_reads_the_answer() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n";
        let (address, request) = server(answer);
        let said = post(address, "/x?y=1", &serde_json::json!({"b": "文"})).unwrap();
        assert_eq!(said["a"], 1);
        let request = request.join().unwrap();
        assert!(request.starts_with("POST /x?y=1 HTTP/1.0\r\n"), "{request}");
        assert!(request.contains("Content-Length: 11\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"b\":\"文\"}"), "{request}");
    }

    #[test]
    fn a_refusal_carries_status_and_body() {
        let (address, _request) = server("HTTP/1.1 404 Not Found\r\n\r\n{\"code\":11}");
        let error = get(address, "/nowhere").unwrap_err().to_string();
        assert!(
            error.contains("/nowhere") && error.contains("404"),
            "{error}"
        );
        assert!(error.contains("{\"code\":11}"), "{error}");
    }

    #[test]
    fn what_is_not_a_whole_json_answer_is_an_error() {
        let message = |answer: &str| read_answer(answer.as_bytes()).unwrap_err().to_string();
        assert!(message("hello").contains("not HTTP"));
        assert!(message("SSH-2.0\r\n\r\n").contains("not HTTP"));
        assert!(message("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}").contains("cut short"));
        assert!(message("HTTP/1.1 200 OK\r\n\r\n<html>").contains("not JSON"));
        assert_eq!(
            read_answer(b"HTTP/1.0 204 No\r\n\r\n").unwrap(),
            Value::Null
        );
    }

    #[test]
    fn nobody_listening_is_an_error() {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(get(address, "/").is_err());
    }
}
