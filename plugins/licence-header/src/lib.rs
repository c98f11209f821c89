//! `licence-header`: the gate that holds new source files to the licence header, and lets nobody take one away.
//!
//! | rule | means |
//! | --- | --- |
//! | `missing-header` | a file that needs the header does not begin with it |
//! | `header-removed` | a file had it before the change and has it no more |
//! | `no-text` | a file that needs it is no text, or too large to be looked at |
//!
//! ```toml
//! [[gate]]
//! plugin = "std:licence-header"
//! config = { header = ["Copyright {year} The Authors", "SPDX-License-Identifier: MIT"], files = ["src/**/*.rs"] }
//! ```
//!
//! Signs of comments around a line do not count, nor does white space. Files that are moved need what new ones need, and
//! one that leaves the covered paths, or is emptied, keeps its header.
//!
//! **Invariant:** the header is one run of lines; nothing may stand between them, and no code before them, which could make a
//! text of them.

mod prose;

use ringfence_globs::{Case, Globs};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: what is read of a file; a header stands long before.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The `config` table; every key but `header` has the default that `plugin.toml` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    header: Vec<String>,
    #[serde(default = "source_files")]
    files: Vec<String>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default = "five")]
    within: usize,
    #[serde(default)]
    modified: bool,
}

fn source_files() -> Vec<String> {
    const ENDINGS: [&str; 36] = [
        "rs", "py", "pyi", "go", "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "c", "h",
        "cc", "cpp", "cxx", "hh", "hpp", "hxx", "m", "mm", "java", "kt", "kts", "scala", "swift",
        "cs", "rb", "php", "dart", "zig", "lua", "vue", "svelte", "sh",
    ];
    ENDINGS
        .iter()
        .map(|ending| format!("**/*.{ending}"))
        .collect()
}

fn five() -> usize {
    5
}

/// Judges the files of a change that need the header.
///
/// # Errors
/// [`Error::Config`] for a glob or a header that is none; [`Error::Unavailable`] for a file that cannot be read.
#[gate]
pub fn judge(cx: &Context, change: &Change) -> Result<Verdict> {
    let rules = Rules::new(cx.config()?)?;
    let mut findings = Vec::new();
    let mut looked_at = 0_usize;
    for file in change.files().iter().filter(|file| rules.covers(file)) {
        looked_at += 1;
        findings.extend(rules.judge_file(change, file)?);
    }
    if looked_at == 0 {
        return Ok(Verdict::abstain("no file of the change needs the header"));
    }
    let needing = count(looked_at, "file needs the header", "files need the header");
    let found = count(findings.len(), "finding", "findings");
    let mut verdict = Verdict::from(findings);
    verdict.summary = format!("{needing}; {found}");
    Ok(verdict)
}

struct Rules {
    header: Vec<Vec<Piece>>,
    files: Globs,
    ignore: Globs,
    within: usize,
    modified: bool,
}

/// A part of a line of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Year,
    Anything,
}

impl Rules {
    fn new(config: Config) -> Result<Self> {
        Ok(Self {
            header: config
                .header
                .iter()
                .map(|line| pieces(line))
                .collect::<Result<_>>()?,
            files: Globs::parse("files", &config.files, Case::Any)?,
            ignore: Globs::parse("ignore", &config.ignore, Case::Exact)?,
            within: config.within,
            modified: config.modified,
        })
    }

    /// An empty file says nothing, so a new one needs no header; one that was emptied had something to say.
    fn covers(&self, file: &FileChange) -> bool {
        let is_file = file.new_mode & 0o170_000 == 0o100_000;
        let was_covered = file
            .renamed_from
            .as_ref()
            .is_some_and(|from| self.covers_path(from));
        let says_something = file.size > 0 || file.kind != ChangeKind::Added;
        is_file && says_something && (was_covered || self.covers_path(&file.path))
    }

    fn covers_path(&self, path: &str) -> bool {
        self.files.cover(path) && !self.ignore.cover(path)
    }

    fn judge_file(&self, change: &Change, file: &FileChange) -> Result<Option<Finding>> {
        let after = change.read(&file.path)?;
        let now = head(&after);
        if now.as_ref().is_some_and(|now| self.stands_in(now)) {
            return Ok(None);
        }
        let is_covered = self.covers_path(&file.path);
        if is_covered && now.is_none() {
            let finding = Finding::error("no-text", "not text, so it has no header");
            return Ok(Some(finding.at(&file.path)));
        }
        // What was a link, say, had no text of its own.
        let was_file = file.old_mode & 0o170_000 == 0o100_000;
        let is_new = !was_file || file.renamed_from.is_some();
        if is_covered && file.size > 0 && (is_new || self.modified) {
            let finding =
                Finding::error("missing-header", "does not begin with the licence header");
            return Ok(Some(finding.at_line(&file.path, 1)));
        }
        if !was_file {
            return Ok(None);
        }
        let before = change.read_base(file.renamed_from.as_ref().unwrap_or(&file.path))?;
        let had_it = head(&before).is_some_and(|before| self.stands_in(&before));
        Ok(had_it.then(|| {
            Finding::error("header-removed", "had the licence header before").at_line(&file.path, 1)
        }))
    }

