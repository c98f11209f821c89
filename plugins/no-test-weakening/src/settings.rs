//! Settings that say which tests are run.
//!
//! **Invariant:** looks at whole lines, white space aside; one that was there before is fine.

use ringfence_sdk::prelude::*;

/// Limit: of a line that is shown.
const SHOWN_CHARS: usize = 80;

/// A kind of file that test tools read.
struct Kind {
    is: fn(&str) -> bool,
    /// What keeps tests from being run.
    against: &'static [&'static str],
    /// What says which tests there are, or how they are run.
    about: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        is: |name| name == "cargo.toml",
        against: &["test=false", "harness=false", "doctest=false"],
        about: &[],
    },
    Kind {
        is: |name| name == "conftest.py",
        against: &[
            "collect_ignore",
            "pytest_ignore_collect",
            "pytest_collection_modifyitems",
            "pytest_deselected",
            ".skip(",
            "mark.skip",
            "os._exit(",
        ],
        about: &["pytest_runtest_", "pytest_pyfunc_call", "pytest_collect"],
    },
    Kind {
        is: |name| {
            matches!(
                name,
                "pytest.ini"
                    | ".pytest.ini"
                    | "tox.ini"
                    | "setup.cfg"
                    | "pyproject.toml"
                    | "noxfile.py"
            )
        },
        against: &[
            "--ignore",
            "--deselect",
            "norecursedirs",
            "collect_ignore",
            "--collect-only",
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
        is: |name| {
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
        about: &[
            "testmatch",
            "testregex",
            "testnamepattern",
            "\"test\":",
            "\"test:",
            "grep",
        ],
    },
    Kind {
        is: |name| name == "nextest.toml",
        against: &["default-filter"],
        about: &["filter"],
    },
];

/// The lines of one file that are new and say something about tests.
///
/// # Errors
/// [`Error::Unavailable`] for a file that cannot be read.
pub(crate) fn judge(change: &Change, file: &FileChange) -> Result<Vec<Finding>> {
    let name = file
        .path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
    let Some(kind) = KINDS
        .iter()
        .find(|kind| (kind.is)(&name))
        .filter(|_| is_file(file.new_mode))
    else {
        return Ok(Vec::new());
    };
    let after = String::from_utf8_lossy(&change.read(&file.path)?).into_owned();
    let before = if is_file(file.old_mode) {
        let path = file.renamed_from.as_ref().unwrap_or(&file.path);
        String::from_utf8_lossy(&change.read_base(path)?).into_owned()
    } else {
        String::new()
    };
    let mut old: Vec<String> = before.lines().map(bare).collect();
    let mut findings = Vec::new();
    let mut section = String::new();
    for (line, number) in after.lines().zip(1..) {
        let bare = bare(line);
        if name == "cargo.toml" && bare.starts_with('[') {
            section.clone_from(&bare);
        }
        if matches!(section.as_str(), "[[bench]]" | "[[example]]") {
            continue;
        }
        if let Some(at) = old.iter().position(|old| *old == bare) {
            old.swap_remove(at);
            continue;
        }
        let has = |words: &[&str]| words.iter().any(|word| bare.contains(word));
        let shown: String = line.trim().chars().take(SHOWN_CHARS).collect();
        let finding = if has(kind.against)
            || bare == "autotests=false" && is_unlisted(change, &file.path, &after)
        {
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
        findings.push(finding.at_line(&file.path, number));
    }
    Ok(findings)
}

/// True when a file of tests beside a `Cargo.toml` is not named in it, so that only looking for it would run it.
fn is_unlisted(change: &Change, path: &str, manifest: &str) -> bool {
    let folder = format!(
        "{}tests",
        path.strip_suffix("Cargo.toml").unwrap_or_default()
    );
    // A folder that is not there has no tests.
    let there = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let there = there.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let differing = change.files().iter().filter(|file| file.new_mode != 0);
    let differing = differing.filter_map(|file| {
        let name = file.path.strip_prefix(&folder)?.strip_prefix('/')?;
        Some(name.to_owned())
    });
    there.chain(differing).any(|name| {
        let stem = name.strip_suffix(".rs").unwrap_or_default();
        let is_named = ["\"", "/"].iter().any(|before| {
            ["\"", ".rs\""]
                .iter()
                .any(|after| manifest.contains(&format!("{before}{stem}{after}")))
        });
        !stem.is_empty() && !stem.contains('/') && !is_named
    })
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
