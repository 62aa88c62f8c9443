//! Any order of frames, closes and jumps in time: the state machine of a shard never panics, never holds two
//! connections or sends two IDENTIFYs on one, its position never goes back, it never spins and never sleeps for ever.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| qq_gateway::fuzz_machine(bytes));
