//! What each step of a loop may do: what `check` shows.
//!
//! **Invariant:** nothing that widens a grant is told by colour alone.

use ringfence_core::gating::reads;
use ringfence_core::policy::{DenySource, Layer};
use ringfence_core::spec::{LockedGates, LockedSpec, LockedStep};
use ringfence_core::verdict::Severity;
use serde_json::Value;

use super::amount::count;
use super::page::Page;
use super::safe::Safe;
use super::text::{Ink, Text, text};

// Column of the lists, behind the longest name in front of them.
const LISTS: usize = 13;

/// The whole loop, in a repository or in a folder without one.
pub(crate) fn grants(spec: &LockedSpec, in_repository: bool) -> Page {
    let mut page = Page::new();
    let level = match spec.level {
        ringfence_core::spec::Level::L1 => "L1: an accepted change is recorded as a patch",
        ringfence_core::spec::Level::L2 if in_repository => {
            "L2: an accepted change is proposed as a commit on a branch"
        }
        ringfence_core::spec::Level::L2 => {
            "L2: an accepted change is proposed as a patch, since there is no git repository here"
        }
        ringfence_core::spec::Level::L3 => {
            "L3: an accepted change is committed to the target branch, once `ringfence promote` lets it; at L2, as a branch, until then"
        }
    };
    let base = match spec.base {
        ringfence_core::spec::Base::Head => "the tree of the current commit",
        ringfence_core::spec::Base::Worktree => "the files as they are, uncommitted edits included",
    };
    page.line(text![text!["loop ", &spec.loop_id].ink(Ink::Strong)]);
    field(&mut page, "level", level);
    if spec.level == ringfence_core::spec::Level::L3 {
        let target = match &spec.target {
            Some(branch) => text!["branch ", Safe::line(branch)],
            None => "the branch that is checked out".into(),
        };
        field(&mut page, "commits to", target);
    }
    field(&mut page, "works on", base);
    field(&mut page, "beats", exact(&spec.cadence));
    budget(&mut page, spec);
    escalate(&mut page, spec);
    let everywhere = denied_everywhere(spec);
    for step in spec.steps() {
        page.gap();
        put_step(&mut page, step, &everywhere);
    }
    for command in &spec.commands {
        page.gap();
        super::native::grant(&mut page, command);
    }
    page.gap();
    denials(&mut page, spec, &everywhere);
    page
}

/// JSON on one line, with room where it can be broken.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(spaced).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Object(all) => {
            let one = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), spaced(value))
            };
            let all: Vec<String> = all.iter().map(one).collect();
            format!("{{{}}}", all.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// An amount as the loop file would say it.
fn exact(amount: &impl ToString) -> Safe {
    Safe::line(&amount.to_string())
}

fn field(page: &mut Page, name: &'static str, value: impl Into<Text>) {
    page.field(2, LISTS, name, value);
}

fn budget(page: &mut Page, spec: &LockedSpec) {
    let budget = &spec.budget;
    let fuel = text![
        "fuel ",
        exact(&budget.fuel_per_beat),
        " a beat and ",
        exact(&budget.fuel_per_day),
        " a day"
    ];
    let tries = text![
        count(budget.beats_per_day, "beat", "beats"),
        " a day (",
        Safe::line(&budget.timezone),
        "); ",
        count(budget.attempts_per_item, "attempt", "attempts"),
        " an item"
    ];
    field(page, "budget", text![fuel, "; ", tries]);
}

fn escalate(page: &mut Page, spec: &LockedSpec) {
    let globs = |all: &[String]| Text::join(all.iter().map(|one| Safe::line(one)), ", ");
    if !spec.escalate.paths.is_empty() {
        field(
            page,
            "a person's",
            text!["changes of: ", globs(&spec.escalate.paths)],
        );
    }
    if !spec.escalate.labels.is_empty() {
        field(
            page,
            "a person's",
            text!["items labelled: ", globs(&spec.escalate.labels)],
        );
    }
    if spec.escalate.on.gate_uncertainty {
        field(page, "a person's", "changes that a gate is not sure of");
    }
    if let Some(notify) = &spec.notify {
        let every = text![", at most one message in ", notify.digest];
        field(page, "tells", text![Safe::line(&notify.to), every]);
    }
    if let Some(calendar) = &spec.calendar {
        field(page, "frozen by", Safe::line(&calendar.to_string()));
    }
}

/// What each gate of a gates file may read.
pub(crate) fn gate_grants(gates: &LockedGates) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["gates of ", Safe::line(&gates.name)].ink(Ink::Strong)
    ]);
    let verdict = gates.verdict;
    let fail_on = match verdict.fail_on {
        Severity::Error => "errors",
        Severity::Warning => "errors and warnings",
        Severity::Note => "whatever is found",
    };
    field(
        &mut page,
        "refused",
        text!["where a gate says so, and for ", fail_on],
    );
    if verdict.require_some {
        field(&mut page, "refused", "what no gate has passed");
    }
    if verdict.submodules_accepted {
        field(
            &mut page,
            "ACCEPTED",
            text!["changes of submodules, which no gate looks into"].ink(Ink::Bad),
        );
    }
    if let Some(path) = &gates.baseline {
        field(
            &mut page,
            "known",
            text!["what stands in ", Safe::line(path.as_str())],
        );
    }
    for allow in &gates.allow {
        let list = |all: &[String]| Text::join(all.iter().map(|one| Safe::line(one)), ", ");
        let what = text![
            "by comments in ",
            list(&allow.paths),
            ": ",
            list(&allow.rules)
        ];
        field(&mut page, "allowed", what);
    }
    for step in &gates.gates {
        page.gap();
        put_step(&mut page, step, &[]);
    }
    for command in &gates.commands {
        page.gap();
        super::native::grant(&mut page, command);
        let readers: Vec<&LockedStep> = gates
            .gates
            .iter()
            .filter(|gate| reads(gate, &command.name))
            .collect();
        let read_by = if readers.is_empty() {
            text!["read by NO GATE: a change fails where it does not end well"].ink(Ink::Warn)
        } else {
            let names = Text::join(readers.into_iter().map(|gate| Text::from(&gate.id)), ", ");
            text!["read by ", names]
        };
        page.hanging(2, 4, read_by);
    }
    page
}

