//! How far an update goes.
//!
//! **Invariant:** what cannot be told is the largest step.

use semver::{BuildMetadata, Version};
use serde::Deserialize;

/// The steps of semantic versions, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    None,
    Patch,
    Minor,
    Major,
}

impl Step {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// The step between two versions, in either direction.
    pub(crate) fn between(from: &Version, to: &Version) -> Self {
        let release = |version: &Version| Version {
            build: BuildMetadata::EMPTY,
            ..version.clone()
        };
        if from == to {
            return Self::None;
        }
        if release(from) == release(to) {
            return Self::Patch;
        }
        // Nothing is promised from one pre-release to the next.
        if from.major != to.major || !from.pre.is_empty() || !to.pre.is_empty() {
            return Self::Major;
        }
        match (from.major, from.minor == to.minor) {
            (0, false) => Self::Major,
            (0, true) if from.minor == 0 => Self::Major,
            (_, true) => Self::Patch,
            (_, false) => Self::Minor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        for (from, to, expect) in [
            ("1.2.3", "1.2.3", Step::None),
            ("1.2.3", "1.2.4", Step::Patch),
            ("1.2.3", "1.3.0", Step::Minor),
            ("1.2.3", "2.0.0", Step::Major),
            ("0.2.3", "0.2.4", Step::Patch),
            ("0.2.3", "0.3.0", Step::Major),
            ("0.0.3", "0.0.4", Step::Major),
            ("0.9.0", "1.0.0", Step::Major),
            ("1.0.0+a", "1.0.0+b", Step::Patch),
            ("1.0.0-rc.1", "1.0.0", Step::Major),
            ("1.0.0", "1.0.1-rc.1", Step::Major),
        ] {
            let parse = |text: &str| text.parse::<Version>().unwrap();
            assert_eq!(
                Step::between(&parse(from), &parse(to)),
                expect,
                "{from} {to}"
            );
            assert_eq!(
                Step::between(&parse(to), &parse(from)),
                expect,
                "{to} {from}"
            );
        }
        assert!(Step::None < Step::Patch && Step::Minor < Step::Major);
    }
}
