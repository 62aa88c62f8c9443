//! The whole platform as types, tested against the protocol tables and their fixtures.
#![forbid(unsafe_code)]

#[cfg(test)]
mod codecs;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod odd_input;
#[cfg(test)]
mod tables;
