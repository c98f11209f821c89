//! The keys of a loop file: what the parser takes and what the published schema says.
//!
//! **Invariant:** each key that stands here is read in `build`, where it gets its meaning and its default.

use super::cadence::CADENCE;
use super::command::COMMANDS;
use super::rules::{
    ATTEMPTS, BASE, BEAT_FUEL, BEATS, CALENDAR, COST, COST_MODE, DAY_FUEL, DEADLINE, DIGEST, LABEL,
    LEVEL, LIFT, LOOP_ID, MEMORY, MONEY, NO_PROGRESS_AFTER, NO_PROGRESS_SLOWEST, NOOP_HOLDS,
    NOTIFY_TO, PLUGIN, POINTER, PROPOSALS, STEP_FUEL, STEP_ID, TIMEZONE, TOKENS, TRIGGER,
};
use super::target::TARGET;
use crate::manifest::GLOB;
use crate::toml_doc::{Key, Kind, Table};

pub(super) static LOOP: Table = Table {
    title: "the loop file",
    later: &[
        ("network", "no step has network access"),
        ("regulator", "the operator sets `level`"),
    ],
    keys: &[
        Key::required(
            "loop",
            Kind::Text(&LOOP_ID),
            "the name of the loop; it names the branches and the state directory",
        ),
        Key::optional(
            "level",
            Kind::Choice(&LEVEL),
            "how far the loop goes by itself: L1 records a patch, L2 proposes a commit on a branch of its own, L3 commits to the target branch; L1 unless written",
        ),
        Key::optional(
            "base",
            Kind::Choice(&BASE),
            "what a beat works on: the current commit, or the working tree with its uncommitted edits; head unless written",
        ),
        Key::optional("cadence", Kind::One(&CADENCE), "how often the loop beats"),
        Key::optional("paths", Kind::One(&PATHS), "what steps may touch"),
        Key::required(
            "sensor",
            Kind::Many(&SENSOR),
            "a step that looks at the repository and lists what could be worked on",
        ),
        Key::required(
            "decider",
            Kind::One(&DECIDER),
            "the step that picks at most one thing to do",
        ),
        Key::required(
            "executor",
            Kind::Many(&EXECUTOR),
            "a step that changes files in the workspace",
        ),
        Key::required(
            "gate",
            Kind::Many(&GATE),
            "a step that judges the change; every gate must pass it",
        ),
        COMMANDS,
        Key::optional("budget", Kind::One(&BUDGET), "what the loop may use"),
        Key::optional(
            "escalate",
            Kind::One(&ESCALATE),
            "what a person has to look at",
        ),
        Key::optional(
            "target",
            Kind::Text(&TARGET),
            "the branch that level L3 commits to; the one that is checked out unless written",
        ),
        Key::optional(
            "notify",
            Kind::One(&NOTIFY),
            "whom people's messages go to; nobody unless written",
        ),
        Key::optional(
            "calendar",
            Kind::Text(&CALENDAR),
            "a file of times in which the loop is frozen: a path from the top of the repository, or config:NAME for one beside the operator's config.toml",
        ),
        Key::optional(
            "guards",
            Kind::One(&GUARDS),
            "how a loop that gets nowhere is slowed down",
        ),
    ],
};

static PATHS: Table = Table {
    title: "[paths]",
    later: &[],
    keys: &[
        Key::optional(
            "read",
            Kind::List(&GLOB),
            "globs of what steps may read; everything unless written",
        ),
        Key::optional(
            "write",
            Kind::List(&GLOB),
            "globs of what executors may write; nothing unless written",
        ),
        Key::optional(
            "deny",
            Kind::List(&GLOB),
            "globs of what no step may touch; deny wins over every other list",
        ),
        Key::optional(
            "lift",
            Kind::List(&LIFT),
            "default denials that this loop does without, spelled as `ringfence check` shows them",
        ),
    ],
};

static SENSOR: Table = step("[[sensor]]");
static DECIDER: Table = Table {
    title: "[decider]",
    keys: &DECIDER_KEYS,
    later: STEP_LATER,
};
static EXECUTOR: Table = step("[[executor]]");
pub(super) static GATE: Table = step("[[gate]]");

const fn step(title: &'static str) -> Table {
    Table {
        title,
        keys: &STEP_KEYS,
        later: STEP_LATER,
    }
}

const STEP_LATER: &[(&str, &str)] = &[
    ("command", "only components can be steps: name a `plugin`"),
    ("network", "no step has network access"),
];

static DECIDER_KEYS: [Key; 6] = {
    let [id, plugin, config, limits, paths] = STEP_KEYS;
    let cost = Key::optional(
        "cost",
        Kind::Either(&COST, &COST_REPORT),
        "where its answer says what it cost, or \"free\"; only fuel counts unless written",
    );
    [id, plugin, config, limits, paths, cost]
};

const STEP_KEYS: [Key; 5] = [
    Key::optional(
        "id",
        Kind::Text(&STEP_ID),
        "the step's name, unique among the steps of its role; the plugin's name unless written",
    ),
    Key::required(
        "plugin",
        Kind::Text(&PLUGIN),
        "the component: \"std:name\", or \"./path.wasm\" from the root of the workspace",
    ),
    Key::optional(
        "config",
        Kind::Json,
        "the plugin's config, checked by the plugin's own schema",
    ),
    Key::optional(
        "limits",
        Kind::One(&LIMITS),
        "what one call of the step may use",
    ),
    Key::optional(
        "paths",
        Kind::One(&STEP_PATHS),
        "path lists that narrow the loop's for this step",
    ),
];

