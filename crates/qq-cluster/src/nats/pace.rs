//! How often a request is made again that NATS did not answer.

use std::time::Duration;

use tokio::time::sleep;

/// The pauses between the attempts of one request: 50 ms at first, then twice as long each time, up to a second. Each is up to
/// half as long again, so that processes which were refused together do not ask together.
///
/// An election among three servers takes some seconds, and every request is refused at once until it is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    next: Duration,
}

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { next: SHORTEST }
    }

    /// Waits before the next attempt.
    pub(crate) async fn wait(&mut self) {
        sleep(self.pause()).await;
    }

    /// How long to wait before the next attempt.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause + pause.mul_f32(fastrand::f32() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second() {
        let mut pace = Pace::new();
        for at_least in [50, 100, 200, 400, 800, 1000, 1000] {
            let at_least = Duration::from_millis(at_least);
            let pause = pace.pause();
            assert!(
                (at_least..=at_least * 3 / 2).contains(&pause),
                "{pause:?} of {at_least:?}"
            );
        }
    }
}
