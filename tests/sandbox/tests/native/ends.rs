//! How runs end: by themselves, and at each limit.

use std::time::Instant;

use ringfence_testkit::core::evidence::{Confinement, Ended};
use ringfence_testkit::core::quantity::{Bytes, Millis};
use ringfence_testkit::core::spec::Sandboxing;
use ringfence_testkit::sandbox::native::Command;
use ringfence_tests_sandbox::native::script;

use crate::rig::{code, is_confined, run, text, tree};

/// The ways to run that this machine has.
fn ways() -> Vec<Sandboxing> {
    if is_confined() {
        vec![Sandboxing::Full, Sandboxing::None]
    } else {
        vec![Sandboxing::None]
    }
}

/// Runs `text` in each way; `with` changes the command.
#[track_caller]
fn check(text: &str, with: fn(&mut Command), expect: Ended) {
    for sandbox in ways() {
        let tree = tree();
        let mut command = script(tree.path(), text);
        command.sandbox = sandbox;
        with(&mut command);
        let begun = Instant::now();
        let ran = run(&command);
        assert_eq!(ran.ended, expect, "{sandbox}: {text}");
        assert!(ran.stdout.len() + ran.stderr.len() <= command.limits.output.0 as usize);
        let confinement = match sandbox {
            Sandboxing::Full => Confinement::Full,
            Sandboxing::None => Confinement::None,
        };
        assert_eq!(ran.confinement, confinement);
        assert!(begun.elapsed().as_secs() < 15, "it was not ended soon");
    }
}

fn as_it_is(_: &mut Command) {}

#[test]
fn by_itself() {
    check("exit 0", as_it_is, code(0));
    check("exit 3", as_it_is, code(3));
    check("kill -SEGV $$", as_it_is, Ended::Signalled { signal: 11 });
    check("kill -KILL $$", as_it_is, Ended::Signalled { signal: 9 });
    let unknown = |command: &mut Command| command.argv = vec!["no-such-program".to_owned()];
    check("", unknown, Ended::NotStarted);
    let no_program = |command: &mut Command| command.argv = vec!["./a.txt".to_owned()];
    check("", no_program, Ended::NotStarted);
}

#[test]
fn when_time_is_over() {
    let short = |command: &mut Command| command.limits.time = Millis(400);
    check("sleep 100", short, Ended::TimedOut);
    check(
        "trap '' TERM INT HUP; while :; do :; done",
        short,
        Ended::TimedOut,
    );
    check("setsid sleep 100 & exec sleep 100", short, Ended::TimedOut);
    check("kill -STOP $$", short, Ended::TimedOut);
    check("exec >&- 2>&-; sleep 100", short, Ended::TimedOut);
}

#[test]
fn when_there_is_too_much_output() {
    let little = |command: &mut Command| command.limits.output = Bytes(10_000);
    check("yes", little, Ended::TooMuchOutput);
    check("yes >&2", little, Ended::TooMuchOutput);
    check("yes & yes >&2", little, Ended::TooMuchOutput);
    check("head -c 9999 /dev/zero", little, code(0));
}

#[test]
fn when_there_is_too_much_memory() {
    let little = |command: &mut Command| command.limits.memory = Bytes(64 << 20);
    check(
        "perl -e '$x = \"a\" x 200_000_000; sleep 10'",
        little,
        Ended::OutOfMemory,
    );
    // None of them has too much by itself.
    let each = "perl -e '$x = \"a\" x 15_000_000; sleep 10'";
    check(
        &format!("{each} & {each} & {each} & {each}"),
        little,
        Ended::OutOfMemory,
    );
    // What a fork shares is counted once.
    check(
        "perl -e '$x = \"a\" x 25_000_000; for (1..4) { fork or do { sleep 1; exit } } sleep 1'",
        little,
        code(0),
    );
}

