//! Every route of the platform's table: what the client sends, and what it reads from the sample answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod calls;
mod emulator;
mod pages;
mod server;
mod table;
mod walk;
