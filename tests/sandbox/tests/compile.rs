//! Compiling in a process of its own: what it gives, what it may cost, and that nothing of it stays; and the cache with
//! several processes at once.
//!
//! The tests take turns, since what is counted (open files, child processes) belongs to the whole process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may end at once")]
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringfence_testkit::core::quantity::Bytes;
use ringfence_testkit::sandbox::{
    CompileClock, CompileLimits, Compiler, LoadError, Sandbox, Settings,
};
use ringfence_tests_sandbox::census::census;
use ringfence_tests_sandbox::guest_bytes;
use ringfence_tests_sandbox::heavy::{self, Weight};
use rustix::process::{Pid, Signal, kill_process};

/// Takes half an hour and some ten megabytes.
const LONG: Weight = Weight {
    functions: 100,
    loops: 1_000,
    locals: 5_000,
};
/// Wants gigabytes, and quickly.
const BIG: Weight = Weight {
    functions: 1,
    loops: 20_000,
    locals: 50_000,
};

const ROLE: &str = "RINGFENCE_TEST_ROLE";

/// Its turn, and a look at what is left of it.
struct Turn {
    _turn: MutexGuard<'static, ()>,
    open_files: usize,
}

impl Turn {
    fn take() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        // The first engine opens what all of them share.
        static ENGINE: LazyLock<Sandbox> =
            LazyLock::new(|| Sandbox::new(Settings::default()).unwrap());
        LazyLock::force(&ENGINE);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            _turn: turn,
            open_files: census().open_files,
        }
    }

    #[track_caller]
    fn end(self) {
        assert_eq!(children(), [], "no process is left, not even a dead one");
        assert_eq!(census().open_files, self.open_files);
    }
}

/// The processes that this one has started and not waited for.
fn children() -> Vec<Pid> {
    children_of(std::process::id())
}

fn children_of(parent: u32) -> Vec<Pid> {
    let wanted = format!("\nPPid:\t{parent}\n");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse() else {
            continue;
        };
        // It may have ended meanwhile.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        if status.contains(&wanted) {
            found.push(Pid::from_raw(pid).unwrap());
        }
    }
    found
}

/// The child that `parent` has started to compile, once it has all of the component: what comes before takes it less than
/// a tenth of a second, of its own time.
fn at_work(parent: u32) -> Pid {
    until(|| {
        let child = *children_of(parent).first()?;
        let status = fs::read_to_string(format!("/proc/{child}/status")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let hundredths: u64 = fields.split(' ').nth(11)?.parse().ok()?;
        (status.contains("\nSeccomp:\t2\n") && hundredths > 30).then_some(child)
    })
}

/// What comes at some time, but not for want of processor time on our side.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not come")
}

fn sandbox(program: &Path, limits: CompileLimits, cache: Option<PathBuf>) -> Sandbox {
    let settings = Settings {
        cache,
        compiler: Compiler::Child(program.to_owned()),
        compile_limits: limits,
        ..Settings::default()
    };
    Sandbox::new(settings).unwrap()
}

fn own(limits: CompileLimits) -> Sandbox {
    sandbox(Path::new(env!("CARGO_BIN_EXE_compiler")), limits, None)
}

#[track_caller]
fn refusal(sandbox: &Sandbox, bytes: &[u8]) -> LoadError {
    let Err(error) = sandbox.load(bytes) else {
        panic!("it was loaded")
    };
    error
}

#[test]
fn honest_components_compile_within_the_limits() {
    let turn = Turn::take();
    let plugin = own(CompileLimits::default()).load(&guest_bytes("puppet"));
    assert!(plugin.is_ok());
    turn.end();
}