/// Of each kind of memory a hundred mebibytes, which are written to as they are taken.
#[cfg(target_arch = "x86_64")]
#[test]
fn when_there_is_too_much_memory_of_some_kind() {
    let little = |command: &mut Command| command.limits.memory = Bytes(64 << 20);
    let take = |mebibytes: u32, kind: &str| {
        format!("syscall(9, 0, {mebibytes} << 20, 3, {kind}, -1, 0) > 0 or exit 9;")
    };
    for kind in ["0x8022", "0x8021"] {
        let much = format!("perl -e '{} sleep 10'", take(100, kind));
        check(&much, little, Ended::OutOfMemory);
        let half = format!("perl -e '{} sleep 1'", take(40, kind));
        check(&half, little, code(0));
        check(
            &format!("{half} & {half}; wait"),
            little,
            Ended::OutOfMemory,
        );
    }
    // What several share is there once.
    let shared = format!(
        "perl -e '{} for (1..4) {{ fork or do {{ sleep 1; exit }} }} sleep 1'",
        take(40, "0x8021")
    );
    check(&shared, little, code(0));
    // The first thread has ended; its process has not.
    let headless = |mebibytes: u32| {
        format!(
            "perl -Mthreads -e 'threads->create(sub {{ {} sleep 3; syscall(231, 0) }}); syscall(60, 0)'",
            take(mebibytes, "0x8022")
        )
    };
    check(&headless(100), little, Ended::OutOfMemory);
    check(&headless(20), little, code(0));
    // Nor does what it calls itself say that it has its memory still.
    let named = |mebibytes: u32| {
        let call_itself = "-e '$n = \"RssAnon:\"; syscall(157, 15, $n);' -e";
        headless(mebibytes).replacen("-e", call_itself, 1)
    };
    check(&named(100), little, Ended::OutOfMemory);
    check(&named(20), little, code(0));
}

/// A program is called like its file, and a file like anything.
#[test]
fn whatever_it_is_called() {
    let odd = "odd=./$(printf '\\377'); cp \"$(command -v perl)\" \"$odd\" || exit 9;";
    check(
        &format!("{odd} \"$odd\" -e 'select(undef, undef, undef, 0.3); exit 4'"),
        as_it_is,
        code(4),
    );
    let little = |command: &mut Command| command.limits.memory = Bytes(64 << 20);
    check(
        &format!("{odd} \"$odd\" -e '$x = \"a\" x 200_000_000; sleep 10'"),
        little,
        Ended::OutOfMemory,
    );
    for (number, sandbox) in ways().into_iter().enumerate() {
        let marker = format!("6{}{number}", std::process::id());
        let tree = tree();
        let text = format!("{odd} setsid \"$odd\" -e 'sleep {marker}' & sleep 0.3; exit 5");
        let mut command = script(tree.path(), &text);
        command.sandbox = sandbox;
        assert_eq!(run(&command).ended, code(5));
        assert_eq!(alive(&marker), 0, "{sandbox}");
    }
}

/// What could not be had is told however it ends.
#[test]
fn with_notes_in_any_case() {
    let counted = "memory and processes are counted some forty times a second, not held by a control group; what the kernel keeps in sockets, pipes and its own lists is not counted";
    for (text, ended) in [
        ("exit 3", code(3)),
        ("sleep 100", Ended::TimedOut),
        ("yes", Ended::TooMuchOutput),
    ] {
        if !is_confined() {
            return;
        }
        let tree = tree();
        let mut command = script(tree.path(), text);
        command.limits.time = Millis(2_000);
        let ran = run(&command);
        assert_eq!(ran.ended, ended);
        let notes = ran.notes.iter().filter(|note| *note == counted);
        assert_eq!(notes.count(), 1, "{:?}", ran.notes);
    }
}

#[test]
fn with_what_may_have_been_meant() {
    for sandbox in ways() {
        let why = |program: &str| {
            let tree = tree();
            let mut command = script(tree.path(), "");
            std::fs::write(tree.path().join("orphan"), "#!/no/such/shell\n").unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(tree.path().join("orphan"), mode).unwrap();
            command.argv = vec![program.to_owned()];
            command.sandbox = sandbox;
            command.env.insert("PATH".to_owned(), "/usr/bin".to_owned());
            let ran = run(&command);
            assert_eq!(ran.ended, Ended::NotStarted);
            ran.notes.last().unwrap().clone()
        };
        let home = match sandbox {
            Sandboxing::Full => {
                "; your home is not there: name its directory in `system` and in `env.PATH`"
            }
            Sandboxing::None => "",
        };
        assert_eq!(
            why("no-such-program"),
            format!(
                "no-such-program could not be started: No such file or directory (os error 2); looked for it in PATH=/usr/bin{home}"
            )
        );
        assert_eq!(
            why("./orphan"),
            "./orphan could not be started: No such file or directory (os error 2); it is not there, or what its first line names is not"
        );
        assert!(why("./a.txt").ends_with("Permission denied (os error 13)"));
    }
}

