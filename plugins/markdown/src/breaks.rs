//! What is broken: the links of one document whose target does not exist.
//!
//! Owns the rules and their names, and what is forgiven: folders, lines of source files, anchors that a page has without any
//! heading.
//!
//! **Invariant:** a document that cannot be read has no broken links *and says so*; it is never passed over in
//! silence. What would fit instead is [`crate::repair`](mod@crate::repair)'s business.

use crate::document::{Document, Link, ReadError};
use crate::library::{End, Library};
use crate::path::is_markdown;
use crate::target::{Place, decode, follow, parts};
use crate::tree::Kind;

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// There is no such file or folder.
    MissingFile,
    /// The file exists; the heading does not.
    MissingAnchor,
    /// There is one whose name differs in upper and lower case.
    WrongCase,
    /// The link leads above the workspace root; what is there is not looked at.
    OutsideRoot,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 4] = [
        Self::MissingFile,
        Self::MissingAnchor,
        Self::WrongCase,
        Self::OutsideRoot,
    ];

    /// The stable name in findings and items, in kebab-case.
    pub fn id(self) -> &'static str {
        match self {
            Self::MissingFile => "missing-file",
            Self::MissingAnchor => "missing-anchor",
            Self::WrongCase => "wrong-case",
            Self::OutsideRoot => "outside-root",
        }
    }

    /// The rule with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    /// A few words for people, to follow the link's target.
    pub fn words(self) -> &'static str {
        match self {
            Self::MissingFile => "leads to no file",
            Self::MissingAnchor => "names a heading that its file does not have",
            Self::WrongCase => "differs from the file's name in upper and lower case",
            Self::OutsideRoot => "leads out of the repository",
        }
    }
}

/// What a destination that begins with `/` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootRelative {
    /// The root of the workspace, as on GitHub.
    #[default]
    Workspace,
    /// The root of some site that we do not know: such links are not judged.
    Ignore,
}

/// How strict to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether fragments are checked.
    pub anchors: bool,
    /// What `/x` means.
    pub root_relative: RootRelative,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            anchors: true,
            root_relative: RootRelative::Workspace,
        }
    }
}

/// One broken link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The document that holds the link.
    pub path: String,
    /// The link as it stands there.
    pub link: Link,
    /// What is wrong.
    pub rule: Rule,
    /// The path that the link leads to; for [`Rule::OutsideRoot`] what follows after the last step above the root.
    pub leads_to: String,
    /// The decoded fragment, when there is one.
    pub fragment: Option<String>,
}

/// A link to what we may not look at, so that nobody here knows whether it is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The link as it stands in its document.
    pub link: Link,
    /// The path that it leads to.
    pub leads_to: String,
    /// The decoded fragment, when there is one.
    pub fragment: Option<String>,
}

/// Returns the links of the document `path` to what may not be looked at, in the order they stand there; none where the
/// document itself cannot be read.
pub fn hidden(library: &Library<'_>, path: &str, settings: Settings) -> Vec<Hidden> {
    let document = library.document(path);
    let links = document.as_ref().as_ref().map_or(&[][..], Document::links);
    let hidden = links.iter().filter_map(|link| {
        if is_left_alone(link, settings) {
            return None;
        }
        let Place::Inside {
            path: leads_to,
            fragment,
        } = follow(path, &link.target)
        else {
            return None;
        };
        let needs_text = settings.anchors && fragment.is_some();
        let is_hidden = leads_to != path
            && (library.is_hidden(&leads_to) || needs_text && library.is_withheld(&leads_to));
        is_hidden.then(|| Hidden {
            link: link.clone(),
            leads_to,
            fragment,
        })
    });
    hidden.collect()
}

fn is_left_alone(link: &Link, settings: Settings) -> bool {
    settings.root_relative == RootRelative::Ignore && link.target.starts_with('/')
}

