//! What a loop file writes out, and what it leaves to defaults.

use crate::guard::{BEATS_PER_DAY, FUEL_PER_BEAT, FUEL_PER_DAY};
use crate::toml_doc::Section;

/// The budgets that have to be somebody's decision before a loop commits by itself, as far as they are not written.
pub(super) fn unwritten_budgets(root: &Section) -> Vec<&'static str> {
    let budget = root.one("budget");
    let is_written = |key: &str| budget.is_some_and(|budget| budget.has(key));
    let mut keys = vec![FUEL_PER_BEAT, FUEL_PER_DAY, BEATS_PER_DAY];
    keys.retain(|key| !is_written(key));
    keys
}
