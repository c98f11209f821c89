//! The helper: who may start it, who ends with whom, and as which user.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::ends::alive;
use crate::rig::{helper, is_confined, tree};

const RUN: &str = env!("CARGO_BIN_EXE_native-run");
const VERBS: [&[&str]; 4] = [
    &["__run-native", "confined", "alone"],
    &["__run-native", "plain", "network"],
    &["__run-native"],
    &["__first-process"],
];

#[test]
fn nobody_else_starts_it() {
    for args in VERBS {
        let refuse = |stdin: Stdio| {
            let ran = Command::new(helper())
                .args(args)
                .stdin(stdin)
                .output()
                .unwrap();
            assert_eq!(ran.status.code(), Some(4), "{args:?}");
            assert_eq!(ran.stderr, b"this is no command for people\n");
            assert!(ran.stdout.is_empty());
        };
        refuse(Stdio::null());
        refuse(Stdio::piped());
        // A socket that somebody made who did not start it.
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg("\"$@\"; echo $?")
            .arg("sh")
            .arg(helper())
            .args(args);
        let ran = shell.stdin(OwnedFd::from(theirs)).output().unwrap();
        assert_eq!(ran.stdout, b"4\n", "{args:?}");
        drop(ours);
    }
}

#[test]
fn it_does_nothing_without_an_order() {
    for order in [&b""[..], b"\0", &[0xff; 64], b"\x02\0\0\0\0\0\0\0{}"] {
        for args in VERBS {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            std::io::Write::write_all(&mut ours, order).unwrap();
            ours.shutdown(std::net::Shutdown::Write).unwrap();
            let mut command = Command::new(helper());
            command.args(args).stdin(OwnedFd::from(theirs));
            let ran = command.output().unwrap();
            drop(command);
            assert!(
                ran.stdout.is_empty() && !ran.status.success() || !said(ours).contains("ended")
            );
        }
    }
}

fn said(mut from: UnixStream) -> String {
    let mut bytes = Vec::new();
    // The end may come as a connection that is cut: what was said before counts.
    std::io::Read::read_to_end(&mut from, &mut bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn everything_ends_with_the_supervisor() {
    for how in ["full", "none"] {
        if how == "full" && !is_confined() {
            continue;
        }
        let marker = format!("8{}", std::process::id());
        let tree = tree();
        let script = format!("setsid sleep {marker} & sleep {marker}");
        let mut supervisor = Command::new(RUN);
        supervisor.args([how.as_ref(), tree.path().as_os_str(), script.as_ref()]);
        let mut supervisor = supervisor.stdout(Stdio::null()).spawn().unwrap();
        wait_until(|| {
            // The shell has the marker in its line, too.
            alive(&format!("sleep\0{marker}")) == 2
        });
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        wait_until(|| alive(&marker) == 0);
    }
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < 10, "it never becomes so");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// As root, as some other user: the sandbox takes no right that only root has.
#[test]
fn an_ordinary_user_has_it_too() {
    if !is_confined() {
        return;
    }
    if !is_root() {
        eprintln!("this is an ordinary user: every other test shows it");
        return;
    }
    let tree = tree();
    let program = tree.path().join("run");
    std::fs::copy(RUN, &program).unwrap();
    let script = "id -u; cat a.txt; cat .env; echo x > a.txt; cat a.txt; cat /etc/shadow; grep CapEff /proc/self/status";
    let mut command = Command::new(&program);
    command
        .args(["full".as_ref(), tree.path().as_os_str(), script.as_ref()])
        .env_clear()
        .current_dir("/")
        .uid(65534)
        .gid(65534);
    own(tree.path());
    let ran = command.output().unwrap();
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(
        out.trim(),
        "Exited { code: 0 } 1000\na\nx\nCapEff:\t0000000000000000"
    );
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Gives the tree to the user it is for.
fn own(tree: &std::path::Path) {
    let nobody = Some(65534);
    std::os::unix::fs::chown(tree, nobody, nobody).unwrap();
    for (path, _) in crate::rig::contents(tree) {
        std::os::unix::fs::chown(path, nobody, nobody).unwrap();
    }
}
