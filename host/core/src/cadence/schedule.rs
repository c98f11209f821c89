//! Many loops in the order in which they are due.
//!
//! **Invariant:** no loop is begun twice at once, never more than the places there are, and of those that are due the one
//! that is so for longest; so nobody who is always due keeps others waiting. After [`Schedule::stop`] none is begun.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// Loops by a key of the caller's.
#[derive(Debug)]
pub struct Schedule<K> {
    due: BTreeMap<K, Timestamp>,
    queue: BTreeSet<(Timestamp, K)>,
    running: BTreeSet<K>,
    places: usize,
    stopped: bool,
}

impl<K: Ord + Clone> Schedule<K> {
    /// An empty one with so many places, at least one.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            due: BTreeMap::new(),
            queue: BTreeSet::new(),
            running: BTreeSet::new(),
            places: places.max(1),
            stopped: false,
        }
    }

    /// Says when a loop is due, instead of what was said before. One that runs takes its turn when it has ended.
    pub fn put(&mut self, key: K, at: Timestamp) {
        self.remove(&key);
        if !self.running.contains(&key) {
            self.queue.insert((at, key.clone()));
        }
        self.due.insert(key, at);
    }

    /// Forgets a loop; one that runs is not begun again.
    pub fn remove(&mut self, key: &K) {
        if let Some(at) = self.due.remove(key) {
            self.queue.remove(&(at, key.clone()));
        }
    }

    /// The loop to begin at `now`, if one is due and there is a place for it. It runs until [`Schedule::end`].
    pub fn begin(&mut self, now: Timestamp) -> Option<K> {
        if self.stopped || self.running.len() >= self.places {
            return None;
        }
        let (_, key) = self.queue.first().filter(|(at, _)| *at <= now)?.clone();
        self.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// Says that a loop does not run any more. Without a [`Schedule::put`] meanwhile or after, it is not begun again.
    pub fn end(&mut self, key: &K) {
        if self.running.remove(key)
            && let Some(at) = self.due.get(key)
        {
            self.queue.insert((*at, key.clone()));
        }
    }

    /// Begins no loop from now on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// When the next one is due; none when none is, or nothing can be begun before one ends.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let waits = self.stopped || self.running.len() >= self.places;
        self.queue.first().filter(|_| !waits).map(|(at, _)| *at)
    }

    /// True while the loop runs.
    #[must_use]
    pub fn is_running(&self, key: &K) -> bool {
        self.running.contains(key)
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }
}
