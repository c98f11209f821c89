//! What is bounded ends in its own typed failure, or in a refusal that the guest sees, and the host stays well.
//!
//! Strains come from components of every kind: the guest `hog` and its modes ([`hog`]), components written by hand for what
//! the engine bounds ([`engine`]), plans of the guest `probe` in a hostile repository ([`files`]), bytes that are no
//! plugin ([`load`]). After each, a sound component answers as before for the same fuel, no file and no thread is left open,
//! and the host's memory has stayed below the strain's ceiling. [`cut`] does the same with calls that are dropped or end
//! anywhere. [`constants`] holds that no limit of the boundary is left out.
//!
//! `RINGFENCE_LONG=1` adds what takes minutes: directories of a million names.
//!
//! There is one test here, since what the process holds can only be counted while nothing else runs in it.

#![expect(clippy::unwrap_used, reason = "a test may end at once")]

#[path = "limits/constants.rs"]
mod constants;
#[path = "limits/cut.rs"]
mod cut;
#[path = "limits/engine.rs"]
mod engine;
#[path = "limits/files.rs"]
mod files;
#[path = "limits/hog.rs"]
mod hog;
#[path = "limits/load.rs"]
mod load;
#[path = "limits/strain.rs"]
mod strain;

use std::collections::BTreeSet;

use ringfence_tests_sandbox::guest;

use strain::Strain;

/// True when what takes minutes is wanted, too.
fn is_long() -> bool {
    std::env::var_os("RINGFENCE_LONG").is_some()
}

fn groups() -> [fn() -> Vec<Strain>; 4] {
    [hog::strains, engine::strains, files::strains, load::strains]
}

#[test]
fn every_strain_ends_as_it_should_and_leaves_the_host_well() {
    let sound = guest("hog");
    let mut wrong = modes_left_out();
    let mut done = BTreeSet::new();
    for group in groups() {
        for strain in group() {
            wrong.extend(strain.check(&sound));
            done.insert(strain.name);
        }
    }
    wrong.extend(cut::calls_leave_nothing_behind(&sound));
    wrong.extend(constants::unproven(&done));
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A mode of the guest that no strain tries proves nothing.
fn modes_left_out() -> Vec<String> {
    let sources = [
        include_str!("../../guests/hog/src/engine.rs"),
        include_str!("../../guests/hog/src/host.rs"),
    ];
    let lines = sources.iter().flat_map(|source| source.lines());
    let modes: BTreeSet<&str> = lines
        .filter_map(|line| Some(line.trim().strip_prefix('"')?.split_once("\" =>")?.0))
        .collect();
    let tried = hog::modes();
    let untried = modes.symmetric_difference(&tried);
    untried
        .map(|mode| format!("hog {mode}: tried and there are not the same"))
        .collect()
}
