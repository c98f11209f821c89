//! The checks, by what they are about; each names the rule that it holds the host to.
//!
//! **Invariant:** a check begins in an empty folder, and what it leaves there is removed.

mod data;
mod handles;
mod links;
mod listing;
mod machine;
mod names;
mod open;
mod rename;
mod standard;
mod times;

use std::io::Write as _;

use wasip2::filesystem::preopens;

use crate::asked::{Dir, Seen};

/// One rule, and how it is asked after.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// Where it is written down.
    pub(crate) rule: &'static str,
    pub(crate) ask: fn(&Dir<'_>) -> Seen,
}

const fn check(name: &'static str, rule: &'static str, ask: fn(&Dir<'_>) -> Seen) -> Check {
    Check { name, rule, ask }
}

const ALL: &[&[Check]] = &[
    open::CHECKS,
    names::CHECKS,
    links::CHECKS,
    rename::CHECKS,
    data::CHECKS,
    times::CHECKS,
    listing::CHECKS,
    handles::CHECKS,
    standard::CHECKS,
    machine::CHECKS,
];

/// Runs the checks that are named, or all, and prints how each ended.
pub(crate) fn run(named: &[String]) -> Result<(), ()> {
    let Some((root, _)) = preopens::get_directories().into_iter().next() else {
        return Err(());
    };
    let mut out = std::io::stdout();
    let asked = |check: &&Check| named.is_empty() || named.iter().any(|name| name == check.name);
    for check in ALL.iter().copied().flatten().filter(asked) {
        let end = alone(&Dir(&root), check);
        let end = match end {
            Ok(()) => "ok".to_owned(),
            Err(seen) => format!("{seen} ({})", check.rule),
        };
        writeln!(out, "{}\t{end}", check.name).map_err(drop)?;
    }
    out.flush().map_err(drop)
}

/// Runs one check in a folder that is there for it alone.
fn alone(root: &Dir<'_>, check: &Check) -> Seen {
    const FOLDER: &str = "ground";
    let failed = |code: wasip2::filesystem::types::ErrorCode| format!("no ground: {}", code.name());
    root.mkdir(FOLDER).map_err(failed)?;
    let folder = root.folder(FOLDER).map_err(failed)?;
    let end = (check.ask)(&Dir(&folder));
    drop(folder);
    std::fs::remove_dir_all(format!("/{FOLDER}"))
        .map_err(|error| format!("not removed: {error}"))?;
    end
}
