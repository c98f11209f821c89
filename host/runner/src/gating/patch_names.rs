//! The names in a patch, which have to begin with `a/` and `b/`.
//!
//! Git takes one folder off every name, whatever it is called: of a patch that was made without prefixes, `tests/a.py` would be
//! judged as `a.py`. This guards against such patches, not against hostile ones: what becomes of a patch is judged, not what it says.

/// The first line of `patch` that names a file otherwise; none when there is none.
pub(super) fn odd(patch: &[u8]) -> Option<String> {
    let mut lines = patch.split(|byte| *byte == b'\n');
    let (mut old, mut new) = (0u64, 0u64);
    // A line of a hunk may look like anything.
    let odd = lines.find(|line| {
        if old > 0 || new > 0 {
            match line.first() {
                Some(b'-') => old = old.saturating_sub(1),
                Some(b'+') => new = new.saturating_sub(1),
                Some(b'\\') => {}
                _ => (old, new) = (old.saturating_sub(1), new.saturating_sub(1)),
            }
            return false;
        }
        if let Some(counts) = line.strip_prefix(b"@@ -") {
            (old, new) = lengths(counts);
            return false;
        }
        is_odd(line)
    });
    odd.map(|line| String::from_utf8_lossy(line).into_owned())
}

fn is_odd(line: &[u8]) -> bool {
    let names = [
        (&b"--- "[..], &b"a/"[..]),
        (b"+++ ", b"b/"),
        (b"diff --git ", b"a/"),
    ];
    let one_name = line.starts_with(b"diff --git ")
        && ![&b" b/"[..], b" \"b/"].iter().any(|second| {
            let mut at = line.windows(second.len());
            at.any(|found| found == *second)
        });
    one_name
        || names.into_iter().any(|(start, prefix)| {
            line.strip_prefix(start).is_some_and(|name| {
                let name = name.strip_prefix(b"\"").unwrap_or(name);
                !name.starts_with(prefix) && !name.starts_with(b"/dev/null")
            })
        })
}

/// How many lines of both sides a hunk has, by `1,2 +3,4 @@`.
fn lengths(counts: &[u8]) -> (u64, u64) {
    let text = String::from_utf8_lossy(counts);
    let mut words = text.split(' ');
    let mut next = |sign: &str| {
        let range = words.next()?.strip_prefix(sign)?;
        match range.split_once(',') {
            Some((_, length)) => length.parse().ok(),
            None => Some(1),
        }
    };
    let (old, new) = (next(""), next("+"));
    (old.unwrap_or(0), new.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_as_gits_do() {
        for (patch, expect) in [
            ("", None),
            ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n", None),
            ("--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n", None),
            (
                "diff --git \"a/\\303\" \"b/\\303\"\nold mode 100644\n",
                None,
            ),
            // Lines of a hunk that look like names.
            (
                "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- y\n+++ y\n \n\\ No newline at end of file\n",
                None,
            ),
            ("--- x/y\n+++ x/y\n@@ -1 +1 @@\n-a\n+b\n", Some("--- x/y")),
            (
                "diff --git x/y x/y\nold mode 100644\n",
                Some("diff --git x/y x/y"),
            ),
            (
                "diff --git a/y a/y\n--- a/y\n+++ a/y\n",
                Some("diff --git a/y a/y"),
            ),
            ("--- a/y\n+++ a/y\n", Some("+++ a/y")),
            (
                "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n--- c\n+++ c\n@@ -1 +1 @@\n-a\n+b\n",
                Some("--- c"),
            ),
        ] {
            assert_eq!(odd(patch.as_bytes()).as_deref(), expect, "{patch}");
        }
    }
}
