//! Whole files in, a loop file and a report out.

use proptest::prelude::*;

use super::*;
use crate::spec;

/// The files of a folder of fixtures.
macro_rules! fixture {
    ($folder:literal: $($name:literal),* $(,)?) => {
        [$(Source { name: $name, text: include_str!(concat!("fixtures/", $folder, "/", $name)) }),*]
    };
}

fn imported(sources: &[Source], wanted: Option<&str>) -> Import {
    let wanted = wanted.map(|name| LoopId::new(name).unwrap());
    let found = import(sources, wanted.as_ref()).unwrap();
    assert_reads(&found.text);
    found
}

fn assert_reads(text: &str) {
    if let Err(problems) = spec::parse(text, "LOOP.md") {
        panic!("{problems:#?}\n{text}");
    }
}

fn shown(found: &Import) -> String {
    let mut out = found.text.clone();
    for note in &found.notes {
        let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
        out += &format!(
            "{:?} {}{line} [{}] {}\n",
            note.kind, note.file, note.what, note.says
        );
    }
    if !found.other_loops.is_empty() {
        out += &format!("others: {}\n", found.other_loops.join(", "));
    }
    for history in &found.history {
        out += &format!("{}\n", serde_json::to_string(history).unwrap());
    }
    out
}

#[test]
fn a_table_a_budget_a_gate_and_a_history() {
    let sources = fixture!("sweeper": "LOOP.md", "loop-budget.md", "gate.yaml", "loop-ledger.json", "loop-run-log.md");
    insta::assert_snapshot!(shown(&imported(&sources, None)));
}

#[test]
fn sections_of_a_specification() {
    insta::assert_snapshot!(shown(&imported(&fixture!("spec": "LOOP_SPEC.md"), None)));
    insta::assert_snapshot!(shown(&imported(&fixture!("scoped": "LOOP_SPEC.md"), None)));
}

#[test]
fn one_of_several_loops() {
    let sources = fixture!("many": "LOOP.md", "loop-constraints.md", "loop-budget.md");
    insta::assert_snapshot!(shown(&imported(&sources, None)));
    insta::assert_snapshot!(shown(&imported(&sources, Some("dependency-sweeper"))));
    let unknown = LoopId::new("other").unwrap();
    let error = import(&sources, Some(&unknown)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no file tells of a loop other; there is daily-triage, pr-babysitter, dependency-sweeper"
    );
}

#[test]
fn a_title_that_says_loops_has_sections_below_it_too() {
    let loops = "# Loops\n\n| Pattern | Cadence | Status |\n|---|---|---|\n| PR Babysitter | 15m | L2 |\n\n\
                 ## Overview\n\nText.\n\n## Docs Sweep\n\n- Cadence: 1d\n\n### Steps\n\n- read\n\n\
                 ## Limits\n\n- max files: 5\n- max runs per day: 20\n- colour: red\n";
    let sources = [
        Source {
            name: "LOOP.md",
            text: loops,
        },
        Source {
            name: "gate.yaml",
            text: "denylist: [a]\nmaxFiles: 7\n",
        },
    ];
    let found = imported(&sources, None);
    assert_eq!(found.loop_id.as_str(), "pr-babysitter");
    assert_eq!(found.other_loops, ["docs-sweep"]);
    assert!(found.text.contains("max_files = 5"), "{}", found.text);
    assert!(found.text.contains("beats_per_day     = 20"));
    for (what, says) in [
        ("7", "stricter, and taken: max_files = 5"),
        ("colour", "no key of the loop file says this"),
    ] {
        let note = found.notes.iter().find(|note| note.what == what);
        assert_eq!(note.map(|note| note.says.as_str()), Some(says), "{what}");
    }
}

