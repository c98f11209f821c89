//! Cases that lie in a folder, so that a plugin's author can add one without code.
//!
//! ```text
//! CASE/before/…                      files before the change
//! CASE/after/…                       files after it; without this folder nothing changes
//! CASE/config.json                   the step's configuration
//! CASE/commits.toml                  the commits that the change came in, oldest first
//! CASE/evidence/COMMAND/SIDE/REPORT  a report of a command: `junit.xml` is the report `junit`; SIDE is `before` or `after`
//! CASE/evidence/COMMAND/SIDE/run.toml  how it ended, where that was not well
//! ```
//!
//! Each part may be missing. `commits.toml` has a `[[commit]]` for each, of which only `message` must be there; `author`,
//! `parents` and `id` may. `run.toml` may have `ended = "timed-out"`, `exit_code = 1`, `confinement = "none"` and `network = true`.
//!
//! **Invariant:** what is not understood ends the test: a case that says less than its author thinks proves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence_core::change::Commit;
use ringfence_core::evidence::{Confinement, Ended, Side};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::case::{Case, read_tree};
use crate::evidence::CommandRun;
use crate::stop;

/// What a run's `run.toml` is called.
const RUN: &str = "run.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commits {
    commit: Vec<CommitOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitOf {
    id: Option<String>,
    author: Option<String>,
    message: String,
    parents: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RunOf {
    ended: Option<String>,
    exit_code: Option<u8>,
    confinement: Option<Confinement>,
    #[serde(default)]
    network: bool,
}

/// The case in `folder`.
pub(crate) fn read(folder: &Path) -> Case {
    if !folder.is_dir() {
        stop(format!("{}: no such folder", folder.display()));
    }
    let mut case = files(folder);
    if let Some(text) = text(&folder.join("config.json")) {
        case = case.config(
            serde_json::from_str(&text)
                .unwrap_or_else(|error| stop(format!("{}: {error}", folder.display()))),
        );
    }
    if let Some(commits) = toml_of::<Commits>(&folder.join("commits.toml")) {
        case = case.commits(commits.commit.into_iter().enumerate().map(commit).collect());
    }
    for command in below(&folder.join("evidence")) {
        for side in below(&command) {
            case = case.ran(run(&command, &side));
        }
    }
    case
}

fn files(folder: &Path) -> Case {
    let tree = |name: &str| {
        let path = folder.join(name);
        path.is_dir().then(|| read_tree(&path))
    };
    let before: BTreeMap<String, Vec<u8>> = tree("before").unwrap_or_default();
    let after = tree("after").unwrap_or_else(|| before.clone());
    let mut case = Case::new();
    for (path, bytes) in &before {
        case = match after.get(path) {
            Some(now) => case.modified(path, bytes, now),
            None => case.deleted(path, bytes),
        };
    }
    for (path, bytes) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        case = case.added(path, bytes);
    }
    case
}

fn commit((number, commit): (usize, CommitOf)) -> Commit {
    Commit {
        id: commit
            .id
            .unwrap_or_else(|| format!("{:07x}{:033x}", number + 1, 0)),
        author: commit
            .author
            .unwrap_or_else(|| "A. Author <author@example.org>".to_owned()),
        message: commit.message,
        parents: commit.parents.unwrap_or(1),
    }
}

fn run(command: &Path, side: &Path) -> CommandRun {
    let wrong = |what: &dyn std::fmt::Display| -> ! { stop(format!("{}: {what}", side.display())) };
    let of = match name(side).as_str() {
        "before" => Side::Before,
        "after" => Side::After,
        _ => wrong(&"a side is `before` or `after`"),
    };
    let told = toml_of::<RunOf>(&side.join(RUN)).unwrap_or_default();
    let ended = match (told.ended.as_deref(), told.exit_code) {
        (None | Some("exited"), code) => Ended::Exited {
            code: code.unwrap_or(0),
        },
        (Some("signalled"), None) => Ended::Signalled { signal: 9 },
        (Some(how), None) => {
            plain_end(how).unwrap_or_else(|| wrong(&format!("no such end: {how}")))
        }
        (Some(how), Some(_)) => wrong(&format!("no exit code with {how}")),
    };
    let mut run = CommandRun::new(&name(command), of)
        .ended(ended)
        .confinement(told.confinement.unwrap_or(Confinement::Full));
    if told.network {
        run = run.network();
    }
    for report in below(side).iter().filter(|path| name(path) != RUN) {
        let stem = report.file_stem().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(report).unwrap_or_else(|error| wrong(&error));
        run = run.report(&stem, bytes);
    }
    run
}

