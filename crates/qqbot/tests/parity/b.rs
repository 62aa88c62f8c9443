//! The newer generation: sessions given to callbacks, shards, lifecycle.

#[cfg(test)]
mod gateway;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod start;
