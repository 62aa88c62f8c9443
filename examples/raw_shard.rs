//! The gateway alone: a raw stream of events, with a token that you fetched yourself and no REST client.
//!
//! `QQ_BOT_ACCESS_TOKEN` is an access token, `QQ_BOT_GATEWAY_URL` the address that `GET /gateway` returned.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::env;
use std::error::Error;

use qq_gateway::Shard;
use qq_model::{BearerToken, Intents};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name| env::var(name).map_err(|_| format!("set {name}"));
    let token = BearerToken::new(variable("QQ_BOT_ACCESS_TOKEN")?);
    let url = variable("QQ_BOT_GATEWAY_URL")?;
    let mut shard = Shard::builder(url, token, Intents::default().with_group_and_c2c()).build()?;
    while let Some(item) = shard.next().await {
        match item {
            Ok(dispatch) => println!("{:?} {}", dispatch.sequence, dispatch.event.name()),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => eprintln!("{error}"), // the shard reconnects by itself
        }
    }
    Ok(())
}
