//! `ringfence doctor`: what this machine gives the sandbox, the user's folders and git, each with what to do about it, and what
//! the loop at hand has proven.
//!
//! **Invariant:** what is missing and needed decides the exit code, then what a loop lacks for its level, and nothing else does.
//! Nothing of the user's is changed; the compile cache is made, as by every command that runs a component.

use std::ffi::OsStr;
use std::path::Path;

use ringfence_runner::git::GitProgram;
use ringfence_runner::git::discover::Project;
use ringfence_runner::state_dir::StateDir;
use ringfence_sandbox::confine::{Attempt, Layer};
use ringfence_sandbox::machine::{self, Machine};
use ringfence_sandbox::native;
use ringfence_sandbox::{Compiler, FUEL_RULES, Sandbox, SandboxError, Settings};
use serde::Serialize;

use super::{Context, Stop, readiness, ways_out};
use crate::args::Doctor;
use crate::exit::Exit;
use crate::render::Safe;
use crate::render::doctor::{self, Check, State};

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    ok: bool,
    /// Whether the loop is ready for its level; none where there is no loop.
    ready: Option<bool>,
    checks: &'a [Check],
}

/// Looks at everything.
pub(super) fn run(args: &Doctor, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mut checks = Vec::new();
    match machine::look() {
        Ok(found) => checks.extend(of_machine(&found)),
        Err(error) => checks.push(missing("threads", &error, None)),
    }
    checks.extend(commands(context));
    checks.extend(engine(context));
    checks.extend(project(&context.search_path, &context.dir));
    let of_loop = readiness::checks(args.file.file.as_deref(), context);
    let is_good = |state| move |check: &Check| check.state != state;
    let ready = (!of_loop.is_empty()).then(|| of_loop.iter().all(is_good(State::Unproven)));
    checks.extend(of_loop);
    let ok = checks.iter().all(is_good(State::Missing));
    if args.output.is_json() {
        let checks = &checks;
        context.print_json(&Json {
            version: 1,
            ok,
            ready,
            checks,
        })?;
    } else {
        context.console.print(&doctor::page(&checks));
    }
    Ok(match (ok, ready) {
        (false, _) => Exit::Host,
        (true, Some(false)) => Exit::Refused,
        (true, Some(true) | None) => Exit::Done,
    })
}

fn of_machine(found: &Machine) -> Vec<Check> {
    let Machine {
        system,
        processor,
        is_root,
        kernel_resolves,
        confinement,
        attempts,
    } = found;
    let supported = system.starts_with("Linux");
    vec![
        check(
            "system",
            supported,
            format!("{system}, {processor}"),
            "Ringfence is tested on Linux only",
        ),
        check(
            "user",
            !is_root,
            if *is_root { "root" } else { "not root" }.to_owned(),
            "run loops as a user that owns nothing but what they need: whatever got out of a step would own the machine",
        ),
        check(
            "openat2",
            *kernel_resolves,
            if *kernel_resolves {
                "the kernel resolves paths within a directory"
            } else {
                "not offered: paths are walked name by name"
            }
            .to_owned(),
            "the rules are the same and tested both ways; Linux 5.6 or later has one check more, and is faster",
        ),
        layer(
            "Landlock",
            &confinement.landlock,
            "steps run without the second layer for files: Linux 6.2 or later, with `landlock` in the kernel's list of modules (`lsm=`), has it",
        ),
        layer(
            "seccomp",
            &confinement.seccomp,
            "steps run without the second layer for calls of the kernel: it needs CONFIG_SECCOMP_FILTER, and a container that lets it be used",
        ),
        trial(attempts),
    ]
}

fn check(name: &'static str, ok: bool, found: String, help: &'static str) -> Check {
    Check {
        name,
        state: if ok { State::Ok } else { State::Weaker },
        found,
        help: (!ok).then_some(help),
    }
}

fn layer(name: &'static str, layer: &Layer, help: &'static str) -> Check {
    let found = match layer {
        Layer::On { what } | Layer::Weaker { what, .. } if name == "seccomp" => {
            format!("{what} of the kernel are open to steps, no others")
        }
        Layer::On { what } => {
            format!("{what}, so steps cannot open what lies outside their mounts")
        }
        Layer::Weaker { .. } | Layer::Missing { .. } => layer.to_string(),
    };
    check(name, matches!(layer, Layer::On { .. }), found, help)
}

