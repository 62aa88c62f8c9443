#![forbid(unsafe_code)]
//! What a bot knows, waits for and looks up, against the emulator over real sockets.

#[cfg(test)]
mod collectors;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod managers;
#[cfg(test)]
mod media;
#[cfg(test)]
mod prefetch;
#[cfg(test)]
mod quotes;
#[cfg(test)]
#[path = "../end_to_end/support.rs"]
#[expect(dead_code, reason = "each test target uses its part of it")]
mod support;
