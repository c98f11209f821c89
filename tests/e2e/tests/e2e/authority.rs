//! Drills of a loop whose gates do not look, and how far a loop comes that has shown nothing.

use crate::rig::Rig;

/// A loop whose only gate is the puppet, told to say this.
fn with_gate(says: &str) -> Rig {
    let loop_file = format!(
        r#"+++
loop = "blind"
level = "L3"

[paths]
write = ["**/*.md"]
deny = ["secret/**"]

[budget]
fuel_per_beat = "50G"
fuel_per_day = "2T"
beats_per_day = 200

[[sensor]]
plugin = "std:md-links"

[decider]
plugin = "std:first-fixable"

[[executor]]
plugin = "std:md-link-fix"

[[gate]]
plugin = "./puppet.wasm"
config = {{ {says} }}
+++

Blind.
"#
    );
    Rig::with_guests(&loop_file, &["puppet"])
}

#[test]
fn a_gate_that_vouches_for_everything_is_found_out() {
    for (says, code, line) in [
        (
            r#"verdict = { ruling = "pass" }"#,
            1,
            "it vouches for everything",
        ),
        (
            r#"verdict = { ruling = "abstain" }"#,
            1,
            "nothing is known that it has to refuse",
        ),
        (r#"verdict = { ruling = "fail" }"#, 1, "fail:"),
        (
            r#"panic = "x""#,
            1,
            "nothing is known that it has to refuse",
        ),
    ] {
        let rig = with_gate(says);
        let ran = rig.run(&["drill", "--only", "other-gate"]);
        let words: Vec<_> = ran.out.split_whitespace().collect();
        assert_eq!(ran.code, code, "{says}: {}{}", ran.out, ran.err);
        assert!(words.join(" ").contains(line), "{says}: {}", ran.out);
    }
}

#[test]
fn a_blind_loop_gets_nowhere_but_on_record() {
    let rig = with_gate(r#"verdict = { ruling = "pass" }"#);
    let drilled = rig.run(&["drill", "--format", "json"]);
    assert_eq!(drilled.code, 1, "{}", drilled.err);
    assert_eq!(drilled.json()["passed"], false);
    let ran = rig.run(&["promote"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for rule in ["drills", "size-guard", "accepted", "clean-moves"] {
        let refused = ran
            .out
            .lines()
            .any(|line| line.contains(rule) && line.contains("no: "));
        assert!(refused, "{rule}: {}", ran.out);
    }
    let args = [
        "promote",
        "--reason",
        "to see",
        "--override",
        "--format",
        "json",
    ];
    let json = rig.run(&args).json();
    assert_eq!(json["promoted"], true);
    assert_eq!(json["passed_over"].as_array().map(Vec::len), Some(4));
    assert_eq!(rig.run(&["doctor"]).code, 1);
    assert_eq!(rig.run(&["demote"]).code, 0);
}
