//! Everything the documents this library was ordered by describe, one test per row, over real sockets against the
//! emulator: `a*` is the older client and handler, `b*` the newer sessions, `c*` cache, collectors and managers.
#![cfg(feature = "client")]

#[cfg(test)]
mod a;
#[cfg(test)]
mod b;
#[cfg(test)]
mod c;
#[cfg(test)]
mod support;