fn put_step(page: &mut Page, step: &LockedStep, everywhere: &[&str]) {
    let plugin = text![
        Safe::line(&step.plugin),
        " ",
        Safe::line(&step.version),
        text![" (", &step.digest, ")"].ink(Ink::Faint)
    ];
    page.line(text![
        text![step.role, " ", &step.id].ink(Ink::Strong),
        ": ",
        plugin
    ]);
    let limits = &step.limits;
    field(
        page,
        "limits",
        text![
            "fuel ",
            exact(&limits.fuel),
            ", memory ",
            exact(&limits.memory),
            ", deadline ",
            exact(&limits.deadline)
        ],
    );
    if step
        .config
        .as_object()
        .is_some_and(|config| !config.is_empty())
    {
        field(page, "config", Safe::line(&spaced(&step.config)));
    }
    lists(page, "read", step, |layer| &layer.read);
    lists(page, "write", step, |layer| &layer.write);
    let own: Vec<&str> = own_denials(step)
        .into_iter()
        .filter(|pattern| !everywhere.contains(pattern))
        .collect();
    if !own.is_empty() {
        field(
            page,
            "deny",
            Text::join(own.into_iter().map(Safe::line), ", "),
        );
    }
    if !step.actions.is_empty() {
        field(
            page,
            "can",
            Text::join(
                step.actions.iter().map(|action| Safe::line(&action.name)),
                ", ",
            ),
        );
    }
}

/// What the layers allow: a line for each that says less than everything, since all of them must allow it.
fn lists(
    page: &mut Page,
    name: &'static str,
    step: &LockedStep,
    of: impl Fn(&Layer) -> &Vec<String>,
) {
    if step.policy.layers.iter().any(|layer| of(layer).is_empty()) {
        let who = step.policy.layers.iter().find(|layer| of(layer).is_empty());
        return field(
            page,
            name,
            text!["nothing", who.map(why_nothing).unwrap_or_default()],
        );
    }
    let narrowing: Vec<&Layer> = step
        .policy
        .layers
        .iter()
        .filter(|layer| *of(layer) != ["**"])
        .collect();
    if narrowing.is_empty() {
        return field(page, name, "everything that is not denied");
    }
    let mut name = name;
    for layer in narrowing {
        let globs = Text::join(of(layer).iter().map(|glob| Safe::line(glob)), ", ");
        let and = if name.is_empty() { "and only in " } else { "" };
        field(
            page,
            name,
            text![
                and,
                globs,
                text![" (", layer_name(layer), ")"].ink(Ink::Faint)
            ],
        );
        name = "";
    }
}

fn why_nothing(layer: &Layer) -> Text {
    match layer.name.as_str() {
        "role" => Text::from(": only executors write").ink(Ink::Faint),
        "plugin" => Text::from(": the plugin does not ask for it").ink(Ink::Faint),
        _ => text![" (", layer_name(layer), ")"].ink(Ink::Faint),
    }
}

fn layer_name(layer: &Layer) -> Text {
    match layer.name.as_str() {
        "loop" => "[paths]".into(),
        "step" => "this step's paths".into(),
        "plugin" => "the plugin asks".into(),
        "role" => "its role".into(),
        other => Safe::line(other).into(),
    }
}

/// What the operator denies every step, in the order of the file.
fn denied_everywhere(spec: &LockedSpec) -> Vec<&str> {
    let mut everywhere = own_denials(&spec.decider);
    for step in spec.steps() {
        let own = own_denials(step);
        everywhere.retain(|pattern| own.contains(pattern));
    }
    everywhere
}

/// What the operator denies this step, in the order of the file.
fn own_denials(step: &LockedStep) -> Vec<&str> {
    let own = step
        .policy
        .deny
        .iter()
        .filter(|deny| deny.source == DenySource::Operator);
    own.map(|deny| deny.pattern.as_str()).collect()
}

/// What every step is denied, and what the loop file opens.
fn denials(page: &mut Page, spec: &LockedSpec, everywhere: &[&str]) {
    page.line(text!["denied to every step"].ink(Ink::Strong));
    if !everywhere.is_empty() {
        field(
            page,
            "[paths]",
            Text::join(everywhere.iter().map(|pattern| Safe::line(pattern)), ", "),
        );
    }
    for (name, sources) in [
        ("always", &[DenySource::BuiltIn, DenySource::Own][..]),
        ("by default", &[DenySource::Default]),
    ] {
        let patterns = spec
            .decider
            .policy
            .deny
            .iter()
            .filter(|deny| sources.contains(&deny.source));
        field(
            page,
            name,
            Text::join(patterns.map(|deny| Safe::line(&deny.pattern)), ", "),
        );
    }
    for pattern in &spec.lifted {
        let why = ": a default denial that this loop file switches off";
        field(
            page,
            "LIFTED",
            text![Safe::line(pattern), why].ink(Ink::Bad),
        );
    }
}
