//! SOCKS5 (RFC 1928), with user and password (RFC 1929).

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::address::Credentials;
use super::tunnel::invalid_host;
use super::{Failure, Proxy, ProxyErrorKind, is_host};
use crate::Connection;

const VERSION: u8 = 5;
const NO_CREDENTIALS: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NOTHING_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

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
    let credentials = proxy.known_as();
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_CREDENTIALS, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_CREDENTIALS],
    };
    connection.write_all(methods).await?;
    connection.flush().await?;
    let mut chosen = [0; 2];
    connection.read_exact(&mut chosen).await?;
    match (chosen, credentials) {
        ([VERSION, NO_CREDENTIALS], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(credentials)) => {
            log_in(connection, credentials).await?;
        }
        ([VERSION, NOTHING_ACCEPTABLE], _) => return Err(ProxyErrorKind::Credentials.into()),
        _ => return Err(ProxyErrorKind::Protocol.into()),
    }
    connection.write_all(&request(host, port)).await?;
    connection.flush().await?;
    let mut head = [0; 4];
    connection.read_exact(&mut head).await?;
    let [VERSION, code, _, kind] = head else {
        return Err(ProxyErrorKind::Protocol.into());
    };
    if code != 0 {
        return Err(ProxyErrorKind::Unreachable { code }.into());
    }
    // The address that the proxy uses tells nothing, but stands before the server's bytes.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(connection.read_u8().await?),
        _ => return Err(ProxyErrorKind::Protocol.into()),
    };
    let mut address = [0; 255 + 2];
    connection.read_exact(&mut address[..length + 2]).await?;
    Ok(())
}

async fn log_in(connection: &mut Connection, credentials: &Credentials) -> Result<(), Failure> {
    let mut message = vec![1];
    for part in [&credentials.user, &credentials.password] {
        // Neither is longer than 255 bytes.
        message.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        message.extend_from_slice(part);
    }
    connection.write_all(&message).await?;
    connection.flush().await?;
    let mut answer = [0; 2];
    connection.read_exact(&mut answer).await?;
    if answer[1] == 0 {
        Ok(())
    } else {
        Err(ProxyErrorKind::Credentials.into())
    }
}

fn request(host: &str, port: u16) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(NAME);
            // `is_host` allows no longer one.
            request.push(u8::try_from(host.len()).unwrap_or(u8::MAX));
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_eq!(request("a.b", 443), b"\x05\x01\x00\x03\x03a.b\x01\xbb");
        assert_eq!(
            request("1.2.3.4", 80),
            b"\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50"
        );
        let v6 = request("::1", 1);
        assert_eq!((v6[3], v6.len()), (IPV6, 4 + 16 + 2));
    }
}
