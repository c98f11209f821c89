//! What the sensors saw: one beat's observations, and the fingerprint that tells whether the world changed.
//!
//! **Invariant:** only signals wake a loop. An observation's `detail` and items, and the text of a failure, are for
//! people and deciders and count for nothing here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::{Digest, PartsHasher};
use crate::failure::Failure;
use crate::ids::StepId;
use crate::json;

mod changed;
mod observation;

pub use changed::{SensorChange, SensorChangeKind, changed};
pub use observation::{Item, Observation, ObservationError, RawItem, RawObservation};

/// What one sensor said, or why it said nothing. Of a failure, the class alone counts for the fingerprint.
pub type SensorResult = Result<Observation, Failure>;

/// One sensor's part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorReading {
    /// The sensor.
    pub sensor: StepId,
    /// The digest of its plugin.
    pub plugin: Digest,
    /// What it said.
    pub result: SensorResult,
}

/// What all sensors of a beat saw, in the order of the loop file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// One reading for each sensor.
    pub sensors: Vec<SensorReading>,
}

/// The digest of one sensor's signal: what the next beat compares with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorSignal {
    /// The sensor.
    pub sensor: StepId,
    /// Over its signal as canonical JSON, or over the class of its failure.
    pub digest: Digest,
}

impl Snapshot {
    /// The digests of all signals, in the order of the sensors.
    #[must_use]
    pub fn signals(&self) -> Vec<SensorSignal> {
        self.sensors
            .iter()
            .map(|reading| SensorSignal {
                sensor: reading.sensor.clone(),
                digest: signal_digest(&reading.result),
            })
            .collect()
    }

    /// How many items all sensors show together.
    #[must_use]
    pub fn items(&self) -> u64 {
        let answers = self
            .sensors
            .iter()
            .filter_map(|reading| reading.result.as_ref().ok());
        answers
            .map(|observation| observation.items.len() as u64)
            .sum()
    }
}

/// The fingerprint of a world: loop file, plugins as (step id, digest), signals, and people's answers.
///
/// Two worlds share it exactly when a decider that looks at signals alone could not tell them apart.
#[must_use]
pub fn fingerprint(
    loop_file: &Digest,
    plugins: &[(String, Digest)],
    snapshot: &Snapshot,
    answers: &[Value],
) -> Digest {
    let mut hasher = PartsHasher::new("ringfence fingerprint 1");
    hasher.part("setup", setup(loop_file, plugins).as_bytes());
    for signal in snapshot.signals() {
        hasher.part("sensor", signal.sensor.as_str().as_bytes());
        hasher.part("signal", signal.digest.as_bytes());
    }
    for answer in answers {
        hasher.part("answer", json::canonical(answer).as_bytes());
    }
    hasher.finish()
}

/// The digest of what the operator set up: the loop file and every plugin as (step id, digest).
#[must_use]
pub fn setup(loop_file: &Digest, plugins: &[(String, Digest)]) -> Digest {
    let mut hasher = PartsHasher::new("ringfence setup 1");
    hasher.part("loop file", loop_file.as_bytes());
    for (step, plugin) in plugins {
        hasher.part("step", step.as_bytes());
        hasher.part("plugin", plugin.as_bytes());
    }
    hasher.finish()
}

fn signal_digest(result: &SensorResult) -> Digest {
    let mut hasher = PartsHasher::new("ringfence signal 1");
    match result {
        Ok(observation) => hasher.part("signal", json::canonical(&observation.signal).as_bytes()),
        Err(failure) => hasher.part("failed", failure.class.as_str().as_bytes()),
    };
    hasher.finish()
}

#[cfg(test)]
mod tests;
