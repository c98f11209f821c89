//! `md-links`: broken relative links in Markdown, as a sensor and as a gate.
//!
//! It looks at inline links, images, reference definitions and the `href`, `src`, `srcset` and `poster` of HTML, and
//! follows them as GitHub does: percent-encoding, `?query`, anchors of headings, `id` and `name`. Code, comments,
//! front matter and other sites are left alone; nothing is fetched. Links in the file system are followed within the workspace.
//!
//! | rule | means |
//! | --- | --- |
//! | `missing-file` | there is no such file or folder |
//! | `missing-anchor` | the file exists, the heading does not |
//! | `wrong-case` | there is one that differs in upper and lower case |
//! | `outside-root` | the link leads above the workspace root, where nothing is looked at |
//! | `unreadable` | a document is not UTF-8, or too large to be judged |
//!
//! As a **sensor** it names every broken link of the workspace. Its signal holds path, target and rule but no line, so
//! editing around a broken link wakes nobody. Each broken link is an item; those with a unique repair carry the label
//! `fixable`, and their detail is what the action `fix` of `md-link-fix` takes as input.
//!
//! As a **gate** it judges what a change does to links: in the Markdown files it touches, and in all others that link
//! to something it removed. A link that is broken now and was not before fails the change; one that was already
//! broken is a note. A change that touches neither Markdown nor a link's target is none of its business: it abstains. It gives
//! no verdict on a document that it may not read, nor on a new link to what it may not look at, unless `ignore` names them;
//! the sensor passes over both.
//!
//! ```toml
//! [[sensor]]
//! id = "links"
//! plugin = "std:md-links"
//! config = { roots = ["docs", "README.md"], ignore = ["https-only/**"], root_relative = "ignore" }
//!
//! [[gate]]
//! plugin = "std:md-links"
//! ```
//!
//! **Invariant:** a document that could not be judged is always named, and one that a change made so fails it. What is a
//! link and what is broken is decided in `ringfence-markdown`.

mod before;
mod judge;
mod observe;
mod scope;

use std::path::Path;

use ringfence_markdown::{Disk, Tree, TreeError};
use ringfence_sdk::prelude::*;

use crate::scope::{Config, Scope};

ringfence_sdk::plugin!("../plugin.toml");

/// Limit: items of one observation; more would only repeat themselves.
const SHOWN_MAX: usize = 500;

/// Limit: characters of a target that are shown to people.
const TARGET_CHARS_MAX: usize = 120;

/// Names every broken link of the workspace.
///
/// # Errors
/// [`Error::Config`] for globs or roots that mean nothing, [`Error::Unavailable`] when the workspace cannot be listed.
#[sensor]
pub fn observe_links(cx: &Context) -> Result<Observation> {
    let scope = Scope::new(cx.config::<Config>()?)?;
    let tree = Tree::read(Path::new(".")).map_err(unlisted)?;
    for root in scope.missing_roots(&tree) {
        cx.warn(format!("`{root}` in `roots` does not exist"));
    }
    Ok(observe::observe(&tree, &Disk::at("."), &scope))
}

/// Judges whether a change breaks links.
///
/// # Errors
/// As [`observe_links`]; [`Error::Unavailable`], too, for a document or a target that it has to look at and must not.
#[gate]
pub fn judge_change(cx: &Context, change: &Change) -> Result<Verdict> {
    let scope = Scope::new(cx.config::<Config>()?)?;
    if let Some(verdict) = judge::untouched(change) {
        return Ok(verdict);
    }
    let tree = Tree::read(Path::new(".")).map_err(unlisted)?;
    judge::judge(&tree, &Disk::at("."), change, &scope)
}

fn unlisted(error: TreeError) -> Error {
    match &error {
        TreeError::List { source, .. } => Error::unavailable(format!("{error}: {}", why(source))),
        TreeError::TooLarge => Error::unavailable(error.to_string()),
    }
}

/// Cuts a target for people; the whole one stays in the item's detail.
fn shown(target: &str) -> String {
    match target.char_indices().nth(TARGET_CHARS_MAX) {
        Some((end, _)) => format!("{}…", target.get(..end).unwrap_or_default()),
        None => target.to_owned(),
    }
}

#[cfg(test)]
mod tests;
