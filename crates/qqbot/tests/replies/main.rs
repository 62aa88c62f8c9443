//! Answers against the emulator, over real sockets: numbers, windows, budgets, policies, restarts.

#[cfg(test)]
mod closed;
#[cfg(test)]
mod fallback;
#[cfg(test)]
mod growing;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod interactions;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod stopping;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the other end-to-end tests")]
#[path = "../end_to_end/support.rs"]
mod support;
