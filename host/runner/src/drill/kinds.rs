//! Drills of the gates, by what they are for: the size of a change, links, paths; of any other gate, whether it refuses
//! anything at all.
//!
//! **Invariant:** the gate that is meant has to say no, for the fault that is meant; what the others say does not count.

use ringfence_core::policy::{Access, Layer, PathPolicy, PolicySpec, witness};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::LockedStep;
use ringfence_core::verdict::Ruling;
use serde_json::Value;

use super::ground::{Judged, Seed, policy, said};
use super::{Drill, DrillError, seeds};

pub(super) const SIZE: &str = "size";
pub(super) const LINKS: &str = "links";
pub(super) const PATHS: &str = "paths";
pub(super) const OTHER_GATE: &str = "other-gate";

// The gates of this repository, by the names in their manifests.
const DIFF_SIZE: &str = "diff-size";
const MD_LINKS: &str = "md-links";
const PATHS_GATE: &str = "paths";

// Limit: a gate that lets more than this through holds a change to no size worth the word.
const FILES_MAX: u64 = 2_000;
const LINES_MAX: u64 = 100_000;
const BYTES_MAX: u64 = 16 << 20;
// What the size gate allows where its configuration says nothing.
const FILES_DEFAULT: u64 = 20;
const LINES_DEFAULT: u64 = 500;
const BYTES_DEFAULT: u64 = 1 << 20;
// Limit: places at which a broken link is put, since a gate need not look everywhere.
const LINK_PLACES: usize = 5;
// Limit: files that go at once to see whether anybody minds.
const GONE_MAX: usize = 200;

/// One way to be too large.
struct TooLarge {
    key: &'static str,
    rule: &'static str,
    default: u64,
    most: u64,
    seed: fn(&RelPath, u64) -> Vec<Seed>,
}

const TOO_LARGE: [TooLarge; 3] = [
    TooLarge {
        key: "max_files",
        rule: "too-many-files",
        default: FILES_DEFAULT,
        most: FILES_MAX,
        seed: |path, count| {
            let one = |n| seeds::sibling(path, &format!("-{n}"));
            let paths = (0..count).filter_map(one);
            paths.map(|path| seeds::harmless(&path)).collect()
        },
    },
    TooLarge {
        key: "max_lines",
        rule: "too-many-lines",
        default: LINES_DEFAULT,
        most: LINES_MAX,
        seed: |path, count| {
            let lines = (0..count).map(|n| format!("{n}\n"));
            vec![Seed::File(path.clone(), lines.collect())]
        },
    },
    TooLarge {
        key: "max_file_bytes",
        rule: "file-too-large",
        default: BYTES_DEFAULT,
        most: BYTES_MAX,
        seed: |path, count| vec![Seed::Zeros(path.clone(), count)],
    },
];

