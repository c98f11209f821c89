//! The denials of one call, equal ones counted together.

use ringfence_core::policy::Denial;

use super::stop::Refusal;

// Limit: what a person reads, and a bound on the report of a guest that tries every name there is.
const KEPT_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Denials {
    kept: Vec<Denial>,
    dropped: u64,
}

impl Denials {
    pub(super) fn add(&mut self, refusal: Refusal) {
        let Refusal { path, access, rule } = refusal;
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
