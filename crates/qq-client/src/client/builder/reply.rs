//! How events are answered.