    fn stands_in(&self, text: &str) -> bool {
        let lines: Vec<&str> = text.lines().map(bare).collect();
        // The header itself may look like code where a file has no signs of comments.
        let starts = prose::lines_before_code(text).saturating_add(1);
        (0..self.within.min(starts)).any(|start| {
            let mut here = lines.iter().skip(start);
            self.header
                .iter()
                .all(|wanted| here.next().is_some_and(|line| fits(wanted, line)))
        })
    }
}

/// The beginning of a file as text; none for what is no text.
fn head(bytes: &[u8]) -> Option<String> {
    let cut = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes);
    if cut.contains(&0) {
        return None;
    }
    match str::from_utf8(cut) {
        Ok(text) => Some(text.to_owned()),
        // A character may be cut in two at the end, and nothing else may be odd.
        Err(error) if error.error_len().is_none() && cut.len() < bytes.len() => {
            let whole = cut.get(..error.valid_up_to())?;
            str::from_utf8(whole).ok().map(str::to_owned)
        }
        Err(_) => None,
    }
}

/// A line without signs of comments and white space around it.
fn bare(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line
        .trim_start_matches(['/', '*', '#', ';', '-', '<', '!', '%', '"', '\''])
        .trim_start();
    line.trim_end_matches(['/', '*', '-', '>', ' '])
}

