//! `ringfence exec`: a program that is not trusted, within what the command line grants it.
//!
//! **Invariant:** the program has stdin, stdout and stderr to itself until it has ended; what there is to tell of it comes
//! after that, on stderr or in a file that was made before it began, where it cannot write.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use ringfence_core::call::{CallFailure, Usage};
use ringfence_core::digest::{Digest, PartsHasher};
use ringfence_core::failure::Failure;
use ringfence_core::limits::{LIMITS_MAX, Limits};
use ringfence_core::policy::{
    Denial, DenyPattern, DenySource, Layer, PathPolicy, PolicySpec, builtin_denials,
};
use ringfence_sandbox::{
    CallError, Clock, FUEL_RULES, InspectError, LoadError, Mount, Program, ProgramCall, Ran, Times,
    confine, random_seed,
};
use serde::Serialize;

use super::gate::place::Place;
use super::{Context, Stop, beat, plugin};
use crate::args::Exec;
use crate::exit::Exit;
use crate::render::{Safe, Text, exec, json, text};

const DIR_HELP: &str = "`--dir` takes a directory that you may read: HOST, or HOST::GUEST";

/// The report for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    program: &'a Digest,
    fuel_rules: &'static str,
    exit_code: u8,
    failure: Option<&'a CallFailure>,
    #[serde(flatten)]
    usage: &'a Usage,
    denials: &'a [Denial],
    denials_dropped: u64,
}

/// Runs the program and ends as it does.
pub(super) fn run(args: &Exec, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let call = call(args, context)?;
    let report = args
        .report
        .as_ref()
        .map(|named| {
            let place = Place::new(named, &context.dir)?;
            out_of_reach(&place, &call, args)?;
            make_report(&place)
        })
        .transpose()?;
    let program = load(args, context)?;
    let call = if args.deterministic {
        determined(call, &program)
    } else {
        call
    };
    give_up(&call, context)?;
    let ran = program.run(call).map_err(|error| match &error {
        CallError::Mount { .. } => no_directory(&error),
        CallError::Store(_) => Stop::error(Exit::Host, &error),
    })?;
    let exit = match &ran.ended {
        Ok(code) => Exit::Program(*code),
        Err(failure) => Exit::of_failure(Failure::from(failure).class),
    };
    match report {
        Some(mut file) => write_report(&mut file, &program, &ran, exit).map_err(|error| {
            Stop::new(Exit::Host, text!["the report cannot be written: ", error])
        })?,
        None => context.console.say(&exec::report(&ran)),
    }
    Ok(exit)
}

/// Gives up what the program's run does not need, before its first instruction.
fn give_up(call: &ProgramCall, context: &Context<'_, '_>) -> Result<(), Stop> {
    if !context.may_be_confined {
        return Ok(());
    }
    let roots: Vec<_> = call
        .mounts
        .iter()
        .map(|mount| mount.host_path.clone())
        .collect();
    let confinement = confine::process(&roots).map_err(|error| no_directory(&error))?;
    tracing::debug!(?confinement, "confined");
    Ok(())
}

fn no_directory(error: &dyn std::error::Error) -> Stop {
    Stop::error(Exit::Usage, error).help(DIR_HELP)
}

fn load(args: &Exec, context: &mut Context<'_, '_>) -> Result<Program, Stop> {
    let bytes = plugin::read(&context.dir.join(&args.program))?;
    let sandbox = beat::sandbox(context)?;
    sandbox.load_program(&bytes).map_err(|error| {
        let exit = match &error {
            _ if error.is_ours() => Exit::Host,
            LoadError::Slow { .. } | LoadError::Memory { .. } | LoadError::CodeSize { .. } => {
                Exit::Exhausted
            }
            LoadError::Inspect(_)
            | LoadError::Compile(_)
            | LoadError::Crashed(_)
            | LoadError::Compiler(_)
            | LoadError::Import(_) => Exit::Plugin,
        };
        let what = text![Safe::path(&args.program), ": ", Safe::error(&error)];
        let core = matches!(error, LoadError::Inspect(InspectError::CoreModule));
        let adapt = "`wasm-tools component new FILE --adapt ADAPTER` makes a component of a WASI 0.1 module";
        Stop::new(exit, what).help_if(error.help().or(core.then_some(adapt)))
    })
}

fn call(args: &Exec, context: &Context<'_, '_>) -> Result<ProgramCall, Stop> {
    let globs = [&args.read, &args.write, &args.deny];
    if args.dirs.is_empty() && globs.iter().any(|globs| !globs.is_empty()) {
        return Err(Stop::new(
            Exit::Usage,
            "a path is granted or denied, but no directory is given",
        )
        .help("name the directory that the globs begin at with `--dir`"));
    }
    let policy = PathPolicy::new(&spec(args)).map_err(|errors| {
        let all = errors.iter().map(|error| Safe::line(&error.to_string()));
        Stop::new(Exit::Usage, Text::join(all, "; "))
    })?;
    let name = args.program.file_name().unwrap_or_default();
    let own_name = name.to_string_lossy().into_owned();
    Ok(ProgramCall {
        mounts: args
            .dirs
            .iter()
            .map(|dir| mount(dir, &context.dir, &policy))
            .collect::<Result<_, _>>()?,
        limits: limits(args)?,
        args: std::iter::once(own_name)
            .chain(args.args.iter().cloned())
            .collect(),
        env: args
            .env
            .iter()
            .map(|pair| variable(pair))
            .collect::<Result<_, _>>()?,
        streams: context.program_streams.clone(),
        seed: random_seed().map_err(|error| Stop::error(Exit::Host, &error))?,
        clock: Clock::System,
        times: Times::Real,
    })
}

