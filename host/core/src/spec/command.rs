//! Commands that the operator declared: `[command.NAME]`, in a loop file and in a gates file.
//!
//! Owns the keys of such a table, their defaults, and [`CommandSpec`]. How a command is run and confined is the sandbox's
//! business.
//!
//! **Invariant:** every limit is finite, also when it is not written; a command without network, outside system
//! directories and in the sandbox is what is meant unless something else is written.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::rules::COMMAND_NAME;
pub use self::rules::check_system_directory;
use self::rules::{
    ARGUMENT, DISK, ENV_NAME, ENV_VALUE, MEMORY, ON, OUTPUT, PROCESSES, REPORT_NAME, REPORT_PATH,
    SANDBOX, SYSTEM, TIME,
};
use crate::diagnostic::Diagnostics;
use crate::digest::{Digest, PartsHasher};
use crate::evidence::Side;
use crate::ids::StepId;
use crate::quantity::{Bytes, Millis};
use crate::relpath::RelPath;
use crate::toml_doc::{Key, Kind, Section, Table};

/// The standard output of a run, as a report that every run has.
pub const STDOUT: &str = "stdout";
/// The standard error of a run, as a report that every run has.
pub const STDERR: &str = "stderr";

/// One `[command.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandSpec {
    /// Its name, which receipts and gates know it by.
    pub name: StepId,
    /// Program and arguments, at least one; the program is looked up in `PATH`.
    pub argv: Vec<String>,
    /// On which trees it runs.
    pub on: RunsOn,
    /// Variables on top of those that every command has.
    pub env: BTreeMap<String, String>,
    /// True when it may reach the network.
    pub network: bool,
    /// How it is confined.
    pub sandbox: Sandboxing,
    /// Absolute directories that it may read besides those of the system.
    pub system: Vec<String>,
    /// Files in the tree that it writes, by the name that gates ask for.
    pub reports: BTreeMap<String, RelPath>,
    /// What one run may use.
    pub limits: CommandLimits,
}

/// On which trees a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunsOn {
    /// The candidate.
    After,
    /// The base, too.
    Both,
}

/// How a command is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sandboxing {
    /// By the operating system, or it does not run.
    Full,
    /// Not at all.
    None,
}

/// What one run of a command may use, all of its processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandLimits {
    /// Time on the clock.
    pub time: Millis,
    /// Memory.
    pub memory: Bytes,
    /// Standard output and standard error together; all reports together may have as much again.
    pub output: Bytes,
    /// Processes at one time.
    pub processes: u64,
    /// What it writes to files, which are kept in memory.
    pub disk: Bytes,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self {
            // Limit: a clean build and its tests in a middling project; whoever needs more knows it.
            time: Millis(600_000),
            // Limit: what a compiler and a linker take on two cores, and half of a small machine.
            memory: Bytes(4 << 30),
            // Limit: a hundred thousand lines, which nobody reads.
            output: Bytes(8 << 20),
            // Limit: many test runners at once, and no fork bomb.
            processes: 512,
            // Limit: the output of a debug build.
            disk: Bytes(4 << 30),
        }
    }
}

impl CommandSpec {
    /// The digest of everything that is declared: what a receipt calls `declared`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = PartsHasher::new("ringfence command 1");
        let mut part = |name: &str, value: &str| {
            hasher.part(name, value.as_bytes());
        };
        part("name", self.name.as_str());
        for argument in &self.argv {
            part("argument", argument);
        }
        part("on", self.on.as_str());
        for (name, value) in &self.env {
            part("variable", name);
            part("value", value);
        }
        part("network", if self.network { "yes" } else { "no" });
        part("sandbox", self.sandbox.as_str());
        for directory in &self.system {
            part("system", directory);
        }
        for (name, path) in &self.reports {
            part("report", name);
            part("path", path.as_str());
        }
        let limits = &self.limits;
        let amounts = [
            limits.time.0,
            limits.memory.0,
            limits.output.0,
            limits.processes,
            limits.disk.0,
        ];
        for amount in amounts {
            hasher.part("limit", &amount.to_le_bytes());
        }
        hasher.finish()
    }

    /// The trees it runs on, in the order of runs.
    #[must_use]
    pub fn sides(&self) -> &'static [Side] {
        match self.on {
            RunsOn::After => &[Side::After],
            RunsOn::Both => &[Side::Before, Side::After],
        }
    }
}

impl RunsOn {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Both => "both",
        }
    }
}

