//! Memory that is asked for before it is needed.
//!
//! What a cache was told a thousand events ago is in no cache of the processor any more, and to wait for it takes as long
//! as a third of decoding an event. Where the next event is known already, that time can be used.

/// Lines of the processor's cache.
const LINE: usize = 64;

/// Asks for the line that a value begins in.
pub(crate) fn prefetch<T>(value: &T) {
    // There is no such instruction in `std` that is stable and safe on other processors; they wait.
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(value);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks for every line of some values.
pub(crate) fn prefetch_all<T>(values: &[T]) {
    let step = (LINE / size_of::<T>().max(1)).max(1);
    values
        .iter()
        .step_by(step)
        .chain(values.last())
        .for_each(prefetch);
}
