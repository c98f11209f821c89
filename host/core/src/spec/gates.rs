//! The gates file: gates without a loop, for `ringfence gate`.
//!
//! Owns [`Gates`], what such a file says or what a loop file says for the same purpose, and [`LockedGates`], in which
//! nothing is left to look up. Steps, path lists and grants are those of the loop file.
//!
//! Nothing is denied to gates but what the operator denies them: they read a tree and nothing else, and a file that they
//! must not read could not be judged.
//!
//! **Invariant:** nothing here lets a finding pass that the operator has not named: what may be allowed in a file, and
//! where, is written in the gates file, never in the file itself.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::command::{COMMANDS, CommandSpec, commands};
use super::locked::{command_policy, lock_step};
use super::{LockedStep, Paths, PluginFacts, PluginRef, Role, Spec, StepSpec, build, keys};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::digest::Digest;
use crate::gating::{FUEL_FILE, FuelRules, Percent};
use crate::limits::LIMITS_MAX;
use crate::manifest::GLOB;
use crate::policy::{DenySource, PolicySpec};
use crate::relpath::RelPath;
use crate::toml_doc::{Choice, Key, Kind, Section, Table, Text, json_schema};
use crate::verdict::Severity;

/// Longest gates file in bytes.
pub const GATES_FILE_BYTES_MAX: usize = super::LOOP_FILE_BYTES_MAX;

/// When a finding fails a change although its gate let it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictRules {
    /// From which severity on.
    pub fail_on: Severity,
    /// True when a change that no gate passed is refused.
    pub require_some: bool,
    /// True when changes of submodules, which no gate can look into, may pass.
    pub submodules_accepted: bool,
}

/// Findings that a comment in a file may allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// Rules: a whole code, or the beginning of one and `*`.
    pub rules: Vec<String>,
    /// Globs of the files.
    pub paths: Vec<String>,
}

/// What a change is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gates {
    /// The file's name as it was given.
    pub name: String,
    /// Path lists for all gates; `write` is empty.
    pub paths: Paths,
    /// At least one, in the order of the file.
    pub gates: Vec<StepSpec>,
    /// What fails.
    pub verdict: VerdictRules,
    /// Where the findings are that are known already, from the top of the project.
    pub baseline: Option<RelPath>,
    /// What comments may allow.
    pub allow: Vec<Allow>,
    /// Native programs that run before the gates.
    pub commands: Vec<CommandSpec>,
    /// How much dearer gates may become.
    pub fuel: FuelRules,
}

/// The same, ready to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedGates {
    /// The file's name as it was given.
    pub name: String,
    /// Of the file's bytes.
    pub file_digest: Digest,
    /// At least one.
    pub gates: Vec<LockedStep>,
    /// What fails.
    pub verdict: VerdictRules,
    /// Where the findings are that are known already.
    pub baseline: Option<RelPath>,
    /// What comments may allow.
    pub allow: Vec<Allow>,
    /// Native programs that run before the gates.
    pub commands: Vec<CommandSpec>,
    /// What commands may see of the trees.
    pub command_policy: PolicySpec,
    /// How much dearer gates may become.
    pub fuel: FuelRules,
}

static FAIL_ON: Choice = Choice {
    values: &["error", "warning", "note"],
    later: &[],
};
static WELCOME: Choice = Choice {
    values: &["accepted", "refused"],
    later: &[],
};
static PLACE: Text = Text {
    code: "bad-path",
    what: "a path in the project",
    check: in_project,
    pattern: None,
    example: "ringfence-baseline.json",
};
static FUEL_PLACE: Text = Text {
    code: "bad-path",
    what: "a path in the project",
    check: in_project,
    pattern: None,
    example: FUEL_FILE,
};
static PERCENT: Text = Text {
    code: "bad-percent",
    what: "a percentage",
    check: |text| {
        let read = text.parse::<Percent>();
        read.map(drop).map_err(|error| error.to_string())
    },
    pattern: Some("^[0-9]{1,5}(\\.[0-9]{1,2})?%$"),
    example: "5%",
};
static RULE: Text = Text {
    code: "bad-rule",
    what: "a rule",
    check: |text| {
        let code = text.strip_suffix('*').unwrap_or(text);
        let fits = !code.is_empty()
            && text.len() <= 64
            && code
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits {
            Ok(())
        } else {
            Err(format!("{} is no code of a finding", quote(text)))
        }
    },
    pattern: Some("^[a-z0-9-]{1,63}\\*?$"),
    example: "broken-link",
};

