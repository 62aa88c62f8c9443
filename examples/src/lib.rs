#![forbid(unsafe_code)]
//! The examples of this workspace, one task each; this library is empty.
