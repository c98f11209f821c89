//! Reads Markdown the way a repository shows it: where its links go, which anchors it has, which links are broken
//! and what the one fitting repair would be.
//!
//! Owns everything `md-links` and `md-link-fix` must agree on, so that a link which one calls fixable is a link which
//! the other repairs. From the bottom up: [`path`] and [`target`] (text of a path, text of a link), [`slug`] (heading
//! anchors), [`document`] (one file), [`tree`] and [`library`] (all of them), [`breaks`](mod@breaks) (what is broken),
//! [`repair`](mod@repair) (what would fit), [`rewrite`] (how the bytes change). Beside them, [`unseen`]: what a page does
//! not show.
//!
//! **Invariant:** nothing here writes a file, knows the plugin contract, or looks at anything outside the workspace;
//! every input is untrusted and every amount of work is bounded.
//!
//! ```
//! use ringfence_markdown::{Document, Slugger};
//!
//! let document = Document::parse(b"# Getting started\n\nSee [the guide](guide.md#first-steps).\n").unwrap();
//! assert_eq!(document.links()[0].target, "guide.md#first-steps");
//! assert!(document.anchors().contains("getting-started"));
//! assert_eq!(Slugger::default().slug("What's new?"), "whats-new");
//! ```

pub mod breaks;
pub mod document;
pub mod library;
pub mod path;
pub mod repair;
pub mod rewrite;
pub mod slug;
pub mod target;
pub mod tree;
pub mod unseen;

mod html;
mod text;

pub use breaks::{Break, Hidden, RootRelative, Rule, Settings, breaks, hidden};
pub use document::{Document, Link, ReadError};
pub use library::{Disk, End, Files, Library};
pub use repair::{Repair, repair};
pub use rewrite::{RewriteError, retarget};
pub use slug::{Anchors, Slugger};
pub use tree::{Kind, Tree, TreeError};
