//! A list that is counted whole and kept in part, so that a million problems need no memory for a million.

/// Findings of one kind.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    total: u64,
    kept: Vec<T>,
}

/// So many are kept.
const KEPT_MAX: usize = 10_000;

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { total: 0, kept: Vec::new() }
    }
}

impl<T> Listed<T> {
    /// One more.
    pub fn push(&mut self, item: T) {
        self.total += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(item);
        }
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The first ten thousand.
    pub fn kept(&self) -> &[T] {
        &self.kept
    }
}
