//! The emulator over real sockets, seen by a client that knows nothing but HTTP and WebSocket.

mod client;

mod command;
mod control;
mod faults;
mod garbage;
mod heartbeat;
mod identify;
mod live;
mod replies;
mod rest;
mod resume;
mod scenes;
mod token;
