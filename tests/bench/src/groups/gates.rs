//! `ringfence gate` as a process, beside other processes that look at the same change.
//!
//! **Invariant:** the peers do less than the gates: each starts git, reads the change and, as a script, matches names. None
//! compiles, walks or judges anything else, so every ratio is to the gates' disadvantage.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Scale;
use crate::report::{Goal, Row};
use crate::rounds::{self, Contender, Taken};
use crate::timed_git::TimedGit;
use crate::{Outcome, root};

/// The gates of the large change; all of them judge every file that it changes.
const GATES: &str = r#"
[paths]
read = ["**"]
[[gate]]
plugin = "std:paths"
config = { deny = ["secret/**"] }
[[gate]]
plugin = "std:diff-size"
config = { max_files = 1000, max_lines = 10000 }
[[gate]]
plugin = "std:md-links"
[[gate]]
plugin = "std:secrets"
[[gate]]
plugin = "std:injection"
[[gate]]
plugin = "std:no-test-weakening"
[[gate]]
plugin = "std:generated"
[[gate]]
plugin = "std:lockfile"
[[gate]]
plugin = "std:licence-header"
config = { header = ["SPDX-License-Identifier: MIT"] }
[[gate]]
plugin = "std:schema"
config = { rules = [{ files = ["config/**"], schema = "schema.json" }] }
"#;
const COUNT: usize = 10;
/// Those that judge by the files that differ. `md-links` reads every document, since any may link to what was changed.
const BY_WHAT_DIFFERS: &str =
    "paths,diff-size,secrets,injection,no-test-weakening,generated,lockfile,licence-header,schema";
