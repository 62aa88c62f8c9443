//! How events are dispatched.

use super::ClientBuilder;

impl<H> ClientBuilder<H> {
    /// How many events may wait or run at a time, 4096 unless said otherwise. When as many do, the client reads no
    /// further until one has been handled; heartbeats go on.
    #[must_use]
    pub fn event_capacity(mut self, capacity: usize) -> Self {
        self.settings.dispatch.capacity = capacity.max(1);
        self
    }
}
