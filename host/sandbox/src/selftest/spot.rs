//! One path of the table: how the guest comes to it, and what is there.
//!
//! **Invariant:** a spot knows nothing of verbs.

use serde_json::{Value, json};

use super::ground::{self, Feature};
use super::plan::op;
use super::rules::Judge;
use super::words::{Kind, Thing, Zone};

/// What is at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    Dir,
    /// A directory with something denied in it.
    MixedDir,
    Link,
    /// A link that leads to itself.
    Loop,
    Missing,
    /// Not even the directory is there.
    Nowhere,
    /// A directory that is walked into: `.`, `..`.
    Walked,
    Special,
    /// The handle's directory has been taken away.
    Gone,
}

/// What is there, and who has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) judge: Judge,
    pub(super) what: What,
}

/// One path.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What the guest does first.
    pub(super) prelude: Vec<Value>,
    /// A directory that others move away after that, and where to.
    pub(super) others: Option<(String, String)>,
    /// The handle that the path begins at.
    pub(super) on: &'static str,
    pub(super) path: String,
    /// Under the name itself.
    pub(super) here: Node,
    /// Where links lead.
    pub(super) end: Node,
    /// What the text says when it is read without looking.
    pub(super) text: Node,
    /// The path ends in a slash, or in a dot behind one: only a directory will do.
    pub(super) slash: bool,
    /// Where the end is, from the root, when it may be written.
    pub(super) canon: Option<String>,
    /// What the ground must have.
    pub(super) needs: Vec<Feature>,
}

impl Spot {
    pub(super) fn new(kind: Kind, path: &str, judge: Judge, what: What) -> Self {
        let node = Node { judge, what };
        Self {
            kind,
            name: format!("{} {path}", kind.name()),
            prelude: Vec::new(),
            others: None,
            on: "root",
            path: path.to_owned(),
            here: node,
            end: node,
            text: node,
            slash: path.ends_with('/') || path.ends_with("/."),
            canon: None,
            needs: Vec::new(),
        }
    }

    /// In a place of one's own, a link to something else.
    pub(super) fn link(kind: Kind, path: &str, judge: Judge, what: What) -> Self {
        let here = Node {
            judge: Judge::Of(Zone::Own),
            what: What::Link,
        };
        let mut spot = Self::new(kind, path, judge, what).needs(Feature::SymbolicLinks);
        (spot.here, spot.text) = (here, here);
        spot
    }

    pub(super) fn needs(mut self, feature: Feature) -> Self {
        self.needs.push(feature);
        self
    }

    /// Where what may be written is, from the root.
    pub(super) fn ending_at(mut self, path: impl Into<String>) -> Self {
        let writable = matches!(self.end.judge, Judge::Of(Zone::Own | Zone::WriteOnly));
        if writable && matches!(self.end.what, What::File | What::Missing) {
            self.canon = Some(path.into());
        }
        self
    }

    /// With something that the guest does first; `said` is how that is called.
    pub(super) fn after(mut self, said: &str, prelude: Vec<Value>) -> Self {
        self.name = format!("{} ({said})", self.name);
        self.prelude = prelude;
        self
    }

    pub(super) fn on(mut self, handle: &'static str) -> Self {
        self.on = handle;
        self
    }

    /// Another reading of the text than of what is there.
    pub(super) fn reads(mut self, zone: Zone) -> Self {
        self.text.judge = Judge::Of(zone);
        self
    }

    /// True when the last name is one that can be given, taken or removed.
    pub(super) fn is_a_name(&self) -> bool {
        // A dot is the directory itself.
        if self.path.trim_end_matches('/').ends_with("/.") {
            return false;
        }
        match self.here.what {
            What::Nowhere | What::Walked => false,
            // With a slash behind it, it is what it leads to.
            What::Link | What::Loop => !self.slash,
            What::File | What::Dir | What::MixedDir | What::Missing => true,
            What::Special | What::Gone => true,
        }
    }

    /// The plainest file, from which everything is tried to be brought to every path.
    pub(super) fn is_first(&self) -> bool {
        self.path == "docs/file.md" && self.kind == Kind::Plain
    }

    /// The plainest name for something new, to which it is tried to be brought from every path.
    pub(super) fn is_last(&self) -> bool {
        self.path == "docs/new" && self.kind == Kind::Plain
    }

    /// Why `other` cannot be part of a pair after what comes before this one.
    pub(super) fn disturbs(&self, other: &Self) -> Option<&'static str> {
        if self.is_quiet() {
            return (!other.is_quiet()).then_some("tried with the other one first");
        }
        if !other.is_quiet() {
            return Some("what comes before the one would undo what comes before the other");
        }
        let takes = |step: &Value| {
            let old = step.get("path").and_then(Value::as_str);
            step.get("new_path").is_some() && old.is_some_and(|old| old.ends_with("/deep"))
        };
        let taken = self.others.is_some() || self.prelude.iter().any(takes);
        let leads_there = other.path.contains("deep") || other.kind == Kind::LinkInside;
        (taken && leads_there)
            .then_some("what comes before the one takes the folder of the other away")
    }

    /// True when the whole path is made of what was there before the guest came.
    pub(super) fn is_quiet(&self) -> bool {
        self.prelude.is_empty()
    }
}

/// A place in one zone, with everything that a path may lead to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) zone: Zone,
    pub(super) thing: Thing,
}

impl Place {
    pub(super) fn folder(self) -> &'static str {
        ground::folder(self.zone)
    }

    pub(super) fn judge(self) -> Judge {
        Judge::Of(self.zone)
    }

    pub(super) fn what(self) -> What {
        match self.thing {
            Thing::File => What::File,
            Thing::Dir => What::Dir,
            Thing::Missing => What::Missing,
        }
    }

    /// The name in the folder.
    pub(super) fn name(self) -> &'static str {
        match self.thing {
            Thing::File => "file.md",
            Thing::Dir => "deep",
            Thing::Missing => "new",
        }
    }

    /// The name in the folder's folder `deep`.
    pub(super) fn inner(self) -> &'static str {
        match self.thing {
            Thing::File => "in.md",
            Thing::Dir => "er",
            Thing::Missing => "new",
        }
    }

    /// The word in the names of links that lead here.
    pub(super) fn word(self) -> String {
        let thing = match self.thing {
            Thing::File => "file",
            Thing::Dir => "dir",
            Thing::Missing => "gone",
        };
        format!("{thing}-{}", ground::short(self.zone))
    }
}

/// The guest opens a directory to keep it.
pub(super) fn hold(path: &str) -> Value {
    op(
        "open",
        json!({ "path": path, "descriptor": ["read"], "as": "d" }),
    )
}

/// The guest gives something another name.
pub(super) fn rename(old: &str, new: &str) -> Value {
    op("rename-at", json!({ "path": old, "new_path": new }))
}

/// The guest makes a symbolic link at `path`.
pub(super) fn symlink(target: &str, path: &str) -> Value {
    op("symlink-at", json!({ "path": target, "new_path": path }))
}

/// The guest makes a hard link.
pub(super) fn hard_link(old: &str, new: &str) -> Value {
    op("link-at", json!({ "path": old, "new_path": new }))
}
