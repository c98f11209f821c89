//! The denials of one call, equal ones counted together.

use ringfence_core::policy::{Denial, Rule};
use ringfence_core::text;

use super::stop::Refusal;

// Limit: what a person reads, and a bound on the report of a guest that tries every name there is.
const KEPT_MAX: usize = 256;
// Limit: what tells one path from another for a person; a text that is no path may be as long as a guest's memory.
const PATH_CHARS_MAX: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Denials {
    kept: Vec<Denial>,
    dropped: u64,
}

impl Denials {
    pub(super) fn add(&mut self, refusal: Refusal) {
        let Refusal { path, access, rule } = refusal;
        let (path, rule) = (text::cut(&path, PATH_CHARS_MAX), bounded(rule));
        let same =
            |kept: &&mut Denial| kept.path == path && kept.access == access && kept.rule == rule;
        if let Some(kept) = self.kept.iter_mut().find(same) {
            kept.count += 1;
        } else if self.kept.len() < KEPT_MAX {
            let count = 1;
            self.kept.push(Denial {
                path,
                access,
                rule,
                count,
            });
        } else {
            self.dropped += 1;
        }
    }

    pub(super) fn into_parts(self) -> (Vec<Denial>, u64) {
        (self.kept, self.dropped)
    }
}

fn bounded(rule: Rule) -> Rule {
    match rule {
        Rule::HardLink { other } => Rule::HardLink {
            other: text::cut(&other, PATH_CHARS_MAX),
        },
        rule => rule,
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::policy::Access;
    use ringfence_core::relpath::PathError;

    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_length() {
        let mut denials = Denials::default();
        for n in 0..KEPT_MAX + 7 {
            denials.add(Refusal {
                path: format!("/{n}{}", "\u{1}".repeat(1 << 16)),
                access: Access::Read,
                rule: Rule::Shape {
                    error: PathError::Absolute,
                },
            });
        }
        let (kept, dropped) = denials.into_parts();
        assert_eq!((kept.len(), dropped), (KEPT_MAX, 7));
        assert!(
            kept.iter()
                .all(|denial| denial.path.chars().count() < PATH_CHARS_MAX + 40)
        );
    }
}
