//! The gate: does a change break links?
//!
//! Owns which documents a change concerns, and the comparison of before and after: link by link, by the target as it
//! is written, so that a link which only moved within its file is the same link.
//!
//! **Invariant:** whatever the change, a document it touched is either judged or named in a finding, which is an error if
//! it could be read before. What may not be looked at is never taken for fine: there is no verdict then.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_markdown::breaks::{breaks, describe};
use ringfence_markdown::path::{is_markdown, parent};
use ringfence_markdown::target::{Place, follow};
use ringfence_markdown::{
    Break, End, Files, Hidden, Kind, Library, ReadError, Repair, Tree, hidden, repair,
};
use ringfence_sdk::prelude::*;

use crate::before::{self, Before};
use crate::scope::Scope;
use crate::shown;

/// The mode of a link in the file system.
const LINK: u32 = 0o120_000;
/// Limit: broken links for which a repair is looked for; each may take a look at the whole tree.
const REPAIRED_MAX: usize = 500;

/// Why a change that leaves every document and every target where it is breaks no link.
const UNTOUCHED: &str = "no Markdown file and no target of a link is touched";

/// The verdict on a change that can break no link, which is found without a look at the tree: it has no Markdown file, takes
/// no name away, and no file becomes a link or the other way round.
pub(crate) fn untouched(change: &Change) -> Option<Verdict> {
    let all = change.files().iter().all(breaks_nothing);
    all.then(|| Verdict::abstain(UNTOUCHED))
}

pub(crate) fn breaks_nothing(file: &FileChange) -> bool {
    file.kind != ChangeKind::Deleted
        && file.renamed_from.is_none()
        && ![file.old_mode, file.new_mode].contains(&LINK)
        && !is_markdown(&file.path)
}

pub(crate) fn judge(
    now: &Tree,
    files: &dyn Files,
    change: &Change,
    scope: &Scope,
) -> Result<Verdict> {
    let before_tree = before::tree(now, change);
    let before_files = Before::new(files, change);
    let judge = Judge {
        now: Library::new(now, files),
        before: Library::new(&before_tree, &before_files),
        change,
        scope,
    };
    judge.verdict()
}

struct Judge<'a> {
    now: Library<'a>,
    before: Library<'a>,
    change: &'a Change,
    scope: &'a Scope,
}

/// What was seen in the documents that a change concerns.
#[derive(Default)]
struct Seen {
    documents: usize,
    new: Vec<Break>,
    old: Vec<Break>,
    unjudged: Vec<Finding>,
    /// What could not be looked at, and why that matters.
    denied: BTreeSet<String>,
}