/// Another file, of those that read nothing.
const CHEAPEST: &str = r#"
[[gate]]
plugin = "std:paths"
config = { deny = ["secret/**"] }
[[gate]]
plugin = "std:diff-size"
config = { max_files = 1000, max_lines = 10000 }
"#;
/// What a script does that is a gate: asks git for the names and matches them.
const SCRIPT: &str = r#"
const names = require("child_process").execFileSync("git", ["diff", "--name-only", "-z", "BASE", "HEAD"]);
const denied = [/^secret\//, /(^|\/)\.env/, /\.pem$/];
if (String(names).split("\0").some(name => denied.some(one => one.test(name)))) process.exit(1);
"#;
// Limit: all of it is compiled anew each time, which takes seconds.
const COLD_ROUNDS: usize = 3;

/// A repository with one change between the tag BASE and HEAD.
struct Ground(tempfile::TempDir);

impl Ground {
    /// So many files in the base, so many of which the change touches, in turn documents, sources and settings.
    fn new(files: usize, changed: usize) -> Outcome<Self> {
        let dir = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(root().join("target"))?;
        let ground = Self(dir);
        fs::create_dir(ground.top())?;
        fs::create_dir(ground.cache())?;
        git(&ground, &["init", "-q", "-b", "main"])?;
        for number in 0..files {
            ground.write(number, "before")?;
        }
        fs::write(ground.top().join("ringfence-gates.toml"), GATES)?;
        fs::write(ground.top().join("cheapest.toml"), CHEAPEST)?;
        fs::write(
            ground.top().join("schema.json"),
            r#"{ "type": "object", "required": ["word"] }"#,
        )?;
        let pinned = ground.told(&["gate", "check", "--write-lock"])?.status()?;
        pinned.success().then_some(()).ok_or("check failed")?;
        ground.commit()?;
        git(&ground, &["tag", "BASE"])?;
        for number in 0..changed {
            ground.write(number, "after")?;
        }
        ground.commit()?;
        Ok(ground)
    }

    fn top(&self) -> PathBuf {
        self.0.path().join("project")
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn write(&self, number: usize, word: &str) -> Outcome<()> {
        let folder = number / 100;
        let (name, text) = match number % 3 {
            0 => (
                format!("docs/{folder}/{number}.md"),
                format!(
                    "# Page {number}\n\nIt was {word}. See [itself]({number}.md#page-{number}).\n"
                ),
            ),
            1 => (
                format!("src/{folder}/{number}.rs"),
                format!(
                    "// SPDX-License-Identifier: MIT\n\nfn word() -> &'static str {{\n    \"{word}\"\n}}\n"
                ),
            ),
            _ => (
                format!("config/{folder}/{number}.json"),
                format!("{{ \"number\": {number}, \"word\": \"{word}\" }}\n"),
            ),
        };
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    fn commit(&self) -> Outcome<()> {
        git(self, &["add", "-A"])?;
        git(self, &["commit", "-q", "-m", "a commit"])
    }

    /// `ringfence` with these arguments in this repository.
    fn told(&self, arguments: &[&str]) -> Outcome<Command> {
        let program = std::env::current_exe()?.with_file_name("ringfence");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("XDG_CACHE_HOME", self.cache())
            .current_dir(self.top())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command)
    }

    /// One run of gates, which has to pass.
    fn gate(&self, more: &[&str]) -> Outcome<()> {
        let arguments = [&["gate", "--base", "BASE", "--head", "HEAD"], more].concat();
        passes(&mut self.told(&arguments)?)
    }

    /// As if nothing had ever run here.
    fn forget(&self) -> Outcome<()> {
        fs::remove_dir_all(self.cache())?;
        fs::create_dir(self.cache())?;
        Ok(fs::remove_dir_all(self.top().join(".git/ringfence-state"))?)
    }
}

pub(super) fn run(scale: Scale) -> Outcome<Vec<Row>> {
    let mut rows = of_processes(scale)?;
    rows.extend(of_size(scale)?);
    Ok(rows)
}

/// A hundred files through ten gates, and through the two cheapest.
fn of_processes(scale: Scale) -> Outcome<Vec<Row>> {
    let ground = Ground::new(1_000, 100)?;
    all_are_asked(&ground)?;
    let anew = ["--no-memo"];
    let cheapest = ["--no-memo", "--config", "cheapest.toml"];
    let mut contenders = vec![
        Contender::new("ten gates, warm", || ground.gate(&anew)),
        Contender::new("ten gates, known", || ground.gate(&[])),
        Contender::new("two gates, warm", || ground.gate(&cheapest)),
        Contender::new("ten git diff", || times(COUNT, || patch(&ground))),
        Contender::new("git diff", || patch(&ground)),
    ];
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if has_node {
        contenders.push(Contender::new("ten node scripts", || {
            times(COUNT, || script(&ground))
        }));
        contenders.push(Contender::new("two node scripts", || {
            times(2, || script(&ground))
        }));
    }
    let taken = rounds::run(scale.rounds, &mut contenders)?;
    drop(contenders);
    let cold = rounds::run(
        COLD_ROUNDS,
        &mut [Contender::new("ten gates, cold", || {
            ground.forget()?;
            ground.gate(&anew)
        })],
    )?;
    let [warm, known, two, diffs, diff, scripts @ ..] = taken.as_slice() else {
        return Err("somebody is missing".into());
    };
    let [cold] = cold.as_slice() else {
        return Err("nobody was cold".into());
    };
    let what = "100 files, ten gates";
    let mut rows = vec![
        Row::micros(what, cold, Goal::None),
        Row::micros(what, warm, Goal::None),
        Row::micros(what, known, Goal::None),
        Row::new(what, diffs, warm, Goal::None),
        Row::new(what, warm, known, Goal::None),
        Row::micros(
            "100 files, paths and diff-size",
            two,
            Goal::AtMost(50_000.0),
        ),
        Row::new("100 files, paths and diff-size", two, diff, Goal::None),
    ];
    if let [ten, both] = scripts {
        rows.push(Row::new(what, ten, warm, Goal::AtLeast(1.0)));
        rows.push(Row::new(
            "100 files, paths and diff-size",
            both,
            two,
            Goal::AtLeast(1.0),
        ));
    }
    Ok(rows)
}

/// Three files of a small and of a large repository, with git's share apart.
fn of_size(scale: Scale) -> Outcome<Vec<Row>> {
    let (small, large) = (Ground::new(200, 3)?, Ground::new(20_000, 3)?);
    let (mut of_small, mut of_large) = (Apart::new(false), Apart::new(true));
    let (git_small, git_large) = (
        TimedGit::new(small.0.path())?,
        TimedGit::new(large.0.path())?,
    );
    for round in 0..=scale.rounds {
        for (ground, git, apart) in [
            (&small, &git_small, &mut of_small),
            (&large, &git_large, &mut of_large),
        ] {
            let change = ["gate", "--base", "BASE", "--head", "HEAD", "--no-memo"];
            let mut command = ground.told(&change)?;
            command.args(["--only", BY_WHAT_DIFFERS]);
            command.env("PATH", git.search_path()?);
            let began = Instant::now();
            passes(&mut command)?;
            let took = began.elapsed();
            let of_git = git.take()?;
            // The first has everything to compile.
            if round > 0 {
                apart.add(took, of_git);
            }
        }
    }
    let what = "3 files, nine gates";
    Ok(vec![
        Row::new(what, &of_large.rest, &of_small.rest, Goal::AtMost(1.2)),
        Row::new(what, &of_large.git, &of_small.git, Goal::None),
    ])
}

/// What a run took, in git and beside it.
struct Apart {
    git: Taken,
    rest: Taken,
}

impl Apart {
    fn new(large: bool) -> Self {
        let taken = |name| Taken {
            name,
            wall: Vec::new(),
            cpu: f64::NAN,
        };
        Self {
            git: taken(if large {
                "git's part in 20,000 files"
            } else {
                "in 200"
            }),
            rest: taken(if large {
                "all else in 20,000 files"
            } else {
                "in 200"
            }),
        }
    }

    fn add(&mut self, took: Duration, of_git: Duration) {
        self.git.wall.push(of_git.as_nanos() as f64);
        self.rest
            .wall
            .push(took.saturating_sub(of_git).as_nanos() as f64);
    }
}

/// Before anything is measured: every gate passes the change, and none is missing.
fn all_are_asked(ground: &Ground) -> Outcome<()> {
    let arguments = [
        "gate", "--base", "BASE", "--head", "HEAD", "--format", "json",
    ];
    let said = ground.told(&arguments)?.stdout(Stdio::piped()).output()?;
    let report: Value = serde_json::from_slice(&said.stdout)?;
    let gates = report
        .get("gates")
        .and_then(Value::as_array)
        .ok_or("no gates")?;
    let judged = |gate: &&Value| {
        gate.pointer("/receipt/usage/fuel/used")
            .and_then(Value::as_u64)
            > Some(0)
    };
    match gates.iter().filter(judged).count() {
        COUNT => Ok(()),
        other => Err(format!("{other} gates of {COUNT} judge: {report:#}").into()),
    }
}

fn times(count: usize, work: impl Fn() -> Outcome<()>) -> Outcome<()> {
    (0..count).try_for_each(|_| work())
}

/// What any program has to do that judges what a change says.
fn patch(ground: &Ground) -> Outcome<()> {
    let mut command = Command::new("git");
    command
        .args(["diff", "BASE", "HEAD"])
        .current_dir(ground.top());
    let said = command.output()?;
    match said.status.success() && !said.stdout.is_empty() {
        true => Ok(()),
        false => Err("git diff says nothing".into()),
    }
}

fn script(ground: &Ground) -> Outcome<()> {
    passes(
        Command::new("node")
            .args(["-e", SCRIPT])
            .current_dir(ground.top()),
    )
}

fn passes(command: &mut Command) -> Outcome<()> {
    match command.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("{command:?}: {status}").into()),
    }
}

fn git(ground: &Ground, arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("git");
    for setting in ["user.name=User", "user.email=user@example.com", "gc.auto=0"] {
        command.args(["-c", setting]);
    }
    passes(command.args(arguments).current_dir(ground.top()))
}
