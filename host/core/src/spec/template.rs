//! The files that `ringfence init` and `ringfence gate init` write: the first thing a new user sees.
//!
//! **Invariant:** each has no errors and no warnings as it stands, and needs nothing but the standard plugins.

/// A commented loop file for a loop called `loop_id`, which must be a [`LoopId`](crate::ids::LoopId).
#[must_use]
pub fn template(loop_id: &str) -> String {
    TEMPLATE.replace("@LOOP@", loop_id)
}

const TEMPLATE: &str = r#"+++
# What stands between the two lines of plus signs is enforced.
# `ringfence check` shows what each step may do with it, and runs nothing.

loop  = "@LOOP@"
level = "L2"        # L1 records a patch, L2 proposes a branch, L3 commits

# What the steps may touch: globs from the top of the repository.
# Nothing else can be read or written, and `deny` wins over both lists.
[paths]
read  = ["**"]
write = ["**/*.md"]
deny  = ["**/.env*", "**/secrets/**"]

# Sensors look, and list what could be worked on: here, broken Markdown links.
[[sensor]]
plugin = "std:md-links"

# The decider picks one of those items, or none.
[decider]
plugin = "std:first-fixable"

# Executors change files, in a copy of the repository that is theirs alone.
[[executor]]
plugin = "std:md-link-fix"

# Gates judge the change. Unless every one of them passes it, it is discarded.
[[gate]]
plugin = "std:md-links"

[[gate]]
plugin = "std:diff-size"
config = { max_files = 5, max_lines = 200 }

[[gate]]
plugin = "std:paths"
config = { allow = ["**/*.md"] }

# How often it looks; `ringfence run` keeps to it. Or cron = "0 8 * * 1-5".
[cadence]
every = "15m"

# Fuel counts the work that steps do: 10G is about a second of one core.
# A step may set limits = { fuel = "5G", memory = "64MiB", deadline = "10s" }.
[budget]
fuel_per_beat     = "50G"
fuel_per_day      = "2T"
beats_per_day     = 200
attempts_per_item = 2       # then the item is left to a person
# proposals_per_day = 10
# A decider that costs tokens or money needs limits for those, and `cost` in
# [decider]: where its answer says what it used.

# A change that touches one of these waits until a person has approved it:
# `ringfence inbox` shows what waits.
[escalate]
paths = ["**/LICENSE*", "**/SECURITY.md"]
+++

# Keep the links in our documentation working

Relative links in Markdown files lead to files and headings that exist. When one
breaks because its target moved, point it at the new place. When it is not clear
where a link should lead, leave it alone.

This text is for people, and for deciders that can read.
Nothing in it is enforced.
"#;

/// A commented gates file.
#[must_use]
pub fn gates_template() -> &'static str {
    GATES_TEMPLATE
}

const GATES_TEMPLATE: &str = r#"# The gates that `ringfence gate` asks about a change. `ringfence gate check` shows
# what each of them may read, and runs nothing.

# What gates may read: everything unless written. A gate that may not read all
# that it has to judge passes nothing.
# [paths]
# read = ["**"]

# A change passes where every gate passes it or has nothing to do with it.
[verdict]
fail_on = "error"           # or "warning", or "note"
# baseline = "ringfence-baseline.json"   # `ringfence gate baseline` writes it
# unjudged = "refused"      # unless some gate passes the change

# No credentials.
[[gate]]
plugin = "std:secrets"

# Nothing hidden from people who read what agents read.
[[gate]]
plugin = "std:injection"

# No test removed, skipped or emptied.
[[gate]]
plugin = "std:no-test-weakening"

# No Markdown link that leads nowhere.
[[gate]]
plugin = "std:md-links"

# Small enough to be reviewed. Locks count for nothing: programs write them.
[[gate]]
plugin = "std:diff-size"

[gate.config]
max_files = 100
max_lines = 5000
allow_binary = true
ignore = [
    "**/Cargo.lock", "**/package-lock.json", "**/npm-shrinkwrap.json",
    "**/yarn.lock", "**/pnpm-lock.yaml", "**/bun.lock", "**/deno.lock",
    "**/poetry.lock", "**/pdm.lock", "**/uv.lock", "**/Pipfile.lock",
    "**/go.sum", "**/Gemfile.lock", "**/composer.lock", "**/flake.lock",
]

# Comments `ringfence:allow RULE: why` count only where you say so.
# [[allow]]
# rules = ["generic-*"]
# paths = ["tests/**"]
"#;
