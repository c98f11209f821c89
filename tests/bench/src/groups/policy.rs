//! What many denials cost: the same files under ten of them and under a thousand.

use bench::{Sum, Work};
use tokio::runtime::Runtime;

use super::Scale;
use crate::ours::{Ours, call, policy};
use crate::report::{Goal, Row};
use crate::rounds::{self, Contender};
use crate::tree::Tree;
use crate::{Outcome, guest, runtime};

const FILES: u64 = 1_000;

pub(super) fn run(scale: Scale) -> Outcome<Vec<Row>> {
    let ours = Ours::new(&guest()?)?;
    let tree = Tree::new(FILES, 1_000, 0)?;
    let runtime = runtime()?;
    let policies = [policy(&globs(10))?, policy(&globs(1_000))?];
    let mut rows = Vec::new();
    for (what, kind, count) in [
        ("1,000 files read", "read", FILES),
        ("10,000 stats", "stat", 10 * FILES),
        ("1,000 names listed", "list", 1),
    ] {
        let work = Work {
            kind: kind.to_owned(),
            count,
            bytes: FILES,
            path: "small".to_owned(),
        };
        let turn = |at: usize| {
            let policy = policies.get(at).ok_or("no such policy")?.clone();
            expect_items(&runtime, &ours, &work, call(tree.path(), policy))
        };
        let taken = rounds::run(
            scale.rounds,
            &mut [
                Contender::new("10 globs", || turn(0)),
                Contender::new("1,000 globs", || turn(1)),
            ],
        )?;
        let [few, many] = taken.as_slice() else {
            return Err("somebody is missing".into());
        };
        rows.push(Row::new(what, many, few, Goal::AtMost(1.2)));
    }
    Ok(rows)
}

fn expect_items(
    runtime: &Runtime,
    ours: &Ours,
    work: &Work,
    call: ringfence_sandbox::Call,
) -> Outcome<()> {
    let (sum, _): (Sum, u64) = runtime.block_on(ours.work(work, call))?;
    if sum.items >= FILES {
        Ok(())
    } else {
        Err(format!("{sum:?}").into())
    }
}

/// A mixture as people write it: names, endings anywhere, folders, and patterns within a folder.
#[must_use]
pub fn globs(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| match n % 5 {
            0 => format!("private/area-{n}/**"),
            1 => format!("**/*.secret{n}"),
            2 => format!("**/key-{n}.pem"),
            3 => format!("small/denied-{n}*.txt"),
            _ => format!("vendor/*/mod-{n}/**"),
        })
        .collect()
}
