//! The one destination that would mend a broken link, if there is exactly one.
//!
//! Owns the order of attempts: for a file, another case, another ending (`.md`), then the entry of that name whose
//! path has most in common with the old one; for an anchor, the same words written otherwise, then the one heading a
//! few letters away or the one other document that has the anchor. Everything else of the destination (query,
//! fragment, leading `/` or `./`) stays.
//!
//! **Invariant:** a guess with an equal rival is never made; both are named instead. A proposed destination leads to
//! something that exists, anchor included.

mod anchor;

use crate::breaks::{Break, Rule, Settings};
use crate::library::Library;
use crate::path::{is_markdown, name, parent, relative};
use crate::target::{Parts, encode_path, encode_suffix, parts};
use crate::tree::Kind;

/// Limit: candidates that are named when a repair is ambiguous.
pub const CANDIDATES_MAX: usize = 8;

/// What can be said about mending a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The new destination, ready to be written in place of the old one.
    Unique(String),
    /// Several would fit equally well: their destinations, sorted; at most [`CANDIDATES_MAX`] of them.
    Ambiguous(Vec<String>),
    /// Nothing fits.
    Nothing,
}

/// Where a mended link should lead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Goal {
    path: String,
    /// The fragment as it should be written, decoded; `None` keeps what is there.
    fragment: Option<String>,
}

/// Returns the repair of `broken`.
pub fn repair(library: &Library<'_>, broken: &Break, settings: Settings) -> Repair {
    let goals = match broken.rule {
        Rule::MissingAnchor => anchor::goals(
            library,
            &broken.leads_to,
            broken.fragment.as_deref().unwrap_or_default(),
        ),
        Rule::WrongCase => with_anchor(library, other_cases(library, broken), broken, settings),
        Rule::MissingFile | Rule::OutsideRoot => {
            with_anchor(library, files(library, broken), broken, settings)
        }
    };
    let mut written: Vec<String> = goals.iter().map(|goal| write(broken, goal)).collect();
    written.sort();
    written.dedup();
    written.retain(|new| *new != broken.link.target);
    match written.len() {
        0 => Repair::Nothing,
        1 => written.pop().map_or(Repair::Nothing, Repair::Unique),
        _ => {
            written.truncate(CANDIDATES_MAX);
            Repair::Ambiguous(written)
        }
    }
}

fn other_cases(library: &Library<'_>, broken: &Break) -> Vec<String> {
    library
        .tree()
        .other_cases(&broken.leads_to)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// The entries that a path which does not exist may have meant.
fn files(library: &Library<'_>, broken: &Break) -> Vec<String> {
    let with_endings = other_endings(library, &broken.leads_to);
    if !with_endings.is_empty() {
        return with_endings;
    }
    nearest(library, &broken.leads_to.replace('\\', "/"), broken)
}

/// The entries whose path ends most like `path`.
fn nearest(library: &Library<'_>, path: &str, broken: &Break) -> Vec<String> {
    if path.is_empty() {
        return Vec::new();
    }
    let page = format!("{path}.md");
    let mut tried = vec![(path, Kind::Folder, 2)];
    if !parts(&broken.link.target).path.ends_with('/') {
        tried.push((path, Kind::File, components_min(path, &broken.link.target)));
        if !name(path).contains('.') {
            tried.push((&page, Kind::File, 2));
        }
    }
    let mut best = (0, Vec::new());
    for (wanted, kind, components_min) in tried {
        let accepts = |found: &str, is: Kind| is == kind && found != broken.path;
        let tree = library.tree();
        let Some((components, found)) =
            tree.best_endings(wanted, components_min, CANDIDATES_MAX, accepts)
        else {
            continue;
        };
        if components > best.0 {
            best = (components, Vec::new());
        }
        if components == best.0 {
            best.1.extend(found.into_iter().map(str::to_owned));
        }
    }
    best.1
}

/// How many components a file must share with the path it replaces. One, its name, is enough for documents and
/// pictures; source files need their folder as well. So do names that every folder may have, where the link itself
/// names that folder; the folder of the document alone says too little.
fn components_min(path: &str, target: &str) -> usize {
    const EVERYWHERE: [&str; 5] = ["changelog", "contributing", "index", "license", "readme"];
    const TELLING: [&str; 14] = [
        "adoc", "drawio", "gif", "jpeg", "jpg", "markdown", "md", "mp4", "pdf", "png", "rst",
        "svg", "txt", "webp",
    ];
    let name = name(path).to_lowercase();
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return 2;
    };
    match (EVERYWHERE.contains(&stem), TELLING.contains(&extension)) {
        (true, _) => 2 + usize::from(!names_a_folder(target)),
        (false, true) => 1,
        (false, false) => 2,
    }
}

