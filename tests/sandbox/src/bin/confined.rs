//! A process that confines itself and says what it can still do: `confined process|nothing|late DIR`.
//!
//! **Invariant:** it has one thread when it confines itself; `late` begins another before, to see that this is told.

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    #![expect(
        clippy::print_stdout,
        clippy::unwrap_used,
        reason = "what a test reads; it may end at once"
    )]

    use std::fs::File;
    use std::path::Path;
    use std::sync::mpsc::channel;
    use std::thread;

    use ringfence_testkit::sandbox::confine;
    use ringfence_tests_sandbox::attempts::{CALLS, FILES, Ground};

    pub(super) fn main() {
        let (scope, dir) = (std::env::args().nth(1), std::env::args_os().nth(2));
        let ground = Ground::at(Path::new(&dir.unwrap()));
        let (stay, wait) = channel::<()>();
        let late = scope.as_deref() == Some("late");
        let other = late.then(|| thread::spawn(move || wait.recv()));
        let confinement = match scope.as_deref() {
            Some("nothing") => confine::nothing(),
            _ => confine::process(&ground.roots()),
        };
        let confinement = confinement.unwrap();
        println!("landlock: {}", confinement.landlock);
        println!("full: {}", confinement.is_full());
        for attempt in FILES.iter().chain(CALLS) {
            let refused = (attempt.act)(&ground).is_err();
            println!("{}: {}", attempt.name, refused);
        }
        println!("inside: {}", File::open(ground.one()).is_ok());
        let inherits = thread::spawn(|| File::open("/dev/null").is_err());
        println!("threads inherit: {}", inherits.join().unwrap());
        drop(stay);
        let ended = other.map(thread::JoinHandle::join);
        println!("end: {}", ended.is_some());
    }
}