static GATES: Table = Table {
    title: "the gates file",
    later: &[("network", "no gate has network access")],
    keys: &[
        Key::optional("paths", Kind::One(&PATHS), "what gates may read"),
        Key::required(
            "gate",
            Kind::Many(&keys::GATE),
            "a component that judges the change; every gate must pass it",
        ),
        Key::optional("verdict", Kind::One(&VERDICT), "what fails a change"),
        Key::optional("fuel", Kind::One(&FUEL), "how much dearer gates may become"),
        Key::optional(
            "allow",
            Kind::Many(&ALLOW),
            "findings that a comment `ringfence:allow RULE: why` may allow",
        ),
        COMMANDS,
    ],
};

static PATHS: Table = Table {
    title: "[paths]",
    later: &[("write", "a gate changes nothing")],
    keys: &[
        Key::optional(
            "read",
            Kind::List(&GLOB),
            "globs of what gates may read; everything unless written",
        ),
        Key::optional(
            "deny",
            Kind::List(&GLOB),
            "globs of what no gate may read; deny wins over every other list",
        ),
    ],
};

static VERDICT: Table = Table {
    title: "[verdict]",
    later: &[],
    keys: &[
        Key::optional(
            "fail_on",
            Kind::Choice(&FAIL_ON),
            "the least severity that fails a change, also where its gate lets it pass; error unless written",
        ),
        Key::optional(
            "unjudged",
            Kind::Choice(&WELCOME),
            "what becomes of a change that every gate abstained from; accepted unless written",
        ),
        Key::optional(
            "submodules",
            Kind::Choice(&WELCOME),
            "what becomes of changes of submodules, which no gate can look into; refused unless written",
        ),
        Key::optional(
            "baseline",
            Kind::Text(&PLACE),
            "the file of findings that are known already, from the top of the project",
        ),
    ],
};

static FUEL: Table = Table {
    title: "[fuel]",
    later: &[],
    keys: &[
        Key::optional(
            "regression",
            Kind::Text(&PERCENT),
            "how much dearer a gate may become on a change that is recorded; nothing is compared unless written",
        ),
        Key::optional(
            "file",
            Kind::Text(&FUEL_PLACE),
            "the file of what gates cost, from the top of the project; ringfence.fuel unless written",
        ),
    ],
};

static ALLOW: Table = Table {
    title: "[[allow]]",
    later: &[],
    keys: &[
        Key::required(
            "rules",
            Kind::List(&RULE),
            "codes of findings; one that ends with * stands for all that begin so",
        ),
        Key::required(
            "paths",
            Kind::List(&GLOB),
            "globs of the files whose comments count",
        ),
    ],
};

impl Default for VerdictRules {
    fn default() -> Self {
        Self {
            fail_on: Severity::Error,
            require_some: false,
            submodules_accepted: false,
        }
    }
}

impl Gates {
    /// Reads a gates file; `name` is how messages and reports call it.
    ///
    /// # Errors
    /// All problems at once in the order of the file, warnings included.
    pub fn parse(text: &str, name: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut found = Diagnostics::default();
        let gates = read(text, name, &mut found);
        let errors = found.has_errors();
        let sorted = found.into_sorted();
        match gates {
            Some(gates) if !errors => Ok((gates, sorted)),
            _ => Err(sorted),
        }
    }

    /// The gates of a loop, as they would judge a change that no loop made.
    #[must_use]
    pub fn of_loop(spec: &Spec) -> Self {
        Self {
            name: spec.name.clone(),
            paths: Paths {
                write: Vec::new(),
                lift: Vec::new(),
                ..spec.paths.clone()
            },
            gates: spec.gates.clone(),
            verdict: VerdictRules::default(),
            baseline: None,
            allow: Vec::new(),
            commands: spec.commands.clone(),
            fuel: FuelRules::default(),
        }
    }

