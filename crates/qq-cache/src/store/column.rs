//! A dense array that grows by chunks.

/// How many values a chunk holds.
const CHUNK: usize = 256;

/// Values at 0..len without holes: removing moves the last value into the gap.
///
/// Growing adds a chunk and copies nothing, so no insertion is slower than the others and at most one chunk
/// is unused; a `Vec` would copy everything at each doubling and leave up to half of its memory empty.
pub(crate) struct Column<T> {
    chunks: Vec<Vec<T>>,
    /// An empty chunk, kept so that a length that moves about a chunk's end does not allocate each time.
    spare: Option<Vec<T>>,
}

impl<T> Column<T> {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            spare: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self.chunks.as_slice() {
            [] => 0,
            [full @ .., last] => full.len() * CHUNK + last.len(),
        }
    }

    pub(crate) fn get(&self, at: u32) -> &T {
        let at = at as usize;
        &self.chunks[at / CHUNK][at % CHUNK]
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> &mut T {
        let at = at as usize;
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }

    pub(crate) fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(value),
            last => {
                // The first chunk grows from small, because most caches of most bots stay small.
                let first = last.is_none();
                let mut chunk = self
                    .spare
                    .take()
                    .unwrap_or_else(|| Vec::with_capacity(if first { 4 } else { CHUNK }));
                chunk.push(value);
                self.chunks.push(chunk);
            }
        }
    }

    /// Takes the value at `at` out and moves the last one there. `None` when there is no such value.
    pub(crate) fn swap_remove(&mut self, at: u32) -> Option<T> {
        let tail = self.chunks.last_mut()?;
        let last = tail.pop()?;
        if tail.is_empty() {
            self.spare = self.chunks.pop();
        }
        let removed = if at as usize == self.len() {
            last
        } else {
            std::mem::replace(self.get_mut(at), last)
        };
        if self.chunks.is_empty() {
            self.spare = None;
        }
        Some(removed)
    }

    /// Allocated bytes.
    pub(crate) fn bytes(&self) -> usize {
        let values: usize = self
            .chunks
            .iter()
            .chain(&self.spare)
            .map(Vec::capacity)
            .sum();
        values * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_vec_with_swap_remove() {
        let mut column = Column::new();
        let mut vec = Vec::new();
        let mut random = 7_u32;
        for step in 0..5_000_u32 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Growing for most of the way, shrinking to nothing at the end.
            if step < 3_000 && !random.is_multiple_of(4) {
                column.push(step);
                vec.push(step);
            } else if !vec.is_empty() {
                let at = random as usize % vec.len();
                let index = u32::try_from(at).unwrap();
                assert_eq!(column.swap_remove(index), Some(vec.swap_remove(at)));
            }
            assert_eq!(column.len(), vec.len());
            for (at, value) in vec.iter().enumerate().step_by(97) {
                assert_eq!(column.get(u32::try_from(at).unwrap()), value);
            }
        }
        assert_eq!(column.swap_remove(0), vec.pop());
    }

    #[test]
    fn memory_follows_the_length() {
        let mut column = Column::new();
        for value in 0..10_000_u64 {
            column.push(value);
        }
        assert!(column.bytes() <= (10_000 + CHUNK) * 8 + 64 * size_of::<Vec<u64>>());
        while column.swap_remove(0).is_some() {}
        assert!(column.bytes() <= 64 * size_of::<Vec<u64>>());
    }
}
