#![forbid(unsafe_code)]
//! The benchmarks of this workspace; this library is empty. See README.md for the figures.