fn plain_end(how: &str) -> Option<Ended> {
    [
        Ended::TimedOut,
        Ended::OutOfMemory,
        Ended::TooMuchOutput,
        Ended::TooManyProcesses,
        Ended::NotStarted,
        Ended::Unseen,
    ]
    .into_iter()
    .find(|ended| ended.as_str() == how)
}

/// What lies in a folder, sorted; nothing when there is no folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn toml_of<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let read = |text: String| {
        toml::from_str(&text).unwrap_or_else(|error| stop(format!("{}: {error}", path.display())))
    };
    text(path).map(read)
}

#[cfg(test)]
mod tests {
    use ringfence_sandbox::{ChangeSource, EvidenceSource};

    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn a_folder_is_a_case() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            &[
                ("before/same.md", "same"),
                ("before/docs/a.md", "1\n"),
                ("before/gone.md", "x"),
                ("after/same.md", "same"),
                ("after/docs/a.md", "2\n"),
                ("after/new.md", "y"),
                ("config.json", r#"{ "max": 3 }"#),
                (
                    "commits.toml",
                    "[[commit]]\nmessage = \"one\"\n[[commit]]\nmessage = \"two\"\nparents = 2\n",
                ),
                ("evidence/test/before/junit.xml", "<a/>"),
                (
                    "evidence/test/after/run.toml",
                    "exit_code = 1\nnetwork = true\n",
                ),
                ("evidence/test/after/junit.xml", "<b/>"),
                (
                    "evidence/lint/after/run.toml",
                    "ended = \"timed-out\"\nconfinement = \"none\"\n",
                ),
            ],
        );
        let case = read(dir.path());
        assert_eq!(case.config["max"], 3);
        let change = case.change();
        let paths: Vec<&str> = change
            .files()
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(paths, ["docs/a.md", "gone.md", "new.md"]);
        let commits: Vec<(&str, u32)> = change
            .commits()
            .iter()
            .map(|commit| (commit.message.as_str(), commit.parents))
            .collect();
        assert_eq!(commits, [("one", 1), ("two", 2)]);
        let evidence = case.evidence();
        let [lint, after, before] = evidence.receipts() else {
            panic!("{:?}", evidence.receipts());
        };
        assert_eq!(
            (lint.ended, after.ended),
            (Ended::TimedOut, Ended::Exited { code: 1 })
        );
        assert_eq!(before.side, Side::Before);
        assert!(after.network && lint.confinement == Confinement::None);
        let read = |max| evidence.read(&after.command, Side::After, "junit", max);
        assert_eq!(read(4).unwrap(), b"<b/>");
        assert!(read(3).is_err());
    }

    #[test]
    fn what_is_not_understood_ends_the_test() {
        for (path, text) in [
            ("commits.toml", "[[commit]]\nmessage = 1\n"),
            (
                "commits.toml",
                "[[commit]]\nmessage = \"x\"\nsurprise = 1\n",
            ),
            ("config.json", "{"),
            ("evidence/test/during/junit.xml", ""),
            ("evidence/test/after/run.toml", "ended = \"later\"\n"),
            (
                "evidence/test/after/run.toml",
                "ended = \"timed-out\"\nexit_code = 0\n",
            ),
            ("evidence/Test/after/run.toml", ""),
        ] {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), &[(path, text)]);
            let read = std::panic::catch_unwind(|| drop(read(dir.path())));
            assert!(read.is_err(), "{path}: {text}");
        }
    }
}
