//! What the command line grants, seen through `std::fs`.

use std::fs;

use crate::rig::Rig;

fn project() -> Rig {
    Rig::with(&[
        ("notes.md", "notes"),
        ("docs/a.md", "a"),
        ("docs/x.key", "denied bytes"),
        ("src/main.rs", "main"),
        (".git/config", "[core]"),
    ])
}

/// What the guest prints, line by line.
fn lines(rig: &Rig, options: &[&str], args: &[&str]) -> Vec<String> {
    let ran = rig.run(options, args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.out.contains("denied bytes"), "{}", ran.out);
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn without_a_directory_there_is_none() {
    let rig = project();
    assert_eq!(lines(&rig, &[], &["preopens"]), [""; 0]);
    let seen = lines(&rig, &[], &["read", "notes.md", "/etc/passwd"]);
    assert!(
        seen.iter()
            .all(|line| !line.ends_with(": notes") && !line.contains("root")),
        "{seen:?}"
    );
}

#[test]
fn a_whole_directory_but_what_every_loop_denies() {
    let rig = project();
    let all = ["--dir", ".::/"];
    let names = lines(&rig, &all, &["list", "/", ".", "/docs/"]);
    assert_eq!(
        names,
        [
            "/: docs notes.md src",
            ".: docs notes.md src",
            "/docs/: a.md x.key"
        ]
    );
    let seen = lines(
        &rig,
        &all,
        &[
            "read",
            "/notes.md",
            "notes.md",
            "./docs/../notes.md",
            ".git/config",
        ],
    );
    let expect = [
        "/notes.md: notes",
        "notes.md: notes",
        "./docs/../notes.md: notes",
        ".git/config: PermissionDenied",
    ];
    assert_eq!(seen, expect);
    lines(&rig, &all, &["write", "/new", "src/main.rs"]);
    assert_eq!(
        (rig.read("new"), rig.read("src/main.rs")),
        ("written".into(), "written".into())
    );
    let lifted = ["--dir", ".::/", "--no-builtin-deny"];
    assert_eq!(
        lines(&rig, &lifted, &["read", ".git/config"]),
        [".git/config: [core]"]
    );
}

#[test]
fn lists_say_who_reads_and_writes() {
    let read = ["--dir", ".::/", "--read", "docs/**"];
    let write = ["--dir", ".::/", "--write", "docs/**"];
    let both = ["--dir", ".::/", "--read", "docs/**", "--write", "src/**"];
    for (options, reads, writes) in [
        (&read[..], &["docs/a.md"][..], &[][..]),
        (&write, &["docs/a.md"], &["docs/a.md"]),
        (&both, &["docs/a.md"], &["src/main.rs"]),
    ] {
        let rig = project();
        for path in ["notes.md", "docs/a.md", "src/main.rs"] {
            let seen = lines(&rig, options, &["read", path]);
            let refused = seen == [format!("{path}: PermissionDenied")];
            assert_eq!(refused, !reads.contains(&path), "{options:?}: {seen:?}");
            let seen = lines(&rig, options, &["write", path]);
            let refused = seen == [format!("{path}: PermissionDenied")];
            assert_eq!(refused, !writes.contains(&path), "{options:?}: {seen:?}");
            assert_eq!(
                rig.read(path) == "written",
                writes.contains(&path),
                "{path}"
            );
        }
    }
}

#[test]
fn what_is_denied_is_not_there() {
    let rig = project();
    std::os::unix::fs::symlink("x.key", rig.path("docs/link")).unwrap();
    fs::hard_link(rig.path("docs/x.key"), rig.path("docs/twin")).unwrap();
    let options = ["--dir", ".::/", "--deny", "**/*.key"];
    assert_eq!(
        lines(&rig, &options, &["list", "docs"]),
        ["docs: a.md link twin"]
    );
    let paths = [
        "docs/x.key",
        "docs/X.KEY",
        "docs/link",
        "docs/twin",
        "src/../docs/x.key",
        "docs/new.key",
    ];
    for deed in ["read", "write"] {
        let seen = lines(&rig, &options, &[&[deed], &paths[..]].concat());
        assert!(
            seen.iter().all(|line| line.ends_with(": PermissionDenied")),
            "{seen:?}"
        );
    }
    assert_eq!(rig.read("docs/x.key"), "denied bytes");
}

#[test]
fn several_directories() {
    let rig = project();
    let two = ["--dir", "docs::/in", "--dir", "src::/out"];
    assert_eq!(lines(&rig, &two, &["preopens"]), ["/in", "/out"]);
    let seen = lines(
        &rig,
        &two,
        &["read", "/in/a.md", "/out/main.rs", "/in/../out/main.rs"],
    );
    assert_eq!(seen[..2], ["/in/a.md: a", "/out/main.rs: main"]);
    assert!(!seen[2].ends_with("notes"), "{seen:?}");
    let nested = rig.run(&["--dir", ".::/", "--dir", "docs::/docs"], &["preopens"]);
    assert_eq!(nested.code, 2, "{}", nested.err);
    let missing = rig.run(&["--dir", "nothing"], &["preopens"]);
    assert_eq!(missing.code, 2, "{}", missing.err);
}

#[test]
fn a_directory_has_its_own_name_unless_it_is_given_one() {
    let rig = project();
    assert_eq!(lines(&rig, &["--dir", "docs"], &["preopens"]), ["docs"]);
    assert_eq!(
        lines(&rig, &["--dir", "docs"], &["read", "docs/a.md"]),
        ["docs/a.md: a"]
    );
    assert_eq!(
        lines(&rig, &["--dir", "."], &["read", "notes.md", "./docs/a.md"]),
        ["notes.md: notes", "./docs/a.md: a"]
    );
}

/// Globs begin at each directory, not at the one they are typed in.
#[test]
fn globs_begin_at_the_directory() {
    let rig = project();
    let options = ["--dir", "docs::/", "--deny", "*.key"];
    assert_eq!(lines(&rig, &options, &["list", "/"]), ["/: a.md"]);
    let alone = rig.run(&["--deny", "*.key"], &["preopens"]);
    assert_eq!(alone.code, 2, "{}", alone.err);
}

#[test]
fn files_are_made_as_the_umask_says() {
    use std::os::unix::fs::PermissionsExt;
    let rig = project();
    lines(&rig, &["--dir", ".::/"], &["write", "/new"]);
    fs::write(rig.path("ours"), "").unwrap();
    let mode = |path| fs::metadata(rig.path(path)).unwrap().permissions().mode();
    assert_eq!(mode("new"), mode("ours"));
}