#[test]
fn what_is_for_people_counts_with_and_without_backticks() {
    let text = "# Loop: a\n\n## Human Gates\n\n- `auth/**`\n- changes to billing/**\n- LICENSE\n- Deployment\n\
                - merging and/or publishing\n";
    let found = imported(&one("LOOP.md", text), None);
    let (spec, _) = spec::parse(&found.text, "LOOP.md").unwrap();
    assert_eq!(spec.escalate.paths, ["auth/**", "billing/**", "LICENSE"]);
    let says = |what: &str| -> Vec<&str> {
        let notes = found.notes.iter().filter(|note| note.what == what);
        notes.map(|note| note.says.as_str()).collect()
    };
    assert_eq!(says("Deployment"), ["the prose; words decide nothing"]);
    assert_eq!(
        says("LICENSE"),
        [
            "the prose, besides what of it is enforced",
            "escalate.paths: \"LICENSE\""
        ]
    );
}

#[test]
fn a_gate_that_is_weaker_than_it_looks() {
    let sources = fixture!("platform": "gate.yaml", "loop-ledger.json");
    insta::assert_snapshot!(shown(&imported(&sources, Some("freshness"))));
}

#[test]
fn a_gate_that_is_no_yaml_still_denies() {
    insta::assert_snapshot!(shown(&imported(&fixture!("bare": "gate.yaml"), None)));
}

fn one<'t>(name: &'t str, text: &'t str) -> [Source<'t>; 1] {
    [Source { name, text }]
}

#[test]
fn nothing_to_read() {
    for sources in [
        &[][..],
        &one("README.md", "# Goal\n"),
        &one("LOOP.md", "+++\nloop = \"a\"\n+++\n"),
        &one("gate.yaml", &"#".repeat(TREE_BYTES_MAX + 1)),
        &one("LOOP.md", &"x".repeat(IMPORT_BYTES_MAX + 1)),
    ] {
        assert_eq!(import(sources, None), Err(ImportError::Nothing));
    }
}

#[test]
fn foreign_text_stays_where_it_is_put() {
    let gate = "denylist:\n  - \"a\\\"]\\n[x]\"\n  - \"x\\n+++\\n\"\n  - 'q\"] #'\n  - \"..\"\n  - \"../../etc/passwd\"\n  - \".git/**\"\n  - \"\u{202e}txt\"\nautoMergeAllowlist: [\"/etc/**\", \"a/../../b\", \"w\\\"x\"]\n";
    let spec = "# Loop: +++ \u{1b}[31m \"\"\"\n\n## Goal\nOne\n+++\nlevel = \"L3\"\n\n## Human Gates\n- +++\n- `\"]`\n\n## Labels\n- a\"b, \u{7}\n";
    let sources = [
        Source {
            name: "LOOP_SPEC.md",
            text: spec,
        },
        Source {
            name: "gate.yaml",
            text: gate,
        },
        Source {
            name: "x\n+++\n/loop-run-log.md",
            text: "",
        },
    ];
    let found = imported(&sources, None);
    assert_eq!(
        found.text.lines().filter(|line| *line == "+++").count(),
        2,
        "{}",
        found.text
    );
    let (spec, _) = spec::parse(&found.text, "LOOP.md").unwrap();
    assert_eq!(spec.level.to_string(), "L1");
    assert!(!found.text.chars().any(|c| c.is_control() && c != '\n'));
    assert!(
        spec.paths
            .write
            .iter()
            .all(|path| !path.contains("..") && !path.starts_with('/'))
    );
    assert!(spec.paths.deny.contains(&".git/**".to_owned()));
    let lost = found
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::FillIn);
    assert!(
        lost.filter(|note| note.file == "gate.yaml").count() >= 3,
        "{:#?}",
        found.notes
    );
}

