//! Calling the platform.
//!
//! `ctx.api` and [`Client::api`](crate::Client::api) are the [`HttpClient`](crate::HttpClient) that works alone as well. Routes are found by what they are
//! about:
//!
//! ```no_run
//! use qqbot::prelude::*;
//!
//! # async fn calls(http: HttpClient) -> Result<(), Box<dyn std::error::Error>> {
//! let me = http.me().await?;
//! let members = http.guild("7128356").members().limit(400).await?;
//! let sent = http.group("FEC0ACE0EE8970E6BC3ADAFB5BEC6152").send("Good morning!").await?;
//! # Ok(()) }
//! ```
//!
//! A call is a value that has sent nothing yet: it can be looked at
//! ([`try_into_request`](crate::http::Call::try_into_request)), given another time-out, and awaited. What this version has no method for goes
//! by `http.request(method, path, body)`, with the same token, limits and retries.
//!
//! # Failures
//!
//! An error has a kind, the HTTP status, the platform's code with its meaning, the trace id to give to the platform's support, and
//! an advice: whether to try again, and when. `OutcomeUnknown` is not a failure but the truth: nobody knows whether the message was sent.
//!
//! # Limits
//!
//! The platform's limits are known beforehand: per bot, per peer, per minute, per day. A call waits for its turn, or fails at once, by choice
//! ([`ClientBuilder::limits`](crate::ClientBuilder::limits)). What the platform answers corrects them.
//!
//! # Retries
//!
//! A call is tried again where that cannot show a message twice: reads, and sends with a number. How often, how long between, and
//! how much of all calls may be retries: [`ClientBuilder::retry`](crate::ClientBuilder::retry).
//!
//! # The token
//!
//! It is fetched when it is needed and renewed before it ends, once for all callers. A refused one is replaced and the call
//! repeated once. Several processes share it by a [`token_store`](crate::ClientBuilder::token_store).
