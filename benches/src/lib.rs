#![forbid(unsafe_code)]
//! What the benchmarks of this workspace share. See README.md for the figures.

pub mod corpus;
