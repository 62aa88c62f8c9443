//! HTTP/1.1 by hand, so that an answer may be as broken as a test wants.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Received, Reply, Server};

pub(super) async fn serve(mut stream: DuplexStream, server: Server) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let mut reply = server.reply(&request);
        while let Reply::Late(delay, next) = reply {
            tokio::time::sleep(delay).await;
            reply = *next;
        }
        match reply {
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                let _ = stream
                    .write_all(&[head.as_bytes(), b"\r\n", &body].concat())
                    .await;
            }
            Reply::Stall(bytes) => {
                let _ = stream.write_all(&bytes).await;
                std::future::pending::<()>().await;
            }
            Reply::Break(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Late(..) => unreachable!("taken apart above"),
        }
    }
}

/// One request; `None` when the client closed. Anything malformed fails the test.
async fn read(stream: &mut DuplexStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let [method, path, "HTTP/1.1"] = lines.next().unwrap().split(' ').collect::<Vec<_>>()[..]
    else {
        panic!("no request line: {head}");
    };
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut request = Received {
        method: method.into(),
        path: path.into(),
        headers,
        body: Vec::new(),
    };
    assert!(request.path.starts_with('/'), "{}", request.path);
    assert_eq!(request.header("host"), Some("127.0.0.1:9"));
    assert!(request.header("transfer-encoding").is_none());
    let length: usize = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    if length > 0 {
        assert_eq!(
            request.header("content-type"),
            Some("application/json; charset=utf-8")
        );
    }
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    request.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(request)
}
