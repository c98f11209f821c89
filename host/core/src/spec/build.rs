//! From the keys of a loop file to a [`Spec`]: defaults, and the rules that span several keys.
//!
//! **Invariant:** a default never exceeds what the file says elsewhere; a missing part yields no spec, never half of one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::target;
use super::written;
use super::{
    Base, Budget, Level, Paths, PluginRef, Role, Spec, StepPaths, StepPlace, StepSpec, guards,
    people,
};
use crate::decision::NO_EXECUTOR;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::ids::{LoopId, StepId};
use crate::limits::Limits;
use crate::quantity::{Bytes, Fuel, Millis};
use crate::toml_doc::Section;

// Limit: five steps at their default limit.
const FUEL_PER_BEAT_DEFAULT: Fuel = Fuel(50_000_000_000);
// Limit: some minutes of one core a day.
const FUEL_PER_DAY_DEFAULT: Fuel = Fuel(2_000_000_000_000);
// Limit: one beat every seven minutes, day and night.
const BEATS_PER_DAY_DEFAULT: u64 = 200;
// Limit: one retry; what fails twice the same way fails a third time.
const ATTEMPTS_DEFAULT: u32 = 2;
const TIMEZONE_DEFAULT: &str = "UTC";

/// Builds the spec; none when a part is missing, which was reported.
pub(super) fn spec(
    root: &Section,
    name: &str,
    prose: &str,
    found: &mut Diagnostics,
) -> Option<Spec> {
    let budget = budget(root, found);
    let cadence = super::cadence::cadence(root, &budget.timezone, found);
    let paths = paths(root);
    let mut steps = |role: Role| steps(root.many(role.as_str()), role, budget.fuel_per_beat, found);
    let (sensors, executors, gates) = (
        steps(Role::Sensor),
        steps(Role::Executor),
        steps(Role::Gate),
    );
    let decider = root
        .one("decider")
        .and_then(|section| step(section, Role::Decider, budget.fuel_per_beat, found));
    warn_of_no_write(root, &paths, found);
    target::check(root, found);
    let pace = guards::pace(root, &cadence);
    let commands = super::command::commands(root, found);
    Some(Spec {
        name: name.to_owned(),
        loop_id: LoopId::new(root.text("loop")?).ok()?,
        level: match root.text("level") {
            Some("L2") => Level::L2,
            Some("L3") => Level::L3,
            _ => Level::L1,
        },
        base: match root.text("base") {
            Some("worktree") => Base::Worktree,
            _ => Base::Head,
        },
        cadence,
        target: root.text("target").map(str::to_owned),
        paths,
        sensors,
        decider: decider?,
        executors,
        gates,
        commands,
        budget,
        escalate: people::escalate(root),
        notify: people::notify(root),
        calendar: people::calendar(root),
        cost: guards::cost(root, found),
        pace,
        prose: prose.to_owned(),
        unwritten_budgets: written::unwritten_budgets(root),
    })
}

pub(super) fn list(section: Option<&Section>, key: &str) -> Option<Vec<String>> {
    section
        .and_then(|section| section.list(key))
        .map(<[String]>::to_vec)
}

fn paths(root: &Section) -> Paths {
    let section = root.one("paths");
    Paths {
        read: list(section, "read").unwrap_or_else(|| vec!["**".to_owned()]),
        write: list(section, "write").unwrap_or_default(),
        deny: list(section, "deny").unwrap_or_default(),
        lift: list(section, "lift").unwrap_or_default(),
    }
}

fn warn_of_no_write(root: &Section, paths: &Paths, found: &mut Diagnostics) {
    // A list that is misspelled or unreadable was reported; it may well have entries.
    if !paths.write.is_empty() || found.has_errors() {
        return;
    }
    let span = root
        .one("paths")
        .map_or_else(|| root.span_of("paths"), |section| section.span_of("write"));
    let warning = Diagnostic::warning(
        "no-write",
        span,
        "executors may write nothing, so every change will be refused",
        "no `write` here",
    );
    found.push(warning.with_help("list what they may write: `write = [\"docs/**\"]` in [paths]"));
}

fn budget(root: &Section, found: &mut Diagnostics) -> Budget {
    let section = root.one("budget");
    let amount = |key: &str| section.and_then(|section| section.amount(key));
    let per_day = amount("fuel_per_day").map_or(FUEL_PER_DAY_DEFAULT, Fuel);
    let per_beat = amount("fuel_per_beat").map_or(FUEL_PER_BEAT_DEFAULT.min(per_day), Fuel);
    if let (Some(section), true) = (section, per_beat > per_day) {
        let message = format!(
            "`fuel_per_beat` is {per_beat}, and a whole day has {per_day}: no beat could start"
        );
        let problem = Diagnostic::error(
            "budget",
            section.span_of("fuel_per_beat"),
            message,
            "more than a day has",
        );
        found.push(problem.with_help(format!(
            "raise the day's: `fuel_per_day = \"{}\"`",
            per_beat.plus(per_beat)
        )));
    }
    Budget {
        fuel_per_beat: per_beat,
        fuel_per_day: per_day,
        beats_per_day: amount("beats_per_day").unwrap_or(BEATS_PER_DAY_DEFAULT),
        attempts_per_item: amount("attempts_per_item")
            .and_then(|count| count.try_into().ok())
            .unwrap_or(ATTEMPTS_DEFAULT),
        timezone: section
            .and_then(|section| section.text("timezone"))
            .unwrap_or(TIMEZONE_DEFAULT)
            .to_owned(),
        proposals_per_day: amount("proposals_per_day"),
        tokens: guards::spend(section, &guards::TOKENS, found),
        money: guards::spend(section, &guards::MONEY, found),
    }
}

