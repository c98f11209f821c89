//! `md-link-fix`: repairs one broken link of a Markdown file, or says why it does not.
//!
//! Its only action, `fix`, takes the detail of an `md-links` item. It reads the workspace again, finds the link, works
//! out the repair with the same code as the sensor, and writes the new destination in place of the old one: in every
//! link of that document that has this target, and nowhere else. Title, angle brackets, quotes, query, fragment, line
//! ends and every other byte stay as they are.
//!
//! What it can repair: a file that moved (the only one of that name, or the one whose path has most in common with
//! the old one), a name in the wrong case, a missing or needless `.md`, a heading that is spelled a little
//! differently, a heading that moved to another document. Where several would fit it changes nothing and names them.
//!
//! ```toml
//! [[executor]]
//! id = "fix"
//! plugin = "std:md-link-fix"
//! ```
//!
//! **Invariant:** it writes at most one file, which existed before, and only after reading its own edit back and
//! finding nothing changed but those links. Where a link leads is decided in `ringfence-markdown`.

mod fix;
mod write;

use std::path::Path;

use ringfence_sdk::prelude::*;
use serde_json::{Value, json};

use crate::fix::{Fix, Wanted, fix};

ringfence_sdk::plugin!("../plugin.toml");

/// Repairs the link that `input` describes.
///
/// # Errors
/// [`Error::Unavailable`] when there is no such broken link any more, nothing fits or several do, each named;
/// [`Error::Internal`] for an input that the manifest's schema should have kept out.
#[executor]
pub fn act(_cx: &Context, action: &str, input: Value) -> Result<Outcome> {
    if action != "fix" {
        return Err(Error::internal(format!("unknown action `{action}`")));
    }
    let wanted: Wanted = serde_json::from_value(input)?;
    let done = fix(Path::new("."), &wanted)?;
    write::in_place(Path::new(&wanted.path), &done.bytes)?;
    Ok(outcome(&wanted, &done))
}

fn outcome(wanted: &Wanted, done: &Fix) -> Outcome {
    let links = if done.links == 1 {
        "link".to_owned()
    } else {
        format!("{} links", done.links)
    };
    let summary = format!(
        "{}: {links} to `{}` now to `{}`",
        wanted.path, wanted.target, done.new
    );
    Outcome::new(summary).detail(json!({
        "path": wanted.path,
        "old": wanted.target,
        "new": done.new,
        "links": done.links,
    }))
}

#[cfg(test)]
mod tests;
