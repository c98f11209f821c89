//! The tree that a program sees: what is hidden in it, what becomes of what it writes, and what it reports.

use ringfence_testkit::core::relpath::RelPath;
use ringfence_testkit::core::spec::Sandboxing;
use ringfence_testkit::sandbox::native::{self, NativeError};
use ringfence_tests_sandbox::native::script;

use crate::rig::{code, confined, contents, helper, is_confined, run, text, tree};

const REPORTS: [(&str, &str); 6] = [
    ("junit", "out/junit.xml"),
    ("old", "old.xml"),
    ("denied", "secrets/report"),
    ("link", "link.xml"),
    ("pipe", "pipe.xml"),
    ("large", "large.xml"),
];

fn reports() -> Vec<(String, RelPath)> {
    let declared = REPORTS.map(|(name, path)| (name.to_owned(), RelPath::lexical(path).unwrap()));
    declared.into()
}

#[test]
fn what_is_denied_is_not_there() {
    if !is_confined() {
        return;
    }
    let seen = confined("find . | sort; cat a.txt src/b.txt");
    assert_eq!(
        text(&seen.stdout),
        ".\n./a.txt\n./old.xml\n./src\n./src/b.txt\na\nb\n"
    );
    for way in [
        "cat .env",
        "cat secrets/key",
        "ls secrets",
        "cat src/.env.local",
        "ln .env x && cat x",
        "mv secrets x && cat x/key",
        "ln -s .env x && cat x",
    ] {
        let ran = confined(&format!(
            "{way}; cp -r . /tmp/c; grep -r -e SECRET -e key /tmp/c"
        ));
        assert_ne!(ran.ended, code(0), "{way}: {}", text(&ran.stdout));
        assert_eq!(text(&ran.stdout), "", "{way}");
    }
    // It can be made anew, for as long as the run takes; what was there does not come back.
    let anew = confined("mkdir secrets && ls -A secrets && echo new > .env && rm .env && cat .env");
    assert_eq!((text(&anew.stdout).as_str(), anew.ended), ("", code(1)));
}

#[test]
fn the_tree_is_as_it_was() {
    const VANDAL: &str = "echo x > a.txt; echo x >> src/b.txt; rm old.xml; mkdir new; echo x > new/file; chmod 777 src; mv src other; ln -s / link; touch -d 2001-01-01 a.txt; echo x > .env; cat a.txt; rm -rf /tree/* /tree/.[!.]*; ls -A";
    for sandbox in [Sandboxing::Full, Sandboxing::None] {
        if sandbox == Sandboxing::Full && !is_confined() {
            continue;
        }
        let tree = tree();
        let before = contents(tree.path());
        let mut command = script(tree.path(), VANDAL);
        command.sandbox = sandbox;
        let ran = run(&command);
        assert!(
            text(&ran.stdout).starts_with("x\n"),
            "{}",
            text(&ran.stderr)
        );
        assert!(contents(tree.path()) == before, "{sandbox}");
    }
    // And the next run begins with it.
    if is_confined() {
        let tree = tree();
        run(&script(tree.path(), VANDAL));
        assert_eq!(
            text(&run(&script(tree.path(), "cat a.txt; ls /tmp")).stdout),
            "a\nhome\n"
        );
    }
}

#[test]
fn reports_are_what_the_program_wrote() {
    const WRITES: &str = "mkdir -p out secrets; echo '<testsuite/>' > out/junit.xml; echo x > secrets/report; ln -s /etc/passwd link.xml; mkfifo pipe.xml; head -c 2000000 /dev/zero > large.xml";
    for sandbox in [Sandboxing::Full, Sandboxing::None] {
        if sandbox == Sandboxing::Full && !is_confined() {
            continue;
        }
        let tree = tree();
        let mut command = script(tree.path(), WRITES);
        command.sandbox = sandbox;
        command.reports = reports();
        let ran = run(&command);
        assert_eq!(ran.ended, code(0), "{}", text(&ran.stderr));
        let junit = ("junit".to_owned(), b"<testsuite/>\n".to_vec());
        assert_eq!(ran.reports, [junit], "{sandbox}");
        let notes = ran.notes.join("\n");
        for note in [
            "the report link is left out: a link is in its place",
            "the report pipe is left out: it is no regular file",
            "the report large is left out: it is larger than",
        ] {
            assert!(notes.contains(note), "{sandbox}: {notes}");
        }
        assert!(!notes.contains("old"), "{notes}");
    }
}

