//! The patterns of `CODEOWNERS`: gitignore's, without negation and classes.
//!
//! **Invariant:** what is matched is a whole path or a folder on the way to it; upper and lower case differ, as they do
//! for those who enforce the file.

use ringfence_globs::{Case, Globs};

/// One pattern.
#[derive(Debug)]
pub(crate) struct Pattern(Globs);

impl Pattern {
    /// Reads a pattern, or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('!') {
            return Err("takes nothing back: negation is not known here".to_owned());
        }
        if text.contains(['[', ']', '{', '}']) {
            return Err("has a class or a choice, which are not known here".to_owned());
        }
        let only_folder = text.ends_with('/');
        let body = text.trim_end_matches('/');
        // A slash before the end anchors the pattern; without one it matches a name at any depth.
        let anchored = body.contains('/');
        let body = body.trim_start_matches('/');
        if body.is_empty() {
            return Err("names nothing".to_owned());
        }
        let start = if anchored || body.starts_with("**") {
            String::new()
        } else {
            "**/".to_owned()
        };
        let path = format!("{start}{body}");
        // `docs/*` is the files in docs, not what lies deeper; every other pattern covers what is below.
        let deep = !path.ends_with("/*") && !path.ends_with("/**");
        let mut globs = Vec::new();
        if !only_folder {
            globs.push(path.clone());
        }
        if deep || only_folder {
            globs.push(format!("{path}/*"));
            globs.push(format!("{path}/**/*"));
        }
        Globs::parse("CODEOWNERS", &globs, Case::Exact)
            .map(Self)
            .map_err(|error| format!("is no pattern: {error}"))
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        self.0.cover(path)
    }
}
