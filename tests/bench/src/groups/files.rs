//! Work on files: the boundary against the stock host, and both against `std::fs`.

use std::path::Path;

use bench::{Sum, Work};
use ringfence_core::policy::PathPolicy;
use tokio::runtime::Runtime;

use super::Scale;
use crate::ours::{Ours, call, policy};
use crate::report::{Goal, Row};
use crate::rounds::{self, Contender, Taken};
use crate::stock::{Settings, Stock};
use crate::tree::Tree;
use crate::{Outcome, guest, runtime};

const FILES: u64 = 1_000;
const FILE_BYTES: usize = 1_000;
const LARGE: usize = 100 << 20;
const SPINS: usize = 500;

/// Everybody who works on files.
pub struct Hosts {
    ours: Ours,
    stock: Stock,
    on_this_thread: Stock,
    runtime: Runtime,
    policy: PathPolicy,
}

/// One kind of work, and what it should cost.
struct Kind {
    what: &'static str,
    kind: &'static str,
    count: u64,
    bytes: u64,
    path: &'static str,
    to_stock: Goal,
    to_native: Goal,
}

const KINDS: [Kind; 9] = [
    Kind {
        what: "1,000 files read",
        kind: "read",
        count: FILES,
        bytes: 0,
        path: "small",
        to_stock: Goal::AtLeast(10.0),
        to_native: Goal::AtMost(2.5),
    },
    Kind {
        what: "1,000 files read by std::fs",
        kind: "std-read",
        count: FILES,
        bytes: 0,
        path: "small",
        to_stock: Goal::None,
        to_native: Goal::None,
    },
    Kind {
        what: "10,000 stats",
        kind: "stat",
        count: 10 * FILES,
        bytes: FILES,
        path: "small",
        to_stock: Goal::AtLeast(8.0),
        to_native: Goal::AtMost(5.0),
    },
    Kind {
        what: "10,000 stats by std::fs",
        kind: "std-stat",
        count: 10 * FILES,
        bytes: FILES,
        path: "small",
        to_stock: Goal::None,
        to_native: Goal::None,
    },
    Kind {
        what: "1,000 names listed",
        kind: "list",
        count: 1,
        bytes: 0,
        path: "small",
        to_stock: Goal::None,
        to_native: Goal::AtMost(8.0),
    },
    Kind {
        what: "100 MiB by 64 KiB",
        kind: "scan",
        count: 1,
        bytes: 64 << 10,
        path: "large",
        to_stock: Goal::None,
        to_native: Goal::AtMost(1.5),
    },
    Kind {
        what: "100 MiB by 64 KiB by std::fs",
        kind: "std-scan",
        count: 1,
        bytes: 64 << 10,
        path: "large",
        to_stock: Goal::None,
        to_native: Goal::None,
    },
    Kind {
        what: "1,000 files written",
        kind: "write",
        count: FILES,
        bytes: FILE_BYTES as u64,
        path: "made",
        to_stock: Goal::None,
        to_native: Goal::None,
    },
    Kind {
        what: "1,000 files written by std::fs",
        kind: "std-write",
        count: FILES,
        bytes: FILE_BYTES as u64,
        path: "made",
        to_stock: Goal::None,
        to_native: Goal::None,
    },
];

pub(super) fn run(scale: Scale) -> Outcome<Vec<Row>> {
    let hosts = Hosts::new()?;
    let tree = Tree::new(FILES, FILE_BYTES, LARGE)?;
    let mut rows = Vec::new();
    for kind in &KINDS {
        rows.extend(measure(&hosts, &tree, kind, scale.rounds)?);
    }
    Ok(rows)
}

/// Does the work `kind` a thousand times in the boundary.
///
/// # Errors
/// When there is no such work, or it cannot be done.
pub fn spin(kind: &str) -> Outcome<()> {
    let known = KINDS.iter().find(|known| known.kind == kind);
    let work = known.ok_or("no such work")?.work();
    let hosts = Hosts::new()?;
    let tree = Tree::new(FILES, FILE_BYTES, LARGE)?;
    for _ in 0..SPINS {
        hosts.ours(&work, tree.path())?;
    }
    Ok(())
}

fn measure(hosts: &Hosts, tree: &Tree, kind: &Kind, rounds: usize) -> Outcome<Vec<Row>> {
    let work = kind.work();
    let expect = hosts.native(&work, tree.path())?;
    let check = |sum: Sum| {
        if sum == expect {
            Ok(())
        } else {
            Err(format!("{}: {sum:?}, expected {expect:?}", kind.what).into())
        }
    };
    let taken = rounds::run(
        rounds,
        &mut [
            Contender::new("ours", || check(hosts.ours(&work, tree.path())?)),
            Contender::new("native", || check(hosts.native(&work, tree.path())?)),
            Contender::new("stock", || check(hosts.stock(&work, tree.path())?)),
            Contender::new("stock on one thread", || {
                check(hosts.stock_on_this_thread(&work, tree.path())?)
            }),
        ],
    )?;
    let [ours, native, stock, on_this_thread] = taken.as_slice() else {
        return Err("somebody is missing".into());
    };
    let row = |dear: &Taken, cheap: &Taken, goal| Row::new(kind.what, dear, cheap, goal);
    Ok(vec![
        row(ours, native, kind.to_native),
        row(stock, ours, kind.to_stock),
        row(on_this_thread, ours, Goal::None),
    ])
}

impl Kind {
    fn work(&self) -> Work {
        Work {
            kind: self.kind.to_owned(),
            count: self.count,
            bytes: self.bytes,
            path: self.path.to_owned(),
        }
    }
}

impl Hosts {
    /// Compiles the guest for everybody.
    ///
    /// # Errors
    /// When it is not built.
    pub fn new() -> Outcome<Self> {
        let bytes = guest()?;
        let on_this_thread = Settings {
            on_this_thread: true,
            ..Settings::default()
        };
        Ok(Self {
            ours: Ours::new(&bytes)?,
            stock: Stock::new(&bytes, Settings::default())?,
            on_this_thread: Stock::new(&bytes, on_this_thread)?,
            runtime: runtime()?,
            policy: policy(&[])?,
        })
    }

    /// In the boundary.
    ///
    /// # Errors
    /// When the work cannot be done.
    pub fn ours(&self, work: &Work, root: &Path) -> Outcome<Sum> {
        let call = call(root, self.policy.clone());
        Ok(self.runtime.block_on(self.ours.work(work, call))?.0)
    }

    /// In the stock host with its defaults.
    ///
    /// # Errors
    /// When the work cannot be done.
    pub fn stock(&self, work: &Work, root: &Path) -> Outcome<Sum> {
        self.runtime.block_on(self.stock.work(work, root))
    }

    /// In the stock host without its thread pool.
    ///
    /// # Errors
    /// When the work cannot be done.
    pub fn stock_on_this_thread(&self, work: &Work, root: &Path) -> Outcome<Sum> {
        self.runtime.block_on(self.on_this_thread.work(work, root))
    }

    /// In this process, by `std::fs`.
    ///
    /// # Errors
    /// When the work cannot be done.
    pub fn native(&self, work: &Work, root: &Path) -> Outcome<Sum> {
        let kind = match work.kind.as_str() {
            kind if kind == "json" || kind.starts_with("std-") => kind.to_owned(),
            kind => format!("std-{kind}"),
        };
        let path = root.join(&work.path).to_string_lossy().into_owned();
        Ok(bench::run(&Work {
            kind,
            path,
            ..work.clone()
        })?)
    }
}
