//! A gateway connection, passed on frame by frame.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Shared;
use super::upstream::{Address, Stream};
use crate::platform::Stopping;
use crate::recording::Side;

/// The largest frame that is passed on.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long a side may take to take a frame, and to close.
const DEADLINE: Duration = Duration::from_secs(10);

type Server = WebSocketStream<Box<dyn Stream>>;
type Client = WebSocketStream<TcpStream>;

pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MOST_BYTES))
        .max_frame_size(Some(MOST_BYTES))
}

/// Connects to the gateway behind the proxy.
pub(super) async fn open(gateway: &Address) -> Result<Server, Error> {
    let stream = gateway.connect().await?;
    let opened =
        tokio_tungstenite::client_async_with_config(gateway.websocket(), stream, Some(config()));
    match timeout(DEADLINE, opened).await {
        Ok(opened) => opened.map(|(server, _)| server),
        Err(_) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Passes frames on, both ways, until one side ends; the other then ends in the same way.
pub(super) async fn run(
    shared: &Shared,
    number: u64,
    mut client: Client,
    mut server: Server,
    mut stopping: Stopping,
) {
    shared.recorder.open(number);
    loop {
        let (from, message) = tokio::select! {
            () = stopping.requested() => break,
            message = client.next() => (Side::Client, message),
            message = server.next() => (Side::Server, message),
        };
        let Some(Ok(message)) = message else {
            shared.recorder.close(number, Some(from), None);
            if from == Side::Server {
                // As the server broke off without a word, the client sees a reset, too.
                let _ = client.get_ref().set_zero_linger();
            }
            return;
        };
        match &message {
            Message::Text(text) => shared.recorder.frame(number, from, text),
            Message::Close(close) => {
                let code = close.as_ref().map(|close| close.code.into());
                shared.recorder.close(number, Some(from), code);
                // The answer to a close is made by whoever gets it.
                let told = async {
                    match from {
                        Side::Client => server.send(message).await?,
                        Side::Server => client.send(message).await?,
                    }
                    while client.next().await.is_some() {}
                    Ok::<_, Error>(())
                };
                let _ = timeout(DEADLINE, told).await;
                return;
            }
            // Each side answers its own pings.
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Binary(_) | Message::Frame(_) => {}
        }
        let passed = async {
            match from {
                Side::Client => server.send(message).await,
                Side::Server => client.send(message).await,
            }
        };
        if !matches!(timeout(DEADLINE, passed).await, Ok(Ok(()))) {
            break;
        }
    }
    shared.recorder.close(number, None, None);
}
