//! What gates cost: beside what is recorded, and by function.
//!
//! A profile is made by making the call of a gate again, with less fuel than it needs, at many points. **Invariant:** such a
//! call changes nothing and is remembered nowhere; where it does not go as the judgement did, there is no profile.

use std::path::PathBuf;

use ringfence_core::digest::Digest;
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::gating::{
    Compared, FUEL_FILE, FUEL_FILE_BYTES_MAX, FUEL_REGRESSION, FUEL_UNKNOWN, Fingerprints,
    FuelFile, FuelKey, FuelLine, FuelRecord, HeldFuel, POINTS_DEFAULT, Percent, Profile, Remark,
    Standing, Status, TreeName, outcome,
};
use ringfence_core::ids::StepId;
use ringfence_core::quantity::Fuel;
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use ringfence_core::verdict::{Finding, Severity};
use ringfence_sandbox::FUEL_RULES;

use super::side_by_side::side_by_side;
use super::{Around, FuelOptions, FuelProblem, Gating, GatingError, Options, Progress, Run, ask};
use crate::calls::Calls;
use crate::memo::Memo;

impl Run {
    /// How much dearer gates may become, by the command line or the gates file; none when nothing was said.
    #[must_use]
    pub fn allowed(&self, options: &FuelOptions) -> Option<Percent> {
        options.regression.or(self.locked.fuel.regression)
    }

    /// What each gate used on this change, as it would be recorded, without a profile; none for a gate without a verdict.
    fn now(&self) -> impl Iterator<Item = (FuelKey, Option<FuelRecord>)> {
        self.report.gates.iter().map(|gate| {
            let key = FuelKey {
                base: self.report.base.tree.clone(),
                head: self.report.head.tree.clone(),
                gate: gate.gate.clone(),
            };
            let usage = gate.receipt.usage.as_ref();
            // What a clock or a person ended has used nothing that comes again.
            let usage = usage.filter(|_| gate.failure.is_none());
            let record = usage.map(|usage| FuelRecord {
                plugin: gate.plugin.clone(),
                component: gate.receipt.plugin,
                config: gate.receipt.config,
                grant: gate.receipt.grant,
                rules: FUEL_RULES.to_owned(),
                fuel: usage.fuel.used,
                profile: Profile::default(),
            });
            (key, record)
        })
    }

    /// The fuel of each gate beside what `file` has recorded.
    #[must_use]
    pub fn compare(&self, file: &FuelFile, allowed: Option<Percent>) -> Vec<FuelLine> {
        self.now()
            .map(|(key, now)| FuelLine::new(&key, now.as_ref(), file.get(&key), allowed))
            .collect()
    }

    /// Puts what gates used on this change into `file`, with their `profiles`. Where every gate of the rules was asked,
    /// nothing else stays that is known of it. How many records it has now.
    pub fn record(&self, file: &mut FuelFile, profiles: &[(StepId, Profile)]) -> usize {
        if self.report.gates.len() == self.locked.gates.len() {
            file.forget(&self.report.base.tree, &self.report.head.tree);
        }
        let mut count = 0;
        for (key, now) in self.now() {
            let profile = profiles.iter().find(|(gate, _)| *gate == key.gate);
            if let (Some(record), Some((_, profile))) = (now, profile) {
                let profile = profile.clone();
                file.put(key, FuelRecord { profile, ..record });
                count += 1;
            }
        }
        count
    }

    /// The gates that were asked, in the order of the file.
    pub fn gates(&self) -> impl Iterator<Item = &StepId> {
        self.report.gates.iter().map(|gate| &gate.gate)
    }

    fn step(&self, gate: &StepId) -> Option<&LockedStep> {
        self.locked.gates.iter().find(|step| step.id == *gate)
    }
}

impl Gating {
    /// The file that `options` or the rules name, or the usual one, and what it says; none where there is no such file.
    ///
    /// # Errors
    /// [`GatingError::Fuel`] when it is not understood; [`GatingError::Open`] when it cannot be read.
    pub fn fuel_file(
        &self,
        options: &FuelOptions,
    ) -> Result<(PathBuf, Option<(FuelFile, Digest)>), GatingError> {
        let usual = RelPath::lexical(FUEL_FILE).ok();
        let written = self.gates().fuel.file.clone().or(usual);
        let given = options.file.as_deref();
        let found = self.side_file(given, written.as_ref(), FUEL_FILE_BYTES_MAX)?;
        let Some((path, text)) = found else {
            return Ok((PathBuf::from(FUEL_FILE), None));
        };
        let Some(text) = text else {
            return Ok((path, None));
        };
        match FuelFile::parse(&text) {
            Ok(file) => Ok((path, Some((file, Digest::of(text.as_bytes()))))),
            Err(why) => Err(GatingError::Fuel {
                path,
                why: why.into(),
            }),
        }
    }