impl Judge<'_> {
    fn verdict(&self) -> Result<Verdict> {
        let mut seen = Seen::default();
        let mut looked_at = BTreeSet::new();
        for file in self
            .change
            .files()
            .iter()
            .filter(|file| self.is_document(file))
        {
            looked_at.insert(file.path.as_str());
            self.changed(file, &mut seen);
        }
        for path in self.bereft(&looked_at, &mut seen) {
            self.compare(&path, &path, &mut seen);
        }
        let more = seen.denied.len().saturating_sub(1);
        if let Some(first) = seen.denied.first() {
            let more = match more {
                0 => String::new(),
                more => format!(" ({more} more like this)"),
            };
            let help = "grant reading it, or name it in `ignore`";
            return Err(Error::unavailable(format!("{first}{more}: {help}")));
        }
        Ok(self.conclude(seen))
    }

    /// Whether a changed file is a document in scope. A link in the file system is none: what it leads to is.
    fn is_document(&self, file: &FileChange) -> bool {
        file.kind != ChangeKind::Deleted
            && self.scope.covers(&file.path)
            && self.now.tree().kind(&file.path) != Some(Kind::Link)
    }

    fn changed(&self, file: &FileChange, seen: &mut Seen) {
        let was = file.renamed_from.as_deref().unwrap_or(&file.path);
        let now = self.now.document(&file.path);
        let Err(error) = now.as_ref() else {
            self.compare(&file.path, was, seen);
            return;
        };
        if let ReadError::Io(why) = error {
            let why = ringfence_sdk::why(why);
            seen.denied
                .insert(format!("{} cannot be read: {why}", file.path));
            return;
        }
        seen.documents += 1;
        let had_text = file.kind == ChangeKind::Added && file.renamed_from.is_none()
            || self.before.document(was).is_ok();
        let message = format!("it {}, so its links cannot be judged", describe(error));
        let finding = if had_text {
            Finding::error("unreadable", message)
        } else {
            Finding::note("unreadable", message)
        };
        seen.unjudged.push(finding.at(&file.path));
    }

    /// Sorts the broken links of one document into new and old ones.
    fn compare(&self, path: &str, was: &str, seen: &mut Seen) {
        seen.documents += 1;
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        if self.before.has_document(was) {
            for broken in breaks(&self.before, was, self.scope.settings).unwrap_or_default() {
                *known.entry(broken.link.target).or_default() += 1;
            }
        }
        seen.denied.extend(self.hidden(path, was));
        let broken = breaks(&self.now, path, self.scope.settings).unwrap_or_default();
        for broken in broken
            .into_iter()
            .filter(|broken| !self.scope.ignores(broken))
        {
            match known.get_mut(&broken.link.target) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    seen.old.push(broken);
                }
                _ => seen.new.push(broken),
            }
        }
    }

    /// What the links of a document lead to that may not be looked at, where that matters: the link is new, or the change
    /// took its target away.
    fn hidden(&self, path: &str, was: &str) -> Vec<String> {
        let mut known = BTreeSet::new();
        if self.before.has_document(was) {
            let before = self.before.document(was);
            let links = before
                .as_ref()
                .as_ref()
                .map_or(&[][..], |document| document.links());
            for link in links {
                if let Place::Inside { path, fragment } = follow(was, &link.target) {
                    known.insert((path, fragment));
                }
            }
        }
        let matters = |hidden: &Hidden| {
            let is_new = !known.contains(&(hidden.leads_to.clone(), hidden.fragment.clone()));
            !self.scope.ignores_target(&hidden.link.target)
                && (is_new || self.takes_away(&hidden.leads_to))
        };
        let hidden = hidden(&self.now, path, self.scope.settings).into_iter();
        let told = hidden.filter(matters).map(|hidden| {
            let target = shown(&hidden.leads_to);
            format!("{path} links to {target}, which this plugin may not look at")
        });
        told.collect()
    }

    /// Whether the change deletes or moves a file, or one in a folder.
    fn takes_away(&self, path: &str) -> bool {
        let deleted = |file: &FileChange| file.kind == ChangeKind::Deleted;
        self.change.files().iter().any(|file| {
            let gone = file.renamed_from.as_deref();
            let gone = gone.or_else(|| deleted(file).then_some(file.path.as_str()));
            gone.and_then(|gone| gone.strip_prefix(path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The documents outside of `looked_at` that link to something the change took away: a file, a folder, a heading.
    fn bereft(&self, looked_at: &BTreeSet<&str>, seen: &mut Seen) -> Vec<String> {
        let lost = self.lost();
        if lost.is_empty() {
            return Vec::new();
        }
        let others = self
            .now
            .tree()
            .files()
            .filter(|path| self.scope.covers(path) && !looked_at.contains(path));
        let mut bereft = Vec::new();
        for path in others {
            if self.now.is_withheld(path) {
                let what = "may link to what the change takes away, and cannot be read";
                seen.denied.insert(format!("{path} {what}"));
            } else if self.links_to(path, &lost) {
                bereft.push(path.to_owned());
            }
        }
        bereft
    }

    fn links_to(&self, path: &str, lost: &BTreeSet<String>) -> bool {
        let document = self.now.document(path);
        let Ok(document) = document.as_ref() else {
            return false;
        };
        document
            .links()
            .iter()
            .any(|link| match follow(path, &link.target) {
                Place::Inside { path, .. } => {
                    lost.contains(&path) || self.leads_elsewhere(&path, lost)
                }
                Place::Outside { .. } | Place::Elsewhere => false,
            })
    }

    /// Whether a path goes through a link in the file system, and ended somewhere else before, or at something that is lost.
    fn leads_elsewhere(&self, path: &str, lost: &BTreeSet<String>) -> bool {
        if !self.before.passes_link(path) && !self.now.passes_link(path) {
            return false;
        }
        let was = self.before.end(path);
        let is_lost = matches!(&was, End::At(path, _) if lost.contains(path));
        is_lost || was != self.now.end(path)
    }

    /// Paths that no longer exist, and documents that lost an anchor.
    fn lost(&self) -> BTreeSet<String> {
        let mut lost = BTreeSet::new();
        for file in self.change.files() {
            let sources = [Some(file.path.as_str()), file.renamed_from.as_deref()];
            for source in sources.into_iter().flatten() {
                let mut path = source;
                let is_gone =
                    |path: &str| self.now.tree().kind(path).is_none() || !self.now.may_hold(path);
                while !path.is_empty() && is_gone(path) && lost.insert(path.to_owned()) {
                    path = parent(path);
                }
            }
            if self.has_lost_anchors(&file.path) {
                lost.insert(file.path.clone());
            }
        }
        lost
    }

    fn has_lost_anchors(&self, path: &str) -> bool {
        if !self.scope.settings.anchors || !self.now.may_hold(path) {
            return false;
        }
        let Some(before) = self.before.page(path) else {
            return false;
        };
        let now = self.now.page(path);
        let now = now.as_ref().map(|now| now.as_ref().as_ref());
        match (before.as_ref(), now) {
            (Ok(before), Some(Ok(now))) => before
                .anchors()
                .iter()
                .any(|(_, anchor)| !now.anchors().contains(anchor)),
            (Ok(_), None) => true,
            _ => false,
        }
    }

    fn conclude(&self, seen: Seen) -> Verdict {
        if seen.documents == 0 {
            return Verdict::abstain(UNTOUCHED);
        }
        let mut findings = seen.unjudged;
        let tried = seen.new.len().min(REPAIRED_MAX);
        let (first, rest) = seen.new.split_at(tried);
        findings.extend(
            first
                .iter()
                .map(|broken| new_break(broken).help(self.help(broken))),
        );
        findings.extend(rest.iter().map(new_break));
        findings.extend(seen.old.iter().map(old_break));
        let failed = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let summary = format!(
            "{} newly broken, {} broken before, in {}",
            seen.new.len(),
            seen.old.len(),
            count(seen.documents, "document", "documents")
        );
        let ruling = if failed { Ruling::Fail } else { Ruling::Pass };
        Verdict {
            ruling,
            findings,
            summary,
        }
    }

    fn help(&self, broken: &Break) -> String {
        match repair(&self.now, broken, self.scope.settings) {
            Repair::Unique(new) => format!("write `{}` instead", shown(&new)),
            Repair::Ambiguous(candidates) => {
                let candidates: Vec<String> = candidates
                    .iter()
                    .map(|new| format!("`{}`", shown(new)))
                    .collect();
                format!("it may have meant {}", candidates.join(" or "))
            }
            Repair::Nothing => String::new(),
        }
    }
}

fn new_break(broken: &Break) -> Finding {
    let message = format!("`{}` {}", shown(&broken.link.target), broken.rule.words());
    let finding = Finding::error(broken.rule.id(), message);
    finding.at_position(&broken.path, broken.link.line, broken.link.column)
}

fn old_break(broken: &Break) -> Finding {
    let message = format!(
        "`{}` {}, as it did before this change",
        shown(&broken.link.target),
        broken.rule.words()
    );
    Finding::note(broken.rule.id(), message).at_position(
        &broken.path,
        broken.link.line,
        broken.link.column,
    )
}
