//! HTTP CONNECT.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::address::Credentials;
use super::{Failure, Proxy, ProxyErrorKind, is_host};
use crate::Connection;

/// No answer's head is longer.
const LONGEST_HEAD: usize = 16 * 1024;

/// Asks the proxy for a way to the server; from then on the connection is one with the server.
pub(super) async fn open(
    connection: &mut Connection,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), Failure> {
    if !is_host(host) {
        return Err(invalid_host());
    }
    let server = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let mut request = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n");
    if let Some(credentials) = proxy.known_as() {
        request += "Proxy-Authorization: Basic ";
        request += &basic(credentials);
        request += "\r\n";
    }
    request += "\r\n";
    connection.write_all(request.as_bytes()).await?;
    connection.flush().await?;
    match status(connection).await? {
        200..=299 => Ok(()),
        407 => Err(ProxyErrorKind::Credentials.into()),
        status => Err(ProxyErrorKind::Refused { status }.into()),
    }
}

/// The status of the answer, whose head must be all of it: the server speaks only when it was spoken to.
async fn status(connection: &mut Connection) -> Result<u16, Failure> {
    let mut head = Vec::with_capacity(512);
    loop {
        if connection.read_buf(&mut head).await? == 0 || head.len() > LONGEST_HEAD {
            return Err(ProxyErrorKind::Protocol.into());
        }
        let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let status = parse_status(&head).ok_or(ProxyErrorKind::Protocol)?;
        // A refusal may have a page, which is not read.
        if (200..300).contains(&status) && head.len() != end + 4 {
            return Err(ProxyErrorKind::Protocol.into());
        }
        return Ok(status);
    }
}

/// `HTTP/1.1 200 Connection established`.
fn parse_status(head: &[u8]) -> Option<u16> {
    let rest = head
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let (digits, rest) = rest.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(rest.first(), Some(b' ' | b'\r')) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

pub(super) fn invalid_host() -> Failure {
    let why = "the server's host has characters that no host has";
    std::io::Error::new(std::io::ErrorKind::InvalidInput, why).into()
}

/// User and password in base 64 (RFC 7617).
fn basic(credentials: &Credentials) -> String {
    base64(&[&credentials.user, b":".as_slice(), &credentials.password].concat())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (at, byte)| {
            bits | u32::from(*byte) << (16 - 8 * at)
        });
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() {
                char::from(DIGITS[index as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn status_lines_are_read_strictly() {
        for (line, status) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 407\r\n", Some(407)),
            ("HTTP/2 200\r\n", None),
            ("HTTP/1.1 20\r\n", None),
            ("HTTP/1.1 2000\r\n", None),
            ("HTTP/1.1 +20 \r\n", None),
            ("SSH-2.0-x\r\n", None),
        ] {
            assert_eq!(parse_status(line.as_bytes()), status, "{line}");
        }
    }
}