/// The same call with nothing in it that differs from run to run.
fn determined(call: ProgramCall, program: &Program) -> ProgramCall {
    let mut seed = PartsHasher::new("ringfence exec seed 1");
    seed.part("program", program.digest().as_bytes());
    ProgramCall {
        seed: seed.finish(),
        clock: Clock::Fuel { start: 0 },
        times: Times::Fixed(0),
        ..call
    }
}

fn mount(dir: &str, from: &Path, policy: &PathPolicy) -> Result<Mount, Stop> {
    let (host, guest) = dir.split_once("::").unwrap_or((dir, dir));
    let host_path = from.join(host);
    if !host_path.is_dir() {
        let what = text!["--dir ", Safe::line(host), " is no directory"];
        return Err(Stop::new(Exit::Usage, what).help(DIR_HELP));
    }
    Ok(Mount {
        guest_path: guest.to_owned(),
        host_path,
        policy: policy.clone(),
    })
}

/// What the options grant, from each directory.
fn spec(args: &Exec) -> PolicySpec {
    let everything = || vec!["**".to_owned()];
    let (read, write) = match (args.read.as_slice(), args.write.as_slice()) {
        ([], []) => (everything(), everything()),
        ([], write) => (write.to_vec(), write.to_vec()),
        (read, write) => (read.to_vec(), write.to_vec()),
    };
    let layers = vec![Layer {
        name: "command line".to_owned(),
        read,
        write,
    }];
    let own = args.deny.iter().map(|pattern| DenyPattern {
        pattern: pattern.clone(),
        source: DenySource::Operator,
    });
    let builtin = (!args.no_builtin_deny).then(builtin_denials);
    PolicySpec {
        layers,
        deny: own.chain(builtin.into_iter().flatten()).collect(),
    }
}

fn limits(args: &Exec) -> Result<Limits, Stop> {
    let limits = Limits {
        fuel: args.fuel,
        memory: args.memory,
        deadline: args.deadline,
    };
    let most = LIMITS_MAX;
    for (option, too_much, most) in [
        ("--fuel", limits.fuel > most.fuel, Text::from(most.fuel)),
        ("--memory", limits.memory > most.memory, most.memory.into()),
        (
            "--deadline",
            limits.deadline > most.deadline,
            most.deadline.into(),
        ),
    ] {
        if too_much {
            return Err(Stop::new(
                Exit::Usage,
                text![option, " is more than a run may have, which is ", most],
            ));
        }
    }
    Ok(limits)
}

fn variable(pair: &str) -> Result<(String, String), Stop> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Stop::new(
            Exit::Usage,
            text!["--env ", Safe::line(pair), " is not NAME=VALUE"],
        )),
    }
}

/// Refuses a report that the program could write itself, or put a link in the way of.
fn out_of_reach(place: &Place, call: &ProgramCall, args: &Exec) -> Result<(), Stop> {
    if spec(args).layers.iter().all(|layer| layer.write.is_empty()) {
        return Ok(());
    }
    for mount in &call.mounts {
        let host = mount.host_path.canonicalize();
        let host = host.map_err(|error| no_directory(&error))?;
        if place.path().starts_with(&host) {
            let path = Safe::path(place.path());
            let host = Safe::path(&mount.host_path);
            let what = text!["the report ", path, " lies in ", host];
            let what = text![what, ", where the program may write"];
            return Err(Stop::new(Exit::Usage, what)
                .help("name a place outside, or `--read` what the program is only to read"));
        }
    }
    Ok(())
}

/// Made before the program runs, so that a run whose report has no place does not begin; what stood there is gone.
fn make_report(place: &Place) -> Result<File, Stop> {
    place.clear()?;
    let made = File::create_new(place.path());
    made.map_err(|error| Stop::unwritable(place.path(), &error))
}

fn write_report(file: &mut File, program: &Program, ran: &Ran, exit: Exit) -> Result<(), Safe> {
    let report = &ran.report;
    let text = json::print(&Json {
        version: 1,
        program: program.digest(),
        fuel_rules: FUEL_RULES,
        exit_code: exit.code(),
        failure: ran.ended.as_ref().err(),
        usage: &report.usage,
        denials: &report.denials,
        denials_dropped: report.denials_dropped,
    });
    let text = text.map_err(|error| Safe::error(&error))?;
    file.write_all(text.as_bytes())
        .map_err(|error| Safe::error(&error))
}
