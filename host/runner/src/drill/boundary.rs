//! Drills of the boundary: the probe in an executor's place, with exactly that executor's grant.

use ringfence_core::policy::{Access, Decision, DenyPattern, PathPolicy, Rule, witness};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use serde_json::{Value, json};

use super::ground::{Seed, policy};
use super::{Drill, DrillError, seeds};

pub(super) const DENIED_PATH: &str = "denied-path";
pub(super) const WRITE_GRANT: &str = "write-grant";

// Limit: patterns tried in one call; a report keeps so many denials, and findings.
const PATTERNS_AT_ONCE: usize = 20;
const SECRET: &str = "nobody may see or change this";
// How the probe calls a refusal: through the standard library, and as the verb itself says it.
const REFUSED: [&str; 2] = ["PermissionDenied", "not-permitted"];

impl Drill<'_> {
    /// Each pattern that is denied is denied: nothing at it can be read, made, changed, moved or removed.
    pub(super) fn denied_paths(&mut self) -> Result<(), DrillError> {
        for executor in &self.spec.executors {
            let name = format!("{DENIED_PATH}:{}", executor.id);
            let found = self.denied(executor)?;
            self.fault(name.clone(), found);
            let found = self.writes(executor)?;
            self.passes(name, found);
        }
        Ok(())
    }

    fn denied(&self, executor: &LockedStep) -> Result<Result<String, String>, DrillError> {
        let Some(policy) = policy(executor) else {
            return Ok(Err("its grant cannot be compiled".to_owned()));
        };
        let patterns = &executor.policy.deny;
        for some in patterns.chunks(PATTERNS_AT_ONCE) {
            let mut paths = Vec::new();
            for pattern in some {
                match denied_path(pattern, &policy) {
                    Some(path) => paths.push(path),
                    None => {
                        let why =
                            format!("no path could be found that {:?} denies", pattern.pattern);
                        return Ok(Err(why));
                    }
                }
            }
            if let Some(problem) = self.intrude(executor, &paths)? {
                return Ok(Err(problem));
            }
        }
        let count = patterns.len();
        Ok(Ok(format!(
            "refused at all {count} denied patterns, and nothing changed there"
        )))
    }

    /// Tries everything at each of the paths, where a file stands; what was let through, if anything was.
    fn intrude(
        &self,
        executor: &LockedStep,
        paths: &[RelPath],
    ) -> Result<Option<String>, DrillError> {
        let ground = self.ground;
        ground.reset()?;
        let plant = paths.iter().flat_map(|path| {
            let folder = path.parent().unwrap_or(RelPath::ROOT);
            [
                json!({ "op": "std-create-dir-all", "path": folder.as_str() }),
                json!({ "op": "std-write", "path": path.as_str(), "text": SECRET }),
            ]
        });
        ground.make(&plant.collect::<Vec<_>>())?;
        let attempts: Vec<(&RelPath, Value)> = paths
            .iter()
            .flat_map(|path| attempts(path).map(|attempt| (path, attempt)))
            .collect();
        let plan: Vec<Value> = attempts
            .iter()
            .map(|(_, attempt)| attempt.clone())
            .collect();
        let done = ground.try_as(executor, &plan)?;
        for ((path, attempt), outcome) in attempts.iter().zip(done) {
            let refused = matches!(&outcome, Err(code) if REFUSED.contains(&code.as_str()));
            if !refused {
                let verb = attempt
                    .get("op")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                return Ok(Some(format!(
                    "{verb} at {path} was not refused: {outcome:?}"
                )));
            }
        }
        let look = |path: &RelPath| json!({ "op": "std-read", "path": path.as_str() });
        let after = ground.make(&paths.iter().map(look).collect::<Vec<_>>())?;
        let changed = paths
            .iter()
            .zip(after)
            .find(|(_, text)| *text != Ok(json!(SECRET)));
        Ok(changed.map(|(path, text)| format!("{path} is not as it was: {text:?}")))
    }

    /// What the executor may write, it can.
    fn writes(&self, executor: &LockedStep) -> Result<Result<String, String>, DrillError> {
        let ground = self.ground;
        let places = seeds::places(ground, self.spec, executor)?;
        for path in &places {
            ground.reset()?;
            let write = json!({ "op": "std-write", "path": path.as_str(), "text": "a drill\n" });
            let done = ground.try_as(executor, &[write])?;
            let look = json!({ "op": "std-read", "path": path.as_str() });
            if done == [Ok(Value::Null)] && ground.make(&[look])? == [Ok(json!("a drill\n"))] {
                return Ok(Ok(format!("{path} was written")));
            }
        }
        Ok(self.writes_what_is_there(executor)?.ok_or_else(|| {
            "nothing was found that it may write: no file of the base, and no new one".to_owned()
        }))
    }

    fn writes_what_is_there(&self, executor: &LockedStep) -> Result<Option<String>, DrillError> {
        let ground = self.ground;
        let Some(policy) = policy(executor) else {
            return Ok(None);
        };
        let files = ground.files()?;
        let Some(path) = seeds::writable(&files, &policy).next() else {
            return Ok(None);
        };
        ground.reset()?;
        let write = json!({ "op": "std-write", "path": path.as_str(), "text": "a drill\n" });
        let done = ground.try_as(executor, &[write])?;
        Ok((done == [Ok(Value::Null)]).then(|| format!("{path} was written")))
    }

    /// What an executor was not granted, it cannot write.
    pub(super) fn write_grants(&mut self) -> Result<(), DrillError> {
        for executor in &self.spec.executors {
            let name = format!("{WRITE_GRANT}:{}", executor.id);
            let Some(path) = policy(executor).and_then(|policy| ungranted(&policy)) else {
                self.unguarded(&name, "it may write everything that is not denied");
                continue;
            };
            self.ground.reset()?;
            let folder = path.parent().unwrap_or(RelPath::ROOT);
            self.ground
                .make(&[json!({ "op": "std-create-dir-all", "path": folder.as_str() })])?;
            let write = json!({ "op": "std-write", "path": path.as_str(), "text": "a drill\n" });
            let done = self.ground.try_as(executor, &[write])?;
            let look = json!({ "op": "std-exists", "path": path.as_str() });
            let there = self.ground.make(&[look])?;
            let refused =
                matches!(done.as_slice(), [Err(code)] if REFUSED.contains(&code.as_str()));
            let found = if refused && there == [Ok(json!(false))] {
                Ok(format!("{path} could not be made"))
            } else {
                Err(format!("{path} is not granted, and yet: {done:?}"))
            };
            self.fault(name.clone(), found);
            let found = self.writes(executor)?;
            self.passes(name, found);
        }
        Ok(())
    }
}

