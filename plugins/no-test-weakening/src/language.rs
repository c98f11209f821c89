//! The languages whose tests are known.
//!
//! **Invariant:** a file is told by the end of its name; what has another end has no tests here.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    Rust,
    Python,
    /// TypeScript as well.
    JavaScript,
    Go,
}

impl Language {
    /// The language of a file.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "rs" => Some(Self::Rust),
            "py" | "pyi" => Some(Self::Python),
            "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" => Some(Self::JavaScript),
            // Elsewhere Go does not look for tests.
            "go" => (name.ends_with("_test.go") && !is_hidden_from_go(path)).then_some(Self::Go),
            _ => None,
        }
    }

    /// Calls that assert, by what they begin with.
    pub(crate) fn asserts(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &[
                "assert",
                "debug_assert",
                "prop_assert",
                "panic!",
                "unreachable!",
                "insta::",
            ],
            Self::Python => &[
                "assert",
                "self.assert",
                "self.fail",
                "pytest.raises",
                "pytest.fail",
            ],
            Self::JavaScript => &["expect", "assert", "t.", "should", "sinon.assert"],
            Self::Go => &["t.Error", "t.Fatal", "t.Fail", "require.", "assert."],
        }
    }

    /// True when the usual tools look for tests in a file of this name.
    pub(crate) fn looks_in(self, path: &str) -> bool {
        let lower = path.to_ascii_lowercase();
        let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        match self {
            // Modules of a crate are looked for by `reach.rs`; for Go, `of` tells.
            Self::Rust | Self::Go => true,
            Self::Python => {
                let is_left_out = |part: &str| {
                    part.starts_with('.')
                        || part.ends_with(".egg")
                        || ["_darcs", "build", "cvs", "dist", "node_modules", "venv"]
                            .contains(&part)
                };
                (name.starts_with("test") || stem.ends_with("_test"))
                    && !folder.split('/').any(is_left_out)
            }
            Self::JavaScript if folder.split('/').any(|part| part == "node_modules") => false,
            Self::JavaScript => {
                let folders = [
                    "test",
                    "tests",
                    "__tests__",
                    "spec",
                    "specs",
                    "e2e",
                    "cypress",
                ];
                let signs = ["test", "spec", "tests", "specs", "cy", "e2e"];
                folder.split('/').any(|part| folders.contains(&part))
                    || stem
                        .split(['.', '-', '_'])
                        .any(|part| signs.contains(&part))
            }
        }
    }
}

/// True for what `go test ./...` leaves out: names that begin with `_` or `.`, test data and what others have written.
fn is_hidden_from_go(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let hides = |part: &str| part.starts_with(['_', '.']);
    parts.next().is_some_and(hides)
        || parts.any(|part| hides(part) || matches!(part, "testdata" | "vendor"))
}