/// The steps of one role, none of which may use more fuel than `fuel_most`.
pub(super) fn steps(
    sections: &[Section],
    role: Role,
    fuel_most: Fuel,
    found: &mut Diagnostics,
) -> Vec<StepSpec> {
    let mut ids = BTreeSet::new();
    let mut steps = Vec::new();
    for section in sections {
        let Some(step) = step(section, role, fuel_most, found) else {
            continue;
        };
        if !ids.insert(step.id.clone()) {
            let key = if section.has("id") { "id" } else { "plugin" };
            let message = format!("two {role}s are called {}", quote(step.id.as_str()));
            let problem = Diagnostic::error(
                "duplicate-id",
                section.span_of(key),
                message,
                "the same name again",
            );
            found.push(problem.with_help("give one of them an `id` of its own"));
        }
        steps.push(step);
    }
    steps
}

fn step(
    section: &Section,
    role: Role,
    fuel_most: Fuel,
    found: &mut Diagnostics,
) -> Option<StepSpec> {
    let limits = limits(section, fuel_most, found);
    let paths = section
        .one("paths")
        .map(|paths| step_paths(paths, role, found));
    let plugin: PluginRef = section.text("plugin")?.parse().ok()?;
    let config = section.json("config");
    Some(StepSpec {
        id: step_id(section, &plugin, found)?,
        role,
        config: config.map_or_else(|| Value::Object(Map::new()), |json| json.value.clone()),
        limits,
        fuel_written: section
            .one("limits")
            .is_some_and(|limits| limits.has("fuel")),
        paths,
        at: StepPlace {
            step: section.span.clone(),
            plugin: section.span_of("plugin"),
            config: config.map(|json| json.place.clone()),
        },
        plugin,
    })
}

fn step_id(section: &Section, plugin: &PluginRef, found: &mut Diagnostics) -> Option<StepId> {
    let id = if section.has("id") {
        StepId::new(section.text("id")?).ok()
    } else {
        plugin.default_id()
    };
    if id.as_ref().is_some_and(|id| id.as_str() == NO_EXECUTOR) {
        let key = if section.has("id") { "id" } else { "plugin" };
        let message =
            format!("no step may be called {NO_EXECUTOR:?}: deciders say so for «nothing to do»");
        found.push(Diagnostic::error(
            "bad-id",
            section.span_of(key),
            message,
            "a name that is taken",
        ));
    } else if id.is_none() {
        let message = format!("no step name can be made of {}", quote(&plugin.to_string()));
        let problem = Diagnostic::error(
            "bad-id",
            section.span_of("plugin"),
            message,
            "needs an `id`",
        );
        found.push(problem.with_help("give the step a name: `id = \"my-step\"`"));
    }
    id
}

fn limits(section: &Section, fuel_most: Fuel, found: &mut Diagnostics) -> Limits {
    let default = Limits::default();
    let written = section.one("limits");
    let amount = |key: &str| written.and_then(|limits| limits.amount(key));
    let fuel = amount("fuel").map_or(default.fuel.min(fuel_most), Fuel);
    if let (Some(written), true) = (written, fuel > fuel_most) {
        let message = format!("the step may use {fuel} of fuel, and a whole beat has {fuel_most}");
        let problem = Diagnostic::error(
            "budget",
            written.span_of("fuel"),
            message,
            "more than a beat has",
        );
        found.push(problem.with_help(format!(
            "lower it, or raise `fuel_per_beat` in [budget] to \"{fuel}\" or more"
        )));
    }
    Limits {
        fuel,
        memory: amount("memory").map_or(default.memory, Bytes),
        deadline: amount("deadline").map_or(default.deadline, Millis),
    }
}

fn step_paths(section: &Section, role: Role, found: &mut Diagnostics) -> StepPaths {
    if section.has("write") && role != Role::Executor {
        let message = format!("a {role} cannot write: only an executor has `write`");
        let problem = Diagnostic::error(
            "cannot-write",
            section.span_of("write"),
            message,
            "remove this",
        );
        found.push(problem);
    }
    StepPaths {
        read: list(Some(section), "read"),
        write: list(Some(section), "write"),
        deny: list(Some(section), "deny").unwrap_or_default(),
    }
}
