//! How often memory is allocated for an event, from its text to the end of its callback. A test of its own, because it
//! counts for the whole process.

#[cfg(test)]
mod counted;