#[test]
fn what_takes_too_long_is_ended() {
    let turn = Turn::take();
    let second = CompileLimits {
        cpu: Duration::from_secs(1),
        ..CompileLimits::default()
    };
    let error = refusal(&own(second), &heavy::component(LONG));
    assert!(
        matches!(
            error,
            LoadError::Slow {
                clock: CompileClock::Cpu,
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.is_ours() && error.help().is_some());
    let moment = CompileLimits {
        wall: Duration::from_millis(100),
        ..CompileLimits::default()
    };
    let error = refusal(&own(moment), &heavy::component(LONG));
    assert!(
        matches!(
            error,
            LoadError::Slow {
                clock: CompileClock::Wall,
                ..
            }
        ),
        "{error}"
    );
    turn.end();
}

#[test]
fn what_needs_too_much_memory_is_ended() {
    let turn = Turn::take();
    let little = CompileLimits {
        memory: Bytes(64 << 20),
        ..CompileLimits::default()
    };
    let error = refusal(&own(little), &heavy::component(BIG));
    assert!(matches!(error, LoadError::Memory { .. }), "{error}");
    // The limit is not what every component meets.
    assert!(own(little).load(&guest_bytes("puppet")).is_ok());
    turn.end();
}

#[test]
fn what_does_not_compile_says_why() {
    let turn = Turn::take();
    let mut bytes = guest_bytes("puppet");
    // A core module whose only function adds two numbers that are not there.
    bytes.extend([1, 25, 0, b'a', b's', b'm', 1, 0, 0, 0]);
    bytes.extend([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 5, 1, 3, 0, 0x6a, 0x0b]);
    let error = refusal(&own(CompileLimits::default()), &bytes);
    assert!(
        matches!(&error, LoadError::Compile(why) if why.contains("type mismatch")),
        "{error}"
    );
    turn.end();
}

#[test]
fn the_compiler_has_given_up_everything_and_can_be_killed() {
    let turn = Turn::take();
    let error = std::thread::scope(|scope| {
        let loading =
            scope.spawn(|| refusal(&own(CompileLimits::default()), &heavy::component(LONG)));
        let child = at_work(std::process::id());
        let read = |name: &str| fs::read_to_string(format!("/proc/{child}/{name}")).unwrap();
        assert!(read("status").contains("\nNoNewPrivs:\t1\n"));
        assert_eq!(read("environ"), "");
        let limits: Vec<String> = read("limits")
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for limit in [
            "Max core file size 0 0 bytes",
            "Max cpu time 120 121 seconds",
            "Max data size 2147483648 2147483648 bytes",
            "Max open files 4 4 files",
        ] {
            assert!(limits.iter().any(|line| line == limit), "{limits:#?}");
        }
        let group = rustix::process::getpgid(Some(child)).unwrap();
        assert_eq!(group, child, "it has a group of its own");
        kill_process(child, Signal::KILL).unwrap();
        loading.join().unwrap()
    });
    assert!(
        matches!(&error, LoadError::Compiler(why) if why.contains("SIGKILL")),
        "{error}"
    );
    assert!(error.is_ours(), "the component is not to blame");
    turn.end();
}

/// Compilers that are none, as scripts: how each of them is told apart, and that it ends.
#[test]
fn a_compiler_that_misbehaves_is_no_danger() {
    let turn = Turn::take();
    let dir = tempfile::tempdir().unwrap();
    let limits = CompileLimits {
        wall: Duration::from_secs(60),
        ..CompileLimits::default()
    };
    for (script, expect) in [
        ("exit 0", "not this component's code"),
        ("/bin/cat", "not this component's code"),
        (
            "/bin/cat >/dev/null; echo garbage",
            "not this component's code",
        ),
        ("/bin/cat /dev/zero", "more code than 256MiB"),
        (
            "/bin/cat /dev/zero >&2 & /bin/sleep 0.1; kill $!; exit 9",
            "exit status: 9",
        ),
        // It says no more, so it is not waited for.
        ("exec <&- >&- 2>&-; /bin/sleep 1000", "SIGKILL"),
        ("kill -SEGV $$", "SIGSEGV"),
        (
            "/bin/cat >/dev/null; echo no such thing >&2; exit 3",
            "does not compile: no such thing",
        ),
    ] {
        let program = dir.path().join("compiler");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let error = refusal(&sandbox(&program, limits, None), &guest_bytes("puppet"));
        assert!(error.to_string().contains(expect), "{script}: {error}");
    }
    // One that neither reads nor writes, with a process of its own, is ended with it at the deadline.
    let program = dir.path().join("compiler");
    fs::write(&program, "#!/bin/sh\n/bin/sleep 1000 & /bin/sleep 1000\n").unwrap();
    let moment = CompileLimits {
        wall: Duration::from_millis(200),
        ..limits
    };
    let error = refusal(&sandbox(&program, moment, None), &guest_bytes("puppet"));
    assert!(matches!(error, LoadError::Slow { .. }), "{error}");
    drop(dir);
    turn.end();
}

/// What a process of this test does that was started to do something; in the test itself nothing.
#[test]
fn role() {
    match std::env::var(ROLE).as_deref() {
        Err(_) => {}
        Ok("compile at length") => {
            refusal(&own(CompileLimits::default()), &heavy::component(LONG));
        }
        Ok(cache) => {
            let program = Path::new(env!("CARGO_BIN_EXE_compiler"));
            let sandbox = sandbox(program, CompileLimits::default(), Some(cache.into()));
            sandbox.load(&guest_bytes("puppet")).unwrap();
        }
    }
}

fn start_role(role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "role"])
        .env(ROLE, role)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn the_compiler_ends_with_its_parent() {
    let turn = Turn::take();
    let mut parent = start_role("compile at length");
    let child = at_work(parent.id());
    parent.kill().unwrap();
    parent.wait().unwrap();
    until(|| (!Path::new(&format!("/proc/{child}")).exists()).then_some(()));
    turn.end();
}

#[test]
fn processes_share_a_cache() {
    let turn = Turn::take();
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let names = || -> Vec<_> {
        let names = fs::read_dir(&cache).unwrap();
        names.map(|entry| entry.unwrap().file_name()).collect()
    };
    let mut first = None;
    for round in ["cold", "warm"] {
        let mut all: Vec<_> = (0..4)
            .map(|_| start_role(cache.to_str().unwrap()))
            .collect();
        for one in &mut all {
            assert!(one.wait().unwrap().success(), "{round}");
        }
        let names = names();
        assert_eq!(names.len(), 1, "{round}: {names:?}");
        assert_eq!(*first.get_or_insert(names.clone()), names);
    }
    // A warm cache needs no compiler.
    let nowhere = sandbox(
        Path::new("/nonexistent"),
        CompileLimits::default(),
        Some(cache),
    );
    assert!(nowhere.load(&guest_bytes("puppet")).is_ok());
    let other = refusal(&nowhere, &guest_bytes("hog"));
    assert!(other.is_ours(), "{other}");
    drop(nowhere);
    drop(dir);
    turn.end();
}
