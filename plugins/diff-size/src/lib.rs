//! `diff-size`: the gate that keeps a change small enough to be read.
//!
//! It looks at nothing but the numbers that the host measured: files that differ, lines added and removed, bytes of
//! each file afterwards, and whether a file is text. A change within all limits passes, with the numbers in the
//! summary; each limit that is exceeded is a finding which says by how much.
//!
//! | rule | means |
//! | --- | --- |
//! | `too-many-files` | more files differ than `max_files` (20) |
//! | `too-many-lines` | more lines were added and removed than `max_lines` (500) |
//! | `file-too-large` | a file has more bytes afterwards than `max_file_bytes` (1 MiB) |
//! | `binary-file` | a file is no text, and `allow_binary` is not set |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:diff-size"
//! config = { max_files = 5, max_lines = 200 }
//! ```
//!
//! What `ignore` covers counts for nothing, be it large or no text: locks, for example, which grow by thousands of lines when
//! one package does. The summary says how much it is.
//!
//! **Invariant:** every limit has a value and none means «unlimited»; numbers that do not fit are the largest there
//! are. Which paths may differ is the business of `paths`.

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// The `config` table; every key has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    max_files: u64,
    max_lines: u64,
    max_file_bytes: u64,
    allow_binary: bool,
    ignore: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_files: 20,
            max_lines: 500,
            max_file_bytes: 1 << 20,
            allow_binary: false,
            ignore: Vec::new(),
        }
    }
}

/// Judges the size of a change.
///
/// # Errors
/// [`Error::Config`] when the configuration is not one, and for a glob that is none.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let limits: Limits = cx.config()?;
    let ignore = Globs::parse("ignore", &limits.ignore, Case::Exact)?;
    let covered = |path: Option<&String>| path.is_none_or(|path| ignore.cover(path));
    // A file that came from elsewhere counts.
    let (ignored, counted): (Vec<FileChange>, Vec<FileChange>) = change
        .files()
        .iter()
        .cloned()
        .partition(|file| covered(Some(&file.path)) && covered(file.renamed_from.as_ref()));
    let mut verdict = measure(&limits, &counted);
    if !ignored.is_empty() {
        let lines = sum(&ignored, |file| {
            file.lines_added.saturating_add(file.lines_removed)
        });
        let more = format!("; ignored: {} files, {lines} lines", ignored.len());
        verdict.summary.push_str(&more);
    }
    Ok(verdict)
}

fn measure(limits: &Limits, files: &[FileChange]) -> Verdict {
    let added = sum(files, |file| file.lines_added);
    let removed = sum(files, |file| file.lines_removed);
    let mut findings = Vec::new();
    let number = u64::try_from(files.len()).unwrap_or(u64::MAX);
    findings.extend(exceeds(
        "too-many-files",
        "files differ",
        number,
        limits.max_files,
    ));
    findings.extend(exceeds(
        "too-many-lines",
        "lines differ",
        added.saturating_add(removed),
        limits.max_lines,
    ));
    findings.extend(files.iter().flat_map(|file| judge_file(limits, file)));
    let largest = files.iter().map(|file| file.size).max().unwrap_or(0);
    let files = count(number, "file", "files");
    let summary = format!("{files}, +{added} −{removed} lines, largest file {largest} bytes");
    if findings.is_empty() {
        Verdict::pass(summary)
    } else {
        Verdict::fail(summary, findings)
    }
}

fn sum(files: &[FileChange], lines: impl Fn(&FileChange) -> u32) -> u64 {
    files
        .iter()
        .fold(0, |sum, file| sum.saturating_add(lines(file).into()))
}

fn exceeds(rule: &str, what: &str, is: u64, limit: u64) -> Option<Finding> {
    (is > limit).then(|| {
        Finding::error(
            rule,
            format!("{is} {what}, {} more than the {limit} allowed", is - limit),
        )
    })
}

