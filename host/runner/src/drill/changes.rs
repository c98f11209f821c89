//! Drills of the whole way of a change: the host's own check, and a clean case through every gate.

use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use ringfence_core::text::count;
use ringfence_core::verdict::{Judgement, judge};

use super::ground::{Judged, Seed, policy};
use super::{Drill, DrillError, boundary, seeds};

pub(super) const SCOPE: &str = "scope";
pub(super) const CLEAN: &str = "clean";

// Limit: existing files that a line is added to when no new one will do.
const FILES_TRIED: usize = 3;
// Limit: a file to add a line to is a text that people read.
const TEXT_BYTES_MAX: usize = 256 << 10;

impl Drill<'_> {
    /// The host looks at every changed path itself, whatever the boundary let through.
    pub(super) fn scope(&mut self) -> Result<(), DrillError> {
        for executor in &self.spec.executors {
            let name = format!("{SCOPE}:{}", executor.id);
            let Some(seed) = boundary::forbidden(executor) else {
                self.unguarded(&name, "nothing is denied to it");
                continue;
            };
            let judged = self.ground.judge(executor, &[seed])?;
            self.fault(
                name.clone(),
                judged
                    .out_of_scope()
                    .ok_or_else(|| "a change where it may not write was let through".to_owned()),
            );
            let found = match self.clean_change(executor)? {
                Some((path, judged)) => match judged.out_of_scope() {
                    None => Ok(format!("a change of {path} is in scope")),
                    Some(why) => Err(why),
                },
                None => Err("no change could be seeded where it may write".to_owned()),
            };
            self.passes(name, found);
        }
        Ok(())
    }

    /// A small valid change of each executor passes every gate, and the sensors find their way in the base.
    pub(super) fn clean(&mut self) -> Result<(), DrillError> {
        for executor in &self.spec.executors {
            let found = match self.clean_change(executor)? {
                Some((path, judged)) => self.passed(&judged).map(|()| path.to_string()),
                None => Err("no change could be seeded where it may write".to_owned()),
            };
            self.passes(format!("{CLEAN}:{}", executor.id), found);
        }
        self.ground.reset()?;
        for sensor in &self.spec.sensors {
            let mut calls = self.ground.calls();
            let (reading, _) = calls.observe(sensor, sensor.limits.fuel);
            let found = reading.result.map_err(|failure| failure.to_string());
            let found = found.map(|seen| {
                format!(
                    "{} seen in the base",
                    count(seen.items.len(), "item", "items")
                )
            });
            self.passes(format!("{CLEAN}:{}", sensor.id), found);
        }
        Ok(())
    }

    fn passed(&self, judged: &Judged) -> Result<(), String> {
        if let Some(why) = judged.out_of_scope() {
            return Err(why);
        }
        let gates: Vec<_> = self.spec.gates.iter().map(|gate| gate.id.clone()).collect();
        match judge(&judged.scope, &gates, &judged.results) {
            Judgement::Passed => Ok(()),
            Judgement::Failed { reasons } => Err(reasons.join("; ")),
        }
    }

    /// A small change where an executor may write that all gates let through; where there is none, the first that is a change.
    pub(super) fn clean_change(
        &self,
        executor: &LockedStep,
    ) -> Result<Option<(RelPath, Judged)>, DrillError> {
        let places = seeds::places(self.ground, self.spec, executor)?;
        let new = places
            .iter()
            .map(|path| (path.clone(), seeds::harmless(path)));
        let mut first = None;
        for (path, seed) in new.chain(self.longer_files(executor)?) {
            let judged = self.ground.judge(executor, &[seed])?;
            if judged.refused.is_none() && judged.files == 0 {
                continue;
            }
            if self.passed(&judged).is_ok() {
                return Ok(Some((path, judged)));
            }
            first.get_or_insert((path, judged));
        }
        Ok(first)
    }

    /// Texts of the base with one line more.
    fn longer_files(&self, executor: &LockedStep) -> Result<Vec<(RelPath, Seed)>, DrillError> {
        let Some(policy) = policy(executor) else {
            return Ok(Vec::new());
        };
        let files = self.ground.files()?;
        let mut longer = Vec::new();
        for path in seeds::writable(&files, &policy).take(FILES_TRIED) {
            let text = self.ground.text(path, TEXT_BYTES_MAX);
            longer.extend(text.map(|text| (path.clone(), Seed::File(path.clone(), text + "\n"))));
        }
        Ok(longer)
    }
}