impl Sandboxing {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::None => "none",
        }
    }
}

impl fmt::Display for RunsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Sandboxing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key that holds the tables, for whichever file has them.
pub(crate) const COMMANDS: Key = Key::optional(
    "command",
    Kind::Named(&COMMAND_NAME, &COMMAND),
    "a native program that is run on the tree before the gates judge it, and what its reports are",
);

static COMMAND: Table = Table {
    title: "[command.NAME]",
    later: &[],
    keys: &[
        Key::required(
            "argv",
            Kind::List(&ARGUMENT),
            "the program and its arguments; no shell reads them",
        ),
        Key::optional(
            "on",
            Kind::Choice(&ON),
            "which trees it runs on: the candidate, or the base as well; after unless written",
        ),
        Key::optional(
            "env",
            Kind::Texts(&ENV_NAME, &ENV_VALUE),
            "variables of its environment besides PATH, HOME, LANG and TZ",
        ),
        Key::optional(
            "network",
            Kind::Flag,
            "whether it may reach the network; false unless written",
        ),
        Key::optional(
            "sandbox",
            Kind::Choice(&SANDBOX),
            "\"none\" runs it unconfined where it has to be, and every receipt says so; full unless written",
        ),
        Key::optional(
            "system",
            Kind::List(&SYSTEM),
            "absolute directories that it may read besides the system's own, such as a toolchain's",
        ),
        Key::optional(
            "reports",
            Kind::Texts(&REPORT_NAME, &REPORT_PATH),
            "files that it writes, each by the name that gates ask for: junit, sarif",
        ),
        Key::optional("limits", Kind::One(&LIMITS), "what one run of it may use"),
    ],
};

static LIMITS: Table = Table {
    title: "a command's `limits`",
    later: &[(
        "fuel",
        "native programs have no fuel: write `time`, and the rest of the limits",
    )],
    keys: &[
        Key::optional(
            "time",
            Kind::Amount(&TIME),
            "time on the wall clock; 10m unless written",
        ),
        Key::optional(
            "memory",
            Kind::Amount(&MEMORY),
            "memory of all its processes together; 4GiB unless written",
        ),
        Key::optional(
            "output",
            Kind::Amount(&OUTPUT),
            "what it prints, and all its reports together as much again; 8MiB unless written",
        ),
        Key::optional(
            "processes",
            Kind::Amount(&PROCESSES),
            "processes at one time; 512 unless written",
        ),
        Key::optional(
            "disk",
            Kind::Amount(&DISK),
            "what it writes to files, which are kept in memory; 4GiB unless written",
        ),
    ],
};

/// Reads the tables below the key of [`COMMANDS`], in the order of their names; one that lacks something was reported.
pub(crate) fn commands(root: &Section, found: &mut Diagnostics) -> Vec<CommandSpec> {
    let named = root.named(COMMANDS.name).iter();
    named
        .filter_map(|(name, section)| command(name, section, found))
        .collect()
}

fn command(name: &str, section: &Section, found: &mut Diagnostics) -> Option<CommandSpec> {
    let argv = section.list("argv")?.to_vec();
    rules::check_program(&argv, section.span_of("argv"), found)?;
    let reports = section.texts("reports").into_iter().flatten();
    let reports = reports.filter_map(|(name, path)| {
        let path = RelPath::lexical(path).ok()?;
        Some((name.clone(), path))
    });
    Some(CommandSpec {
        name: StepId::new(name).ok()?,
        argv,
        on: match section.text("on") {
            Some("both") => RunsOn::Both,
            _ => RunsOn::After,
        },
        env: section.texts("env").cloned().unwrap_or_default(),
        network: section.flag("network").unwrap_or(false),
        sandbox: match section.text("sandbox") {
            Some("none") => Sandboxing::None,
            _ => Sandboxing::Full,
        },
        system: section
            .list("system")
            .map(<[String]>::to_vec)
            .unwrap_or_default(),
        reports: reports.collect(),
        limits: limits(section.one("limits")),
    })
}

fn limits(section: Option<&Section>) -> CommandLimits {
    let default = CommandLimits::default();
    let amount = |key: &str| section.and_then(|section| section.amount(key));
    CommandLimits {
        time: amount("time").map_or(default.time, Millis),
        memory: amount("memory").map_or(default.memory, Bytes),
        output: amount("output").map_or(default.output, Bytes),
        processes: amount("processes").unwrap_or(default.processes),
        disk: amount("disk").map_or(default.disk, Bytes),
    }
}
