//! Native programs in a loop: they run on the change before the gates do, and leave nothing but receipts.
//!
//! **Invariant:** where the machine gives no sandbox, what is tested is that the beat fails and proposes nothing.

use serde_json::{Value, json};

use crate::rig::Rig;

/// The small loop with these tables besides.
fn with(tables: &str) -> Rig {
    let rig = Rig::small();
    assert_eq!(rig.run(&["init"]).code, 0);
    let text = rig.read("LOOP.md");
    let (front, prose) = text.rsplit_once("\n+++").unwrap();
    rig.set_loop(&format!("{front}\n\n{tables}\n+++{prose}"));
    rig
}

/// True where programs can be confined; the report of a beat says so.
fn is_confined(report: &Value) -> bool {
    let message = report["outcome"]["message"].as_str().unwrap_or_default();
    let missing = message.contains("no sandbox for native programs");
    if missing {
        eprintln!("THIS MACHINE GIVES NO SANDBOX ({message}): only the refusal is tested");
        assert_eq!(report["outcome"]["kind"], "failed");
    }
    !missing
}

const CHECK: &str = r#"
[command.check]
argv = ["sh", "-c", "cat README.md > out.txt; cat LOOP.md; echo spoilt > README.md; ls -A; exit 3"]
on = "both"
reports = { links = "out.txt" }
"#;

#[test]
fn a_command_sees_the_change_and_cannot_alter_it() {
    let rig = with(CHECK);
    let ran = rig.run(&["beat", "--format", "json"]);
    let report = ran.json();
    if !is_confined(&report) {
        return;
    }
    assert_eq!(report["outcome"]["kind"], "proposed", "{report:#}");
    let commands = report["receipt"]["commands"].as_array().unwrap();
    let sides: Vec<_> = commands.iter().map(|one| &one["side"]).collect();
    assert_eq!(sides, ["before", "after"]);
    for one in commands {
        assert_eq!(one["ended"], json!({ "how": "exited", "code": 3 }));
        assert_eq!(one["confinement"], "full");
        assert_eq!(one["network"], false);
    }
    let report_of = |index: usize, name: &str| {
        let reports = commands[index]["reports"].as_array().unwrap();
        reports
            .iter()
            .find(|one| one["name"] == name)
            .unwrap()
            .clone()
    };
    // What the executor changed is what the second run saw.
    assert_ne!(
        report_of(0, "links")["digest"],
        report_of(1, "links")["digest"]
    );
    assert_ne!(commands[0]["tree"], commands[1]["tree"]);
    let branch = report["outcome"]["reference"].as_str().unwrap();
    let published = rig.git(&["show", &format!("{branch}:README.md")]);
    assert!(published.contains("docs/guide.md"), "{published}");
    let files = rig.git(&["diff", "--name-only", "HEAD", branch]);
    assert_eq!(files, "README.md");
    // The loop file is denied to everybody, and the journal can be read again.
    assert_eq!(
        report_of(0, "stderr")["size"],
        "cat: LOOP.md: No such file or directory\n".len()
    );
    let verified = rig.run(&["journal", "verify", "--format", "json"]).json();
    assert_eq!(verified["ok"], true);
}

#[test]
fn what_cannot_be_started_proposes_nothing() {
    let rig = with("[command.check]\nargv = [\"no-such-program\"]\n");
    let report = rig.run(&["beat", "--format", "json"]).json();
    assert_eq!(report["outcome"]["kind"], "failed", "{report:#}");
    if is_confined(&report) {
        let message = report["outcome"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("command check did not start: no-such-program"),
            "{message}"
        );
        assert_eq!(
            report["receipt"]["commands"][0]["ended"],
            json!({ "how": "not-started" })
        );
    }
    assert_eq!(rig.git(&["branch", "--list", "ringfence/*"]), "");
}

#[test]
fn unconfined_is_said_everywhere() {
    let rig = with("[command.check]\nargv = [\"true\"]\nsandbox = \"none\"\n");
    let checked = rig.run(&["check"]);
    assert!(checked.out.contains("UNCONFINED"), "{}", checked.out);
    let ran = rig.run(&["beat"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("UNCONFINED"), "{}", ran.out);
}