/// Everything that could be done to a file.
fn attempts(path: &RelPath) -> [Value; 7] {
    let path = path.as_str();
    [
        json!({ "op": "std-read", "path": path }),
        json!({ "op": "std-write", "path": path, "text": "a drill\n" }),
        json!({ "op": "std-append", "path": path, "text": "a drill\n" }),
        json!({ "op": "std-set-len", "path": path, "length": 0 }),
        json!({ "op": "std-create-new", "path": path }),
        json!({ "op": "std-rename", "path": path, "new_path": "ringfence-drill-moved" }),
        json!({ "op": "std-remove-file", "path": path }),
    ]
}

/// A path at which `pattern`, and no missing grant, stands in the way.
fn denied_path(pattern: &DenyPattern, policy: &PathPolicy) -> Option<RelPath> {
    let path = witness(&pattern.pattern)?;
    let decision = policy.decide(&path, Access::Write);
    matches!(
        decision,
        Decision::Denied {
            rule: Rule::Deny { .. }
        }
    )
    .then_some(path)
}

/// A path that no list allows to be written, and no denial forbids.
pub(super) fn ungranted(policy: &PathPolicy) -> Option<RelPath> {
    let candidates = [
        "ringfence-drill/outside.bin",
        "ringfence-drill.bin",
        "src/ringfence-drill.rs",
        "docs/ringfence-drill.md",
        "ringfence-drill.md",
    ];
    let paths = candidates
        .into_iter()
        .filter_map(|path| RelPath::lexical(path).ok());
    let mut paths = paths.filter(|path| {
        let decision = policy.decide(path, Access::Write);
        matches!(
            decision,
            Decision::Denied {
                rule: Rule::NotAllowed { .. }
            }
        )
    });
    paths.next()
}

/// A seed at a path that an executor may not write, granted or denied.
pub(super) fn forbidden(executor: &LockedStep) -> Option<Seed> {
    let policy = policy(executor)?;
    let denied = executor.policy.deny.iter().rev();
    let mut denied = denied.filter_map(|pattern| denied_path(pattern, &policy));
    let path = ungranted(&policy).or_else(|| denied.next())?;
    Some(seeds::harmless(&path))
}