impl Drill<'_> {
    /// An executor and a place where it may write; none when there is no such place for any.
    pub(super) fn place(
        &self,
        fits: fn(&RelPath) -> bool,
    ) -> Result<Option<(&LockedStep, RelPath)>, DrillError> {
        for executor in &self.spec.executors {
            let places = seeds::places(self.ground, self.spec, executor)?;
            if let Some(path) = places.into_iter().find(fits) {
                return Ok(Some((executor, path)));
            }
        }
        Ok(None)
    }

    fn gates(&self, name: &str) -> Vec<&LockedStep> {
        let gates = self.spec.gates.iter();
        gates.filter(|gate| gate.name == name).collect()
    }

    /// A gate lets the clean change be.
    fn lets_be(&mut self, name: String, gate: &LockedStep) -> Result<(), DrillError> {
        let executor = self.spec.executors.first();
        let clean = executor
            .map(|executor| self.clean_change(executor))
            .transpose()?;
        let found = match clean.flatten() {
            Some((_, judged)) => match judged.of(&gate.id) {
                Ok(verdict) if verdict.ruling != Ruling::Fail => Ok(said(Ok(verdict))),
                other => Err(said(other)),
            },
            None => Err("no clean change could be seeded".to_owned()),
        };
        self.passes(name, found);
        Ok(())
    }

    /// A change that is too large, in each way that a gate limits.
    pub(super) fn size(&mut self) -> Result<(), DrillError> {
        let Some((executor, path)) = self.place(|_| true)? else {
            self.unguarded(
                SIZE,
                "no new file could be seeded where an executor may write",
            );
            return Ok(());
        };
        let (executor, gates) = (executor.clone(), self.gates(DIFF_SIZE));
        let gates: Vec<_> = gates.into_iter().cloned().collect();
        if gates.is_empty() {
            return self.any_size(&executor, &path);
        }
        for gate in &gates {
            for way in &TOO_LARGE {
                let name = format!("{SIZE}:{}/{}", gate.id, way.key);
                let found = self.too_large(&executor, &path, gate, way)?;
                self.fault(name, found);
            }
            self.lets_be(format!("{SIZE}:{}", gate.id), gate)?;
        }
        Ok(())
    }

    fn too_large(
        &self,
        executor: &LockedStep,
        path: &RelPath,
        gate: &LockedStep,
        way: &TooLarge,
    ) -> Result<Result<String, String>, DrillError> {
        let limit = gate.config.get(way.key).and_then(Value::as_u64);
        let limit = limit.unwrap_or(way.default);
        if limit >= way.most {
            let why = format!("{} = {limit} holds no change: {} pass", way.key, way.most);
            return Ok(Err(why));
        }
        let judged = self.ground.judge(executor, &(way.seed)(path, limit + 1))?;
        let says_so = judged.of(&gate.id).is_ok_and(|verdict| {
            let mut findings = verdict.findings.iter();
            findings.any(|finding| finding.rule == way.rule)
        });
        Ok(if judged.fails(&gate.id) && says_so {
            Ok(format!("{} = {limit}: one more is refused", way.key))
        } else {
            Err(format!(
                "{} = {limit}, and one more: {}",
                way.key,
                heard(&judged, gate)
            ))
        })
    }

    /// A change beyond all measure, where no gate is known to look at sizes.
    fn any_size(&mut self, executor: &LockedStep, path: &RelPath) -> Result<(), DrillError> {
        let [files, lines, _] = &TOO_LARGE;
        let mut seeds = (files.seed)(path, FILES_MAX);
        seeds.extend((lines.seed)(path, LINES_MAX));
        let judged = self.ground.judge(executor, &seeds)?;
        let gates = self.spec.gates.clone();
        match gates.iter().find(|gate| judged.fails(&gate.id)) {
            Some(gate) => {
                let seen = format!("{FILES_MAX} files: {}", said(judged.of(&gate.id)));
                self.fault(format!("{SIZE}:{}", gate.id), Ok(seen));
                self.lets_be(format!("{SIZE}:{}", gate.id), gate)
            }
            None => {
                let why = format!("no gate minds {FILES_MAX} new files and {LINES_MAX} lines");
                self.unguarded(SIZE, &why);
                Ok(())
            }
        }
    }

    /// A link that leads nowhere.
    pub(super) fn links(&mut self) -> Result<(), DrillError> {
        let gates: Vec<_> = self.gates(MD_LINKS).into_iter().cloned().collect();
        if gates.is_empty() {
            self.unguarded(LINKS, "no gate of this loop looks at links");
        }
        for gate in &gates {
            let name = format!("{LINKS}:{}", gate.id);
            let mut found = None;
            for executor in &self.spec.executors {
                let places = seeds::places(self.ground, self.spec, executor)?;
                let places = places.into_iter().filter(seeds::is_markdown);
                for path in places
                    .filter(|path| is_rooted(gate, path))
                    .take(LINK_PLACES)
                {
                    let seed = Seed::File(path.clone(), BROKEN_LINK.to_owned());
                    let judged = self.ground.judge(executor, &[seed])?;
                    found = Some(if judged.fails(&gate.id) {
                        Ok(format!("{path}: {}", said(judged.of(&gate.id))))
                    } else {
                        Err(format!("a broken link in {path}: {}", heard(&judged, gate)))
                    });
                    if found.as_ref().is_some_and(Result::is_ok) {
                        break;
                    }
                }
            }
            match found {
                Some(found) => {
                    self.fault(name.clone(), found);
                    self.lets_be(name, gate)?;
                }
                None => self.unguarded(&name, "no executor may write Markdown that it looks at"),
            }
        }
        Ok(())
    }

    /// Paths and kinds of files that the gate of paths forbids.
    pub(super) fn paths(&mut self) -> Result<(), DrillError> {
        let gates: Vec<_> = self.gates(PATHS_GATE).into_iter().cloned().collect();
        for gate in &gates {
            let name = format!("{PATHS}:{}", gate.id);
            let seeds = self.path_faults(gate)?;
            if seeds.is_empty() {
                self.unguarded(
                    &name,
                    "it is told to let every path and kind of file through",
                );
                continue;
            }
            for (what, rule, seed) in seeds {
                let Some(executor) = self.spec.executors.first() else {
                    continue;
                };
                let judged = self.ground.judge(executor, &[seed])?;
                let says_so = judged
                    .of(&gate.id)
                    .is_ok_and(|verdict| verdict.findings.iter().any(|one| one.rule == rule));
                let found = if judged.fails(&gate.id) && says_so {
                    Ok(format!("{what}: {}", said(judged.of(&gate.id))))
                } else {
                    Err(format!("{what}: {}", heard(&judged, gate)))
                };
                self.fault(name.clone(), found);
            }
            self.lets_be(name, gate)?;
        }
        Ok(())
    }

    /// What the gate of paths has to refuse: in words, by which rule, and the change.
    fn path_faults(
        &self,
        gate: &LockedStep,
    ) -> Result<Vec<(String, &'static str, Seed)>, DrillError> {
        let list = |key: &str| -> Vec<String> {
            let list = gate.config.get(key).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let mut faults = Vec::new();
        let denied = list("deny").into_iter();
        for path in denied
            .filter_map(|pattern| witness(&pattern))
            .filter(is_plain)
        {
            faults.push((path.to_string(), "denied-path", seeds::harmless(&path)));
        }
        let allow = list("allow");
        if let Some(path) = outside(&allow).filter(|_| !allow.is_empty()) {
            faults.push((path.to_string(), "path-not-allowed", seeds::harmless(&path)));
        }
        let links = gate.config.get("allow_symlinks").and_then(Value::as_bool);
        if let Some((_, path)) = self.place(|_| true)?.filter(|_| links != Some(true)) {
            faults.push((format!("a link at {path}"), "symlink", Seed::Link(path)));
        }
        Ok(faults)
    }

    /// Whether gates of whose kind nothing is known refuse anything.
    pub(super) fn other_gates(&mut self) -> Result<(), DrillError> {
        let known = [DIFF_SIZE, MD_LINKS, PATHS_GATE];
        let gates = self.spec.gates.iter();
        let gates: Vec<_> = gates
            .filter(|gate| !known.contains(&gate.name.as_str()))
            .cloned()
            .collect();
        if gates.is_empty() {
            return Ok(());
        }
        let changes = self.gross()?;
        for gate in &gates {
            let name = format!("{OTHER_GATE}:{}", gate.id);
            let rulings = changes
                .iter()
                .map(|(what, judged)| (what, judged.of(&gate.id)));
            let rulings: Vec<_> = rulings.collect();
            let of = |ruling| {
                let is =
                    move |verdict: &&ringfence_core::verdict::Verdict| verdict.ruling == ruling;
                let mut all = rulings.iter();
                all.find(|(_, answer)| answer.as_ref().is_ok_and(is))
            };
            match (of(Ruling::Fail), of(Ruling::Pass)) {
                (Some((what, answer)), _) => {
                    let seen = format!("{what}: {}", said(*answer));
                    self.fault(name.clone(), Ok(seen));
                    self.lets_be(name, gate)?;
                }
                (None, Some((what, answer))) => {
                    let why = format!("it vouches for everything: {what}: {}", said(*answer));
                    self.fault(name, Err(why));
                }
                (None, None) => {
                    let why = "nothing is known that it has to refuse, and it vouched for nothing";
                    self.unguarded(&name, why);
                }
            }
        }
        Ok(())
    }

    /// Changes that somebody should mind.
    fn gross(&self) -> Result<Vec<(&'static str, Judged)>, DrillError> {
        let mut changes = Vec::new();
        for executor in &self.spec.executors {
            let files = self.ground.files()?;
            if let Some(policy) = policy(executor) {
                let gone = seeds::writable(&files, &policy).take(GONE_MAX).cloned();
                let gone: Vec<_> = gone.map(Seed::Gone).collect();
                if !gone.is_empty() {
                    let judged = self.ground.judge(executor, &gone)?;
                    changes.push(("every file that may be written is gone", judged));
                }
            }
            if let Some(path) = seeds::places(self.ground, self.spec, executor)?.first() {
                let zeros = Seed::Zeros(path.clone(), BYTES_MAX);
                let judged = self.ground.judge(executor, &[zeros])?;
                changes.push(("a file of 16 MiB of zeros", judged));
            }
        }
        Ok(changes)
    }
}

