//! The newer generation: sessions given to callbacks, shards, lifecycle.
