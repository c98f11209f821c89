//! The state directory: made, found again, and refused where it cannot be trusted.

use std::os::unix::fs::symlink;

use super::*;
use crate::clock::SystemClock;
use crate::fixture::{Rig, gits};

fn docs() -> LoopId {
    LoopId::new("docs").unwrap()
}

fn folder(top: &tempfile::TempDir) -> Project {
    Project::Folder(top.path().to_owned())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn is_made_closed_and_hidden_from_git() {
    let rig = Rig::repository(&gits()[0]);
    assert!(StateDir::find(&rig.project()).unwrap().is_none());
    let state = StateDir::open(&rig.project()).unwrap();
    assert_eq!(mode(state.path()), 0o700);
    assert!(state.find_loop(&docs()).unwrap().is_none());
    let dir = state.open_loop(&docs()).unwrap();
    assert_eq!(mode(dir.path()), 0o700);
    state.open_loop(&LoopId::new("api").unwrap()).unwrap();
    fs::create_dir(state.path().join("NOT-A-LOOP")).unwrap();
    assert_eq!(
        state
            .loops()
            .unwrap()
            .iter()
            .map(LoopId::as_str)
            .collect::<Vec<_>>(),
        ["api", "docs"]
    );
    assert_eq!(
        rig.git(&["status", "--porcelain", "--untracked-files=all"]),
        ""
    );
    let found = StateDir::find(&rig.project()).unwrap().unwrap();
    assert_eq!(
        found.find_loop(&docs()).unwrap().unwrap().path(),
        dir.path()
    );
    // Opened to others by a careless copy: closed again.
    fs::set_permissions(state.path(), Permissions::from_mode(0o755)).unwrap();
    StateDir::open(&rig.project()).unwrap();
    assert_eq!(mode(state.path()), 0o700);
}

use std::fs::Permissions;

#[test]
fn what_cannot_be_trusted_is_refused() {
    let check = |prepare: &dyn Fn(&Path), expect: &str| {
        let top = tempfile::tempdir().unwrap();
        prepare(&top.path().join(STATE_DIR));
        let error = StateDir::open(&folder(&top)).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(
        &|path| symlink("/tmp", path).unwrap(),
        "a symbolic link stands where",
    );
    check(
        &|path| symlink("/nonexistent", path).unwrap(),
        "a symbolic link stands where",
    );
    check(
        &|path| fs::write(path, "").unwrap(),
        "something that is no directory stands where",
    );
    let read_only = |path: &Path| {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o500)).unwrap();
    };
    check(&read_only, "cannot be written");
    if rustix::process::geteuid().is_root() {
        let foreign = |path: &Path| {
            fs::create_dir(path).unwrap();
            std::os::unix::fs::chown(path, Some(12345), None).unwrap();
        };
        check(&foreign, "belongs to user 12345, not to user 0");
    }
    // A folder that can only be read still serves whoever only reads.
    let top = tempfile::tempdir().unwrap();
    read_only(&top.path().join(STATE_DIR));
    assert!(StateDir::find(&folder(&top)).unwrap().is_some());
    // The same holds one level down.
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::open(&folder(&top)).unwrap();
    symlink("/tmp", state.path().join("docs")).unwrap();
    assert!(matches!(
        state.open_loop(&docs()),
        Err(StateDirError::Symlink(_))
    ));
    assert!(matches!(
        state.find_loop(&docs()),
        Err(StateDirError::Symlink(_))
    ));
}

#[test]
fn what_was_brought_along_lends_its_journal_and_nothing_else() {
    let top = tempfile::tempdir().unwrap();
    let dir = StateDir::open(&folder(&top))
        .unwrap()
        .open_loop(&docs())
        .unwrap();
    assert_eq!(dir.origin().unwrap(), Origin::Ours);
    fs::remove_file(dir.path().join(IDENTITY)).unwrap();
    assert_eq!(dir.origin().unwrap(), Origin::Ours);
    fs::create_dir(dir.store()).unwrap();
    fs::write(
        dir.store().join("config"),
        "[core]\n\tfsmonitor = touch /tmp/owned\n",
    )
    .unwrap();
    fs::write(dir.memo().join("verdict"), "pass").unwrap();
    fs::write(dir.journal(), "{}\n").unwrap();
    assert_eq!(dir.origin().unwrap(), Origin::BroughtAlong);
    let lock = LoopLock::acquire(&dir, &SystemClock).unwrap();
    assert_eq!(dir.adopt(&lock).unwrap(), Origin::BroughtAlong);
    assert!(!dir.store().exists());
    assert_eq!(fs::read_dir(dir.memo()).unwrap().count(), 0);
    assert_eq!(fs::read(dir.journal()).unwrap(), b"{}\n");
    assert_eq!(dir.adopt(&lock).unwrap(), Origin::Ours);
    // A copy is another directory, though every byte in it is the same.
    let copy = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(top.path().join(STATE_DIR))
        .arg(copy.path())
        .status();
    assert!(status.unwrap().success());
    let copied = StateDir::open(&folder(&copy))
        .unwrap()
        .open_loop(&docs())
        .unwrap();
    assert_eq!(copied.origin().unwrap(), Origin::BroughtAlong);
    for odd in [&b"else"[..], b"\xff"] {
        fs::write(dir.path().join(IDENTITY), odd).unwrap();
        assert_eq!(dir.origin().unwrap(), Origin::BroughtAlong);
    }
}

#[test]
fn a_file_is_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    for text in ["one", "two"] {
        write_atomic(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(write_atomic(&dir.path().join("no/such"), b"").is_err());
}