    /// Holds the gates of a run to what is recorded, where the rules or `options` say so: what became too dear fails.
    pub(super) fn hold_fuel(
        &self,
        run: &mut Run,
        options: &Options,
        around: Around<'_>,
    ) -> Result<(), GatingError> {
        let fuel = &options.fuel;
        let allowed = match run.allowed(fuel) {
            Some(allowed) => allowed,
            None if fuel.required => Percent::default(),
            None => return Ok(()),
        };
        let (path, found) = self.fuel_file(fuel)?;
        let Some((file, digest)) = found else {
            let why = FuelProblem::Missing;
            return Err(GatingError::Fuel { path, why });
        };
        run.fuel = Some(HeldFuel {
            allowed,
            required: fuel.required,
            file: digest,
        });
        let mut lines = run.compare(&file, Some(allowed));
        let dear = |line: &&mut FuelLine| line.compared == Compared::Regressed;
        for line in lines.iter_mut().filter(dear) {
            self.name_what_grew(run, &file, line, options.jobs, around)?;
        }
        let report = &mut run.report;
        let command = to_record(&report.base, &report.head);
        for line in &lines {
            let gate = report.gates.iter_mut().find(|gate| gate.gate == line.gate);
            if let (Some(gate), Some(remark)) =
                (gate, remark(line, allowed, fuel.required, &command))
            {
                if remark.status == Status::New {
                    gate.standing = gate.standing.max(Standing::Failed);
                }
                gate.remarks.push(remark);
            }
        }
        report.outcome = outcome(&report.host, &report.gates, report.rules);
        Ok(())
    }

    fn name_what_grew(
        &self,
        run: &Run,
        file: &FuelFile,
        line: &mut FuelLine,
        jobs: usize,
        around: Around<'_>,
    ) -> Result<(), GatingError> {
        let record = run
            .now()
            .find(|(key, _)| key.gate == line.gate)
            .and_then(|(key, _)| file.get(&key));
        let (Some(old), Some(used)) = (record, line.used) else {
            return Ok(());
        };
        let gates = std::slice::from_ref(&line.gate);
        let profiles = self.profile(run, gates, POINTS_DEFAULT, jobs, around)?;
        if let Some((_, profile)) = profiles.first() {
            let same_component = line.changed.iter().all(|what| what != "component");
            line.grown = profile.grown(used, &old.profile, old.fuel, same_component);
        }
        Ok(())
    }

    /// Where the fuel of `gates` went, looked at in at most `points` points each; nothing of gates without a verdict, unless
    /// they used up their fuel.
    ///
    /// # Errors
    /// [`GatingError::Profile`] when a gate took another way than when it judged, and whatever checking out raises.
    pub fn profile(
        &self,
        run: &Run,
        gates: &[StepId],
        points: u32,
        jobs: usize,
        around: Around<'_>,
    ) -> Result<Vec<(StepId, Profile)>, GatingError> {
        let mut plan: Vec<(&LockedStep, Vec<Fuel>)> = Vec::new();
        let wanted = run.report.gates.iter();
        for judged in wanted.filter(|judged| gates.contains(&judged.gate)) {
            let failure = judged.failure.as_ref();
            // One that used up its fuel is looked at up to there.
            let comes_again =
                failure.is_none_or(|failure| failure.class == FailureClass::OutOfFuel);
            let usage = judged.receipt.usage.as_ref().filter(|_| comes_again);
            if let (Some(step), Some(usage)) = (run.step(&judged.gate), usage) {
                plan.push((step, Profile::limits(usage.fuel.used, points)));
            }
        }
        if plan.is_empty() {
            return Ok(Vec::new());
        }
        (around.progress)(Progress::Preparing);
        let base = ask::base(self, &run.sides);
        let readers: Vec<&LockedStep> = plan.iter().map(|(step, _)| *step).collect();
        let base = ask::prepare(self, base, &readers, around)?;
        for (step, _) in &plan {
            (around.progress)(Progress::Profiling(step.id.clone()));
        }
        let looks: Vec<(usize, &LockedStep, Fuel)> = plan
            .iter()
            .enumerate()
            .flat_map(|(at, (step, limits))| limits.iter().map(move |fuel| (at, *step, *fuel)))
            .collect();
        let memo = Memo::new(self.dir.memo(), false);
        let sandbox = around.sandbox;
        let calls = || Calls::new(sandbox, &run.components, &base, &memo);
        let seen = side_by_side(jobs, &looks, calls, |calls, (_, step, fuel)| {
            calls.trace(step, *fuel, &run.matter)
        });
        let mut stacks = vec![Vec::new(); plan.len()];
        for ((at, ..), stack) in looks.iter().zip(seen) {
            let at = *at;
            let stack =
                stack.unwrap_or_else(|| Err(Failure::host("the thread that asked it ended")));
            let gate = plan.get(at).map(|(step, _)| step.id.clone());
            let (Some(gate), Some(stacks)) = (gate, stacks.get_mut(at)) else {
                continue;
            };
            match stack {
                Ok(stack) => stacks.push(stack.unwrap_or_default()),
                Err(failure) => {
                    let why = failure.message;
                    return Err(GatingError::Profile { gate, why });
                }
            }
        }
        let profiles = plan.iter().zip(&stacks);
        Ok(profiles
            .map(|((step, _), stacks)| (step.id.clone(), Profile::of(stacks)))
            .collect())
    }
}

