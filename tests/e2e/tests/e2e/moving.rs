//! Coming from other tools and going on with them: files in, a loop that runs, lines out.

use serde_json::{Value, json};

use crate::rig::Rig;

const GATE: &str = "version: 1\ndenylist:\n  - \".env\"\n  - \"secrets\"\nmaxFiles: 3\nautoMergeAllowlist:\n  - \"**/*.md\"\n";
const LOOP: &str = "# Loop Configuration — Docs\n\n| Pattern | Cadence | Status |\n|---|---|---|\n| Docs Watch | 1h | L2 |\n";
const FILE: &str = "loops/docs-watch/LOOP.md";

#[test]
fn an_old_loop_becomes_one_that_proposes_and_is_logged() {
    let rig = Rig::small();
    rig.write("gate.yaml", GATE);
    rig.write("LOOP.md", LOOP);
    let found = rig.run(&["import", "--format", "json"]).json();
    assert_eq!(found["loop_id"], "docs-watch");
    assert_eq!(found["check"], json!([]));
    let weak = |one: &&Value| one["kind"] == "weak";
    assert_eq!(
        found["notes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(weak)
            .count(),
        4
    );
    // Never twice.
    let again = rig.run(&["import"]);
    assert_eq!((again.code, again.out.as_str()), (2, ""));

    assert_eq!(rig.run(&["check", "--write-lock", FILE]).code, 0);
    rig.commit("move in");
    assert_eq!(rig.run(&["beat", FILE]).code, 0);
    let denied = rig.run(&[
        "explain",
        "--step",
        "md-link-fix",
        "--file",
        FILE,
        "a/secrets/b.md",
        "--format",
        "json",
    ]);
    assert_eq!(denied.code, 0, "{}{}", denied.out, denied.err);
    assert!(denied.out.contains("**/secrets/**"), "{}", denied.out);

    let log = rig.run(&["journal", "export", "--run-log", FILE]);
    assert_eq!((log.code, log.err.as_str()), (0, ""));
    let line: Value = serde_json::from_str(log.out.trim_end()).unwrap();
    assert_eq!(line.as_object().unwrap().len(), 8);
    assert_eq!(
        (&line["pattern"], &line["outcome"]),
        (&json!("docs-watch"), &json!("fix-proposed"))
    );
    rig.write("loop-run-log.jsonl", &log.out);
    let back = rig.run(&["import", "--stdout", "--format", "json"]).json();
    assert_eq!(back["history"][0]["runs"], 1);
    assert_eq!(back["history"][0]["outcomes"], json!({ "fix-proposed": 1 }));

    let day = rig
        .run(&["estimate", "--every", "1h", "--format", "json", FILE])
        .json();
    assert_eq!(day["beats_per_day"], 24);
    assert_eq!(day["measured"]["outcomes"][0]["outcome"], "proposed");
}
