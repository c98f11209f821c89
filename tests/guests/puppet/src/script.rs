//! The deeds a test can order, and the report of what they gave.
//!
//! Owns the configuration's format; the answers in it are in `answers.rs`.
//!
//! **Invariant:** deeds are done in the order of the fields below; `error` and `panic` come last.

use std::{collections::BTreeMap, fs, path::Path};

use ringfence_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::answers;

/// What the configuration holds. Everything is optional; the executor takes the same from the action's input.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    /// Pairs of level and message.
    log: Vec<(String, String)>,
    /// Written to the standard streams.
    stdout: String,
    stderr: String,
    /// Folders to make, with those above them.
    create_dirs: Vec<String>,
    /// Files to write: path and text.
    writes: Vec<(String, String)>,
    /// Texts to append: path and text.
    appends: Vec<(String, String)>,
    /// Pairs of old and new path.
    renames: Vec<(String, String)>,
    /// Files to remove.
    deletes: Vec<String>,
    /// Whether a failing write, append, rename or deletion is only reported instead of ending the call.
    lenient: bool,
    /// Files to read into the report.
    reads: Vec<String>,
    /// Folders to list into the report.
    lists: Vec<String>,
    /// How often to read the wall clock and the monotonic one.
    clock: u32,
    /// How often to draw a random number.
    random: u32,
    /// Whether to report environment, arguments and current folder.
    environment: bool,
    /// Whether a gate reports the change: files, their bases, the diff, commits and evidence.
    pub(crate) look_at_change: bool,
    /// Fuel to burn: rounds of an idle loop.
    burn: u64,
    /// Answers, per role.
    pub(crate) observation: Option<answers::Observed>,
    pub(crate) raw_observation: answers::RawObservation,
    pub(crate) decision: Option<answers::Decided>,
    /// Goes out as the decision's input, JSON or not.
    pub(crate) raw_input: Option<String>,
    pub(crate) outcome: Option<answers::Done>,
    /// Goes out as the outcome's detail, JSON or not.
    pub(crate) raw_detail: Option<String>,
    pub(crate) verdict: Option<answers::Judged>,
    /// Ends the call with this error: `config`, `unavailable` or `internal`, and its message.
    error: Option<(String, String)>,
    /// Ends the call with a panic of this text.
    panic: Option<String>,
}

/// What the deeds gave.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reads: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    lists: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clock: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    monotonic: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    random: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) given: Value,
}

impl Script {
    /// Does everything but answer.
    pub(crate) fn perform(&self, cx: &Context, report: &mut Report) -> Result<()> {
        self.speak(cx)?;
        self.write(report)?;
        for path in &self.reads {
            let text = match fs::read(path) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) => format!("error: {error}"),
            };
            report.reads.insert(path.clone(), text);
        }
        for path in &self.lists {
            report.lists.insert(path.clone(), list(path));
        }
        self.ask_the_machine(report);
        (0..self.burn).for_each(|round| {
            std::hint::black_box(round);
        });
        self.end()
    }

    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "that is what the test orders"
    )]
    fn speak(&self, cx: &Context) -> Result<()> {
        for (level, message) in &self.log {
            match level.as_str() {
                "trace" => cx.trace(message),
                "debug" => cx.debug(message),
                "info" => cx.info(message),
                "warn" => cx.warn(message),
                "error" => cx.error(message),
                other => return Err(Error::config(format!("no such level: {other}"))),
            }
        }
        print!("{}", self.stdout);
        eprint!("{}", self.stderr);
        Ok(())
    }

    fn write(&self, report: &mut Report) -> Result<()> {
        let mut note = |what: &str, path: &str, result: std::io::Result<()>| match result {
            Err(error) if self.lenient => {
                report.failed.push(format!("{what} {path}: {error}"));
                Ok(())
            }
            Err(error) => Err(Error::unavailable(format!("{what} {path}: {error}"))),
            Ok(()) => Ok(()),
        };
        for path in &self.create_dirs {
            note("create", path, fs::create_dir_all(path))?;
        }
        for (path, text) in &self.writes {
            note("write", path, write_with_folders(path, text))?;
        }
        for (path, text) in &self.appends {
            note("append", path, append(path, text))?;
        }
        for (from, to) in &self.renames {
            note("rename", from, fs::rename(from, to))?;
        }
        for path in &self.deletes {
            note("delete", path, fs::remove_file(path))?;
        }
        Ok(())
    }

    fn ask_the_machine(&self, report: &mut Report) {
        for _ in 0..self.clock {
            let now = wasip2::clocks::wall_clock::now();
            report
                .clock
                .push(format!("{}.{:09}", now.seconds, now.nanoseconds));
            report
                .monotonic
                .push(wasip2::clocks::monotonic_clock::now());
        }
        for _ in 0..self.random {
            report.random.push(wasip2::random::random::get_random_u64());
        }
        if self.environment {
            let folder = std::env::current_dir().map(|folder| folder.display().to_string());
            report.environment = Some(json!({
                "variables": wasip2::cli::environment::get_environment(),
                "arguments": wasip2::cli::environment::get_arguments(),
                "folder": folder.unwrap_or_else(|error| format!("error: {error}")),
                "stdin": std::io::read_to_string(std::io::stdin())
                    .unwrap_or_else(|error| format!("error: {error}")),
            }));
        }
    }

    #[expect(clippy::panic, reason = "that is what the test orders")]
    fn end(&self) -> Result<()> {
        if let Some(text) = &self.panic {
            panic!("{text}");
        }
        let Some((kind, message)) = &self.error else {
            return Ok(());
        };
        Err(match kind.as_str() {
            "config" => Error::config(message),
            "unavailable" => Error::unavailable(message),
            _ => Error::internal(message),
        })
    }
}