/// What came of trying.
fn trial(attempts: &[Attempt]) -> Check {
    let names = |refused: bool| {
        let some = attempts.iter().filter(|attempt| attempt.refused == refused);
        some.map(|attempt| attempt.what)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let got_through = names(false);
    let found = if got_through.is_empty() {
        format!("the kernel kept a thread from these: {}", names(true))
    } else {
        format!("the kernel did not keep a thread from these: {got_through}")
    };
    check(
        "trial",
        got_through.is_empty(),
        found,
        "only the first layer, the sandbox itself, keeps steps from them",
    )
}

/// Whether native programs can be confined here.
fn commands(context: &Context<'_, '_>) -> Option<Check> {
    let Compiler::Child(program) = &context.compiler else {
        return None;
    };
    let probed = native::probe(program);
    let found = match &probed {
        Ok(()) => "native programs can be confined".to_owned(),
        Err(error) => Safe::error(error).as_str().to_owned(),
    };
    Some(check(
        "commands",
        probed.is_ok(),
        found,
        ways_out::TO_CONFINE,
    ))
}

fn engine(context: &Context<'_, '_>) -> Vec<Check> {
    let cache = match (
        Sandbox::new(Settings {
            cache: context.cache_dir.clone(),
            ..Settings::default()
        }),
        &context.cache_dir,
    ) {
        (Ok(_), Some(dir)) => check("compile cache", true, dir.display().to_string(), ""),
        (Ok(_), None) => check(
            "compile cache",
            false,
            "none: there is no home folder".to_owned(),
            "set XDG_CACHE_HOME to an absolute path: without it components are compiled anew each time",
        ),
        (Err(error @ SandboxError::Cache { .. }), _) => check(
            "compile cache",
            false,
            Safe::error(&error).as_str().to_owned(),
            "make it a folder that only you can write to, or move it away; until then components are compiled anew each time",
        ),
        (Err(error @ SandboxError::Engine(_)), _) => {
            let help = "components are compiled for x86_64, aarch64, riscv64 and s390x";
            return vec![missing("engine", &error, Some(help))];
        }
    };
    vec![check("engine", true, FUEL_RULES.to_owned(), ""), cache]
}

/// Git, and the project that the current directory belongs to.
fn project(search_path: &OsStr, dir: &Path) -> Vec<Check> {
    let git = match GitProgram::find(search_path, &[dir]) {
        Ok(git) => git,
        Err(error) => return vec![missing("git", &error, ways_out::of_git(&error))],
    };
    let (major, minor) = git.version();
    let found = format!("{major}.{minor}, {}", git.path().display());
    let mut checks = vec![check("git", true, found, "")];
    match Project::discover(&git, dir) {
        Ok(project) => {
            let kind = match project.repository() {
                Some(_) => "a git repository",
                None => "a folder without git",
            };
            let found = format!("{kind}, {}", project.top().display());
            checks.push(check("project", true, found, ""));
            checks.push(match StateDir::find(&project) {
                Ok(Some(state)) => match state.writable() {
                    Ok(()) => check("state", true, state.path().display().to_string(), ""),
                    Err(error) => missing("state", &error, ways_out::of_state(&error)),
                },
                Ok(None) => check(
                    "state",
                    true,
                    "none yet: no beat has run here".to_owned(),
                    "",
                ),
                Err(error) => missing("state", &error, ways_out::of_state(&error)),
            });
        }
        Err(error) => checks.push(missing("project", &error, ways_out::of_discover(&error))),
    }
    checks
}

fn missing(name: &'static str, error: &dyn std::error::Error, help: Option<&'static str>) -> Check {
    Check {
        name,
        state: State::Missing,
        found: Safe::error(error).as_str().to_owned(),
        help,
    }
}

#[cfg(test)]
mod tests {
    use ringfence_sandbox::confine::Confinement;

    use super::*;

    #[test]
    fn a_machine_that_gives_little() {
        let weak = Machine {
            system: "Linux 4.19.0".to_owned(),
            processor: "x86_64",
            is_root: true,
            kernel_resolves: false,
            confinement: Confinement {
                landlock: Layer::Missing {
                    why: "the kernel does not offer it".to_owned(),
                },
                seccomp: Layer::Missing {
                    why: "the kernel refused it: Error calling `seccomp`".to_owned(),
                },
                no_new_privs: true,
            },
            attempts: vec![
                Attempt {
                    what: "open a file",
                    refused: false,
                },
                Attempt {
                    what: "open a socket",
                    refused: true,
                },
            ],
        };
        insta::assert_snapshot!(doctor::page(&of_machine(&weak)).print(false), @r"
        system         ok: Linux 4.19.0, x86_64
        user           weaker: root
                       run loops as a user that owns nothing but what they need:
                       whatever got out of a step would own the machine
        openat2        weaker: not offered: paths are walked name by name
                       the rules are the same and tested both ways; Linux 5.6 or later
                       has one check more, and is faster
        Landlock       weaker: the kernel does not offer it
                       steps run without the second layer for files: Linux 6.2 or later,
                       with `landlock` in the kernel's list of modules (`lsm=`), has it
        seccomp        weaker: the kernel refused it: Error calling `seccomp`
                       steps run without the second layer for calls of the kernel: it
                       needs CONFIG_SECCOMP_FILTER, and a container that lets it be used
        trial          weaker: the kernel did not keep a thread from these: open a file
                       only the first layer, the sandbox itself, keeps steps from them
        ");
        let states = of_machine(&weak);
        assert!(states.iter().all(|check| check.state != State::Missing));
        let partly = Layer::Weaker {
            what: "ABI 2".to_owned(),
            lacks: "files outside can be cut short".to_owned(),
        };
        let check = layer("Landlock", &partly, "help");
        assert_eq!(check.found, "ABI 2, files outside can be cut short");
        assert_eq!((check.state, check.help), (State::Weaker, Some("help")));
    }

    #[test]
    fn a_machine_without_git() {
        let checks = project(OsStr::new("/nonexistent"), Path::new("/"));
        let [git] = checks.as_slice() else {
            panic!("{checks:?}");
        };
        assert_eq!((git.name, git.state), ("git", State::Missing));
        assert!(git.help.is_some());
    }
}