/// Returns the broken links of the document `path`, in the order they stand there.
///
/// # Errors
/// The message of why the document could not be read.
pub fn breaks(library: &Library<'_>, path: &str, settings: Settings) -> Result<Vec<Break>, String> {
    let document = library.document(path);
    let document = document.as_ref().as_ref().map_err(describe)?;
    Ok(document
        .links()
        .iter()
        .filter_map(|link| judge(library, path, link, settings))
        .collect())
}

/// Says in one fragment why a document could not be read, without the numbers of the system, which are not those of the machine
/// where a component runs.
pub fn describe(error: &ReadError) -> String {
    match error {
        ReadError::Io(source) if source.raw_os_error().is_some() => {
            format!("{error}: {}", source.kind())
        }
        ReadError::Io(source) => format!("{error}: {source}"),
        other => other.to_string(),
    }
}

/// Judges one link of the document `from`; `None` when it is fine or not ours to judge.
pub fn judge(library: &Library<'_>, from: &str, link: &Link, settings: Settings) -> Option<Break> {
    if is_left_alone(link, settings) {
        return None;
    }
    let broken = |rule, leads_to, fragment| {
        Some(Break {
            path: from.to_owned(),
            link: link.clone(),
            rule,
            leads_to,
            fragment,
        })
    };
    match follow(from, &link.target) {
        Place::Elsewhere => None,
        Place::Outside { rest } => {
            let fragment = parts(&link.target).fragment.map(decode);
            broken(Rule::OutsideRoot, rest, fragment)
        }
        Place::Inside { path, fragment } => {
            let rule = if path == from || library.may_hold(&path) {
                fragment
                    .as_deref()
                    .filter(|fragment| settings.anchors && lacks(library, &path, fragment))?;
                Rule::MissingAnchor
            } else if library.tree().other_cases(&path).is_empty() {
                Rule::MissingFile
            } else {
                Rule::WrongCase
            };
            broken(rule, path, fragment)
        }
    }
}

/// Whether what `path` leads to is known to lack an anchor; what is called Markdown and leads to something else has none.
fn lacks(library: &Library<'_>, path: &str, fragment: &str) -> bool {
    if is_built_in(fragment) {
        return false;
    }
    let Some(document) = library.page(path) else {
        let is_other = matches!(library.end(path), End::At(_, Kind::File));
        return is_other && is_markdown(path);
    };
    document
        .as_ref()
        .as_ref()
        .is_ok_and(|document| !document.anchors().contains(fragment))
}

/// Anchors that the page around a document provides: its beginning, lines of the source view, text fragments,
/// footnotes.
fn is_built_in(fragment: &str) -> bool {
    let lower = fragment.to_ascii_lowercase();
    let own = lower.strip_prefix("user-content-").unwrap_or(&lower);
    matches!(lower.as_str(), "top" | "readme")
        || lower.starts_with(":~:")
        || ["fn-", "fn:", "fnref"]
            .iter()
            .any(|note| own.starts_with(note))
        || is_lines(fragment)
}

/// `L12`, `L12C3`, `L12-L14`, …
fn is_lines(fragment: &str) -> bool {
    let digits_and_marks = |rest: &str| {
        rest.chars()
            .all(|char| char.is_ascii_digit() || matches!(char, 'L' | 'C' | '-'))
    };
    fragment.strip_prefix('L').is_some_and(|rest| {
        rest.starts_with(|char: char| char.is_ascii_digit()) && digits_and_marks(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_id(rule.id()), Some(rule));
        }
        assert_eq!(Rule::from_id("broken"), None);
    }

    #[test]
    fn pages_have_anchors_of_their_own() {
        for yes in [
            "top",
            "README",
            "L3",
            "L3C1-L4C2",
            ":~:text=x",
            "fn-1",
            "fnref-1",
            "user-content-fn-1",
        ] {
            assert!(is_built_in(yes), "{yes}");
        }
        for no in [
            "topic",
            "Linux",
            "L",
            "Lx3",
            "fn",
            "fnord",
            "user-content-x",
        ] {
            assert!(!is_built_in(no), "{no}");
        }
    }
}
