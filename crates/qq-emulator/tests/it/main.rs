//! The emulator over real sockets, seen by a client that knows nothing but HTTP and WebSocket.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails"
)]

mod api;
mod callbacks;
mod client;

mod acts;
mod command;
mod consistency;
mod control;
mod coverage;
mod documents;
mod faults;
mod feed;
mod garbage;
mod groups;
mod guilds;
mod heartbeat;
mod identify;
mod limits;
mod live;
mod messages;
mod people;
mod plan;
mod process;
mod recordings;
mod refusals;
mod replies;
mod rest;
mod resume;
mod scenes;
mod token;
mod uploads;
mod webhook;
mod worlds;
