//! What `ringfence plugin new` writes compiles and passes its own tests, which run here.
//!
//! **Invariant:** the sources are those that are written, byte for byte; and what the SDK's helper for tests takes for binary is
//! what the host does.

use std::fs;

use ringfence_sdk::prelude::*;

use crate::rig::Rig;

#[path = "../../../../host/cli/src/command/plugin/new/decider/src/lib.rs"]
mod decider;
#[path = "../../../../host/cli/src/command/plugin/new/executor/src/lib.rs"]
mod executor;
#[path = "../../../../host/cli/src/command/plugin/new/gate/src/lib.rs"]
mod gate;
#[path = "../../../../host/cli/src/command/plugin/new/sensor/src/lib.rs"]
mod sensor;

/// The files that git, and so the host, takes for binary, and those that it does not.
#[test]
fn a_test_takes_for_binary_what_the_host_does() {
    let samples = [
        ("first", b"\0".to_vec()),
        ("last", [vec![b'a'; 7_999], vec![0]].concat()),
        ("beyond", [vec![b'a'; 8_000], vec![0]].concat()),
        ("latin", b"caf\xe9\n".to_vec()),
        ("text", b"text\n".to_vec()),
    ];
    let rig = Rig::small();
    rig.write(
        "ringfence-gates.toml",
        "[[gate]]\nplugin = \"std:diff-size\"\n",
    );
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).code, 0);
    rig.commit("gates");
    for (name, bytes) in &samples {
        fs::write(rig.path(name), bytes).unwrap();
    }
    let report: Value = serde_json::from_str(&rig.run(&["gate", "--format", "json"]).out).unwrap();
    let findings = report["gates"][0]["remarks"].as_array().unwrap();
    for (name, bytes) in samples {
        let change = Change::test(vec![TestFile::added(name, bytes)]);
        let by_host = findings.iter().any(|finding| {
            finding["rule"] == "binary-file" && finding["locations"][0]["path"] == name
        });
        assert_eq!(change.files()[0].binary, by_host, "{name}");
    }
}