static LIMITS: Table = Table {
    title: "a step's `limits`",
    later: &[],
    keys: &[
        Key::optional(
            "fuel",
            Kind::Amount(&STEP_FUEL),
            "instructions, host calls included; 10G is about a second of one core and what a step gets unless written",
        ),
        Key::optional(
            "memory",
            Kind::Amount(&MEMORY),
            "linear memory; 64MiB unless written",
        ),
        Key::optional(
            "deadline",
            Kind::Amount(&DEADLINE),
            "time on the wall clock; 10s unless written",
        ),
    ],
};

static STEP_PATHS: Table = Table {
    title: "a step's `paths`",
    later: &[],
    keys: &[
        Key::optional(
            "read",
            Kind::List(&GLOB),
            "globs of what the step may read at most",
        ),
        Key::optional(
            "write",
            Kind::List(&GLOB),
            "globs of what the executor may write at most",
        ),
        Key::optional(
            "deny",
            Kind::List(&GLOB),
            "globs of what the step may not touch",
        ),
    ],
};

static BUDGET: Table = Table {
    title: "[budget]",
    later: &[],
    keys: &[
        Key::optional(
            "fuel_per_beat",
            Kind::Amount(&BEAT_FUEL),
            "all steps of one beat together; 50G unless written",
        ),
        Key::optional(
            "fuel_per_day",
            Kind::Amount(&DAY_FUEL),
            "all beats of one day together; 2T unless written",
        ),
        Key::optional(
            "beats_per_day",
            Kind::Amount(&BEATS),
            "beats that get as far as deciding, per day; 200 unless written",
        ),
        Key::optional(
            "proposals_per_day",
            Kind::Amount(&PROPOSALS),
            "changes that are proposed or committed, per day; as many as there are beats unless written",
        ),
        Key::optional(
            "tokens_per_beat",
            Kind::Amount(&TOKENS),
            "tokens that the decider may use in one beat; a tenth of the day's unless written",
        ),
        Key::optional(
            "tokens_per_day",
            Kind::Amount(&TOKENS),
            "tokens that the decider may use per day; needs the decider's `cost`",
        ),
        Key::optional(
            "money_per_beat",
            Kind::Amount(&MONEY),
            "money that the decider may cost in one beat; a tenth of the day's unless written",
        ),
        Key::optional(
            "money_per_day",
            Kind::Amount(&MONEY),
            "money that the decider may cost per day; needs the decider's `cost`",
        ),
        Key::optional(
            "attempts_per_item",
            Kind::Amount(&ATTEMPTS),
            "failed attempts at one item before a person is asked; 2 unless written",
        ),
        Key::optional(
            "timezone",
            Kind::Text(&TIMEZONE),
            "the time zone whose days count, by its IANA name; UTC unless written",
        ),
    ],
};

static COST_REPORT: Table = Table {
    title: "the decider's `cost`",
    later: &[],
    keys: &[
        Key::optional(
            "tokens",
            Kind::Text(&POINTER),
            "JSON Pointer to the tokens in the decider's answer",
        ),
        Key::optional(
            "money",
            Kind::Text(&POINTER),
            "JSON Pointer to the money in the decider's answer",
        ),
        Key::optional(
            "mode",
            Kind::Choice(&COST_MODE),
            "what several numbers mean: each the total so far, or each to be added; total unless written",
        ),
    ],
};

static GUARDS: Table = Table {
    title: "[guards]",
    later: &[],
    keys: &[
        Key::optional(
            "noop_holds",
            Kind::Amount(&NOOP_HOLDS),
            "how long a «nothing to do» is believed while nothing changes; 6h unless written",
        ),
        Key::optional(
            "no_progress_after",
            Kind::Whole(&NO_PROGRESS_AFTER),
            "moves in a row that got the loop no further before it becomes slower; 3 unless written",
        ),
        Key::optional(
            "no_progress_slowest",
            Kind::Whole(&NO_PROGRESS_SLOWEST),
            "how many times slower it becomes at most; 30 unless written",
        ),
    ],
};

static ESCALATE: Table = Table {
    title: "[escalate]",
    later: &[],
    keys: &[
        Key::optional(
            "paths",
            Kind::List(&GLOB),
            "globs: a change that touches one of these waits until a person has approved it",
        ),
        Key::optional(
            "labels",
            Kind::List(&LABEL),
            "an item with one of these labels is for a person",
        ),
        Key::optional(
            "on",
            Kind::List(&TRIGGER),
            "what else people are asked or told about: ambiguity, repeated-failure, budget, gate-uncertainty; the first three unless written",
        ),
    ],
};

static NOTIFY: Table = Table {
    title: "[notify]",
    later: &[],
    keys: &[
        Key::required(
            "to",
            Kind::Text(&NOTIFY_TO),
            "the name of a command in the operator's config.toml, which gets each message on its standard input",
        ),
        Key::optional(
            "digest",
            Kind::Amount(&DIGEST),
            "at most one message in this time, in which the others are collected; 5m unless written",
        ),
    ],
};
