//! Several mounts of one call, none of which may lie within another.
//!
//! **Invariant:** a directory that a guest could reach by two ways would be judged by two policies, so that a denial of the
//! one could be got round by the other. So a mount inside another is refused; the same directory twice, under one
//! policy, is one tree.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use ringfence_core::policy::PathPolicy;
use rustix::fs::{AtFlags, Stat};

use super::place::Tree;

/// A directory by what it is, not by its name.
pub(super) type Identity = (u64, u64);

/// The tree among `opened` whose root is this one, under the same policy.
///
/// # Errors
/// When the one lies within the other, or is the same under another policy.
pub(super) fn among(
    root: impl AsFd,
    policy: &PathPolicy,
    opened: &[(String, Arc<Tree>)],
) -> std::io::Result<Option<Arc<Tree>>> {
    if opened.is_empty() {
        return Ok(None);
    }
    let own = upwards(root.as_fd())?;
    let mut same = None;
    for (guest_path, tree) in opened {
        let other = upwards(tree.root.as_fd())?;
        if own.first() == other.first() && tree.policy.is_same(policy) {
            same = Some(Arc::clone(tree));
        } else if own.first().is_some_and(|own| other.contains(own))
            || other.first().is_some_and(|other| own.contains(other))
        {
            return Err(std::io::Error::other(format!(
                "it and what is mounted at {guest_path} lie within one another, so that a path would have two judges: mount only the outer one"
            )));
        }
    }
    Ok(same)
}

/// A directory and all above it.
fn upwards(dir: BorrowedFd<'_>) -> std::io::Result<Vec<Identity>> {
    let mut all = vec![identity(&rustix::fs::fstat(dir)?)];
    let mut path = String::from("..");
    loop {
        let above = identity(&rustix::fs::statat(dir, &path, AtFlags::empty())?);
        if all.last() == Some(&above) {
            return Ok(all);
        }
        all.push(above);
        path.push_str("/..");
    }
}

#[cfg_attr(
    target_os = "linux",
    expect(clippy::useless_conversion, reason = "narrower elsewhere")
)]
pub(super) fn identity(stat: &Stat) -> Identity {
    (
        u64::try_from(stat.st_dev).unwrap_or(u64::MAX),
        stat.st_ino.into(),
    )
}