/// One that was there before is not there for the program, so that whatever is there afterwards is its own.
#[test]
fn a_report_from_before_is_none() {
    const TOUCHES: &str =
        "chmod 600 old.xml; touch -c old.xml; ln old.xml twin; echo >> src/b.txt; ls";
    for sandbox in [Sandboxing::Full, Sandboxing::None] {
        if sandbox == Sandboxing::Full && !is_confined() {
            continue;
        }
        let tree = tree();
        let mut command = script(tree.path(), TOUCHES);
        command.sandbox = sandbox;
        let report = |name: &str, path| (name.to_owned(), RelPath::lexical(path).unwrap());
        command.reports = vec![report("old", "old.xml"), report("dir", "src")];
        let ran = run(&command);
        assert!(ran.reports.is_empty(), "{sandbox}: {:?}", ran.reports);
        assert_eq!(text(&ran.stdout), "a.txt\nsrc\n", "{sandbox}");
        command.argv = ["sh", "-c", "echo new > old.xml"].map(str::to_owned).into();
        let new = ("old".to_owned(), b"new\n".to_vec());
        assert_eq!(run(&command).reports, [new], "{sandbox}");
    }
}

#[test]
fn a_report_at_the_end_of_a_link_is_none() {
    if !is_confined() {
        return;
    }
    let tree = tree();
    let mut command = script(tree.path(), "ln -s /etc out; true");
    command.reports = vec![("x".to_owned(), RelPath::lexical("out/passwd").unwrap())];
    let ran = run(&command);
    assert!(ran.reports.is_empty(), "{:?}", ran.reports);
    // Also one that is written to until the very end, by somebody who stays.
    let mut command = script(
        tree.path(),
        "(setsid sh -c 'while :; do echo a >> r.xml; done' &) ; sleep 0.2",
    );
    command.reports = vec![("x".to_owned(), RelPath::lexical("r.xml").unwrap())];
    let ran = run(&command);
    assert_eq!(ran.reports.len(), 1, "{:?}", ran.notes);
}

#[test]
fn directories_of_the_system() {
    if !is_confined() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tools = std::fs::canonicalize(dir.path()).unwrap();
    std::fs::write(tools.join("tool"), "#!/bin/sh\necho tool\n").unwrap();
    let tree = tree();
    let path = tools.display();
    let text_of =
        format!("cat {path}/tool | tail -1; touch {path}/x || echo refused; ls /usr/bin/env");
    let mut command = script(tree.path(), &text_of);
    command.system = vec![tools.clone(), "/usr/bin".into()];
    assert_eq!(
        text(&run(&command).stdout),
        "echo tool\nrefused\n/usr/bin/env\n"
    );
    // In whatever order, and besides what is shown anyhow.
    std::fs::create_dir_all(tools.join("a/b")).unwrap();
    std::fs::write(tools.join("a/b/deep"), "").unwrap();
    std::fs::write(tools.join("a/file"), "").unwrap();
    let mut ordered = script(
        tree.path(),
        &format!("cd {path}/a && ls file b; ls /etc/ssl"),
    );
    ordered.system = vec![tools.join("a/b"), tools.join("a")];
    if std::path::Path::new("/etc/ssl").is_dir() {
        ordered.system.push("/etc/ssl".into());
    }
    let seen = text(&run(&ordered).stdout);
    assert!(seen.starts_with("file\n\nb:\ndeep\n"), "{seen}");
    for (system, why) in [
        (tools.join("none"), "is not there"),
        (tools.join("tool"), "is no directory"),
    ] {
        command.system = vec![system];
        match native::run(helper(), &command) {
            Err(NativeError::Directory(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
    }
    for (system, why) in [
        (tree.path().to_owned(), "one in the other"),
        (tree.path().join("src"), "one in the other"),
        (tree.path().parent().unwrap().to_owned(), "one in the other"),
    ] {
        command.system = vec![system];
        match native::run(helper(), &command) {
            Err(NativeError::Refused(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
    }
}
