//! Runs one shell script as a native program and says how it ended: `native-run full|none TREE SCRIPT`.
//!
//! `native-run bare|replaced TREE PROGRAM` runs a program without a shell, confined: on a kernel without Landlock, or after the
//! file that this process runs has gone. `native-run bare-network TREE SCRIPT` runs a script on such a kernel, with a network.
//!
//! It is its own helper. Tests start it where they need a supervisor that they can kill, or one that is an ordinary user.
//!
//! **Invariant:** what it prints is the end, or why there is none, in one line.

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "what a test reads")]
fn main() -> ExitCode {
    use ringfence_testkit::sandbox::native;
    use ringfence_tests_sandbox::native::script;

    if let Some(ended) = native::helper_main(std::env::args_os()) {
        return ended;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [how, tree, text] = args.as_slice() else {
        return ExitCode::FAILURE;
    };
    let mut command = script(tree.as_ref(), text);
    match how.as_str() {
        "none" => command.sandbox = ringfence_testkit::core::spec::Sandboxing::None,
        "bare" | "replaced" => command.argv = vec![text.clone()],
        "bare-network" => command.network = true,
        _ => {}
    }
    let prepared = match how.as_str() {
        "bare" | "bare-network" => ringfence_tests_sandbox::native::without_landlock(),
        "replaced" => std::env::current_exe().and_then(std::fs::remove_file),
        _ => Ok(()),
    };
    if let Err(error) = prepared {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    match native::run("/proc/self/exe".as_ref(), &command) {
        Ok(ran) => println!("{:?} {}", ran.ended, String::from_utf8_lossy(&ran.stdout)),
        Err(error) => println!("{error}"),
    }
    ExitCode::SUCCESS
}
