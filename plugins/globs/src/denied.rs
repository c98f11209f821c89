//! Globs of what may not be.
//!
//! **Invariant:** a glob covers every name that some file system takes for one that it covers.

use ringfence_sdk::prelude::*;

use crate::{check, covers, fold, short};

/// Some globs, in the order they were written.
#[derive(Debug)]
pub struct Denied {
    written: Vec<String>,
    /// Without regard to case, and folded.
    forms: Vec<[String; 2]>,
}

impl Denied {
    /// Parses the globs under `key` of the configuration.
    ///
    /// # Errors
    /// [`Error::Config`] for a pattern that is none, or that no path can match.
    pub fn parse(key: &str, written: &[String]) -> Result<Self> {
        check(key, written)?;
        // Folding may make a sign of a wildcard, so that what is written counts, too.
        let forms = |glob: &String| [glob.to_lowercase(), fold::text(glob)];
        Ok(Self {
            forms: written.iter().map(forms).collect(),
            written: written.to_vec(),
        })
    }

    /// The first glob that covers `path`, or what a file system may take it for. `dir/**` covers `dir` as well as what is
    /// below it.
    #[must_use]
    pub fn matching(&self, path: &str) -> Option<&str> {
        let lower = path.to_lowercase();
        let folded = fold::text(path);
        let trimmed = fold::trimmed(&folded);
        let covers = |[plain, glob]: &[String; 2]| {
            covers(plain, &lower)
                || covers(glob, &folded)
                || covers(glob, &trimmed)
                || short::lengthened(&trimmed, glob).is_some_and(|path| covers(glob, &path))
        };
        let first = self.forms.iter().position(covers)?;
        self.written.get(first).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_that_folds_to_a_wildcard_is_itself_as_well() {
        let denied = Denied::parse("deny", &["a［b".to_owned()]).unwrap();
        assert_eq!(denied.matching("A［b"), Some("a［b"));
        assert_eq!(denied.matching("ab"), None);
    }
}
