//! Loop files, right and wrong: what is taken, what is refused, and in which words.

use serde_json::json;

use super::*;
use crate::digest::Digest;
use crate::quantity::{Bytes, Millis};
use crate::verdict::Severity;

mod examples;
mod guards;
mod locked;

const SMALL: &str = r#"+++
loop = "docs"
[paths]
write = ["docs/**"]
[[sensor]]
plugin = "std:look"
[decider]
plugin = "std:pick"
[[executor]]
plugin = "std:fix"
[[gate]]
plugin = "std:judge"
+++
Prose.
"#;

fn render(text: &str, problems: &[Diagnostic]) -> String {
    let line = |one: &Diagnostic| {
        assert!(
            text.get(one.span.clone()).is_some(),
            "{one:?} points nowhere"
        );
        let (line, column) = line_column(text, one.span.start);
        let severity = if one.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let help = one
            .help
            .as_ref()
            .map(|help| format!("\n    help: {help}"))
            .unwrap_or_default();
        format!(
            "{line}:{column} {severity}[{}] {}{help}",
            one.code, one.message
        )
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// All that is said of a file.
#[must_use]
fn problems(text: &str) -> String {
    match parse(text, "LOOP.md") {
        Ok((_, warnings)) => render(text, &warnings),
        Err(problems) => render(text, &problems),
    }
}

/// All that is said of the small file with one part replaced.
#[must_use]
fn with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    problems(&SMALL.replacen(from, to, 1))
}

#[must_use]
fn spec(text: &str) -> Spec {
    parse(text, "LOOP.md")
        .map_err(|found| render(text, &found))
        .unwrap()
        .0
}

#[test]
fn defaults() {
    let spec = spec(SMALL);
    assert_eq!(spec.loop_id.as_str(), "docs");
    assert_eq!((spec.level, spec.base), (Level::L1, Base::Head));
    assert_eq!(spec.paths.read, ["**"]);
    assert_eq!(spec.decider.id.as_str(), "pick");
    assert_eq!(spec.decider.config, json!({}));
    assert_eq!(spec.decider.limits, Limits::default());
    assert_eq!(spec.prose, "Prose.");
    assert_eq!(spec.plugins().len(), 4);
    assert_eq!(
        spec.budget,
        Budget {
            fuel_per_beat: Fuel(50_000_000_000),
            fuel_per_day: Fuel(2_000_000_000_000),
            beats_per_day: 200,
            attempts_per_item: 2,
            timezone: "UTC".to_owned(),
            proposals_per_day: None,
            tokens: None,
            money: None,
        }
    );
}

#[test]
fn everything_written_out() {
    let text = r#"+++
loop = "docs-links"
level = "L2"
base = "worktree"
[paths]
read = ["docs/**", "*.md"]
write = ["docs/**"]
deny = ["docs/secret/**"]
lift = ["**/.vscode/**"]
[[sensor]]
id = "links"
plugin = "std:md-links"
config = { roots = ["docs"], depth = 3, ratio = 0.5, on = true }
limits = { fuel = "500M", memory = "16MiB", deadline = "2s" }
paths = { read = ["docs/**"], deny = ["docs/draft/**"] }
[decider]
plugin = "./tools/my_decider.wasm"
[[executor]]
plugin = "std:fix"
paths.write = ["docs/*.md"]
limits.memory = 1048576
[[gate]]
plugin = "std:md-links"
[[gate]]
id = "again"
plugin = "std:md-links"
[budget]
fuel_per_beat = "2G"
fuel_per_day = "200G"
beats_per_day = 96
attempts_per_item = 3
timezone = "Europe/Berlin"
[escalate]
paths = ["auth/**"]
labels = ["security"]
+++"#;
    let spec = spec(text);
    assert_eq!((spec.level, spec.base), (Level::L2, Base::Worktree));
    let sensor = spec.sensors.first().unwrap();
    assert_eq!(
        sensor.limits,
        Limits {
            fuel: Fuel(500_000_000),
            memory: Bytes(16 << 20),
            deadline: Millis(2_000)
        }
    );
    assert_eq!(
        sensor.config,
        json!({ "roots": ["docs"], "depth": 3, "ratio": 0.5, "on": true })
    );
    assert_eq!(spec.decider.id.as_str(), "my-decider");
    // What is not written stays within what is.
    assert_eq!(spec.decider.limits.fuel, Fuel(2_000_000_000));
    let executor = spec.executors.first().unwrap();
    assert_eq!(executor.limits.memory, Bytes(1 << 20));
    assert_eq!(
        executor.paths.as_ref().unwrap().write.as_deref(),
        Some(["docs/*.md".to_owned()].as_slice())
    );
    assert_eq!(
        spec.steps()
            .map(|step| step.id.as_str())
            .collect::<Vec<_>>(),
        ["links", "my-decider", "fix", "md-links", "again"]
    );
    assert_eq!(spec.budget.timezone, "Europe/Berlin");
}

#[test]
fn all_problems_at_once() {
    let text = r#"+++
loop = "Docs Links"
level = "L4"
colour = "red"

[path]
raed = ["**"]

[paths]
wirte = ["docs/**"]
deny = ["../x", "a\\b", "**/.env*", 7]
lift = [".git/**", "**/.git/**", "**/.vscode/*"]

[cadence]
every = "500ms"

[[sensor]]
plugin = "std:md-links"
limits = { fuel = "0", memory = "8GiB", deadline = 10, stack = 1 }
config = { since = 2026-11-21, ratio = nan, big = 99999999999999999999 }

[[sensor]]
plugin = "std:md-links"

[[decider]]
plugin = "oci://ghcr.io/x/y"

[[gate]]
plugin = "../gate.wasm"
paths = { write = ["**"] }
command = "make"

[budget]
beats_per_day = "5"
attempts_per_item = 0
money_per_day = 5.0
timezone = "../../etc"
+++
"#;
    insta::assert_snapshot!(problems(text), @r#"
    1:1 error[missing-key] the loop file has no [[executor]]
        help: [[executor]] is a step that changes files in the workspace
    2:8 error[bad-id] "Docs Links" is not a name of 1 to 64 lower-case letters, digits and dashes
    3:9 error[bad-value] `level` is "L1" or "L2" or "L3", not "L4"
        help: did you mean "L1"?
    4:1 error[unknown-key] the loop file has no key "colour"
        help: its keys are loop, level, base, cadence, paths, sensor, decider, executor, gate, command, budget, escalate, target, notify, calendar, guards
    6:2 error[unknown-key] the loop file has no key "path"
        help: did you mean `paths`?
    10:1 error[unknown-key] [paths] has no key "wirte"
        help: did you mean `write`?
    11:9 error[bad-glob] "../x" holds the segment "..", which no path has
    11:17 error[bad-glob] "a\\b" holds a backslash, which no path may hold
    11:37 error[wrong-type] `deny` is a list of strings, and this is an integer
    12:9 error[bad-lift] no default denial is spelled ".git/**"
    12:20 error[bad-lift] "**/.git/**" is always denied and cannot be lifted
    12:34 error[bad-lift] no default denial is spelled "**/.vscode/*"; did you mean "**/.vscode/**"?
    15:9 error[bad-cadence] `every` is less than 1s
        help: write "1s" or more
    19:19 error[bad-amount] "0" is not an amount of fuel above zero, such as "500M"
        help: write `fuel = "2G"`
    19:33 error[over-limit] `memory` is 8GiB, and the most is 4GiB
    19:52 error[bad-amount] `deadline` is a duration, not an integer
        help: write `deadline = "10s"`
    19:56 error[unknown-key] a step's `limits` has no key "stack"
        help: its keys are fuel, memory, deadline
    20:20 error[bad-value] JSON has no dates; write it as a string
    20:40 error[bad-value] JSON knows neither nan nor infinite numbers
    20:51 error[bad-value] an integer beyond 64 bits; write it as a string
    23:10 error[duplicate-id] two sensors are called "md-links"
        help: give one of them an `id` of its own
    25:1 error[wrong-type] `decider` is one table, not a list
        help: write [decider] on a line of its own, and its keys below
    29:10 error[bad-plugin] "../gate.wasm" names no plugin: write "std:name", or "./path.wasm" from the root of the workspace
    30:19 error[cannot-write] a gate cannot write: only an executor has `write`
    31:1 error[not-supported] `command` is not supported by this version
        help: only components can be steps: name a `plugin`
    34:17 error[bad-amount] `beats_per_day` is a number above zero, not a string
        help: write `beats_per_day = 200`
    35:21 error[bad-amount] 0 is not above zero, and no number means «unlimited»
        help: write `attempts_per_item = 2`
    36:17 error[bad-amount] `money_per_day` is an amount of money, as a text, not a float
        help: write `money_per_day = "5.00"`
    37:12 error[bad-timezone] "../../etc" is not a time zone such as "Europe/Berlin"
    "#);
}

#[test]
fn unknown_keys_are_met_with_a_guess() {
    insta::assert_snapshot!(with("write =", "writes ="), @r#"
    4:1 error[unknown-key] [paths] has no key "writes"
        help: did you mean `write`?
    "#);
    insta::assert_snapshot!(with("[paths]", "fuel_per_day = \"2T\"\n[paths]"), @r#"
    3:1 error[unknown-key] the loop file has no key "fuel_per_day"
        help: `fuel_per_day` belongs in [budget]
    "#);
    insta::assert_snapshot!(with("[paths]", "quite-something-else = 1\n[paths]"), @r#"
    3:1 error[unknown-key] the loop file has no key "quite-something-else"
        help: its keys are loop, level, base, cadence, paths, sensor, decider, executor, gate, command, budget, escalate, target, notify, calendar, guards
    "#);
    insta::assert_snapshot!(with("write =", "level = \"L2\"\nwrite ="), @r#"
    4:1 error[unknown-key] [paths] has no key "level"
        help: `level` belongs at the top, above the first [table]
    "#);
    insta::assert_snapshot!(with("loop = \"docs\"", "loop = \"docs\"\nlevel = \"l2\""), @r#"
    3:9 error[bad-value] `level` is "L1" or "L2" or "L3", not "l2"
        help: did you mean "L2"?
    "#);
}

#[test]
fn what_is_missing() {
    insta::assert_snapshot!(problems("+++\n+++\n"), @"
    1:1 error[missing-key] the loop file has no `loop`
        help: `loop` is the name of the loop; it names the branches and the state directory
    1:1 error[missing-key] the loop file has no [[sensor]]
        help: [[sensor]] is a step that looks at the repository and lists what could be worked on
    1:1 error[missing-key] the loop file has no [decider]
        help: [decider] is the step that picks at most one thing to do
    1:1 error[missing-key] the loop file has no [[executor]]
        help: [[executor]] is a step that changes files in the workspace
    1:1 error[missing-key] the loop file has no [[gate]]
        help: [[gate]] is a step that judges the change; every gate must pass it
    ");
    insta::assert_snapshot!(with("[[sensor]]\nplugin = \"std:look\"\n", "sensor = []\n"), @r#"
    1:1 error[missing-key] the loop file has no [[sensor]]
        help: [[sensor]] is a step that looks at the repository and lists what could be worked on
    5:1 error[unknown-key] [paths] has no key "sensor"
        help: write [[sensor]] on a line of its own
    "#);
    insta::assert_snapshot!(with("plugin = \"std:pick\"", ""), @r#"
    7:1 error[missing-key] [decider] has no `plugin`
        help: `plugin` is the component: "std:name", or "./path.wasm" from the root of the workspace
    "#);
    insta::assert_snapshot!(with("[[gate]]", "[gate]"), @"
    11:1 error[wrong-type] `gate` is a list of tables, not a table
        help: write [[gate]] on a line of its own, and its keys below
    ");
    insta::assert_snapshot!(with("[paths]\nwrite = [\"docs/**\"]\n", ""), @r#"
    1:1 warning[no-write] executors may write nothing, so every change will be refused
        help: list what they may write: `write = ["docs/**"]` in [paths]
    "#);
    insta::assert_snapshot!(with("write = [\"docs/**\"]", "write = []"), @r#"
    4:9 warning[no-write] executors may write nothing, so every change will be refused
        help: list what they may write: `write = ["docs/**"]` in [paths]
    "#);
}

#[test]
fn names_of_steps() {
    insta::assert_snapshot!(with("std:judge\"", "std:judge\"\n[[gate]]\nplugin = \"std:judge\""), @r#"
    14:10 error[duplicate-id] two gates are called "judge"
        help: give one of them an `id` of its own
    "#);
    insta::assert_snapshot!(with("std:judge\"", "std:judge\"\n[[gate]]\nplugin = \"std:other\"\nid = \"judge\""), @r#"
    15:6 error[duplicate-id] two gates are called "judge"
        help: give one of them an `id` of its own
    "#);
    insta::assert_snapshot!(with("std:fix", "./gates/Fix It.wasm"), @r#"
    10:10 error[bad-id] no step name can be made of "./gates/Fix It.wasm"
        help: give the step a name: `id = "my-step"`
    "#);
    insta::assert_snapshot!(with("std:fix\"", "std:fix\"\nid = \"none\""), @r#"
    11:6 error[bad-id] no step may be called "none": deciders say so for «nothing to do»
    "#);
    // A sensor and a gate may share one.
    assert_eq!(with("std:judge", "std:look"), "");
}

#[test]
fn budgets_that_cannot_work() {
    let budget = |lines: &str| with("+++\nProse", &format!("[budget]\n{lines}\n+++\nProse"));
    insta::assert_snapshot!(budget("fuel_per_beat = \"3T\""), @r#"
    14:17 error[budget] `fuel_per_beat` is 3T, and a whole day has 2T: no beat could start
        help: raise the day's: `fuel_per_day = "6T"`
    "#);
    insta::assert_snapshot!(budget("fuel_per_beat = \"3T\"\nfuel_per_day = \"1T\""), @r#"
    14:17 error[budget] `fuel_per_beat` is 3T, and a whole day has 1T: no beat could start
        help: raise the day's: `fuel_per_day = "6T"`
    "#);
    insta::assert_snapshot!(budget("fuel_per_beat = \"99999T\""), @"
    14:17 error[over-limit] `fuel_per_beat` is 99999T, and the most is 1000T
    ");
    insta::assert_snapshot!(with("std:fix\"", "std:fix\"\nlimits.fuel = \"51G\""), @r#"
    11:15 error[budget] the step may use 51G of fuel, and a whole beat has 50G
        help: lower it, or raise `fuel_per_beat` in [budget] to "51G" or more
    "#);
    assert_eq!(budget("fuel_per_day = \"1G\""), "");
    for refused in [
        "0",
        "-1",
        "nan",
        "1.5",
        "\"5\"",
        "inf",
        "86401",
        "99999999999999999999999999999999999999999999",
    ] {
        let said = budget(&format!("beats_per_day = {refused}"));
        assert_eq!(said.matches("error").count(), 1, "{refused}: {said}");
    }
}

#[test]
fn texts_that_are_no_loop_file() {
    insta::assert_snapshot!(problems(""), @"
    1:1 error[front-matter] the file does not begin with a line `+++`
        help: a loop file is TOML between two lines `+++`, then prose; `ringfence init` writes one
    ");
    insta::assert_snapshot!(problems("---\nloop: x\n---\n"), @"
    1:1 error[front-matter] the file does not begin with a line `+++`
        help: the settings are TOML between two lines `+++`, not YAML between `---`
    ");
    insta::assert_snapshot!(problems("# A page\n"), @"
    1:1 error[front-matter] the file does not begin with a line `+++`
        help: a loop file is TOML between two lines `+++`, then prose; `ringfence init` writes one
    ");
    insta::assert_snapshot!(problems("+++\nloop = \"x\"\n"), @"
    1:1 error[front-matter] the front matter does not end
        help: put a line `+++` between the settings and the prose
    ");
    insta::assert_snapshot!(problems("+++\nloop = \n+++\n"), @"
    2:8 error[toml] invalid TOML: string values must be quoted, expected literal string
    ");
    insta::assert_snapshot!(problems("+++\nloop = \"a\"\nloop = \"b\"\n+++\n"), @"
    3:1 error[toml] invalid TOML: duplicate key
    ");
    insta::assert_snapshot!(problems(&"x".repeat(LOOP_FILE_BYTES_MAX + 1)), @"
    1:1 error[too-long] the file has 1048577 bytes, at most 1048576 are read
    ");
}

#[test]
fn line_ends_and_byte_order_marks() {
    assert_eq!(problems(&SMALL.replace('\n', "\r\n")), "");
    assert_eq!(problems(&format!("\u{feff}{SMALL}")), "");
    let marked = format!("\u{feff}{}", SMALL.replace("write", "wrote"));
    assert!(
        problems(&marked).starts_with("4:1 error"),
        "{}",
        problems(&marked)
    );
}

#[test]
fn a_flood_of_problems_is_cut() {
    let keys: String = (0..5_000).map(|n| format!("k{n} = 1\n")).collect();
    let found = parse(
        &SMALL.replacen("[paths]", &format!("{keys}[paths]"), 1),
        "LOOP.md",
    )
    .unwrap_err();
    assert!(found.len() <= 101);
    assert!(
        found
            .last()
            .unwrap()
            .message
            .ends_with("more problems are not shown")
    );
}

#[test]
fn the_template_is_fine() {
    let text = template("docs");
    let (spec, warnings) = parse(&text, "LOOP.md")
        .map_err(|found| render(&text, &found))
        .unwrap();
    assert_eq!(render(&text, &warnings), "");
    assert_eq!((spec.loop_id.as_str(), spec.level), ("docs", Level::L2));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "fits a terminal"
    );
    assert!(
        spec.plugins()
            .iter()
            .all(|plugin| matches!(plugin, PluginRef::Std(_)))
    );
}

#[test]
fn cadences() {
    let read = |lines: &str| {
        let text = SMALL.replacen("[[sensor]]", &format!("[cadence]\n{lines}\n[[sensor]]"), 1);
        match parse(&text, "LOOP.md") {
            Ok((spec, _)) => spec.cadence.to_string(),
            Err(found) => render(&text, &found),
        }
    };
    assert_eq!(spec(SMALL).cadence.to_string(), "every 15m");
    assert_eq!(
        read("every = \"1h\"\njitter = \"30s\""),
        "every 1h, up to 30s later"
    );
    assert_eq!(
        read("cron = \"0 8 * * 1-5\"\ntimezone = \"Europe/Berlin\""),
        "cron 0 8 * * 1-5 (Europe/Berlin)"
    );
    assert_eq!(read("cron = \"@daily\""), "cron @daily (UTC)");
    insta::assert_snapshot!(read("every = \"1h\"\ncron = \"0 0 8 * * *\"\njitter = \"90m\""), @r#"
    7:8 error[bad-cron] "0 0 8 * * *" has 6 fields, and cron has five: minute, hour, day, month, weekday
    7:8 error[bad-cadence] `every` and `cron` both say when beats are due
        help: keep one of them
    8:10 error[over-limit] `jitter` is 90m, and the most is 1h
    "#);
    insta::assert_snapshot!(read("every = \"1m\"\njitter = \"2m\"\ntimezone = \"UTC\""), @r"
    7:10 error[bad-cadence] `jitter` is more than `every`
        help: write less than `every`
    8:12 error[bad-cadence] `timezone` is what `cron` speaks of, and `every` knows none
        help: remove it, or write `cron`
    ");
    insta::assert_snapshot!(read("every = \"32d\""), @r"6:9 error[over-limit] `every` is 32d, and the most is 31d");
}

/// Every key of the schema is one the parser takes, and no other is.
#[test]
fn schema_and_parser_know_the_same_keys() {
    let schema = loop_file_schema();
    let text = include_str!("tests/every_key.md");
    let taken = spec(text);
    assert_eq!(taken.loop_id.as_str(), "every-key");
    let front = text.split("+++").nth(1).unwrap();
    let value: Value = toml::from_str(front).unwrap();
    assert_eq!(crate::json_schema::check_value(&schema, &value), Ok(()));

    let mut seen = 0;
    walk(&schema, &value, &mut |properties, object| {
        seen += 1;
        assert_eq!(
            properties, object,
            "the file beside this test holds every key that the schema knows"
        );
    });
    assert!(seen >= 8, "{seen}");
}

fn walk(schema: &Value, value: &Value, visit: &mut impl FnMut(Vec<&str>, Vec<&str>)) {
    let (Some(properties), Some(object)) = (
        schema.get("properties").and_then(Value::as_object),
        value.as_object(),
    ) else {
        if let (Some(items), Some(first)) = (schema.get("items"), value.get(0)) {
            walk(items, first, visit);
        }
        return;
    };
    let sorted =
        |map: &serde_json::Map<String, Value>| -> Vec<String> { map.keys().cloned().collect() };
    let (mut known, mut used) = (sorted(properties), sorted(object));
    known.sort();
    used.sort();
    // Only executors write.
    known.retain(|key| key != "write" || used.contains(key) || properties.contains_key("lift"));
    // It is either the one or the other.
    known.retain(|key| key != "every" || !used.iter().any(|key| key == "cron"));
    visit(
        known.iter().map(String::as_str).collect(),
        used.iter().map(String::as_str).collect(),
    );
    for (name, inner) in properties {
        walk(inner, object.get(name).unwrap_or(&Value::Null), visit);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,300}") {
        drop(problems(&text));
        drop(problems(&format!("+++\n{text}\n+++\n")));
    }

    #[test]
    fn any_change_of_a_good_file_is_read_or_refused(at in 0..2_000_usize, cut in 0..40_usize, text in "[\\[\\]{}=\"'.,#+a-z0-9\\n\\-é]{0,12}") {
        let good = include_str!("tests/every_key.md");
        let mut changed: Vec<char> = good.chars().collect();
        let at = at.min(changed.len());
        let end = (at + cut).min(changed.len());
        changed.splice(at..end, text.chars());
        let changed: String = changed.into_iter().collect();
        drop(problems(&changed));
        if let Ok((spec, _)) = parse(&changed, "LOOP.md") {
            drop(spec.lock(Digest::of(b""), &locked::plugins()));
        }
    }
}

/// A loop file that may commit, changed in one place.
fn committing(from: &str, to: &str) -> String {
    let file = template("docs").replace("level = \"L2\"", "level = \"L3\"");
    assert!(file.contains(from), "{from}");
    problems(&file.replacen(from, to, 1))
}

#[test]
fn level_three_wants_its_limits_written_out() {
    let (spec, warnings) = parse(
        &template("docs").replace("level = \"L2\"", "level = \"L3\"\ntarget = \"release/1.x\""),
        "LOOP.md",
    )
    .unwrap();
    assert_eq!(
        (spec.level, spec.target.as_deref(), warnings.len()),
        (Level::L3, Some("release/1.x"), 0)
    );
    insta::assert_snapshot!(committing("deny  = [\"**/.env*\", \"**/secrets/**\"]", ""), @r#"
    6:9 error[level] level L3 commits without a person in between, and [paths] denies nothing of its own
        help: list what no step may touch: `deny = ["**/secrets/**"]` in [paths]
    "#);
    insta::assert_snapshot!(committing("deny  = [\"**/.env*\", \"**/secrets/**\"]", "deny = []"), @r#"
    6:9 error[level] level L3 commits without a person in between, and [paths] denies nothing of its own
        help: list what no step may touch: `deny = ["**/secrets/**"]` in [paths]
    "#);
    insta::assert_snapshot!(committing("fuel_per_day      = \"2T\"\nbeats_per_day     = 200\n", ""), @"
    6:9 error[level] level L3 commits without a person in between, and [budget] does not say what it may cost: no fuel_per_day, beats_per_day
        help: write them out, also where the default would do: `ringfence check` shows it
    ");
    insta::assert_snapshot!(committing("level = \"L3\"", "level = \"L3\"\nbase = \"worktree\""), @r#"
    6:9 error[level] level L3 commits without a person in between, and the base is the working tree, whose uncommitted edits it would commit
        help: work on what is committed: `base = "head"`
    "#);
}

#[test]
fn targets() {
    for name in ["main", "release/1.x", "a-b_c+d"] {
        assert_eq!(
            committing(
                "level = \"L3\"",
                &format!("level = \"L3\"\ntarget = \"{name}\"")
            ),
            "",
            "{name}"
        );
    }
    for (name, why) in [
        ("refs/heads/main", "is spelled with its folder"),
        ("ringfence/docs/1", "belongs to a loop's own branches"),
        ("HEAD", "is no branch"),
        ("-d", "is not a branch"),
        ("a..b", "is not a branch"),
        ("a//b", "is not a branch"),
        ("a/.b", "is not a branch"),
        ("a.lock", "is not a branch"),
        ("", "is not a branch"),
        ("a b", "is not a branch"),
        ("a~1", "is not a branch"),
        ("a@{1}", "is not a branch"),
    ] {
        let said = committing(
            "level = \"L3\"",
            &format!("level = \"L3\"\ntarget = \"{name}\""),
        );
        assert!(
            said.contains("error[bad-branch]") && said.contains(why),
            "{name}: {said}"
        );
    }
    insta::assert_snapshot!(with("loop = \"docs\"", "loop = \"docs\"\ntarget = \"main\""), @r#"
    3:10 warning[unused-target] only level L3 commits to a branch, so `target` does nothing here
        help: remove it, or ask for the level: `level = "L3"`
    "#);
}