#[test]
fn when_there_are_too_many_processes() {
    let few = |command: &mut Command| command.limits.processes = 30;
    check(
        "for i in $(seq 100); do sleep 20 & done; wait",
        few,
        Ended::TooManyProcesses,
    );
    check(
        "for i in $(seq 20); do sleep 0.3 & done; wait",
        few,
        code(0),
    );
    // One after the other there may be as many as it likes.
    check(
        "i=0; while [ $i -lt 1000 ]; do /bin/true || exit 9; i=$((i+1)); done",
        few,
        code(0),
    );
    // Unconfined, nothing holds this but the counting.
    if is_confined() {
        let tree = tree();
        let mut bomb = script(tree.path(), "f() { f | f & }; f; sleep 78901");
        few(&mut bomb);
        bomb.limits.time = Millis(4_000);
        let begun = Instant::now();
        let ended = run(&bomb).ended;
        // Where the numbers of the namespace run out first, it comes to nothing by itself, or its shell gives up.
        assert!(
            [Ended::TooManyProcesses, Ended::TimedOut, code(2)].contains(&ended),
            "{ended:?}"
        );
        assert!(begun.elapsed().as_secs() < 15, "it was not ended soon");
        assert_eq!(alive("78901"), 0);
    }
}

#[test]
fn when_the_disk_is_full() {
    if !is_confined() {
        return;
    }
    let fill = |path: &str| {
        let tree = tree();
        let mut command = script(tree.path(), &format!("head -c 20000000 /dev/zero > {path}"));
        command.limits.disk = Bytes(8 << 20);
        run(&command)
    };
    for path in [
        "big",
        "src/b.txt",
        "/tmp/big",
        "/dev/shm/big",
        "/tmp/home/big",
    ] {
        let ran = fill(path);
        assert_ne!(ran.ended, code(0), "{path}");
        assert!(
            text(&ran.stderr).contains("No space left"),
            "{}",
            text(&ran.stderr)
        );
    }
    // Files cost something, too, when there is nothing in them.
    let tree = tree();
    let mut command = script(
        tree.path(),
        "i=0; while [ $i -lt 2000 ]; do : > f$i || exit 9; i=$((i+1)); done",
    );
    command.limits.disk = Bytes(8 << 20);
    assert_ne!(run(&command).ended, code(0));
    command.limits.disk = Bytes(16 << 20);
    assert_eq!(run(&command).ended, code(0));
    // All places are one.
    let mut command = script(
        tree.path(),
        "for f in a /tmp/b /dev/shm/c; do head -c 3500000 /dev/zero > $f || exit 1; done",
    );
    command.limits.disk = Bytes(8 << 20);
    assert_eq!(run(&command).ended, code(1));
    command.limits.disk = Bytes(16 << 20);
    assert_eq!(run(&command).ended, code(0));
}

/// Processes of this machine whose command line has `marker` in it.
pub(crate) fn alive(marker: &str) -> usize {
    let others = std::fs::read_dir("/proc").unwrap().filter(|entry| {
        let path = entry.as_ref().unwrap().path().join("cmdline");
        std::fs::read(path).is_ok_and(|line| text(&line).contains(marker))
    });
    others.count()
}

#[test]
fn nothing_is_left_running() {
    for (number, sandbox) in ways().into_iter().enumerate() {
        let marker = format!("7{}{number}", std::process::id());
        let text_of = format!(
            "sleep {marker} & setsid sleep {marker} & (setsid sh -c 'setsid sleep {marker} & sleep {marker}' &) ; nohup sleep {marker} >/dev/null 2>&1 </dev/null & perl -e 'fork and exit; fork and exit; exec \"sleep\", \"{marker}\"'; sleep 0.3; exit 5"
        );
        let tree = tree();
        let mut command = script(tree.path(), &text_of);
        command.sandbox = sandbox;
        let ran = run(&command);
        assert_eq!(ran.ended, code(5));
        assert_eq!(alive(&marker), 0, "{sandbox}");
    }
}
