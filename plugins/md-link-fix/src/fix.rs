//! Works out the repaired bytes of one document.
//!
//! Owns the refusals: no such link, not broken, nothing fits, several fit, not what was suggested.
//!
//! **Invariant:** nothing is written here; what is returned differs from the file in destinations only.

use std::path::Path;

use ringfence_markdown::breaks::breaks;
use ringfence_markdown::path::{is_markdown, is_plain};
use ringfence_markdown::{Break, Disk, Files, Library, Repair, Settings, Tree, repair, retarget};
use ringfence_sdk::prelude::*;
use serde::Deserialize;

/// The action's input. Only what is needed to find the link is looked at; the rest is for people.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) path: String,
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) suggestion: Option<String>,
}

/// A document to be written.
#[derive(Debug)]
pub(crate) struct Fix {
    pub(crate) bytes: Vec<u8>,
    pub(crate) new: String,
    pub(crate) links: usize,
}

/// Returns the document `wanted.path` below `root` with its broken links to `wanted.target` repaired.
pub(crate) fn fix(root: &Path, wanted: &Wanted) -> Result<Fix> {
    let Wanted { path, target, .. } = wanted;
    if !is_plain(path) || !is_markdown(path) {
        return Err(Error::unavailable(format!(
            "`{path}` is not the path of a Markdown file"
        )));
    }
    let tree = Tree::read(root).map_err(|error| Error::unavailable(error.to_string()))?;
    let disk = Disk::at(root);
    let library = Library::new(&tree, &disk);
    if !library.has_document(path) {
        return Err(Error::unavailable(format!("there is no file `{path}`")));
    }
    let new = destination(&library, wanted)?;
    let bytes = disk
        .read(path)
        .map_err(|error| Error::unavailable(format!("{path} cannot be read: {error}")))?;
    let (bytes, links) = retarget(&bytes, target, &new)
        .map_err(|error| Error::unavailable(format!("{path}: {error}")))?;
    Ok(Fix { bytes, new, links })
}

/// The only destination that fits; with a suggestion, only that one.
fn destination(library: &Library<'_>, wanted: &Wanted) -> Result<String> {
    let broken = broken(library, wanted)?;
    let Wanted {
        path,
        target,
        suggestion,
    } = wanted;
    let refused = |why: String| {
        Err(Error::unavailable(format!(
            "`{target}` in {path} {}: {why}",
            broken.rule.words()
        )))
    };
    // A sensor that leaves anchors alone suggests files whatever their headings.
    let loose = Settings {
        anchors: false,
        ..Settings::default()
    };
    let strict = repair(library, &broken, Settings::default());
    match (strict, suggestion) {
        (Repair::Unique(new), None) => Ok(new),
        (Repair::Unique(new), Some(suggested)) if new == *suggested => Ok(new),
        (_, Some(suggested))
            if repair(library, &broken, loose) == Repair::Unique(suggested.clone()) =>
        {
            Ok(suggested.clone())
        }
        (Repair::Unique(new), Some(_)) => refused(format!(
            "`{new}` would fit, which is not what was suggested"
        )),
        (Repair::Ambiguous(candidates), _) => {
            refused(format!("it may have meant `{}`", candidates.join("` or `")))
        }
        (Repair::Nothing, _) => refused("nothing in the workspace fits".to_owned()),
    }
}

/// The first link to the wanted target, which must be broken.
fn broken(library: &Library<'_>, wanted: &Wanted) -> Result<Break> {
    let Wanted { path, target, .. } = wanted;
    breaks(library, path, Settings::default())
        .map_err(|reason| Error::unavailable(format!("{path} {reason}")))?
        .into_iter()
        .find(|broken| broken.link.target == *target)
        .ok_or_else(|| Error::unavailable(format!("{path} has no broken link to `{target}`")))
}
