//! What keeps a beat from running, and what happens when nobody reads.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use ringfence_sandbox::Compiler;

use super::rig::Rig;
use crate::exit::Exit;
use crate::{Stream, World};

#[test]
fn two_beats_at_once() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let lock = std::fs::File::options()
        .write(true)
        .open(rig.top().join(".git/ringfence-state/docs-links/lock"))
        .unwrap();
    lock.lock().unwrap();
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    --- stderr
    error: another beat of this loop is running (it has not said which process it
      is)
    help: wait until it has ended, or end it
    --- exit 4
    ");
}

#[test]
fn a_used_up_budget() {
    let rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "beats_per_day     = 200",
        "beats_per_day     = 1",
    );
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: waiting
      until 2026-01-03T00:00:00Z: beats_per_day: 1 of 1 used, free again at
        2026-01-03T00:00:00Z
    --- exit 5
    ");
    insta::assert_snapshot!(rig.run(&["status"]).shown(), @"
    loop docs-links (LOOP.md)
      level     L2
      mode      run
      next      waits until 2026-01-03T00:00:00Z (in 20 h): beats_per_day: 1 of 1
                used, free again at 2026-01-03T00:00:00Z
      due       2026-01-03T00:00:00Z (in 20 h): the last beat has to wait so long;
                every 15m
      drills    none was run

    today (UTC)
      fuel_per_day  [#-------------------]  0 %  [n] of [n]
      beats_per_day  [####################]  100 %  1 of 1

    1 thing for a person
      budget  just now  beats_per_day: 1 of 1 used, free again at
                        2026-01-03T00:00:00Z

    last beats
      beat  when         fuel   how it ended
      2     just now     0      waiting: until 2026-01-03T00:00:00Z: beats_per_day:
                                1 of 1 used, free again at 2026-01-03T00:00:00Z
      1  just now  [n]  proposed: ringfence/docs-links/1

    open proposals (to look: git diff HEAD...BRANCH)
      beat  branch or patch         for
      1  ringfence/docs-links/1  broken-link-[hex]
    --- exit 0
    ");
}

#[test]
fn a_cache_that_cannot_be_used_costs_time_only() {
    let mut rig = Rig::with_loop();
    rig.edit(
        "LOOP.md",
        "beats_per_day     = 200",
        "beats_per_day     = 1",
    );
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    rig.cache_dir = rig.top().join("LOOP.md");
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r"
    docs-links beat 2: waiting
      until 2026-01-03T00:00:00Z: beats_per_day: 1 of 1 used, free again at
        2026-01-03T00:00:00Z
    --- stderr
    warning: failed to use the compile cache [project]/LOOP.md: File exists
      (os error 17); plugins are compiled anew
    --- exit 5
    ");
}

#[test]
fn odd_repositories() {
    let rig = Rig::folder();
    rig.git(&["init", "-q", "--bare", "bare"]);
    insta::assert_snapshot!(rig.run_in(&rig.top().join("bare"), &["check"]).shown(), @r"
    --- stderr
    error: [project]/bare is a git repository without working files: start in
      a working tree
    --- exit 2
    ");
    insta::assert_snapshot!(rig.run(&["-C", "nowhere", "check"]).shown(), @r"
    --- stderr
    error: [project]/nowhere cannot be read: No such file or directory (os
      error 2)
    --- exit 2
    ");
}

#[test]
fn a_repository_without_a_commit() {
    let rig = Rig::folder();
    rig.git(&["init", "-q"]);
    rig.write("a.md", "[b](b.md)\n");
    assert_eq!(rig.run(&["init"]).exit, Exit::Done);
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @r#"
    --- stderr
    error: the repository [project] has no commit yet
    help: commit something first, or work on the files as they are: `base =
          "worktree"` in the loop file
    --- exit 2
    "#);
}

#[test]
fn a_state_directory_that_cannot_be_written() {
    let rig = Rig::with_loop();
    assert_eq!(rig.run(&["beat"]).exit, Exit::Done);
    let state = rig.top().join(".git/ringfence-state");
    let mode =
        |mode| std::fs::set_permissions(&state, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    insta::assert_snapshot!(rig.run(&["beat"]).shown(), @"
    --- stderr
    error: the state directory [project]/.git/ringfence-state cannot be
      written
    help: give yourself the right to write there: beats keep their journal in it
    --- exit 8
    ");
    assert_eq!(rig.run(&["status"]).exit, Exit::Done);
    mode(0o700);
}

#[test]
fn a_machine_without_git() {
    let rig = Rig::with_loop();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = crate::run(World {
        args: ["ringfence", "status"].map(Into::into).to_vec(),
        dir: rig.top(),
        search_path: "/nonexistent".into(),
        index_file: None,
        cache_dir: None,
        config_dir: None,
        user: "ann".to_owned(),
        compiler: Compiler::InProcess,
        no_color: false,
        out: Stream {
            to: &mut out,
            is_terminal: false,
        },
        err: Stream {
            to: &mut err,
            is_terminal: false,
        },
        clock: &rig.clock,
        program_streams: World::own_streams(),
        may_be_confined: false,
    });
    let err = String::from_utf8(err).unwrap();
    assert_eq!(
        (exit, err.as_str()),
        (
            Exit::Host,
            "error: the git program was not found\nhelp: install git, or add its folder to PATH by its absolute path\n"
        )
    );
}

struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_stdout_is_no_error_and_a_full_one_is() {
    let rig = Rig::folder();
    for (kind, expect) in [
        (io::ErrorKind::BrokenPipe, Exit::Done),
        (io::ErrorKind::StorageFull, Exit::Host),
    ] {
        let (mut out, mut err) = (Closed(kind), Closed(io::ErrorKind::BrokenPipe));
        let exit = crate::run(World {
            args: ["ringfence", "plugin", "list"].map(Into::into).to_vec(),
            dir: rig.top(),
            search_path: "".into(),
            index_file: None,
            cache_dir: None,
            config_dir: None,
            user: "ann".to_owned(),
            compiler: Compiler::InProcess,
            no_color: false,
            out: Stream {
                to: &mut out,
                is_terminal: true,
            },
            err: Stream {
                to: &mut err,
                is_terminal: true,
            },
            clock: &rig.clock,
            program_streams: World::own_streams(),
            may_be_confined: false,
        });
        assert_eq!(exit, expect);
    }
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let rig = Rig::folder();
    for (args, is_terminal, no_color, expect) in [
        (vec!["plugin", "list"], true, false, true),
        (vec!["plugin", "list"], false, false, false),
        (vec!["plugin", "list"], true, true, false),
        (vec!["plugin", "list", "--color=never"], true, false, false),
        (vec!["plugin", "list", "--color=always"], false, true, true),
        (
            vec!["plugin", "list", "--color=always", "--format=json"],
            true,
            false,
            false,
        ),
    ] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = crate::run(World {
            args: std::iter::once("ringfence")
                .chain(args.iter().copied())
                .map(Into::into)
                .collect(),
            dir: rig.top(),
            search_path: "".into(),
            index_file: None,
            cache_dir: None,
            config_dir: None,
            user: "ann".to_owned(),
            compiler: Compiler::InProcess,
            no_color,
            out: Stream {
                to: &mut out,
                is_terminal,
            },
            err: Stream {
                to: &mut err,
                is_terminal,
            },
            clock: &rig.clock,
            program_streams: World::own_streams(),
            may_be_confined: false,
        });
        assert_eq!(
            (exit, out.contains(&0x1b)),
            (Exit::Done, expect),
            "{args:?}"
        );
    }
}
