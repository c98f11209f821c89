//! Landlock: no file outside the roots, no TCP, no signal to others.
//!
//! **Invariant:** below a root every right is kept, so the kernel refuses nothing there that it would not refuse anyhow.
//! The rules hold the roots themselves, not their names: a directory that takes a root's place is not a root.

use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    RestrictSelfAttr, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope as Scopes,
};

use super::{Layer, Scope};

// What this code was written for; newer kernels add rights that are then not asked about.
const NEWEST: ABI = ABI::V9;
// From here on cutting a file short is a right of its own, and refused outside the roots.
const COMPLETE: i32 = ABI::V3 as i32;
// Limit: a thread that has done its work needs a moment to be gone.
const OTHERS_END_WITHIN: Duration = Duration::from_millis(200);

/// Opens the roots, so that what is confined cannot be refused them later.
pub(super) fn open(roots: &[PathBuf]) -> io::Result<Vec<PathFd>> {
    let open = |root: &PathBuf| {
        PathFd::new(root).map_err(|_| {
            // The crate keeps the cause to itself.
            match std::fs::metadata(root) {
                Err(error) => error,
                Ok(_) => io::Error::other(format!("{} cannot be opened", root.display())),
            }
        })
    };
    roots.iter().map(open).collect()
}

/// Restricts the calling thread, or the process; the second answer is whether rights can no longer be gained.
pub(super) fn restrict(roots: Vec<PathFd>, scope: Scope) -> (Layer, bool) {
    let whole = scope != Scope::Thread;
    let others = if whole { other_threads() } else { 0 };
    match try_restrict(roots, whole) {
        Ok(status) => {
            let enforced = status.ruleset != RulesetStatus::NotEnforced;
            let others = if status.all_threads { 0 } else { others };
            let layer = layer(status.landlock, enforced, others);
            (layer, status.no_new_privs)
        }
        Err(error) => {
            let why = format!("the kernel refused it: {error}");
            (Layer::Missing { why }, false)
        }
    }
}

fn try_restrict(roots: Vec<PathFd>, whole: bool) -> Result<RestrictionStatus, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let rules = roots
        .into_iter()
        .map(|root| Ok::<_, RulesetError>(PathBeneath::new(root, all)));
    Ruleset::default()
        // The first version refuses every move to another directory: rather none than that.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scopes::from_all(NEWEST))?
        .create()?
        .add_rules(rules)?
        .all_threads(whole)?
        .restrict_self()
}

/// What is to be said of what the kernel offers, whether it took our rules, and how many threads they do not reach.
fn layer(offer: LandlockStatus, enforced: bool, others: usize) -> Layer {
    let missing = |why: &str| Layer::Missing {
        why: why.to_owned(),
    };
    let abi = match offer {
        LandlockStatus::NotEnabled => return missing("switched off when the kernel started"),
        LandlockStatus::NotImplemented => return missing("the kernel does not offer it"),
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => kernel_abi.unwrap_or(effective_abi as i32),
    };
    if !enforced {
        return missing("ABI 1 refuses moving files between directories, so it is not used");
    }
    let what = format!("ABI {abi}");
    if others > 0 {
        let lacks = format!("{others} threads that were there before run without it");
        Layer::Weaker { what, lacks }
    } else if abi < COMPLETE {
        let lacks = "files outside can be cut short".to_owned();
        Layer::Weaker { what, lacks }
    } else {
        Layer::On { what }
    }
}

/// How many threads there are besides this one, when those that are about to end are gone. Where nobody can tell, one.
fn other_threads() -> usize {
    let until = Instant::now() + OTHERS_END_WITHIN;
    loop {
        let others = match std::fs::read_dir("/proc/self/task") {
            Ok(tasks) => tasks.count().saturating_sub(1),
            Err(_) => return 1,
        };
        if others == 0 || Instant::now() >= until {
            return others;
        }
        sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_offers_is_what_is_said() {
        let said = |abi: i32, enforced, others| {
            let offer = LandlockStatus::Available {
                effective_abi: ABI::from(abi),
                kernel_abi: (abi > NEWEST as i32).then_some(abi),
            };
            layer(offer, enforced, others)
        };
        let on = |what: &str| Layer::On { what: what.into() };
        assert_eq!(said(3, true, 0), on("ABI 3"));
        assert_eq!(said(7, true, 0), on("ABI 7"));
        assert_eq!(said(99, true, 0), on("ABI 99"));
        for (weaker, text) in [
            (said(2, true, 0), "ABI 2, files outside can be cut short"),
            (
                said(7, true, 2),
                "ABI 7, 2 threads that were there before run without it",
            ),
        ] {
            assert!(matches!(weaker, Layer::Weaker { .. }));
            assert_eq!(weaker.to_string(), text);
        }
        for missing in [
            said(1, false, 0),
            layer(LandlockStatus::NotEnabled, false, 0),
            layer(LandlockStatus::NotImplemented, false, 0),
        ] {
            assert!(matches!(missing, Layer::Missing { .. }));
        }
    }
}