fn judge_file(limits: &Limits, file: &FileChange) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.size > limits.max_file_bytes {
        let over = file.size - limits.max_file_bytes;
        let message = format!(
            "{} bytes, {over} more than the {} allowed",
            file.size, limits.max_file_bytes
        );
        findings.push(Finding::error("file-too-large", message).at(&file.path));
    }
    if file.binary && !limits.allow_binary {
        let finding = Finding::error("binary-file", "not text").at(&file.path);
        findings.push(finding.help("set `allow_binary = true` to let such files differ"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(config: Value, files: Vec<TestFile>) -> Verdict {
        judge(&Context::test(config), &Change::test(files)).unwrap()
    }

    /// Checks the rules of the findings, in order, and the summary.
    fn check(config: Value, files: Vec<TestFile>, rules: &[&str], summary: &str) {
        let verdict = judged(config, files);
        let found: Vec<&str> = verdict
            .findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        assert_eq!(
            (found.as_slice(), verdict.summary.as_str()),
            (rules, summary)
        );
        assert_eq!(
            verdict.ruling,
            if rules.is_empty() {
                Ruling::Pass
            } else {
                Ruling::Fail
            }
        );
    }

    #[test]
    fn within_the_limits() {
        let files = vec![
            TestFile::modified("a", "1\n2\n", "1\n3\n"),
            TestFile::deleted("b", "1\n"),
        ];
        check(
            json!({}),
            files,
            &[],
            "2 files, +1 −2 lines, largest file 4 bytes",
        );
        check(
            json!({}),
            vec![],
            &[],
            "no files, +0 −0 lines, largest file 0 bytes",
        );
        let exactly = vec![TestFile::added("a", "1\n2\n")];
        let limits = json!({ "max_files": 1, "max_lines": 2, "max_file_bytes": 4 });
        check(
            limits,
            exactly,
            &[],
            "1 file, +2 −0 lines, largest file 4 bytes",
        );
    }

    #[test]
    fn each_limit_is_refused_for_itself() {
        let two = || {
            vec![
                TestFile::added("a", "1\n"),
                TestFile::modified("b", "1\n", "2\n"),
            ]
        };
        let summary = "2 files, +2 −1 lines, largest file 2 bytes";
        check(
            json!({ "max_files": 1 }),
            two(),
            &["too-many-files"],
            summary,
        );
        check(
            json!({ "max_lines": 2 }),
            two(),
            &["too-many-lines"],
            summary,
        );
        check(
            json!({ "max_file_bytes": 1 }),
            two(),
            &["file-too-large", "file-too-large"],
            summary,
        );
        let binary = vec![TestFile::added("a", b"\0\xff".to_vec())];
        let summary = "1 file, +0 −0 lines, largest file 2 bytes";
        check(json!({}), binary.clone(), &["binary-file"], summary);
        check(json!({ "allow_binary": true }), binary, &[], summary);
    }

    #[test]
    fn what_is_ignored_counts_for_nothing() {
        let files = || {
            vec![
                TestFile::added("web/package-lock.json", "{}\n".repeat(600)),
                TestFile::added("logo.png", b"\0\xff".to_vec()),
                TestFile::added("a", "1\n"),
            ]
        };
        let counted = "3 files, +601 −0 lines, largest file 1800 bytes";
        check(
            json!({}),
            files(),
            &["too-many-lines", "binary-file"],
            counted,
        );
        check(
            json!({ "ignore": ["**/package-lock.json", "*.png"] }),
            files(),
            &[],
            "1 file, +1 −0 lines, largest file 2 bytes; ignored: 2 files, 600 lines",
        );
        let moved = vec![TestFile::renamed(
            "a.png",
            "b.jpg",
            b"\0".to_vec(),
            b"\0\0".to_vec(),
        )];
        let summary = "1 file, +0 −0 lines, largest file 2 bytes";
        check(
            json!({ "ignore": ["*.jpg"] }),
            moved,
            &["binary-file"],
            summary,
        );
    }

    #[test]
    fn says_by_how_much() {
        let verdict = judged(
            json!({ "max_file_bytes": 3 }),
            vec![TestFile::added("a/b", "12345")],
        );
        assert_eq!(
            verdict.findings[0].message,
            "5 bytes, 2 more than the 3 allowed"
        );
        assert_eq!(verdict.findings[0].locations[0].path, "a/b");
    }

    #[test]
    fn the_largest_numbers_do_not_wrap() {
        let file = FileChange {
            path: "a".to_owned(),
            kind: ChangeKind::Added,
            renamed_from: None,
            old_mode: 0,
            new_mode: 0o100_644,
            size: u64::MAX,
            lines_added: u32::MAX,
            lines_removed: u32::MAX,
            binary: true,
        };
        let verdict = measure(&Limits::default(), &vec![file; 1_000]);
        assert_eq!(verdict.ruling, Ruling::Fail);
        assert_eq!(verdict.findings.len(), 2_002);
    }

    #[test]
    fn a_wrong_config_is_an_error() {
        for config in [
            json!({ "max_file": 1 }),
            json!({ "max_files": -1 }),
            json!({ "max_lines": "many" }),
            json!({ "ignore": ["/a"] }),
        ] {
            assert!(judge(&Context::test(config), &Change::test(vec![])).is_err());
        }
    }
}