fn names_a_folder(target: &str) -> bool {
    let names = parts(target).path.split('/');
    names
        .filter(|name| !matches!(*name, "" | "." | ".."))
        .count()
        > 1
}

/// The same path with `.md` added, taken away, or in place of `.html`.
fn other_endings(library: &Library<'_>, path: &str) -> Vec<String> {
    let mut tried = vec![format!("{path}.md"), format!("{path}.markdown")];
    for (ending, instead) in [
        (".md", ""),
        (".markdown", ".md"),
        (".html", ".md"),
        (".htm", ".md"),
    ] {
        if let Some(stem) = path.strip_suffix(ending) {
            tried.push(format!("{stem}{instead}"));
        }
    }
    tried.retain(|path| !path.is_empty() && library.tree().kind(path).is_some());
    tried
}

/// Turns candidates into goals: of several, those that have the wanted anchor; of one that lacks it, the anchor
/// nearest to it.
fn with_anchor(
    library: &Library<'_>,
    found: Vec<String>,
    broken: &Break,
    settings: Settings,
) -> Vec<Goal> {
    let plain = |path: String| Goal {
        path,
        fragment: None,
    };
    let Some(fragment) = broken.fragment.as_deref().filter(|_| settings.anchors) else {
        return found.into_iter().map(plain).collect();
    };
    let (having, lacking): (Vec<String>, Vec<String>) = found
        .into_iter()
        .partition(|path| !is_markdown(path) || has_anchor(library, path, fragment));
    if !having.is_empty() {
        return having.into_iter().map(plain).collect();
    }
    match lacking.as_slice() {
        [only] => anchor::within(library, only, fragment),
        _ => Vec::new(),
    }
}

fn has_anchor(library: &Library<'_>, path: &str, fragment: &str) -> bool {
    let document = library.document(path);
    document
        .as_ref()
        .as_ref()
        .is_ok_and(|document| document.anchors().contains(fragment))
}

/// Writes the destination that leads from the broken link's document to `goal`.
fn write(broken: &Break, goal: &Goal) -> String {
    let Parts {
        path,
        query,
        fragment,
    } = parts(&broken.link.target);
    let query = encode_suffix(query);
    let fragment = match &goal.fragment {
        Some(new) => format!("#{}", encode_path(new).trim_start_matches("./")),
        None => fragment
            .map(|old| format!("#{}", encode_suffix(old)))
            .unwrap_or_default(),
    };
    if goal.path == broken.path && path.is_empty() {
        return format!("{query}{fragment}");
    }
    let unchanged = broken.rule == Rule::MissingAnchor && goal.path == broken.leads_to;
    let path = if unchanged {
        encode_suffix(path)
    } else {
        write_path(path, &broken.path, &goal.path)
    };
    format!("{path}{query}{fragment}")
}

/// Writes a path in the manner of the old one: from the root if it began with `/`, with `./` if it had that.
fn write_path(old: &str, from: &str, to: &str) -> String {
    let slash = if old.ends_with('/') && !is_markdown(to) {
        "/"
    } else {
        ""
    };
    if old.starts_with('/') {
        return format!("/{}{slash}", encode_path(to).trim_start_matches("./"));
    }
    let way = relative(parent(from), to);
    let dot = if old.starts_with("./") && !way.starts_with('.') {
        "./"
    } else {
        ""
    };
    let encoded = encode_path(&way);
    if encoded.starts_with("./") {
        format!("{encoded}{slash}")
    } else {
        format!("{dot}{encoded}{slash}")
    }
}

#[cfg(test)]
mod tests;
