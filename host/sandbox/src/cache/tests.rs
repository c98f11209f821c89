//! The cache against what may stand in its directory.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};

use super::*;

const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

struct Ground {
    dir: tempfile::TempDir,
    engine: Engine,
    cache: Cache,
    component: Digest,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let cache = Cache::open(dir.path().join("cache"), &engine).unwrap();
        Self {
            dir,
            engine,
            cache,
            component: Digest::of(EMPTY),
        }
    }

    /// With one entry, for the component [`EMPTY`].
    fn warm() -> Self {
        let ground = Self::new();
        ground.put();
        ground
    }

    fn put(&self) {
        self.cache.put(&self.component, &self.code());
    }

    fn code(&self) -> Vec<u8> {
        self.engine.precompile_component(EMPTY).unwrap()
    }

    fn hits(&self) -> bool {
        self.cache.get(&self.engine, &self.component).is_some()
    }

    fn path(&self) -> PathBuf {
        self.at(&name(&self.cache.label(&self.component)))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join("cache").join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.at("")).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn set_age(path: &Path, age: Duration) {
    let file = File::options().read(true).open(path).unwrap();
    file.set_modified(SystemTime::now().checked_sub(age).unwrap())
        .unwrap();
}

#[test]
fn damaged_entries_are_not_used() {
    let ground = Ground::new();
    assert!(!ground.hits());
    ground.put();
    assert!(ground.hits());
    let whole = fs::read(ground.path()).unwrap();
    let label = whole.len() - LABEL_BYTES;
    for at in [
        0,
        label / 2,
        label - 1,
        label,
        label + 16,
        label + 48,
        label + 80,
        label + 88,
    ] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(ground.path(), flipped).unwrap();
        assert!(!ground.hits(), "byte {at}");
    }
    for len in [0, 10, LABEL_BYTES, whole.len() - 1] {
        fs::write(ground.path(), &whole[..len]).unwrap();
        assert!(!ground.hits(), "cut at {len}");
    }
    ground.put();
    assert!(ground.hits(), "a damaged entry is replaced");
}

/// What is whole, but not what was asked for.
#[test]
fn foreign_entries_are_not_used() {
    let ground = Ground::warm();
    let own = fs::read(ground.path()).unwrap();
    let label = ground.cache.label(&ground.component);
    let forged = |label: Label, code: &[u8]| [code.to_vec(), label.tail(code)].concat();
    assert_eq!(own, forged(label, &ground.code()));

    let other = Digest::of(b"another component");
    fs::write(
        ground.path(),
        forged(ground.cache.label(&other), &ground.code()),
    )
    .unwrap();
    assert!(!ground.hits(), "another component's code under this name");
    fs::write(ground.path(), forged(label, b"no code of any engine")).unwrap();
    assert!(!ground.hits(), "what no engine knows");
    let mut config = wasmtime::Config::new();
    let fuel = Engine::new(config.consume_fuel(true)).unwrap();
    let code = fuel.precompile_component(EMPTY).unwrap();
    let maker = Cache::open(ground.at(""), &fuel).unwrap().maker;
    fs::write(ground.path(), forged(Label { maker, ..label }, &code)).unwrap();
    assert!(!ground.hits(), "another engine's code");
    fs::write(ground.path(), forged(label, &code)).unwrap();
    assert!(
        !ground.hits(),
        "another engine's code under this engine's label"
    );
    fs::write(ground.path(), own).unwrap();
    assert!(ground.hits());
}

/// A repository that brings a cache along could bring any code.
#[test]
fn a_cache_that_was_brought_along_holds_nothing() {
    let ground = Ground::warm();
    let elsewhere = ground.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
    for name in ground.names() {
        fs::copy(ground.at(&name), elsewhere.join(name)).unwrap();
    }
    let brought = Cache::open(elsewhere, &ground.engine).unwrap();
    assert!(brought.get(&ground.engine, &ground.component).is_none());
    assert!(ground.hits());
}

