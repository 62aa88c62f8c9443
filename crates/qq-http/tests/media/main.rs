//! Uploads and streams against a strict platform and storage over the `Connect` seam, in virtual time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod images;
mod server;
mod stream_rules;
mod streams;
mod upload_faults;
mod upload_rules;
mod uploads;
