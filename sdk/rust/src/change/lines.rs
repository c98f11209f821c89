//! The lines that a change adds, read out of the host's unified diff.
//!
//! **Invariant:** either every added line of every text file is there, or an error says which file's are not: what is
//! read is compared with what the host counted.

use std::collections::BTreeMap;

use super::FileChange;
use crate::error::{Error, Result};

/// One line that is not in the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedLine {
    /// The file after the change.
    pub path: String,
    /// 1-based, after the change.
    pub line: u32,
    /// Without its line feed; a carriage return before that is kept. What was not UTF-8 is U+FFFD.
    pub text: String,
}

/// Reads the added lines of `diff`, which is one without context, and checks them against `files`.
pub(super) fn added(diff: &str, files: &[FileChange]) -> Result<Vec<AddedLine>> {
    let mut reader = Reader::default();
    for (number, text) in diff.split_terminator('\n').enumerate() {
        reader
            .line(text)
            .ok_or_else(|| Error::internal(format!("line {} of the diff is none", number + 1)))?;
    }
    check(&reader.lines, files)?;
    Ok(reader.lines)
}

#[derive(Default)]
struct Reader {
    path: String,
    /// What is still to come of a hunk: removed and added lines.
    left: (u32, u32),
    next: u32,
    lines: Vec<AddedLine>,
}

impl Reader {
    /// None for a line that cannot stand here.
    fn line(&mut self, text: &str) -> Option<()> {
        // Inside a hunk the counts tell what a line is; its text may look like anything.
        if self.left != (0, 0) {
            return self.hunk_line(text);
        }
        if let Some(range) = text.strip_prefix("@@ -") {
            let (old, rest) = range.split_once(" +")?;
            let (new, _) = rest.split_once(" @@")?;
            let (start, added) = span(new)?;
            self.left = (span(old)?.1, added);
            self.next = start;
        } else if let Some(name) = text.strip_prefix("+++ ") {
            self.path = file_name(name)?;
        }
        Some(())
    }

    fn hunk_line(&mut self, text: &str) -> Option<()> {
        match text.as_bytes().first()? {
            b'-' => self.left.0 = self.left.0.checked_sub(1)?,
            b' ' => {
                self.left = (self.left.0.checked_sub(1)?, self.left.1.checked_sub(1)?);
                self.next = self.next.checked_add(1)?;
            }
            b'+' => {
                self.left.1 = self.left.1.checked_sub(1)?;
                self.lines.push(AddedLine {
                    path: self.path.clone(),
                    line: self.next,
                    text: text.get(1..)?.to_owned(),
                });
                self.next = self.next.checked_add(1)?;
            }
            // «No newline at end of file».
            b'\\' => {}
            _ => return None,
        }
        Some(())
    }
}

/// Where a side of a hunk begins, and how many lines it has: `7` or `7,2`.
fn span(text: &str) -> Option<(u32, u32)> {
    match text.split_once(',') {
        Some((start, lines)) => Some((start.parse().ok()?, lines.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

/// The path in `b/path`, which git quotes where it holds odd characters and ends with a tab where it holds spaces.
fn file_name(text: &str) -> Option<String> {
    let text = text.strip_suffix('\t').unwrap_or(text);
    if text == "/dev/null" {
        return Some(String::new());
    }
    let name = match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted.strip_suffix('"')?)?,
        None => text.to_owned(),
    };
    name.strip_prefix("b/").map(str::to_owned)
}

fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'\\' {
            match rest.next()? {
                b'a' => 7,
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                octal @ b'0'..=b'3' => {
                    let digits = [octal, rest.next()?, rest.next()?];
                    u8::from_str_radix(str::from_utf8(&digits).ok()?, 8).ok()?
                }
                other => other,
            }
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// Names the first file whose added lines are not those that the host counted.
fn check(lines: &[AddedLine], files: &[FileChange]) -> Result<()> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for line in lines {
        *counts.entry(&line.path).or_default() += 1;
    }
    for file in files.iter().filter(|file| !file.binary) {
        let found = counts.remove(file.path.as_str()).unwrap_or(0);
        let (path, counted) = (&file.path, file.lines_added);
        // A file that may not be read is missing as a whole.
        if found == 0 && counted > 0 {
            return Err(Error::unavailable(format!(
                "{path} has {counted} added lines, and none could be read: the step has to be granted reading it"
            )));
        }
        if found != counted {
            return Err(Error::internal(format!(
                "{path}: the diff has {found} added lines, and {counted} were counted"
            )));
        }
    }
    match counts.first_key_value() {
        Some((path, _)) => Err(Error::internal(format!("the diff has lines of {path:?}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, TestFile};
    use super::*;

    fn shown(files: Vec<TestFile>) -> Vec<String> {
        let change = Change::test(files);
        let lines = change.added_lines().unwrap();
        lines
            .iter()
            .map(|line| format!("{}:{}:{}", line.path, line.line, line.text))
            .collect()
    }

    #[test]
    fn only_added_lines_are_there() {
        let files = vec![
            TestFile::modified("a", "1\n2\n3\n4\n", "1\nzwei\n3\n4\n5\n6"),
            TestFile::added("b c", "+++ b/x\n@@ -1 +1 @@\n--- a\n"),
            TestFile::deleted("d", "gone\n"),
            TestFile::added("e", vec![0, 10]),
        ];
        assert_eq!(
            shown(files),
            [
                "a:2:zwei",
                "a:5:5",
                "a:6:6",
                "b c:1:+++ b/x",
                "b c:2:@@ -1 +1 @@",
                "b c:3:--- a"
            ]
        );
    }

    #[test]
    fn names_are_read_as_git_writes_them() {
        for (text, expect) in [
            ("b/a", Some("a")),
            ("b/a b\t", Some("a b")),
            (r#""b/a\tb\"c\\d""#, Some("a\tb\"c\\d")),
            (r#""b/\303\244""#, Some("ä")),
            ("/dev/null", Some("")),
            ("a/a", None),
            (r#""b/a"#, None),
            (r#""b/\303""#, None),
        ] {
            assert_eq!(file_name(text).as_deref(), expect, "{text}");
        }
    }

    #[test]
    fn what_the_step_may_not_read_is_missed() {
        let change = Change::test(vec![TestFile::added("a", "x\n")]);
        let error = added("", change.files()).unwrap_err().to_string();
        assert!(error.contains("a has 1 added lines, and none"), "{error}");
    }

    #[test]
    fn who_counts_otherwise_is_not_told_to_grant_reading() {
        let change = Change::test(vec![TestFile::added("a", "x\ny\n")]);
        for diff in [
            "+++ b/a\n@@ -0,0 +1 @@\n+x\n",
            "+++ b/a\n@@ -0,0 +1,3 @@\n+x\n+y\n+z\n",
        ] {
            let error = added(diff, change.files()).unwrap_err();
            assert!(matches!(error, Error::Internal(_)), "{error}");
        }
    }

    #[test]
    fn a_diff_that_is_none_is_an_error() {
        for diff in [
            "+++ b/a\n@@ -0,0 +1,2 @@\n+x\n?\n",
            "+++ b/a\n@@ -0,0 +1,1 @@\n-x\n",
            "@@ -x +1 @@\n",
            "+++ b/a\n@@ -0,0 +1,1 @@\n\n",
        ] {
            assert!(added(diff, &[]).is_err(), "{diff}");
        }
        assert!(added("+++ b/a\n@@ -0,0 +1 @@\n+x\n", &[]).is_err());
    }
}
