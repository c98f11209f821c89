//! The loops that are watched: what is known of each between two beats, and which one is next.
//!
//! **Invariant:** no thread, file or clock: what was found out and what time it is are handed in. A loop that makes trouble waits
//! for longer each time and keeps no other waiting; what it says is told once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringfence_core::cadence::{Next, Schedule, Why};
use ringfence_core::guard::backoff_seconds;

use super::{Due, Place, Trouble};
use crate::calls::chain;

// Limit: a beat of another process is short, or hangs, and then nobody is helped by asking more often.
const HELD_SECONDS_MAX: u32 = 60;

/// Loops by their files; `M` is what shows that a file has changed.
pub(super) struct Roster<M> {
    loops: BTreeMap<Arc<Path>, Watched<M>>,
    places: BTreeMap<Place, Arc<Path>>,
    schedule: Schedule<Arc<Path>>,
    once: bool,
    stopped: bool,
}

struct Watched<M> {
    /// From when on.
    since: Timestamp,
    /// What the files looked like last time.
    marks: Option<M>,
    /// Which loop it is, once that is known.
    place: Option<Place>,
    /// When its next beat is due, as far as that is known: its turn may come before, to tell people something.
    beat_at: Option<Timestamp>,
    /// Beats that could not begin, one after the other.
    failures: u32,
    /// The trouble that was told of.
    told: Option<String>,
}

impl<M: PartialEq> Roster<M> {
    pub(super) fn new(jobs: usize, once: bool) -> Self {
        Self {
            loops: BTreeMap::new(),
            places: BTreeMap::new(),
            schedule: Schedule::new(jobs),
            once,
            stopped: false,
        }
    }

    /// Watches exactly these files; those that are not watched any more.
    pub(super) fn take_in(&mut self, files: BTreeSet<Arc<Path>>, now: Timestamp) -> Vec<Arc<Path>> {
        let gone: Vec<_> = self
            .loops
            .keys()
            .filter(|file| !files.contains(*file))
            .cloned()
            .collect();
        for file in &gone {
            self.schedule.remove(file);
            if let Some(place) = self.loops.remove(file).and_then(|watched| watched.place) {
                self.leave(&place, file);
            }
        }
        for file in files {
            self.loops.entry(file).or_insert(Watched {
                since: now,
                marks: None,
                place: None,
                beat_at: None,
                failures: 0,
                told: None,
            });
        }
        gone
    }

    /// The loops whose files have changed since the last look, with what they look like now. One that runs has its turn later.
    pub(super) fn changed(
        &self,
        look: impl Fn(&Path, Option<&Place>) -> M,
    ) -> Vec<(Arc<Path>, M, Timestamp)> {
        let idle = self
            .loops
            .iter()
            .filter(|(file, _)| !self.schedule.is_running(file));
        idle.filter_map(|(file, watched)| {
            let marks = look(file, watched.place.as_ref());
            let is_new = watched.marks.as_ref() != Some(&marks);
            is_new.then(|| (Arc::clone(file), marks, watched.since))
        })
        .collect()
    }

    /// Takes all files for changed.
    pub(super) fn forget_marks(&mut self) {
        for watched in self.loops.values_mut() {
            watched.marks = None;
        }
    }

    /// Takes in what a loop looks like; false when it is not due and is not waited for.
    ///
    /// # Errors
    /// The file that is this very loop already.
    pub(super) fn looked(
        &mut self,
        file: &Arc<Path>,
        marks: M,
        place: Place,
        due: Due,
        now: Timestamp,
    ) -> Result<bool, PathBuf> {
        let owner = self
            .places
            .entry(place.clone())
            .or_insert_with(|| Arc::clone(file));
        if owner != file {
            return Err(owner.to_path_buf());
        }
        let Some(watched) = self.loops.get_mut(file) else {
            return Ok(true);
        };
        watched.marks = Some(marks);
        watched.beat_at = Some(due.beat.at);
        watched.failures = 0;
        watched.told = None;
        let before = watched.place.replace(place.clone());
        if let Some(before) = before.filter(|before| *before != place) {
            self.leave(&before, file);
        }
        let waits = !self.once || due.beat.at <= now;
        if waits {
            let at = if self.once { due.beat.at } else { due.first() };
            self.schedule.put(Arc::clone(file), at);
        }
        Ok(waits)
    }

