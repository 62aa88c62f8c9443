#![forbid(unsafe_code)]
//! Whole bots in a cluster, against the emulator and real NATS servers.

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod limits;
#[cfg(test)]
#[path = "../support/nats_server.rs"]
mod nats_server;
#[cfg(test)]
#[path = "../support/nats_trio.rs"]
mod nats_trio;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod support;
#[cfg(test)]
mod takeover;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod webhook;
