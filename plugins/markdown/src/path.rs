//! Paths as text: relative to the workspace root, `/`-separated, without `.` or `..`; the root itself is `""`.
//!
//! Owns joining, climbing and the way back (the relative path from one file to another).
//!
//! **Invariant:** no function returns a path that climbs above the root. What a link's text means as a path is
//! [`crate::target`]'s business.

/// Returns the folder that holds `path`; `""` for a file in the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the last component of `path`; `""` for the root.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether `path` is a Markdown file by its name: `.md` or `.markdown`, in any case.
pub fn is_markdown(path: &str) -> bool {
    name(path).rsplit_once('.').is_some_and(|(_, extension)| {
        extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("markdown")
    })
}

/// Whether `path` names something inside the workspace as written: relative, no empty, `.` or `..` component, no
/// backslash and no NUL.
pub fn is_plain(path: &str) -> bool {
    !path.contains(['\\', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Where walking `steps` from a folder ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Inside the workspace.
    Inside(String),
    /// Above the root.
    Outside {
        /// How many folders above the root the walk got at its highest.
        climbed: usize,
        /// What follows the last step above the root; may be empty.
        rest: String,
    },
}

/// Walks `steps` (`/`-separated; `.` and empty ones are skipped) from `folder`.
pub fn join(folder: &str, steps: &str) -> Joined {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let mut climbed = 0;
    for step in steps.split('/') {
        match step {
            "" | "." => {}
            ".." if parts.pop().is_none() => climbed += 1,
            ".." => {}
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    if climbed == 0 {
        Joined::Inside(path)
    } else {
        Joined::Outside {
            climbed,
            rest: path,
        }
    }
}

/// Returns the way from the folder `from` to `to`, with as few steps as possible; `"."` when they are the same.
pub fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = to.split('/').filter(|part| !part.is_empty()).collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..");
    let steps: Vec<&str> = up.chain(to.iter().skip(shared).copied()).collect();
    if steps.is_empty() {
        ".".to_owned()
    } else {
        steps.join("/")
    }
}

/// Folds `path` for comparing without regard to case.
pub fn fold(path: &str) -> String {
    path.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inside(folder: &str, steps: &str, expect: &str) {
        assert_eq!(
            join(folder, steps),
            Joined::Inside(expect.to_owned()),
            "{folder} + {steps}"
        );
    }

    #[test]
    fn joins_inside() {
        inside("", "a.md", "a.md");
        inside("docs", "a.md", "docs/a.md");
        inside("docs", "../a.md", "a.md");
        inside("docs/x", ".././y//z/", "docs/y/z");
        inside("docs", "..", "");
        inside("docs", "", "docs");
    }

    #[test]
    fn counts_steps_above_the_root() {
        for (folder, steps, climbed, rest) in [
            ("", "../a", 1, "a"),
            ("docs", "../../../issues", 2, "issues"),
            ("docs", "../../docs/../b", 1, "b"),
            ("", "..", 1, ""),
        ] {
            assert_eq!(
                join(folder, steps),
                Joined::Outside {
                    climbed,
                    rest: rest.to_owned()
                },
                "{folder} + {steps}"
            );
        }
    }

    #[test]
    fn goes_back_the_shortest_way() {
        for (from, to, expect) in [
            ("", "a.md", "a.md"),
            ("docs", "docs/a.md", "a.md"),
            ("docs/x", "docs/y/a.md", "../y/a.md"),
            ("docs", "a.md", "../a.md"),
            ("docs", "docs", "."),
        ] {
            assert_eq!(relative(from, to), expect, "{from} → {to}");
        }
    }

    #[test]
    fn recognises_markdown_and_plain_paths() {
        for yes in ["a.md", "A.MD", "docs/b.markdown"] {
            assert!(is_markdown(yes) && is_plain(yes), "{yes}");
        }
        for no in ["md", "a.mdx", "a.md/b", "a.txt"] {
            assert!(!is_markdown(no), "{no}");
        }
        for no in ["", "/a", "a//b", "./a", "a/../b", "a\\b", "a\0"] {
            assert!(!is_plain(no), "{no:?}");
        }
    }

    proptest! {
        #[test]
        fn relative_undoes_join(from in "([a-c]{1,2}/){0,3}[a-c]", to in "([a-c]{1,2}/){0,3}[a-c]") {
            prop_assert_eq!(join(&from, &relative(&from, &to)), Joined::Inside(to));
        }

        #[test]
        fn join_never_escapes(folder in "([a-b]/){0,3}", steps in "[./a]{0,24}") {
            let (Joined::Inside(path) | Joined::Outside { rest: path, .. }) = join(&folder, &steps);
            prop_assert!(path.split('/').all(|part| part != ".."));
        }
    }
}
