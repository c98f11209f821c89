//! Where a manifest says that a package comes from, and where the lock has it from.
//!
//! **Invariant:** a lock that was made for another branch, tag, commit or registry is not the manifest's.

use super::lock::Package;
use super::manifest::From;
use crate::percent::decoded;

/// The registry of a dependency that names none, as every lock writes it.
pub(super) const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether a locked package is from there.
pub(super) fn is_from(package: &Package, from: &From) -> bool {
    match (from, package.source.as_deref()) {
        (From::Path { .. }, source) => source.is_none(),
        (From::Git { url, at }, Some(source)) => is_repository(source, url, at.as_deref()),
        (From::Registry(index), Some(source)) => is_registry(source, index.as_deref()),
        (From::Git { .. } | From::Registry(_), None) => false,
    }
}

fn is_repository(source: &str, url: &str, at: Option<&str>) -> bool {
    let Some(source) = source.strip_prefix("git+") else {
        return false;
    };
    let (source, _commit) = source.split_once('#').unwrap_or((source, ""));
    let (from, locked) = match source.split_once('?') {
        Some((from, at)) => (from, Some(at)),
        None => (source, None),
    };
    // Older locks leave the branch out that was everybody's.
    let is_old = locked.is_none() && at == Some("branch=master");
    let is_same =
        |locked: &str| at.is_some_and(|at| locked == at || decoded(locked).as_deref() == Some(at));
    let is_there = is_old || locked.map_or(at.is_none(), is_same);
    from.trim_end_matches('/') == url.trim_end_matches('/') && is_there
}

/// `index` is an address, or a name that only settings explain.
fn is_registry(source: &str, index: Option<&str>) -> bool {
    let is_registry = source.starts_with("registry+") || source.starts_with("sparse+");
    let plain = |index: &str| {
        let index = index.trim_start_matches("registry+");
        index.trim_end_matches('/').to_owned()
    };
    match index {
        None => source == CRATES_IO,
        Some(index) if index.contains("://") => plain(source) == plain(index),
        Some(_) => is_registry && source != CRATES_IO,
    }
}
