//! How events are dispatched, over real sockets against the emulator: bounds, handlers, kinds, restarts.

#[cfg(test)]
mod ahead;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod handlers;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod sources;
#[cfg(test)]
#[path = "../end_to_end/support.rs"]
#[expect(dead_code, reason = "shared with other test targets")]
mod support;
