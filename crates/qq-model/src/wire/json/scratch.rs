//! The memory in which escapes are undone, kept from event to event.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<String> = const { Cell::new(String::new()) };
}

/// A larger one is not kept, so that one huge event costs no memory for ever.
const LARGEST: usize = 64 << 10;

/// What was kept by this thread, or an empty text.
pub(super) fn take() -> String {
    // While a thread ends there is nothing to take.
    KEPT.try_with(Cell::take).unwrap_or_default()
}

pub(super) fn give_back(scratch: String) {
    if (1..=LARGEST).contains(&scratch.capacity()) {
        let _ = KEPT.try_with(|kept| kept.set(scratch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        give_back(String::with_capacity(LARGEST));
        assert_eq!(take().capacity(), LARGEST);
        assert_eq!(take().capacity(), 0);
        give_back(String::with_capacity(LARGEST + 1));
        assert_eq!(take().capacity(), 0);
        // One that was not used does not replace one that was.
        give_back(String::with_capacity(8));
        give_back(String::new());
        assert_eq!(take().capacity(), 8);
    }
}