    /// The loop to begin now.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Arc<Path>> {
        self.schedule.begin(now)
    }

    /// Which loop a file is, as far as that is known.
    pub(super) fn place(&self, file: &Arc<Path>) -> Option<&Place> {
        self.loops.get(file)?.place.as_ref()
    }

    /// Takes in the end of a beat that began at `began`; when the next one is due.
    ///
    /// A beat that changed nothing of that has not been recorded: it is tried again like one that could not begin.
    pub(super) fn beaten(
        &mut self,
        file: &Arc<Path>,
        marks: M,
        due: Due,
        began: Timestamp,
        now: Timestamp,
    ) -> Next {
        let Some(watched) = self.loops.get_mut(file) else {
            self.schedule.end(file);
            return due.beat;
        };
        watched.marks = Some(marks);
        watched.told = None;
        let next = if due.beat.at > began {
            watched.failures = 0;
            due.beat
        } else {
            watched.failures = watched.failures.saturating_add(1);
            retry(backoff_seconds(watched.failures), now)
        };
        watched.beat_at = Some(next.at);
        self.again(file, Due { beat: next, ..due });
        next
    }

    /// From when on a loop is watched, if it is not sure that a beat is due `now`: its files have changed since the last look,
    /// or it was due for people.
    pub(super) fn looks_since(
        &self,
        file: &Arc<Path>,
        marks: &M,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let watched = self.loops.get(file)?;
        let is_sure =
            watched.marks.as_ref() == Some(marks) && watched.beat_at.is_none_or(|at| at <= now);
        (!is_sure).then_some(watched.since)
    }

    /// Takes in that a loop, when it was begun, was found to be due later.
    pub(super) fn put_off(&mut self, file: &Arc<Path>, marks: M, due: Due) {
        if let Some(watched) = self.loops.get_mut(file) {
            watched.marks = Some(marks);
            watched.beat_at = Some(due.beat.at);
            watched.failures = 0;
            watched.told = None;
        }
        self.again(file, due);
    }

    /// Takes in that a loop could not be read, or its beat could not begin; when it is tried again, if that is news.
    pub(super) fn troubled(
        &mut self,
        file: &Arc<Path>,
        marks: M,
        trouble: &Trouble,
        now: Timestamp,
    ) -> Option<Next> {
        let Some(watched) = self.loops.get_mut(file) else {
            self.schedule.end(file);
            return None;
        };
        watched.marks = Some(marks);
        watched.failures = watched.failures.saturating_add(1);
        let seconds = if trouble.is_held() {
            // A second, and twice as long each time.
            backoff_seconds(watched.failures)
                .div_euclid(60)
                .clamp(1, HELD_SECONDS_MAX)
        } else {
            backoff_seconds(watched.failures)
        };
        let next = retry(seconds, now);
        let said = chain(trouble);
        // A beat of another process is waited out; whoever looks only once is told.
        let is_news = watched.told.as_ref() != Some(&said) && (self.once || !trouble.is_held());
        watched.told = Some(said);
        let due = Due {
            beat: next,
            word: None,
        };
        self.again(file, due);
        is_news.then_some(next)
    }

    /// Begins nothing from now on.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.schedule.stop();
    }

    /// When something is due; none while that depends on the end of a beat.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.schedule.next()
    }

    /// True when nothing will ever happen again.
    pub(super) fn is_over(&self) -> bool {
        let idle = self.schedule.running() == 0;
        idle && (self.stopped || self.once && self.schedule.next().is_none())
    }

    fn again(&mut self, file: &Arc<Path>, due: Due) {
        self.schedule.end(file);
        if !self.once {
            self.schedule.put(Arc::clone(file), due.first());
        }
    }

    fn leave(&mut self, place: &Place, file: &Arc<Path>) {
        if self.places.get(place) == Some(file) {
            self.places.remove(place);
        }
    }
}

impl Due {
    /// When there is something to do.
    fn first(&self) -> Timestamp {
        self.word
            .map_or(self.beat.at, |word| word.min(self.beat.at))
    }
}

fn retry(seconds: u32, now: Timestamp) -> Next {
    let wait = SignedDuration::from_secs(seconds.into());
    Next {
        at: now.checked_add(wait).unwrap_or(Timestamp::MAX),
        why: Why::Retry,
    }
}

#[cfg(test)]
mod tests;
