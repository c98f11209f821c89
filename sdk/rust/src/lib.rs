//! What a Ringfence plugin is written against.
//!
//! A plugin is a component with one or more roles: a *sensor* observes, a *decider* decides, an *executor* acts, a
//! *gate* judges. Each role is one function with an attribute. Files are read and written with ordinary `std::fs`
//! and paths relative to the workspace root; what the operator denies is absent from listings and answers
//! `PermissionDenied`, and so does what the plugin's own `plugin.toml` does not ask for under `[asks]`. There is no network and
//! no environment; time begins at the beat and runs by fuel.
//!
//! A whole gate, which needs `[asks]` with `read = ["**"]` to see what files hold:
//!
//! ```
//! # // The manifest of a real plugin stands beside its Cargo.toml: `ringfence_sdk::plugin!("../plugin.toml");`
//! use ringfence_sdk::prelude::*;
//!
//! #[gate]
//! fn no_todo(_: &Context, change: &Change) -> Result<Vec<Finding>> {
//!     let mut findings = Vec::new();
//!     for file in change.files().iter().filter(|file| file.kind != ChangeKind::Deleted) {
//!         if change.read_text(&file.path)?.contains("TODO") {
//!             findings.push(Finding::error("todo", "a to-do is left").at(&file.path));
//!         }
//!     }
//!     Ok(findings)
//! }
//! # fn main() {
//! # let file = TestFile::added("a.rs", "// TODO");
//! # assert_eq!(no_todo(&Context::test(json!({})), &Change::test(vec![file])).unwrap().len(), 1);
//! # }
//! ```
//!
//! Besides the files, a gate may look at the commits that the change came in ([`Change::commits`]) and at what native programs
//! said of it: how the operator's commands ended, and the reports they wrote ([`Change::evidence`]).
//!
//! Return every finding, and cut nothing: a baseline or a comment may excuse what is shown, and nobody could tell what is
//! left out. Of more than a host keeps, the least bad are left out on the way, and an error that nothing excuses says so
//! ([`Verdict`]).
//!
//! The function stays an ordinary one: native unit tests call it with [`Context::test`] and [`Change::test`]. A test's files are
//! in its change and not on disk, so read those of the change by [`Change::read`] and [`Change::read_text`]; `std::fs` is for
//! all others. Built for `wasm32-wasip2` with `crate-type = ["cdylib"]`, the crate is a component that exports exactly its
//! roles. How to get there from nothing is in `docs/plugin.md`; `ringfence plugin new` writes such a crate.
//!
//! Owns the author's types and the way across the component boundary. In reading order: `context`, then a role at
//! a time (`observation`; `situation`, `decision`; `outcome`; `change`, `evidence`, `finding`, `verdict`), `error`, `words`
//! and `private` with the generated `bindings` below it.
//!
//! **Invariant:** nothing is generated while a plugin builds, and nothing survives a call. The contract itself is
//! `wit/beat.wit`; the other side of it is the host's sandbox.

#[path = "private.rs"]
#[doc(hidden)]
pub mod __private;
mod bindings;
mod change;
mod context;
mod decision;
mod error;
mod evidence;
mod finding;
mod observation;
mod outcome;
pub mod prelude;
mod situation;
mod verdict;
mod words;

pub use change::{AddedLine, Change, ChangeKind, Commit, FileChange, TestFile};
pub use context::{Context, Level};
pub use decision::Decision;
pub use error::{Error, Result};
pub use evidence::{Evidence, Receipt, Report, Side, TestRun};
pub use finding::{Finding, Location, Severity};
pub use observation::{Item, Observation, item_id};
pub use outcome::Outcome;
pub use ringfence_sdk_macros::{decider, executor, gate, sensor};
pub use situation::{
    ActionInfo, BudgetLeft, ExecutorInfo, LastFailure, SensorReport, Situation, SituationItem,
};
pub use verdict::{Ruling, Verdict};
pub use words::{count, why};

/// Stamps the plugin's manifest into the component, in the custom section `ringfence:plugin`.
///
/// The argument is the path of `plugin.toml`, relative to the file that says it, as for `include_str!`. The section
/// holds TOML: `name` and `version` of the crate, `contract`, `sdk`, then the file's text as it stands. Once a crate.
#[macro_export]
macro_rules! plugin {
    ($manifest:literal) => {
        const _: &str = include_str!($manifest);
        #[cfg(target_family = "wasm")]
        const _: () = {
            const PARTS: &[&str] = &[
                "name = \"",
                env!("CARGO_PKG_NAME"),
                "\"\nversion = \"",
                env!("CARGO_PKG_VERSION"),
                $crate::__private::MANIFEST_TAIL,
                include_str!($manifest),
            ];
            #[used]
            #[unsafe(link_section = "ringfence:plugin")]
            static MANIFEST: [u8; $crate::__private::joined_len(PARTS)] =
                $crate::__private::join(PARTS);
        };
    };
}
