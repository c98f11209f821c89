//! Takes the context out of a unified diff.
//!
//! Git is never asked for a diff without context: it then leaves the common end of two files out of the comparison, and may
//! find other lines than it counted.
//!
//! **Invariant:** the removed and added lines are those of the diff that came in, each with the number that it had there.

/// `diff` without its context, in hunks as git writes them; none when it is no diff.
pub(super) fn bare(diff: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(diff.len());
    let mut lines = diff.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some(mut hunk) = Hunk::begin(line) else {
            out.extend(line);
            continue;
        };
        // Its counts tell where a hunk ends; what its lines say may look like anything.
        while hunk.left != (0, 0) {
            hunk.line(lines.next()?, &mut out)?;
        }
        while let Some(note) = lines.next_if(|line| line.starts_with(b"\\")) {
            hunk.line(note, &mut out)?;
        }
        hunk.end(&mut out);
    }
    Some(out)
}

/// A hunk with context, and what goes out of it next.
struct Hunk<'a> {
    /// What is still to come of it: lines before and after the change.
    left: (u32, u32),
    /// The numbers of the next line before and after the change.
    next: (u32, u32),
    /// The rest of its first line, from the space behind the second `@@`.
    title: &'a [u8],
    /// Removed and added lines without one between them, and how many they are.
    run: Vec<&'a [u8]>,
    found: (u32, u32),
}

impl<'a> Hunk<'a> {
    fn begin(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"@@ -")?;
        let end = rest.windows(3).position(|three| three == b" @@")?;
        let (ranges, title) = rest.split_at_checked(end)?;
        let (old, new) = str::from_utf8(ranges).ok()?.split_once(" +")?;
        let (old, new) = (span(old)?, span(new)?);
        Some(Self {
            left: (old.1, new.1),
            next: (old.0, new.0),
            title: title.get(3..)?,
            run: Vec::new(),
            found: (0, 0),
        })
    }

    fn line(&mut self, line: &'a [u8], out: &mut Vec<u8>) -> Option<()> {
        match line.first()? {
            b' ' => {
                self.end(out);
                self.left = (self.left.0.checked_sub(1)?, self.left.1.checked_sub(1)?);
                self.next = (self.next.0.checked_add(1)?, self.next.1.checked_add(1)?);
            }
            b'-' => {
                self.left.0 = self.left.0.checked_sub(1)?;
                self.found.0 += 1;
                self.run.push(line);
            }
            b'+' => {
                self.left.1 = self.left.1.checked_sub(1)?;
                self.found.1 += 1;
                self.run.push(line);
            }
            // «No newline at end of file», of the line before it.
            b'\\' if self.run.is_empty() => {}
            b'\\' => self.run.push(line),
            _ => return None,
        }
        Some(())
    }

    /// Writes what was found since the last context.
    fn end(&mut self, out: &mut Vec<u8>) {
        if self.run.is_empty() {
            return;
        }
        let (old, new) = (
            range(self.next.0, self.found.0),
            range(self.next.1, self.found.1),
        );
        out.extend(format!("@@ -{old} +{new} @@").bytes());
        out.extend(self.title);
        out.extend(self.run.drain(..).flatten());
        self.next.0 = self.next.0.saturating_add(self.found.0);
        self.next.1 = self.next.1.saturating_add(self.found.1);
        self.found = (0, 0);
    }
}

/// Where a side of a hunk begins, and how many lines it has: `7` or `7,2`. Of one without lines, the number of the line that
/// would be next.
fn span(text: &str) -> Option<(u32, u32)> {
    let (start, lines) = match text.split_once(',') {
        Some((start, lines)) => (start.parse::<u32>().ok()?, lines.parse().ok()?),
        None => (text.parse().ok()?, 1),
    };
    Some((
        if lines == 0 {
            start.checked_add(1)?
        } else {
            start
        },
        lines,
    ))
}

/// The same as git writes it: of no lines, the number of the line before them.
fn range(next: u32, lines: u32) -> String {
    match lines {
        0 => format!("{},0", next.saturating_sub(1)),
        1 => next.to_string(),
        _ => format!("{next},{lines}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(diff: &str, expect: Option<&str>) {
        let found = bare(diff.as_bytes()).map(|text| String::from_utf8(text).unwrap());
        assert_eq!(found.as_deref(), expect, "{diff}");
    }

    #[test]
    fn only_what_differs_is_left() {
        let head = "diff --git a/a b/a\n--- a/a\n+++ b/a\n";
        let of = |hunks: &str| format!("{head}{hunks}");
        let same = |hunks: &str| check(&of(hunks), Some(&of(hunks)));
        same("@@ -0,0 +1,2 @@\n+a\n+b\n");
        same("@@ -1 +0,0 @@\n-@@ -1 +1 @@\n");
        same("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
        same("@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
        check(
            &of(
                "@@ -4,6 +4,5 @@ fn f() {\n 4\n-5\n 6\n 7\n+neu\n+++ b/x\n-8\n-9\n@@ -20,2 +20,1 @@\n 20\n-21\n",
            ),
            Some(&of(
                "@@ -5 +4,0 @@ fn f() {\n-5\n@@ -8,2 +7,2 @@ fn f() {\n+neu\n+++ b/x\n-8\n-9\n@@ -21 +20,0 @@\n-21\n",
            )),
        );
        check(
            &of("@@ -1,2 +1,3 @@\n+0\n 1\n 2\n\\ No newline at end of file\n"),
            Some(&of("@@ -0,0 +1 @@\n+0\n")),
        );
    }

    #[test]
    fn what_is_no_hunk_is_none() {
        for diff in [
            "@@ -1 +1 @@\n-a\n",
            "@@ -1 +1 @@\n-a\n-b\n+c\n",
            "@@ -1,2 +1 @@\n-a\n?\n",
        ] {
            check(diff, None);
        }
        check(
            "Binary files a/x and b/x differ\n",
            Some("Binary files a/x and b/x differ\n"),
        );
    }
}
