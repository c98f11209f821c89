//! `ringfence-bench [--quick] [GROUP]…` measures and prints the table; `ringfence-bench --spin WORK` does one work of the
//! group `files` (or `gate`) in the boundary and nothing else, for a profiler.

use std::process::ExitCode;

use ringfence_bench::groups::{ALL, Scale, call, files};
use ringfence_bench::report::{Row, table};
use ringfence_bench::{Outcome, root, timed_git};

fn main() -> ExitCode {
    if let Some(end) = timed_git::as_git(std::env::args_os()) {
        return end.unwrap_or_else(|error| {
            say(&format!("stand-in for git: {error}"));
            ExitCode::FAILURE
        });
    }
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Outcome<()> {
    let (flags, wanted): (Vec<_>, Vec<_>) = arguments
        .into_iter()
        .partition(|argument| argument.starts_with("--"));
    let rounds = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => 101,
        ["--quick"] => 11,
        ["--spin"] => return spin(&wanted),
        _ => return Err("usage: ringfence-bench [--quick] [GROUP]… | --spin WORK".into()),
    };
    let mut rows: Vec<Row> = Vec::new();
    for (name, group) in ALL {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            say(&format!("{name} …"));
            rows.extend(group(Scale { rounds })?);
        }
    }
    let path = root().join("target/bench.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&rows)?)?;
    print(&table(&rows));
    Ok(())
}

/// Some seconds of one work.
fn spin(wanted: &[String]) -> Outcome<()> {
    match wanted {
        [gate] if gate == "gate" => call::spin(),
        [kind] => files::spin(kind),
        _ => Err("one work at a time".into()),
    }
}

#[expect(clippy::print_stderr, reason = "progress, beside the table")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the answer")]
fn print(text: &str) {
    print!("{text}");
}
