//! A tree, and programs that run in it.

use std::fs::{create_dir_all, write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ringfence_testkit::core::evidence::Ended;
use ringfence_testkit::core::spec::Sandboxing;
use ringfence_testkit::sandbox::native::{self, Command, NativeError, Ran};
use ringfence_tests_sandbox::native::script;
use tempfile::TempDir;

/// What the helper is.
pub(crate) fn helper() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_compiler"))
}

/// Why there is no sandbox here; none where there is one.
pub(crate) static MISSING: LazyLock<Option<String>> =
    LazyLock::new(|| match native::probe(helper()) {
        Ok(()) => None,
        Err(NativeError::NoSandbox { missing }) => Some(missing),
        Err(error) => panic!("{error}"),
    });

/// True where programs can be confined. Elsewhere it says so, and sees that they are refused.
pub(crate) fn is_confined() -> bool {
    let Some(missing) = &*MISSING else {
        return true;
    };
    eprintln!("THIS MACHINE GIVES NO SANDBOX ({missing}): only the refusal is tested");
    let tree = tree();
    let refused = native::run(helper(), &script(tree.path(), "touch /tmp/ran"));
    match refused {
        Err(NativeError::NoSandbox { missing: why }) => assert_eq!(why, *missing),
        other => panic!("{other:?}"),
    }
    false
}

/// A tree with a file that may be read and some that may not.
pub(crate) fn tree() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("a.txt", "a\n"),
        ("src/b.txt", "b\n"),
        (".env", "SECRET=1\n"),
        ("secrets/key", "key\n"),
        ("src/.env.local", "SECRET=2\n"),
        ("old.xml", "old report\n"),
    ] {
        let path = dir.path().join(path);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(path, text).unwrap();
    }
    // Whoever it is that runs the sandbox can read it.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), mode).unwrap();
    dir
}

pub(crate) fn run(command: &Command) -> Ran {
    native::run(helper(), command).unwrap()
}

/// Runs `text` confined in a new tree.
pub(crate) fn confined(text: &str) -> Ran {
    run(&script(tree().path(), text))
}

/// Runs `text` unconfined in a copy of a new tree.
pub(crate) fn unconfined(text: &str) -> Ran {
    let tree = tree();
    let mut command = script(tree.path(), text);
    command.sandbox = Sandboxing::None;
    run(&command)
}

pub(crate) fn code(code: u8) -> Ended {
    Ended::Exited { code }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What there is in `dir`: paths, and bytes or targets.
pub(crate) fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                open.push(path.clone());
                found.push((path, Vec::new()));
            } else if kind.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                found.push((path, target.into_os_string().into_encoded_bytes()));
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}
