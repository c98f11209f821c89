//! What changed between two beats, by the digests of their signals.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::ids::StepId;
use crate::snapshot::SensorSignal;

/// How one sensor differs from the beat before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SensorChangeKind {
    /// The loop did not have it.
    New,
    /// The loop has it no more.
    Gone,
    /// Its signal is another one.
    Changed,
}

/// One line of what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorChange {
    /// The sensor.
    pub sensor: StepId,
    /// How it differs.
    pub kind: SensorChangeKind,
}

/// The sensors that differ, sorted by id; empty when no signal changed.
#[must_use]
pub fn changed(before: &[SensorSignal], after: &[SensorSignal]) -> Vec<SensorChange> {
    let mut sides: BTreeMap<&StepId, (Option<Digest>, Option<Digest>)> = BTreeMap::new();
    for signal in before {
        sides.entry(&signal.sensor).or_default().0 = Some(signal.digest);
    }
    for signal in after {
        sides.entry(&signal.sensor).or_default().1 = Some(signal.digest);
    }
    sides
        .into_iter()
        .filter_map(|(sensor, sides)| {
            Some(SensorChange {
                sensor: sensor.clone(),
                kind: kind(sides)?,
            })
        })
        .collect()
}

fn kind(sides: (Option<Digest>, Option<Digest>)) -> Option<SensorChangeKind> {
    match sides {
        (None, None) => None,
        (None, Some(_)) => Some(SensorChangeKind::New),
        (Some(_), None) => Some(SensorChangeKind::Gone),
        (Some(before), Some(after)) => (before != after).then_some(SensorChangeKind::Changed),
    }
}
