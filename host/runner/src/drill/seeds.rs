//! Where something can be put, so that the guard that is meant finds it, and none before it.

use std::collections::BTreeSet;

use ringfence_core::policy::{Access, PathPolicy, witness};
use ringfence_core::relpath::RelPath;
use ringfence_core::spec::{LockedSpec, LockedStep};

use super::DrillError;
use super::ground::{Ground, Seed, policy};

// Limit: places that are tried; the first usually does.
const PLACES_MAX: usize = 12;
const NAME: &str = "ringfence-drill";

/// New files that an executor may write, most likely first: beside files that it may write, then where its globs say.
/// None of them is a person's to decide on.
pub(super) fn places(
    ground: &Ground<'_>,
    spec: &LockedSpec,
    executor: &LockedStep,
) -> Result<Vec<RelPath>, DrillError> {
    let Some(policy) = policy(executor) else {
        return Ok(Vec::new());
    };
    let files = ground.files()?;
    let mut seen = BTreeSet::new();
    let beside = writable(&files, &policy).filter_map(|file| sibling(file, ""));
    let lists = executor.policy.layers.iter().flat_map(|layer| &layer.write);
    let meant = lists.filter_map(|pattern| witness(pattern));
    let escalation = spec.escalate.matcher();
    let ours = |path: &RelPath| {
        let fits = policy.decide(path, Access::Write).is_allowed()
            && escalation
                .as_ref()
                .is_ok_and(|globs| globs.hit(path).is_none());
        fits && !files.contains(path) && seen.insert(path.clone())
    };
    Ok(beside.chain(meant).filter(ours).take(PLACES_MAX).collect())
}

/// The files of the base that a policy lets be written.
pub(super) fn writable<'a>(
    files: &'a [RelPath],
    policy: &'a PathPolicy,
) -> impl Iterator<Item = &'a RelPath> {
    files
        .iter()
        .filter(|file| policy.decide(file, Access::Write).is_allowed())
}

/// A file of the same kind in the same folder.
pub(super) fn sibling(file: &RelPath, more: &str) -> Option<RelPath> {
    let name = file.file_name()?;
    let name = match name.rsplit_once('.') {
        Some((_, end)) => format!("{NAME}{more}.{end}"),
        None => format!("{NAME}{more}"),
    };
    file.parent().unwrap_or(RelPath::ROOT).join(&name).ok()
}

/// A small file that nobody could mind.
pub(super) fn harmless(path: &RelPath) -> Seed {
    Seed::File(path.clone(), text_of(path))
}

/// What stands in it.
pub(super) fn text_of(path: &RelPath) -> String {
    if is_markdown(path) {
        "# A drill\n\nNothing stands here.\n".to_owned()
    } else {
        "a drill\n".to_owned()
    }
}

/// True for a Markdown file.
pub(super) fn is_markdown(path: &RelPath) -> bool {
    let lower = path.as_str().to_lowercase();
    [".md", ".markdown"].iter().any(|end| lower.ends_with(end))
}
