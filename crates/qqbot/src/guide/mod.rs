//! The guide: how to build a bot with these crates, a chapter for each thing that a bot does.
//!
//! | Chapter | About |
//! |---|---|
//! | [`handlers`] | callbacks and closures, their order, slow ones, failing ones |
//! | [`replies`] | answering: windows, budgets, markdown, buttons, pictures, streams |
//! | [`conversations`] | waiting for what is said or pressed next |
//! | [`knowledge`] | the cache, managers, quotes, files that users send |
//! | [`rest`] | calling the platform: results, failures, limits, retries |
//! | [`transports`] | gateway, webhook, several processes, sources of one's own |
//! | [`operations`] | starting, stopping without loss, status, figures, logs, finding out why a bot does not run |
//! | [`testing`] | tests with the emulator, without account and network |
//!
//! It is documentation only: there is nothing in these modules.

pub mod conversations;
pub mod handlers;
pub mod knowledge;
pub mod operations;
pub mod replies;
pub mod rest;
pub mod testing;
pub mod transports;
