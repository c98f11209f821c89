//! Landlock around a confined program: a second answer to what its root says already.
//!
//! **Invariant:** it is never the only thing that keeps a file away, so a kernel without it is told of and nothing more.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::os::fd::{AsFd, BorrowedFd};

// What this code was written for; newer kernels add rights that are then not asked about.
const NEWEST: ABI = ABI::V9;
/// From here on sockets that have a name but no file are out of reach, too.
const NAMED_SOCKETS: i32 = ABI::V6 as i32;
/// Where a program may write, besides the tree.
const WRITABLE: &[&str] = &["/tmp", "/dev", super::super::TREE];

/// What the kernel took of it.
pub(super) struct Taken {
    /// Why there is nothing of it.
    pub(super) missing: Option<String>,
    /// True when the sockets of the machine that have a name but no file cannot be reached.
    pub(super) named_sockets: bool,
}

/// Restricts this process, which has one thread; `written` is what it has to read in the end.
pub(super) fn restrict(written: BorrowedFd<'_>) -> Taken {
    let none = |why: String| Taken {
        missing: Some(why),
        named_sockets: false,
    };
    match try_restrict(written) {
        Ok(status) => {
            let abi = match status.landlock {
                LandlockStatus::Available {
                    effective_abi,
                    kernel_abi,
                } => kernel_abi.unwrap_or(effective_abi as i32),
                _ => return none("the kernel does not have it".to_owned()),
            };
            if status.ruleset == RulesetStatus::NotEnforced {
                return none(format!("ABI {abi} is too old"));
            }
            Taken {
                missing: None,
                named_sockets: abi >= NAMED_SOCKETS,
            }
        }
        Err(error) => none(error.to_string()),
    }
}

fn try_restrict(written: BorrowedFd<'_>) -> Result<landlock::RestrictionStatus, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let read = AccessFs::from_read(NEWEST);
    let rules = Ruleset::default()
        // The first version refuses every move to another directory: rather none than that.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rule(PathBeneath::new(written.as_fd(), read))?;
    // Everything that is shown may be read, and most of it not written.
    let rules = match PathFd::new("/") {
        Ok(root) => rules.add_rule(PathBeneath::new(root, read))?,
        Err(_) => rules,
    };
    let writable = WRITABLE
        .iter()
        .filter_map(|path| PathFd::new(Path::new(path)).ok());
    rules
        .add_rules(writable.map(|path| Ok::<_, RulesetError>(PathBeneath::new(path, all))))?
        .restrict_self()
}
