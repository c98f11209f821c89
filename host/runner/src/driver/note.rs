//! Writes into a loop's journal between two beats: what the operator says, how drills went, what people were told.
//!
//! **Invariant:** only under the loop's lock, and only what follows a journal that was read whole. In a folder that was brought
//! along, what other people had said there is taken back first.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use ringfence_core::journal::{Body, LoopState};

use super::brought_along;
use super::record::Record;
use super::{BeatError, Seams};
use crate::lock::{LockError, LoopLock};
use crate::state_dir::LoopDir;

// How often a lock that somebody holds is tried.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Appends what `write` makes of the loop's state, and waits until it is on the disk. A beat under way is waited for, `wait` at most.
///
/// Returns the state after that. `write` may refuse: nothing is written then.
///
/// # Errors
/// [`BeatError`] as before a beat, or what `write` says.
pub fn note<E: From<BeatError>>(
    dir: &LoopDir,
    timezone: &TimeZone,
    seams: Seams<'_>,
    wait: Duration,
    write: impl FnOnce(&LoopState) -> Result<Vec<Body>, E>,
) -> Result<LoopState, E> {
    let lock = lock(dir, seams, wait)?;
    let mut record = Record::open(dir, timezone, seams)?;
    brought_along::take_in(dir, &lock, &mut record)?;
    for body in write(record.state())? {
        record.append(body, true).map_err(BeatError::from)?;
    }
    Ok(record.state().clone())
}

fn lock(dir: &LoopDir, seams: Seams<'_>, wait: Duration) -> Result<LoopLock, BeatError> {
    let begun = Instant::now();
    loop {
        match LoopLock::acquire(dir, seams.clock) {
            Err(LockError::Held { .. }) if begun.elapsed() < wait => {
                std::thread::sleep(TRY_EVERY);
            }
            taken => return Ok(taken?),
        }
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::journal::{Act, OperatorAct};

    use super::*;
    use crate::clock::SystemClock;
    use crate::git::discover::Project;
    use crate::state_dir::StateDir;
    use crate::steps::NoSteps;

    const SEAMS: Seams<'_> = Seams {
        clock: &SystemClock,
        steps: &NoSteps,
    };

    fn pause() -> Vec<Body> {
        vec![Body::Operator(OperatorAct {
            by: "ann".to_owned(),
            reason: "holidays".to_owned(),
            act: Act::Pause { until: None },
        })]
    }

    fn written(dir: &LoopDir, wait: Duration) -> Result<LoopState, BeatError> {
        note(dir, &TimeZone::UTC, SEAMS, wait, |_| Ok(pause()))
    }

    #[test]
    fn what_is_noted_is_found_again() {
        let top = tempfile::tempdir().unwrap();
        let state = StateDir::open(&Project::Folder(top.path().to_owned())).unwrap();
        let dir = state
            .open_loop(&"docs".to_owned().try_into().unwrap())
            .unwrap();
        assert!(
            written(&dir, Duration::ZERO)
                .unwrap()
                .orders
                .paused
                .is_some()
        );
        let seen = note(&dir, &TimeZone::UTC, SEAMS, Duration::ZERO, |state| {
            assert!(state.orders.paused.is_some());
            Ok::<_, BeatError>(Vec::new())
        });
        assert!(seen.unwrap().orders.paused.is_some());
    }

    #[test]
    fn a_beat_under_way_is_waited_for() {
        let top = tempfile::tempdir().unwrap();
        let state = StateDir::open(&Project::Folder(top.path().to_owned())).unwrap();
        let dir = state
            .open_loop(&"docs".to_owned().try_into().unwrap())
            .unwrap();
        let held = LoopLock::acquire(&dir, &SystemClock).unwrap();
        assert!(matches!(
            written(&dir, Duration::ZERO),
            Err(BeatError::Lock(LockError::Held { .. }))
        ));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| written(&dir, Duration::from_secs(60)));
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }
}