#[test]
fn nothing_but_a_file_of_ours_is_an_entry() {
    let ground = Ground::warm();
    let path = ground.path();
    let whole = fs::read(&path).unwrap();
    let aside = ground.at("aside");

    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(!ground.hits(), "{mode:o}");
    }
    fs::rename(&path, &aside).unwrap();
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&aside, &path).unwrap();
    assert!(!ground.hits(), "a link to an entry that would do");
    // Making an entry replaces what stood there, and does not follow it.
    ground.put();
    assert!(ground.hits() && fs::symlink_metadata(&path).unwrap().is_file());

    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert!(!ground.hits(), "a link to a device");
    fs::remove_file(&path).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, mode, 0).unwrap();
    assert!(!ground.hits(), "a pipe");
    fs::remove_file(&path).unwrap();
    let sparse = File::create(&path).unwrap();
    sparse.write_at(&whole, 0).unwrap();
    sparse.set_len(1 << 40).unwrap();
    assert!(!ground.hits(), "a file of a terabyte");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(!ground.hits(), "a directory");
    ground.put();
    assert!(
        !ground.hits() && path.is_dir(),
        "what cannot be replaced stays"
    );
    assert_eq!(
        ground.names().len(),
        2,
        "and nothing is left of the try: {:?}",
        ground.names()
    );
}

/// Only who may give files away can set this up.
#[test]
fn a_file_of_another_user_is_no_entry() {
    let ground = Ground::warm();
    if std::os::unix::fs::chown(ground.path(), Some(12345), None).is_ok() {
        assert!(!ground.hits());
    }
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let ground = Ground::new();
    let open = ground.dir.path().join("open");
    fs::create_dir(&open).unwrap();
    for mode in [0o777, 0o770, 0o702] {
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            Cache::open(open.clone(), &ground.engine).is_err(),
            "{mode:o}"
        );
    }
    let link = ground.dir.path().join("link");
    symlink(ground.at(""), &link).unwrap();
    assert!(Cache::open(link, &ground.engine).is_err());
    let file = ground.dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Cache::open(file, &ground.engine).is_err());
}

/// What the directory's name leads to later does not matter.
#[test]
fn a_swapped_directory_is_not_looked_into() {
    let ground = Ground::warm();
    let cache = ground.at("");
    let aside = ground.dir.path().join("aside");
    fs::rename(&cache, &aside).unwrap();
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(
        ground.hits(),
        "the directory that was opened is still the one"
    );
    ground.put();
    assert!(ground.names().is_empty());
    fs::remove_dir_all(&aside).unwrap();
    assert!(!ground.hits());
    ground.put();
    assert!(ground.names().is_empty());
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let ground = Ground::warm();
    let hour = Duration::from_secs(3_600);
    set_age(&ground.path(), 5 * hour);
    let size = fs::metadata(ground.path()).unwrap().len();
    let others: Vec<_> = (1..4)
        .map(|n| ground.at(&format!("{n:064}{ENTRY}")))
        .collect();
    for (n, path) in (1..).zip(&others) {
        fs::write(path, vec![0; 100]).unwrap();
        set_age(path, n * hour);
    }
    assert!(ground.hits(), "using the oldest makes it the youngest");
    ground.cache.shrink(size + 100).unwrap();
    assert_eq!(ground.names().len(), 2);
    assert!(ground.hits() && others[0].exists());
    ground.cache.shrink(0).unwrap();
    assert!(ground.names().is_empty());
}

#[test]
fn junk_neither_stays_nor_stops_the_tidying() {
    let ground = Ground::warm();
    let (hour, size) = (HALF_WRITTEN, fs::metadata(ground.path()).unwrap().len());
    let young = ground.at(&format!("{NEW}1-{:064}{ENTRY}", 1));
    let stale = ground.at(&format!("{NEW}2-{:064}{ENTRY}", 2));
    let future = ground.at(&format!("{NEW}3-{:064}{ENTRY}", 3));
    for path in [&young, &stale, &future] {
        fs::write(path, "half").unwrap();
    }
    set_age(&stale, 2 * hour);
    let ahead = SystemTime::now() + 100 * hour;
    File::options()
        .write(true)
        .open(&future)
        .unwrap()
        .set_modified(ahead)
        .unwrap();
    let (folder, foreign) = (ground.at(&format!("{:064}{ENTRY}", 7)), ground.at("README"));
    fs::create_dir(&folder).unwrap();
    fs::write(&foreign, "not ours").unwrap();
    ground.cache.shrink(size).unwrap();
    for path in [&young, &folder, &foreign, &ground.path()] {
        assert!(path.exists(), "{}", path.display());
    }
    assert!(!stale.exists() && !future.exists());
}
