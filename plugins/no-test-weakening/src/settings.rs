//! Settings that say which tests are run.
//!
//! `manifest.rs` reads those of Cargo, `options.rs` those that pytest is started with, `scripts.rs` those of npm; of the others, lines
//! are looked at.
//!
//! **Invariant:** what was there before is fine, and looked at is whole lines, white space aside, or what the tool itself reads.

mod manifest;
mod options;
mod scripts;

use ringfence_sdk::prelude::*;

/// Limit: of a line that is shown.
const SHOWN_CHARS: usize = 80;

/// A kind of file that test tools read, line by line.
struct Kind {
    /// Whether a path, in small letters, is of it.
    is: fn(&str) -> bool,
    /// What keeps tests from being run.
    against: &'static [&'static str],
    /// What says which tests there are, or how they are run.
    about: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        is: |path| name_of(path) == "conftest.py",
        against: &[
            "collect_ignore",
            "pytest_ignore_collect",
            "pytest_collection_modifyitems",
            "pytest_deselected",
            ".skip(",
            "mark.skip",
            "os._exit(",
            "exitstatus=",
            "outcome=\"passed\"",
            "outcome='passed'",
        ],
        about: &[
            "pytest_runtest",
            "pytest_pyfunc_call",
            "pytest_collect",
            "pytest_pycollect",
            "pytest_generate_tests",
            "pytest_sessionfinish",
            "pytest_cmdline_main",
            "pytest_report_teststatus",
            "__test__",
        ],
    },
    Kind {
        is: |path| {
            matches!(
                name_of(path),
                "pytest.ini"
                    | ".pytest.ini"
                    | "pytest.toml"
                    | ".pytest.toml"
                    | "tox.ini"
                    | "setup.cfg"
                    | "pyproject.toml"
                    | "noxfile.py"
            )
        },
        against: &[
            "norecursedirs",
            "collect_ignore",
            "-pno:python",
            "no:unittest",
        ],
        about: &[
            "addopts",
            "testpaths",
            "python_files",
            "python_classes",
            "python_functions",
        ],
    },
    Kind {
        is: |path| {
            let tools = [
                "jest.",
                "vitest.",
                "vite.",
                "playwright.",
                "karma.",
                "cypress.",
                ".mocharc",
                "ava.",
                "jasmine.",
            ];
            let name = name_of(path);
            tools.iter().any(|tool| name.starts_with(tool)) || name == "package.json"
        },
        against: &[
            "testpathignorepatterns",
            "modulepathignorepatterns",
            "testignore",
            "passwithnotests",
            "--pass-with-no-tests",
            "--testpathignorepatterns",
        ],
        about: &["testmatch", "testregex", "testnamepattern", "grep"],
    },
    Kind {
        is: |path| name_of(path) == "nextest.toml",
        against: &["default-filter"],
        about: &["filter"],
    },
    Kind {
        is: |path| {
            [".cargo/config.toml", ".cargo/config"].iter().any(|end| {
                path.strip_suffix(end)
                    .is_some_and(|at| at.is_empty() || at.ends_with('/'))
            })
        },
        against: &[
            "runner=\"true\"",
            "runner='true'",
            "runner=[\"true\"",
            "runner=\"echo",
        ],
        // What is started in place of each test.
        about: &["runner"],
    },
];

/// What one file says about tests that it did not say before.
///
/// # Errors
/// [`Error::Unavailable`] for a file that cannot be read.
pub(crate) fn judge(change: &Change, file: &FileChange) -> Result<Vec<Finding>> {
    let path = file.path.to_lowercase();
    let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
    let kind = KINDS.iter().find(|kind| (kind.is)(&path));
    let is_manifest = name_of(&path) == "cargo.toml";
    if kind.is_none() && !is_manifest || !is_file(file.new_mode) {
        return Ok(Vec::new());
    }
    let after = String::from_utf8_lossy(&change.read(&file.path)?).into_owned();
    let old_path = file.renamed_from.as_ref().unwrap_or(&file.path);
    let had = is_file(file.old_mode);
    let before = if had {
        change.read_base(old_path)?
    } else {
        Vec::new()
    };
    let before = String::from_utf8_lossy(&before).into_owned();
    let Some(kind) = kind else {
        return Ok(manifest::judge(change, &file.path, &before, &after));
    };
    let mut findings = lines(kind, &file.path, &before, &after);
    if name_of(&path) == "package.json" {
        findings.extend(scripts::judge(&file.path, &before, &after));
    }
    if !had && takes_over(name_of(&path)) && findings.is_empty() {
        let message = "says which tests are run: it takes the place of other settings";
        findings.push(Finding::warning("test-settings", message).at(&file.path));
    }
    Ok(findings)
}

/// The lines that are new and say something about tests.
fn lines(kind: &Kind, path: &str, before: &str, after: &str) -> Vec<Finding> {
    let mut old: Vec<String> = before.lines().map(bare).collect();
    let mut findings = Vec::new();
    let is_of_pytest = kind.about.contains(&"addopts");
    let mut options = options::Options::default();
    for (line, number) in after.lines().zip(1..) {
        let selects = is_of_pytest && options.select(line);
        let bare = bare(line);
        if let Some(at) = old.iter().position(|old| *old == bare) {
            old.swap_remove(at);
            continue;
        }
        let has = |words: &[&str]| words.iter().any(|word| bare.contains(word));
        let shown: String = line.trim().chars().take(SHOWN_CHARS).collect();
        let finding = if selects || has(kind.against) || has(kind.about) && is_empty(&bare) {
            Finding::error(
                "test-settings",
                format!("keeps tests from being run: `{shown}`"),
            )
        } else if has(kind.about) {
            Finding::warning(
                "test-settings",
                format!("says which tests are run: `{shown}`"),
            )
        } else {
            continue;
        };
        findings.push(finding.at_line(path, number));
    }
    findings
}

/// True for a setting whose value is written down as nothing.
fn is_empty(bare: &str) -> bool {
    let bare = bare.trim_end_matches([',', ';']);
    ["=[]", "=\"\"", "=''", ":[]", ":\"\"", ":''"]
        .iter()
        .any(|end| bare.ends_with(end))
}

/// True for a file that a tool reads instead of others.
fn takes_over(name: &str) -> bool {
    matches!(
        name,
        "pytest.ini" | ".pytest.ini" | "pytest.toml" | ".pytest.toml"
    ) || ["jest.config.", "vitest.config.", ".mocharc"]
        .iter()
        .any(|start| name.starts_with(start))
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A line in small letters, without white space and without comments.
fn bare(line: &str) -> String {
    if line.trim_start().starts_with(['#', ';']) || line.trim_start().starts_with("//") {
        return String::new();
    }
    line.chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