    /// The plugins it needs, each once.
    #[must_use]
    pub fn plugins(&self) -> BTreeSet<PluginRef> {
        self.gates.iter().map(|step| step.plugin.clone()).collect()
    }

    /// Resolves the gates against the plugins at hand, by the spelling of [`PluginRef`].
    ///
    /// # Errors
    /// All problems at once in the order of the file, as for a loop.
    pub fn lock(
        &self,
        file_digest: Digest,
        plugins: &BTreeMap<String, PluginFacts>,
    ) -> Result<LockedGates, Vec<Diagnostic>> {
        let mut found = Diagnostics::default();
        let mut gates: Vec<LockedStep> = self
            .gates
            .iter()
            .filter_map(|step| lock_step(&self.paths, step, plugins, &mut found))
            .collect();
        let mut command_policy = command_policy(&self.paths);
        let policies = gates.iter_mut().map(|gate| &mut gate.policy);
        for policy in policies.chain([&mut command_policy]) {
            // What loops must not touch is what people change, and what has to be judged then. Nothing but a tree is read.
            policy
                .deny
                .retain(|deny| deny.source == DenySource::Operator);
        }
        if found.has_errors() {
            return Err(found.into_sorted());
        }
        Ok(LockedGates {
            name: self.name.clone(),
            file_digest,
            gates,
            verdict: self.verdict,
            baseline: self.baseline.clone(),
            allow: self.allow.clone(),
            commands: self.commands.clone(),
            command_policy,
            fuel: self.fuel.clone(),
        })
    }
}

/// The schema of a gates file, draft 2020-12.
#[must_use]
pub fn gates_file_schema() -> Value {
    let mut schema = json_schema(&GATES);
    if let Value::Object(map) = &mut schema {
        map.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        map.insert(
            "title".to_owned(),
            json!("Ringfence gates file (ringfence-gates.toml)"),
        );
    }
    schema
}

fn read(text: &str, name: &str, found: &mut Diagnostics) -> Option<Gates> {
    if text.len() > GATES_FILE_BYTES_MAX {
        let message = format!(
            "the file has {} bytes, at most {GATES_FILE_BYTES_MAX} are read",
            text.len()
        );
        found.push(Diagnostic::error("too-long", 0..0, message, "this file"));
        return None;
    }
    let root = crate::toml_doc::read(text, &GATES, 0..0, found)?;
    let paths = root.one("paths");
    let verdict = root.one("verdict");
    Some(Gates {
        name: name.to_owned(),
        paths: Paths {
            read: build::list(paths, "read").unwrap_or_else(|| vec!["**".to_owned()]),
            write: Vec::new(),
            deny: build::list(paths, "deny").unwrap_or_default(),
            lift: Vec::new(),
        },
        gates: build::steps(root.many("gate"), Role::Gate, LIMITS_MAX.fuel, found),
        verdict: VerdictRules {
            fail_on: match verdict.and_then(|verdict| verdict.text("fail_on")) {
                Some("note") => Severity::Note,
                Some("warning") => Severity::Warning,
                _ => Severity::Error,
            },
            require_some: verdict.and_then(|verdict| verdict.text("unjudged")) == Some("refused"),
            submodules_accepted: verdict.and_then(|verdict| verdict.text("submodules"))
                == Some("accepted"),
        },
        baseline: verdict
            .and_then(|verdict| verdict.text("baseline"))
            .and_then(|path| RelPath::lexical(path).ok()),
        allow: root.many("allow").iter().map(allow).collect(),
        commands: commands(&root, found),
        fuel: fuel(root.one("fuel")),
    })
}

fn in_project(text: &str) -> Result<(), String> {
    RelPath::lexical(text)
        .map(drop)
        .map_err(|error| format!("{} is no path in the project: {error}", quote(text)))
}

fn fuel(section: Option<&Section>) -> FuelRules {
    let text = |key| section.and_then(|section| section.text(key));
    FuelRules {
        file: text("file").and_then(|path| RelPath::lexical(path).ok()),
        regression: text("regression").and_then(|text| text.parse().ok()),
    }
}

fn allow(section: &Section) -> Allow {
    Allow {
        rules: build::list(Some(section), "rules").unwrap_or_default(),
        paths: build::list(Some(section), "paths").unwrap_or_default(),
    }
}
