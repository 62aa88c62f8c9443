//! Calls of every route and of the control API, frames, and jumps in time: the emulator never panics, never answers
//! 500, says why it refuses, sends frames that are JSON, and its world fits together.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| qq_emulator::fuzz(bytes));