impl Report {
    /// As JSON.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Adds everything that the change and evidence interfaces tell.
    pub(crate) fn look_at(&mut self, change: &Change) -> Result<()> {
        let files: Vec<_> = change
            .files()
            .iter()
            .map(|file| {
                let base = match change.read_base(&file.path) {
                    Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    Err(error) => format!("error: {error}"),
                };
                json!({
                    "path": file.path,
                    "kind": format!("{:?}", file.kind).to_lowercase(),
                    "renamed_from": file.renamed_from,
                    "old_mode": file.old_mode,
                    "new_mode": file.new_mode,
                    "size": file.size,
                    "lines_added": file.lines_added,
                    "lines_removed": file.lines_removed,
                    "binary": file.binary,
                    "base": base,
                })
            })
            .collect();
        let commits: Vec<_> = change
            .commits()
            .iter()
            .map(|commit| json!([commit.id, commit.author, commit.message, commit.parents]))
            .collect();
        self.change = Some(json!({
            "files": files,
            "diff": change.unified_diff(3)?,
            "commits": commits,
            "evidence": evidence(change.evidence()),
        }));
        Ok(())
    }
}

fn evidence(evidence: &Evidence) -> Vec<Value> {
    let read = |receipt: &Receipt, report: &str| {
        let read = evidence.read(&receipt.command, receipt.side, report);
        match read {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("error: {error}"),
        }
    };
    let one = |receipt: &Receipt| {
        let reports = receipt.reports.iter();
        let reports: Vec<_> = reports
            .map(|report| json!([report.name, report.size, read(receipt, &report.name)]))
            .collect();
        json!({
            "command": receipt.command,
            "side": receipt.side.to_string(),
            "ended": receipt.ended,
            "exit_code": receipt.exit_code,
            "confinement": receipt.confinement,
            "network": receipt.network,
            "reports": reports,
            "other": read(receipt, "no-such-report"),
        })
    };
    evidence.receipts().iter().map(one).collect()
}

fn write_with_folders(path: &str, text: &str) -> std::io::Result<()> {
    if let Some(parent) = Path::new(path).parent()
        && !parent.as_os_str().is_empty()
    {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

fn append(path: &str, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?
        .write_all(text.as_bytes())
}

fn list(path: &str) -> Vec<String> {
    let names = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<Vec<_>>>()
    });
    match names {
        Ok(mut names) => {
            names.sort();
            names
        }
        Err(error) => vec![format!("error: {error}")],
    }
}