#[test]
fn much_of_everything_is_bounded() {
    let patterns: String = (0..9_000).map(|n| format!("  - \"d{n}/**\"\n")).collect();
    let gate = format!("denylist:\n{patterns}");
    let rows: String = (0..9_000)
        .map(|n| format!("| loop {n} | 1d | L1 |\n"))
        .collect();
    let loops = format!("| Loop | Cadence | Status |\n|---|---|---|\n{rows}");
    let runs: String = (0..9_000)
        .map(|n| format!("{{\"run_id\":\"{n}\",\"pattern\":\"p{n}\",\"duration_s\":1,\"items_found\":1,\"actions_taken\":1,\"escalations\":0,\"tokens_estimate\":1,\"outcome\":\"o{n}\"}}\n"))
        .collect();
    let found = imported(
        &[
            Source {
                name: "gate.yaml",
                text: &gate,
            },
            Source {
                name: "LOOP.md",
                text: &loops,
            },
            Source {
                name: "loop-run-log.jsonl",
                text: &runs,
            },
        ],
        None,
    );
    assert!(found.notes.len() <= NOTES_MAX);
    assert!(found.text.len() < spec::LOOP_FILE_BYTES_MAX);
    assert!(
        found
            .history
            .iter()
            .all(|history| history.outcomes.len() <= 20)
    );
    // One line can hold as much, and braces stand for several.
    let one_line: String = (0..900).map(|n| format!("`{{a/{n},b/{n}}}/x`,")).collect();
    let spec = format!(
        "## Denied Paths\n- {one_line}\n## {}\n",
        "[".repeat(100_000)
    );
    let full = imported(&one("LOOP_SPEC.md", &spec), None);
    assert!(
        full.notes
            .iter()
            .any(|note| note.kind == NoteKind::FillIn && note.says.contains("250 patterns"))
    );
    // Brackets that never close, in every piece.
    imported(
        &one(
            "LOOP.md",
            &format!("- {}: x\n", "[".repeat(3_900)).repeat(1_000),
        ),
        None,
    );
    // What does not fit into the list is not lost without a word.
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.kind == NoteKind::FillIn && note.says.contains("250 patterns"))
    );
}

/// Lines as these files have them, with what a stranger may put into them.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(# |## |### )(Loop: |Goal|Active Loops|Allowed Paths|Human Gates|Limits|Denylist|Labels)\\PC{0,12}",
        "- (Cadence|Max files|Max attempts|Level|Allowed|Denied|Timezone|Max tokens/day|Max cost/run): ?[0-9a-zA-Z`$*./,{}\"+ -]{0,20}",
        "\\|[a-zA-Z/ $0-9`]{0,10}\\|[-0-9kML.$ ]{0,10}\\|[-: L123]{0,8}\\|?",
        "\\| ?Loop ?\\| ?Cadence ?\\| ?Status ?\\|",
        "\\|---\\|---\\|---\\|",
        "(denylist|maxFiles|autoMergeAllowlist|paths|allow|escalate): ?[\\[\\]&*a-z0-9\"{}]{0,8}",
        " {0,4}- ['\"]?[a-z.*/!{},\\[\\]\\\\+#]{0,16}['\"]?",
        "\\{\"(run_id|goal|attempts)\":[\\PC]{0,20}\\}?",
        "(\\+\\+\\+|---|```|<!--|\\{|\\})",
        "\\PC{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_is_read_a_loop_file_comes_out(
        texts in prop::collection::vec((0..FILE_NAMES.len(), prop::collection::vec(line(), 0..14)), 1..4),
        wanted in prop::option::of("[a-z]{1,3}"),
    ) {
        let texts: Vec<(usize, String)> = texts.into_iter().map(|(name, lines)| (name, lines.join("\n"))).collect();
        let sources: Vec<Source> = texts.iter().map(|(name, text)| Source { name: FILE_NAMES[*name], text }).collect();
        let wanted = wanted.map(|name| LoopId::new(&name).unwrap());
        if let Ok(found) = import(&sources, wanted.as_ref()) {
            assert_reads(&found.text);
            prop_assert!(found.notes.len() <= NOTES_MAX);
        }
    }

    #[test]
    fn any_text_at_all(text: String, name in 0..FILE_NAMES.len()) {
        if let Ok(found) = import(&one(FILE_NAMES[name], &text), None) {
            assert_reads(&found.text);
        }
    }
}