fn pieces(line: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = bare(line);
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| unknown(line))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(match name {
            "year" => Piece::Year,
            "*" => Piece::Anything,
            _ => return Err(unknown(line)),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    if pieces.iter().all(|piece| *piece == Piece::Anything) {
        return Err(Error::config(format!(
            "`{line}` in `header` would fit every line"
        )));
    }
    Ok(pieces)
}

fn unknown(line: &str) -> Error {
    Error::config(format!(
        "`{line}` in `header`: in braces stands `year` or `*`"
    ))
}

fn fits(pieces: &[Piece], line: &str) -> bool {
    match pieces.split_first() {
        None => line.is_empty(),
        Some((Piece::Text(text), rest)) => line
            .strip_prefix(text.as_str())
            .is_some_and(|line| fits(rest, line)),
        Some((Piece::Year, rest)) => year(line).is_some_and(|line| fits(rest, line)),
        Some((Piece::Anything, rest)) => line
            .char_indices()
            .map(|(at, _)| at)
            .chain([line.len()])
            .any(|at| line.get(at..).is_some_and(|line| fits(rest, line))),
    }
}

/// What follows a year, or a span of two.
fn year(line: &str) -> Option<&str> {
    let one = |text: &str| {
        text.get(..4)
            .is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit()))
    };
    let rest = one(line).then(|| line.get(4..)).flatten()?;
    let span = rest
        .trim_start()
        .strip_prefix(['-', '–'])
        .map(str::trim_start);
    match span.filter(|span| one(span)) {
        Some(span) => span.get(4..),
        None => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(config: Value) -> Rules {
        Rules::new(Context::test(config).config().unwrap()).unwrap()
    }

    fn check(header: &[&str], text: &str, expect: bool) {
        let rules = rules(json!({ "header": header }));
        assert_eq!(rules.stands_in(text), expect, "{text:?}");
    }

    #[test]
    fn the_header_stands_at_the_top() {
        let header = [
            "Copyright {year} The Authors",
            "SPDX-License-Identifier: MIT",
        ];
        for (text, expect) in [
            (
                "// Copyright 2026 The Authors\n// SPDX-License-Identifier: MIT\nfn a() {}\n",
                true,
            ),
            (
                "/* Copyright 2020-2026 The Authors\n * SPDX-License-Identifier: MIT */\n",
                true,
            ),
            (
                "#!/bin/sh\n# Copyright 2020 – 2026 The Authors\n# SPDX-License-Identifier: MIT\n",
                true,
            ),
            (
                "<!-- Copyright 2026 The Authors -->\r\n<!-- SPDX-License-Identifier: MIT -->\r\n",
                true,
            ),
            (
                "// Copyright 2026 The Authors\n//\n// SPDX-License-Identifier: MIT\n",
                false,
            ),
            (
                "// Copyright 26 The Authors\n// SPDX-License-Identifier: MIT\n",
                false,
            ),
            (
                "// Copyright 2026 The Authors\n// SPDX-License-Identifier: MIT-0\n",
                false,
            ),
            (
                "\n\n\n\n\n// Copyright 2026 The Authors\n// SPDX-License-Identifier: MIT\n",
                false,
            ),
            (
                "// SPDX-License-Identifier: MIT\n// Copyright 2026 The Authors\n",
                false,
            ),
            ("", false),
            (
                "Copyright 2026 The Authors\nSPDX-License-Identifier: MIT\n",
                true,
            ),
            (
                "/*\nSome words.\nCopyright 2026 The Authors\nSPDX-License-Identifier: MIT\n*/\n",
                true,
            ),
            (
                "const X: &str = \"\n// Copyright 2026 The Authors\n// SPDX-License-Identifier: MIT\n\";\n",
                false,
            ),
            (
                "use a;\n// Copyright 2026 The Authors\n// SPDX-License-Identifier: MIT\n",
                false,
            ),
        ] {
            check(&header, text, expect);
        }
        check(
            &["Copyright {*}, {year}"],
            "# Copyright Ann, Bob, 2026\n",
            true,
        );
        check(&["Copyright {*}, {year}"], "# Copyright Ann\n", false);
    }

    #[test]
    fn a_header_that_fits_everything_is_none() {
        for line in ["{*}", "{", "{name}", "//", "{*}{*}"] {
            let cx = Context::test(json!({ "header": [line] }));
            let error = judge(&cx, &Change::test(vec![])).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }

    #[test]
    fn only_some_files_need_it() {
        let rules = rules(json!({ "header": ["x"], "ignore": ["gen/**"] }));
        let file = |path: &str, new_mode, size| FileChange {
            path: path.to_owned(),
            kind: ChangeKind::Added,
            renamed_from: None,
            old_mode: 0,
            new_mode,
            size,
            lines_added: 1,
            lines_removed: 0,
            binary: false,
        };
        for (path, mode, size, expect) in [
            ("a.rs", 0o100_644, 1, true),
            ("a/b.PY", 0o100_755, 1, true),
            ("gen/a.rs", 0o100_644, 1, false),
            ("a.md", 0o100_644, 1, false),
            ("a.rs", 0o120_000, 1, false),
            ("a.rs", 0, 0, false),
            ("__init__.py", 0o100_644, 0, false),
        ] {
            assert_eq!(rules.covers(&file(path, mode, size)), expect, "{path}");
        }
    }

    #[test]
    fn a_change_of_other_files_is_none_of_its_business() {
        let cx = Context::test(json!({ "header": ["x"] }));
        let verdict = judge(&cx, &Change::test(vec![TestFile::added("a.md", "y")])).unwrap();
        assert_eq!(verdict.ruling, Ruling::Abstain);
    }

    #[test]
    fn new_files_need_it_and_old_ones_keep_it() {
        let with = "// MIT\nx\n";
        for (file, modified, expect) in [
            (TestFile::added("a.rs", with), false, None),
            (
                TestFile::added("a.rs", "x\n"),
                false,
                Some("missing-header"),
            ),
            (TestFile::added("a.rs", vec![0]), false, Some("no-text")),
            (TestFile::modified("a.rs", "x\n", "y\n"), false, None),
            (
                TestFile::modified("a.rs", "x\n", "y\n"),
                true,
                Some("missing-header"),
            ),
            (
                TestFile::modified("a.rs", with, "x\n"),
                false,
                Some("header-removed"),
            ),
            // What would take it away unseen.
            (
                TestFile::modified("a.rs", with, ""),
                false,
                Some("header-removed"),
            ),
            (
                TestFile::modified("a.rs", with, ""),
                true,
                Some("header-removed"),
            ),
            (
                TestFile::modified("a.rs", with, "x\0"),
                false,
                Some("no-text"),
            ),
            (
                TestFile::renamed("a.rs", "a.txt", with, "x\n"),
                false,
                Some("header-removed"),
            ),
            (
                TestFile::renamed("a.rs", "a.bin", with, "x\0"),
                false,
                Some("header-removed"),
            ),
            (
                TestFile::renamed("a.rs", "gen/a.rs", with, "x\n"),
                false,
                Some("header-removed"),
            ),
            (TestFile::renamed("a.rs", "a.txt", with, with), false, None),
            (
                TestFile::renamed("a.rs", "a.txt", "x\n", "x\n"),
                false,
                None,
            ),
            (
                TestFile::renamed("a.txt", "a.mjs", "x\n", "x\n"),
                false,
                Some("missing-header"),
            ),
            (TestFile::modified("a.rs", "x\n", ""), true, None),
        ] {
            let cx = Context::test(
                json!({ "header": ["MIT"], "modified": modified, "ignore": ["gen/**"] }),
            );
            let verdict = judge(&cx, &Change::test(vec![file.clone()])).unwrap();
            let rule = verdict
                .findings
                .first()
                .map(|finding| finding.rule.as_str());
            assert_eq!(rule, expect, "{file:?}");
        }
    }

    #[test]
    fn what_was_a_link_is_new() {
        let change = Change::test(vec![TestFile::modified("a.rs", "b.rs", "x\n")]);
        let judged = |old_mode| {
            let file = FileChange {
                old_mode,
                ..change.files()[0].clone()
            };
            let finding = rules(json!({ "header": ["MIT"] })).judge_file(&change, &file);
            finding.unwrap().map(|finding| finding.rule)
        };
        assert_eq!(judged(0o120_000).as_deref(), Some("missing-header"));
        assert_eq!(judged(0o100_644), None);
    }

    #[test]
    fn what_is_no_text_has_no_head() {
        assert_eq!(head(b"a\0b"), None);
        assert_eq!(head(b"a\xff"), None);
        let mut long = vec![b'a'; HEAD_BYTES_MAX - 1];
        long.extend("äb".bytes());
        assert_eq!(head(&long).unwrap().len(), HEAD_BYTES_MAX - 1);
    }
}
