//! Programs that the operator lets run unconfined.

use ringfence_testkit::core::evidence::Confinement;
use ringfence_testkit::sandbox::native;

use crate::rig::{code, confined, helper, is_confined, text, unconfined};

#[test]
fn it_says_what_is_not_enforced() {
    let ran = unconfined("pwd; ls -A; ls ..");
    assert_eq!(ran.confinement, Confinement::None);
    assert!(ran.notes[0].starts_with("not confined:"), "{:?}", ran.notes);
    let said = text(&ran.stdout);
    // On a copy, without what is denied.
    assert!(
        said.ends_with("/tree\na.txt\nold.xml\nsrc\nhome\ntree\n"),
        "{said}"
    );
    let dir = said.lines().next().unwrap();
    assert!(!std::path::Path::new(dir).exists(), "the copy is left");
    assert_eq!(ran.ended, code(0));
}

#[test]
fn what_is_missing_is_named() {
    if is_confined() {
        assert!(native::probe(helper()).is_ok());
        let notes = confined("true").notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("not held by a control group")),
            "{notes:?}"
        );
    }
    // A machine that is as this sandbox is: there are no namespaces to be had.
    let Some(inner) = nested() else { return };
    assert!(
        inner.contains("no sandbox for native programs: user namespaces: "),
        "{inner}"
    );
}

/// What a supervisor says that is itself a confined program.
fn nested() -> Option<String> {
    if !is_confined() {
        return None;
    }
    let tree = crate::rig::tree();
    std::fs::copy(env!("CARGO_BIN_EXE_native-run"), tree.path().join("run")).unwrap();
    let mut command = ringfence_tests_sandbox::native::script(tree.path(), "./run full src true");
    command.limits.disk = ringfence_testkit::core::quantity::Bytes(1 << 30);
    let ran = crate::rig::run(&command);
    Some(text(&ran.stdout) + &text(&ran.stderr))
}
