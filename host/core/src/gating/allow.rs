//! Comments that allow a finding where it stands: `ringfence:allow RULE: why`.
//!
//! The comment stands on the line of the finding or on the one above. **Invariant:** it counts only for rules and files that
//! the operator named, only with a reason, and whatever it allowed is listed.

use crate::policy::{Access, Layer, PathPolicy, PatternError, PolicySpec};
use crate::relpath::RelPath;
use crate::spec::Allow;
use crate::text;

const MARK: &str = "ringfence:allow";
// Limit: one line of a report.
const REASON_CHARS_MAX: usize = 200;

/// What comments may allow, compiled.
#[derive(Debug, Default)]
pub struct Comments(Vec<(Vec<String>, PathPolicy)>);

impl Comments {
    /// Compiles the operator's lists.
    ///
    /// # Errors
    /// Every glob that the policy refuses; none for globs that came out of a gates file.
    pub fn new(allow: &[Allow]) -> Result<Self, Vec<PatternError>> {
        let compiled = allow.iter().map(|allow| {
            let layers = vec![Layer {
                name: "allow".to_owned(),
                read: allow.paths.clone(),
                write: Vec::new(),
            }];
            let deny = Vec::new();
            let policy = PathPolicy::new(&PolicySpec { layers, deny })?;
            Ok((allow.rules.clone(), policy))
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    /// The reason that one of `lines` gives for a finding of `rule` in `path`; none where no comment counts.
    pub fn reason<'t>(
        &self,
        rule: &str,
        path: &RelPath,
        lines: impl IntoIterator<Item = &'t str>,
    ) -> Option<String> {
        self.covers(rule, path).then_some(())?;
        let mut whys = lines.into_iter().filter_map(|line| said(line, rule));
        let why = whys.find(|why| !why.is_empty())?;
        Some(text::one_line(why, REASON_CHARS_MAX))
    }

    /// True when a comment would count, had it a reason.
    pub fn lacks_reason<'t>(
        &self,
        rule: &str,
        path: &RelPath,
        lines: impl IntoIterator<Item = &'t str>,
    ) -> bool {
        let mut lines = lines.into_iter();
        self.covers(rule, path) && lines.any(|line| said(line, rule) == Some(""))
    }

    fn covers(&self, rule: &str, path: &RelPath) -> bool {
        self.0.iter().any(|(rules, paths)| {
            let named = rules.iter().any(|own| match own.strip_suffix('*') {
                Some(start) => rule.starts_with(start),
                None => own == rule,
            });
            named && paths.decide(path, Access::Read).is_allowed()
        })
    }
}

/// The reason in `… ringfence:allow RULE: why`, without what ends a comment; empty where the comment gives none.
fn said<'t>(line: &'t str, rule: &str) -> Option<&'t str> {
    let (_, rest) = line.split_once(MARK)?;
    let rest = rest.strip_prefix(' ')?.trim_start().strip_prefix(rule)?;
    let goes_on = |c: char| c.is_alphanumeric() || c == '-';
    if rest.starts_with(goes_on) {
        return None;
    }
    let why = rest.strip_prefix(':').unwrap_or_default().trim();
    Some(why.trim_end_matches("*/").trim_end_matches("-->").trim())
}