/// How the fuel of gates on this very change is recorded, to be pasted.
fn to_record(base: &TreeName, head: &TreeName) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/-~^@".contains(c);
    let word = |name: &str| match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => "REV".to_owned(),
    };
    let from = match base.name.as_str() {
        "HEAD" => String::new(),
        "nothing" if base.commit.is_none() => " --all".to_owned(),
        name => format!(" --base {}", word(name)),
    };
    let to = match (head.name.as_str(), head.commit.is_none()) {
        ("worktree", true) if from.is_empty() => String::new(),
        ("worktree", true) => " --worktree".to_owned(),
        ("staged", true) => " --staged".to_owned(),
        ("patch", true) => " --patch FILE".to_owned(),
        ("HEAD", _) if !from.is_empty() => String::new(),
        (name, _) => format!(" --head {}", word(name)),
    };
    format!("`ringfence gate fuel --record{from}{to}`")
}

/// What the host has to say of the fuel of a gate; none where there is nothing to be said.
fn remark(line: &FuelLine, allowed: Percent, required: bool, command: &str) -> Option<Remark> {
    let FuelLine { gate, why, .. } = line;
    let (fails, rule, message) = match line.compared {
        Compared::Regressed => (true, FUEL_REGRESSION, line.regression(allowed)),
        Compared::Unknown => {
            let message = format!("the fuel of gate {gate} compares with nothing: {why}");
            (required, FUEL_UNKNOWN, message)
        }
        Compared::Same | Compared::Cheaper | Compared::Dearer | Compared::NotCalled => return None,
    };
    let (severity, status) = if fails {
        (Severity::Error, Status::New)
    } else {
        // Nobody asked for a figure to be there.
        (Severity::Note, Status::Noted)
    };
    let finding = Finding {
        severity,
        rule: rule.to_owned(),
        message,
        locations: Vec::new(),
        help: format!("{command} takes the figures of this change for known"),
    };
    Some(Remark {
        fingerprint: Fingerprints::default().next(gate, &finding, &[]),
        finding,
        knowable: false,
        status,
        excerpt: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_pasted_records_this_change() {
        let side = |name: &str, commit: bool| TreeName {
            name: name.to_owned(),
            commit: commit.then(|| "c".to_owned()),
            tree: "t".to_owned(),
        };
        for (base, head, expect) in [
            (side("HEAD", true), side("worktree", false), ""),
            (side("HEAD", true), side("staged", false), " --staged"),
            (side("main", true), side("HEAD", true), " --base main"),
            (
                side("v1", true),
                side("v2~1", true),
                " --base v1 --head v2~1",
            ),
            (
                side("a b", true),
                side("$x", true),
                " --base REV --head REV",
            ),
            (
                side("main", true),
                side("worktree", true),
                " --base main --head worktree",
            ),
            (side("nothing", false), side("HEAD", true), " --all"),
            (
                side("nothing", false),
                side("worktree", false),
                " --all --worktree",
            ),
            (
                side("main", true),
                side("patch", false),
                " --base main --patch FILE",
            ),
        ] {
            let expect = format!("`ringfence gate fuel --record{expect}`");
            assert_eq!(to_record(&base, &head), expect);
        }
    }
}