const BROKEN_LINK: &str = "# A drill\n\n[nowhere](ringfence-drill-that-is-not-there.md)\n";

/// What was heard of a gate about a change.
fn heard(judged: &Judged, gate: &LockedStep) -> String {
    match &judged.refused {
        Some(why) => format!("the host refused the change before the gate was asked: {why}"),
        None => said(judged.of(&gate.id)),
    }
}

/// True when the gate looks at documents there.
fn is_rooted(gate: &LockedStep, path: &RelPath) -> bool {
    let roots = gate.config.get("roots").and_then(Value::as_array);
    let roots: Vec<_> = roots
        .into_iter()
        .flatten()
        .filter_map(|root| RelPath::lexical(root.as_str()?).ok())
        .collect();
    roots.is_empty() || roots.iter().any(|root| path.is_within(root))
}

/// True for a path that a change can have.
fn is_plain(path: &RelPath) -> bool {
    path.names().all(|name| name != ".git")
}

/// A path that none of the globs takes.
fn outside(globs: &[String]) -> Option<RelPath> {
    let layers = vec![Layer {
        name: "allow".to_owned(),
        read: Vec::new(),
        write: globs.to_vec(),
    }];
    let spec = PolicySpec {
        layers,
        deny: Vec::new(),
    };
    let policy = PathPolicy::new(&spec).ok()?;
    let path = super::boundary::ungranted(&policy)?;
    (!policy.decide(&path, Access::Write).is_allowed()).then_some(path)
}
