//! What the README shows is what happens.
//!
//! **Invariant:** its console blocks run as they stand there, one after the other, in a new repository made of the example.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ringfence_core::manifest::Manifest;

use crate::rig::{PROGRAM, Rig, environment, guest, root};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The texts of the blocks in this language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let opening = format!("```{language}\n");
    let blocks = text.split(opening.as_str()).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn its_console_blocks_show_what_happens() {
    // Compiled beforehand, so that no beat takes long enough to tell of its progress.
    let rig = Rig::example();
    rig.init();
    assert_eq!(rig.run(&["beat", "--dry-run"]).code, 0);
    rig.run(&["gate", "init"]);
    assert_eq!(rig.run(&["gate", "--all"]).code, 1);

    // trycmd runs `X.md` in the folder `X.in`; and it shows both streams as one, progress included.
    let rig = Rig::example();
    let (document, folder) = (rig.home().join("README.md"), rig.home().join("README.in"));
    // What a command prints ends with a line break; the last one of a block has none of its own to spare.
    fs::write(&document, readme().replace("\n```\n", "\n\n```\n")).unwrap();
    fs::rename(rig.top(), &folder).unwrap();
    let quiet = rig.home().join("ringfence");
    let script = format!(
        "#!/bin/sh\n\"{PROGRAM}\" \"$@\" 2>err\ncode=$?\ngrep -v '^[0-9]* s: ' err >&2\nrm err\nexit $code\n"
    );
    fs::write(&quiet, script).unwrap();
    fs::set_permissions(&quiet, fs::Permissions::from_mode(0o755)).unwrap();

    let cases = trycmd::TestCases::new();
    cases.register_bin("ringfence", quiet).case(&document);
    for (name, value) in environment(&rig.home()) {
        cases.env(name, value.to_str().unwrap());
    }
    cases.run();
    assert_eq!(blocks(&readme(), "console").len(), 2);
}

/// Commands of this workspace are run by hand and by CI; here they must exist.
#[test]
fn its_other_commands_exist() {
    let tasks = fs::read_to_string(root().join("tests/xtask/src/main.rs")).unwrap();
    let text = readme();
    let commands: Vec<_> = blocks(&text, "sh")
        .concat()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let task = command.strip_prefix("cargo xtask ").unwrap();
        let (first, rest) = task.split_at(1);
        let task = first.to_uppercase() + rest.split_whitespace().next().unwrap();
        let starts = |line: &str| {
            line.trim_start().starts_with(&format!("{task} {{"))
                || line.trim() == format!("{task},")
        };
        assert!(tasks.lines().any(starts), "no task {task}");
    }
    assert!(root().join("host/cli/Cargo.toml").is_file());
}

/// The gate as `build.rs` found it in the README.
mod gate {
    include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));

    fn judged(path: &str, text: &str) -> Vec<Finding> {
        let change = Change::test(vec![TestFile::added(path, text)]);
        no_todos(&Context::test(json!({})), &change).unwrap()
    }

    #[test]
    fn it_compiles_and_does_what_its_name_says() {
        assert_eq!(judged("src/a.rs", "fn a() {}\n"), []);
        let found = judged("src/a.rs", "fn a() {}\n    // TODO: b\n");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].severity, found[0].locations[0].line),
            (Severity::Error, 2)
        );
    }

    #[test]
    fn its_own_repository_may_hold_it() {
        let own = include_str!(concat!(env!("OUT_DIR"), "/src/lib.rs"));
        assert_eq!(judged("src/lib.rs", own), []);
    }
}

/// The manifest beside it, as the SDK would stamp it.
#[test]
fn its_manifest_is_one() {
    let head = "name = \"a\"\nversion = \"0.1.0\"\ncontract = \"0.1.0\"\nsdk = \"0.1.0\"\n";
    let text = include_str!(concat!(env!("OUT_DIR"), "/plugin.toml"));
    let manifest = Manifest::parse(&format!("{head}{text}")).unwrap();
    assert_eq!(manifest.asks.read, ["**"]);
}

/// «Name the component in `ringfence-gates.toml` and pin it.»
#[test]
fn a_gate_of_ones_own_is_named_and_pinned_for_any_change() {
    let rig = Rig::small();
    rig.write(
        "ringfence-gates.toml",
        "[[gate]]\nplugin = \"./own.wasm\"\nconfig = { verdict = { ruling = \"pass\" } }\n",
    );
    fs::write(rig.path("own.wasm"), guest("puppet")).unwrap();
    let unpinned = rig.run(&["gate"]);
    assert_eq!(unpinned.code, 2);
    assert!(
        unpinned.err.contains("gate check --write-lock"),
        "{}",
        unpinned.err
    );
    assert_eq!(rig.run(&["gate", "check", "--write-lock"]).code, 0);
    assert_eq!(rig.run(&["gate"]).code, 0);
}

/// «Name the component in `LOOP.md` and pin it.»
#[test]
fn a_gate_of_ones_own_is_named_and_pinned() {
    let rig = Rig::small_with_loop();
    fs::write(rig.path("own.wasm"), guest("puppet")).unwrap();
    rig.edit(
        "LOOP.md",
        "[[gate]]\nplugin = \"std:md-links\"",
        "[[gate]]\nplugin = \"./own.wasm\"\nconfig = { verdict = { ruling = \"pass\" } }\n\n[[gate]]\nplugin = \"std:md-links\"",
    );
    let unpinned = rig.run(&["beat"]);
    assert_eq!(unpinned.code, 2);
    assert!(
        unpinned.err.contains("check --write-lock"),
        "{}",
        unpinned.err
    );
    assert_eq!(rig.run(&["check", "--write-lock"]).code, 0);
    assert_eq!(rig.beat(0)["outcome"]["kind"], "proposed");
}
