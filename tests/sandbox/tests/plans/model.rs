//! What a plan should come to, by plain means: a tree in memory, paths as lists of names, globs matched on whole paths.
//!
//! **Invariant:** nothing here is shared with the host: no walk by handles, no automaton, no kernel.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::rules::Rules;
use super::steps::{Mode, On, Step, TEXT};

type Names = Vec<String>;

/// A file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(Vec<u8>),
    Dir(BTreeMap<String, usize>),
    Link(String),
}

/// A path as it was resolved and as it was given; both are judged.
#[derive(Debug, Clone)]
struct Spot {
    resolved: Names,
    given: Names,
}

#[derive(Debug, Clone)]
struct Handle {
    node: usize,
    spot: Spot,
    read: bool,
    write: bool,
}

/// Where a path leads.
enum Found {
    Dir(usize, Spot),
    Entry(Entry),
}

struct Entry {
    parent: usize,
    name: String,
    node: Option<usize>,
    spot: Spot,
    must_be_dir: bool,
}

/// An access, as the policy's words say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Traverse,
    Stat,
    Read,
    Write,
}

type Told<T> = Result<T, &'static str>;

/// What the policy refuses; told to the guest as `not-permitted`, like some codes that are no denials.
const DENIED: &str = "denied";

pub(crate) struct Model<'a> {
    rules: &'a Rules,
    nodes: Vec<Node>,
    handles: BTreeMap<On, Handle>,
    pub(crate) denials: u64,
}

fn matches(glob: &[&str], names: &[&str]) -> bool {
    match (glob.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) if matches(rest, names) => true,
        (Some((&"**", _)), Some((_, below))) => matches(glob, below),
        (Some((segment, rest)), Some((name, below))) => {
            let same = matches!(*segment, "*" | "?") || segment == name;
            same && matches(rest, below)
        }
        _ => false,
    }
}

/// True when the glob may match something at or below `names`.
fn leads(glob: &[&str], names: &[&str]) -> bool {
    match (glob.split_first(), names.split_first()) {
        (_, None) => true,
        (Some((&"**", rest)), Some((_, below))) => leads(rest, names) || leads(glob, below),
        (Some((segment, rest)), Some((name, below))) => {
            (matches!(*segment, "*" | "?") || segment == name) && leads(rest, below)
        }
        (None, _) => false,
    }
}

fn segments(text: &str) -> Vec<&str> {
    text.split('/').collect()
}

/// True when a deny glob matches the path or a directory above it, whatever its case.
pub(crate) fn is_denied(rules: &Rules, names: &[&str]) -> bool {
    let small: Names = names.iter().map(|name| name.to_lowercase()).collect();
    let small: Vec<&str> = small.iter().map(String::as_str).collect();
    (0..=names.len()).any(|end| {
        rules.deny.iter().any(|glob| {
            matches(&segments(glob), &names[..end])
                || matches(&segments(&glob.to_lowercase()), &small[..end])
        })
    })
}

impl<'a> Model<'a> {
    /// The tree below `root` as it is on disk, under `rules`.
    pub(crate) fn new(root: &Path, rules: &'a Rules) -> Self {
        let mut model = Self {
            rules,
            nodes: vec![Node::Dir(BTreeMap::new())],
            handles: BTreeMap::new(),
            denials: 0,
        };
        model.load(root, 0, &mut BTreeMap::new());
        let spot = Spot {
            resolved: Vec::new(),
            given: Vec::new(),
        };
        let root = Handle {
            node: 0,
            spot,
            read: true,
            write: false,
        };
        model.handles.insert("root", root);
        model
    }

    fn load(&mut self, dir: &Path, at: usize, known: &mut BTreeMap<u64, usize>) {
        use std::os::unix::fs::MetadataExt;
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let found = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            let next = self.nodes.len();
            let node = if found.is_dir() {
                self.nodes.push(Node::Dir(BTreeMap::new()));
                self.load(&entry.path(), next, known);
                next
            } else if let Some(node) = known.get(&found.ino()) {
                *node
            } else {
                self.nodes.push(if found.is_symlink() {
                    Node::Link(
                        fs::read_link(entry.path())
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .to_owned(),
                    )
                } else {
                    Node::File(fs::read(entry.path()).unwrap())
                });
                known.insert(found.ino(), next);
                next
            };
            self.entries(at).insert(name, node);
        }
    }

    /// Every path and what is there, links to one file and all.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        for (names, node) in self.all(0, &Vec::new()) {
            let shown = match &self.nodes[node] {
                Node::File(bytes) => format!("file {}", String::from_utf8_lossy(bytes)),
                Node::Dir(_) => "dir".to_owned(),
                Node::Link(target) => format!("link {target}"),
            };
            tree.insert(names.join("/"), shown);
        }
        tree
    }

    fn entries(&mut self, dir: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[dir] {
            Node::Dir(entries) => entries,
            _ => panic!("no directory"),
        }
    }

    fn entry(&self, dir: usize, name: &str) -> Option<usize> {
        match &self.nodes[dir] {
            Node::Dir(entries) => entries.get(name).copied(),
            _ => panic!("no directory"),
        }
    }

    fn is_dir(&self, node: usize) -> bool {
        matches!(self.nodes[node], Node::Dir(_))
    }

    /// Everything below a directory, whose path is `at`.
    fn all(&self, dir: usize, at: &Names) -> Vec<(Names, usize)> {
        let Node::Dir(entries) = &self.nodes[dir] else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (name, node) in entries {
            let mut names = at.clone();
            names.push(name.clone());
            all.push((names.clone(), *node));
            all.extend(self.all(*node, &names));
        }
        all
    }

    fn names_of(&self, node: usize) -> Vec<Names> {
        let all = self.all(0, &Vec::new()).into_iter();
        all.filter(|(_, other)| *other == node)
            .map(|(names, _)| names)
            .collect()
    }

    fn is_within(&self, dir: usize, other: usize) -> bool {
        let mut below = self.all(other, &Vec::new()).into_iter();
        dir == other || below.any(|(_, inner)| inner == dir)
    }

    fn is_alive(&self, dir: usize) -> bool {
        dir == 0 || !self.names_of(dir).is_empty()
    }

    fn path_allows(&self, names: &Names, access: Access) -> bool {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hit = |globs: &[&str], fits: fn(&[&str], &[&str]) -> bool| {
            globs.iter().any(|glob| fits(&segments(glob), &names))
        };
        let (read, write) = (&self.rules.read, &self.rules.write);
        !is_denied(self.rules, &names)
            && match access {
                Access::Traverse => names.is_empty() || hit(read, leads) || hit(write, leads),
                Access::Stat => hit(read, matches) || hit(write, matches),
                Access::Read => hit(read, matches),
                Access::Write => hit(write, matches),
            }
    }

    fn allows(&self, spot: &Spot, access: Access) -> bool {
        self.path_allows(&spot.resolved, access) && self.path_allows(&spot.given, access)
    }

    fn judge(&self, spot: &Spot, access: Access) -> Told<()> {
        if self.allows(spot, access) {
            Ok(())
        } else {
            Err(DENIED)
        }
    }

    fn judge_look(&self, spot: &Spot) -> Told<()> {
        self.judge(spot, Access::Stat)
            .or_else(|_| self.judge(spot, Access::Traverse))
    }

    fn judge_names(&self, node: usize, access: Access) -> Told<()> {
        if self.is_dir(node) {
            return Ok(());
        }
        let names = self.names_of(node);
        let fine = names.len() < 2 || names.iter().all(|names| self.path_allows(names, access));
        if fine { Ok(()) } else { Err(DENIED) }
    }

    fn dir(&self, on: On) -> Told<Handle> {
        let handle = self.handles.get(on).ok_or("unopened")?;
        if self.is_dir(handle.node) {
            Ok(handle.clone())
        } else {
            Err("not-directory")
        }
    }

    fn file(&self, on: On) -> Told<&Handle> {
        let handle = self.handles.get(on).ok_or("unopened")?;
        if self.is_dir(handle.node) {
            Err("bad-descriptor")
        } else {
            Ok(handle)
        }
    }

    fn resolve(&self, start: &Handle, path: &str, follow: bool) -> Told<Found> {
        match path {
            "" => return Err("no-entry"),
            _ if path.starts_with('/') => return Err(DENIED),
            _ => {}
        }
        let names = plain_names(path);
        if !names.iter().any(|name| name == "..") {
            // Denied before anything is looked at.
            let mut spot = start.spot.clone();
            for name in names.iter().take(names.len().saturating_sub(1)) {
                spot = spot.below(name);
                self.judge(&spot, Access::Traverse)?;
            }
        }
        let mut queue: Vec<(String, bool)> = names.into_iter().map(|name| (name, true)).collect();
        let mut must_be_dir = ends_as_dir(path);
        let mut stack = vec![(start.node, start.spot.resolved.clone())];
        let mut given = vec![start.spot.given.clone()];
        let mut links = 0;
        while !queue.is_empty() {
            let (name, is_given) = queue.remove(0);
            let (top, at) = stack.last().cloned().unwrap();
            if name == ".." {
                if stack.len() == 1 {
                    return Err(DENIED);
                }
                stack.pop();
                if is_given && given.len() > 1 {
                    given.pop();
                }
                continue;
            }
            if is_given {
                let mut next = given.last().cloned().unwrap();
                next.push(name.clone());
                given.push(next);
            }
            let mut resolved = at;
            resolved.push(name.clone());
            let spot = Spot {
                resolved,
                given: given.last().cloned().unwrap(),
            };
            if !queue.is_empty() {
                self.judge(&spot, Access::Traverse)?;
            }
            self.judge_look(&spot)?;
            let node = self.entry(top, &name);
            if let Some(Node::Link(target)) = node.map(|node| &self.nodes[node])
                && (!queue.is_empty() || follow || must_be_dir)
            {
                links += 1;
                if links > 40 {
                    return Err("loop");
                }
                if target.starts_with('/') {
                    return Err(DENIED);
                }
                must_be_dir |= queue.is_empty() && ends_as_dir(target);
                let more = plain_names(target).into_iter().map(|name| (name, false));
                queue.splice(0..0, more);
                continue;
            }
            if queue.is_empty() {
                return Ok(Found::Entry(Entry {
                    parent: top,
                    name,
                    node,
                    spot,
                    must_be_dir,
                }));
            }
            match node {
                None => return Err("no-entry"),
                Some(node) if self.is_dir(node) => stack.push((node, spot.resolved)),
                Some(_) => return Err("not-directory"),
            }
        }
        let (node, resolved) = stack.pop().unwrap();
        let given = given.pop().unwrap();
        Ok(Found::Dir(node, Spot { resolved, given }))
    }

    /// The name that a verb changes; `here` is how it ends for a path that has none.
    fn to_change(&self, on: On, path: &str, here: &'static str) -> Told<Entry> {
        let start = self.dir(on)?;
        let bare = path.trim_end_matches('/');
        if bare.ends_with("/.") {
            return match self.resolve(&start, path, false)? {
                Found::Dir(_, spot) => self.judge(&spot, Access::Write).and(Err(here)),
                Found::Entry(entry) => {
                    self.judge(&entry.spot, Access::Write)?;
                    let is_dir = self.is_dir(entry.node.ok_or("no-entry")?);
                    Err(if is_dir { here } else { "not-directory" })
                }
            };
        }
        let slashed = bare.len() < path.len() && !bare.is_empty();
        match self.resolve(&start, if slashed { bare } else { path }, false)? {
            Found::Dir(_, spot) => {
                self.judge(&spot, Access::Write)?;
                Err(here)
            }
            Found::Entry(mut entry) => {
                entry.must_be_dir |= slashed;
                self.judge(&entry.spot, Access::Write)?;
                let is_link = entry
                    .node
                    .is_some_and(|node| matches!(self.nodes[node], Node::Link(_)));
                if slashed && is_link {
                    Err("not-directory")
                } else {
                    Ok(entry)
                }
            }
        }
    }

    fn put(&mut self, entry: &Entry, node: usize) -> Told<()> {
        if !self.is_alive(entry.parent) {
            return Err("no-entry");
        }
        self.entries(entry.parent).insert(entry.name.clone(), node);
        Ok(())
    }

    fn make(&mut self, entry: &Entry, node: Node) -> Told<usize> {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.put(entry, number).map(|()| number)
    }

    /// What the guest should be told.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Value, String> {
        self.carry_out(step).map_err(|code| {
            if code == DENIED {
                self.denials += 1;
                "not-permitted".to_owned()
            } else {
                code.to_owned()
            }
        })
    }

    fn carry_out(&mut self, step: &Step) -> Told<Value> {
        match step {
            Step::Open(on, path, follow, mode, name) => {
                let handle = self.open(on, path, *follow, *mode)?;
                self.handles.insert(name, handle);
                Ok(Value::Null)
            }
            Step::Drop(on) => Ok(json!(self.handles.remove(on).is_some())),
            Step::Read(on, offset) => {
                let handle = self.handles.get(on).ok_or("unopened")?;
                if self.is_dir(handle.node) {
                    return Err("is-directory");
                }
                if !handle.read {
                    return Err("bad-descriptor");
                }
                let bytes = self.bytes(handle.node);
                let from = bytes.len().min(usize::try_from(*offset).unwrap());
                let text = String::from_utf8_lossy(&bytes[from..]);
                Ok(json!([text, text.is_empty()]))
            }
            Step::Write(on, offset) => {
                let offset = usize::try_from(*offset).unwrap();
                let bytes = self.writable(on)?;
                let end = offset + TEXT.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[offset..end].copy_from_slice(TEXT.as_bytes());
                Ok(json!(TEXT.len()))
            }
            Step::SetSize(on, size) => {
                let size = usize::try_from(*size).unwrap();
                self.writable(on)?.resize(size, 0);
                Ok(Value::Null)
            }
            Step::Stat(on) => {
                let handle = self.handles.get(on).ok_or("unopened")?;
                self.look(handle.node, &handle.spot)
            }
            Step::List(on) => self.list(on),
            Step::StatAt(on, path, follow) => match self.resolve(&self.dir(on)?, path, *follow)? {
                Found::Dir(node, spot) => self.look(node, &spot),
                Found::Entry(entry) => {
                    let node = entry.node.ok_or("no-entry")?;
                    let seen = self.look(node, &entry.spot)?;
                    if entry.must_be_dir && !self.is_dir(node) {
                        return Err("not-directory");
                    }
                    Ok(seen)
                }
            },
            Step::ReadLink(on, path) => match self.resolve(&self.dir(on)?, path, false)? {
                Found::Dir(..) => Err("invalid"),
                Found::Entry(entry) => {
                    self.judge(&entry.spot, Access::Read)?;
                    let node = entry.node.ok_or("no-entry")?;
                    match &self.nodes[node] {
                        Node::Link(target) => {
                            self.judge_names(node, Access::Read)?;
                            Ok(json!(target))
                        }
                        Node::File(_) if entry.must_be_dir => Err("not-directory"),
                        _ => Err("invalid"),
                    }
                }
            },
            Step::MakeDir(on, path) => {
                let entry = self.to_change(on, path, "exist")?;
                if entry.node.is_some() {
                    return Err("exist");
                }
                self.make(&entry, Node::Dir(BTreeMap::new()))
                    .map(|_| Value::Null)
            }
            Step::RemoveDir(on, path) => {
                let entry = self.to_change(on, path, "invalid")?;
                match &self.nodes[entry.node.ok_or("no-entry")?] {
                    Node::Dir(entries) if entries.is_empty() => {}
                    Node::Dir(_) => return Err("not-empty"),
                    _ => return Err("not-directory"),
                }
                self.entries(entry.parent).remove(&entry.name);
                Ok(Value::Null)
            }
            Step::Unlink(on, path) => {
                let entry = self.to_change(on, path, "is-directory")?;
                let node = entry.node.ok_or("no-entry")?;
                if self.is_dir(node) {
                    return Err("is-directory");
                }
                if entry.must_be_dir {
                    return Err("not-directory");
                }
                self.entries(entry.parent).remove(&entry.name);
                Ok(Value::Null)
            }
            Step::Symlink(target, on, path) => {
                let entry = self.to_change(on, path, "exist")?;
                self.judge_target(&entry, target)?;
                entry.is_free()?;
                self.make(&entry, Node::Link(target.clone()))
                    .map(|_| Value::Null)
            }
            Step::Rename(on, path, to, new) => {
                self.both_open(on, to)?;
                let old = self.to_change(on, path, "busy")?;
                let new = self.to_change(to, new, "busy")?;
                self.rename(&old, &new).map(|()| Value::Null)
            }
            Step::Link(on, path, to, new, follow) => {
                self.both_open(on, to)?;
                if *follow {
                    self.dir(to)?;
                    self.dir(on)?;
                    return Err("invalid");
                }
                let old = self.to_change(on, path, "not-permitted")?;
                let new = self.to_change(to, new, "exist")?;
                self.link(&old, &new).map(|()| Value::Null)
            }
        }
    }

    /// A verb with two handles takes both before it does anything.
    fn both_open(&self, on: On, to: On) -> Told<()> {
        if !self.handles.contains_key(on) || !self.handles.contains_key(to) {
            return Err("unopened");
        }
        self.dir(to)?;
        self.dir(on).map(drop)
    }

    fn open(&mut self, on: On, path: &str, follow: bool, mode: Mode) -> Told<Handle> {
        let start = self.dir(on)?;
        let writes = mode.write || mode.create || mode.truncate;
        let for_files = mode.create || mode.exclusive || mode.truncate;
        let asks_for_nothing = !mode.read && !mode.write;
        let handle = |node, spot, read, write| Handle {
            node,
            spot,
            read,
            write,
        };
        let found = self.resolve(&start, path, follow && !(mode.create && mode.exclusive))?;
        if mode.directory && for_files {
            return Err("invalid");
        }
        let entry = match found {
            Found::Dir(..) if mode.create && mode.exclusive => return Err("exist"),
            Found::Dir(..) if writes => return Err("is-directory"),
            Found::Dir(node, spot) => {
                self.judge_look(&spot)?;
                return Ok(handle(node, spot, true, mode.write));
            }
            Found::Entry(entry) => entry,
        };
        let Some(node) = entry.node else {
            if !mode.create {
                return Err("no-entry");
            }
            self.judge(&entry.spot, Access::Write)?;
            if mode.read {
                self.judge(&entry.spot, Access::Read)?;
            }
            if entry.must_be_dir {
                return Err("is-directory");
            }
            let read =
                mode.read || asks_for_nothing && self.judge(&entry.spot, Access::Read).is_ok();
            let node = self.make(&entry, Node::File(Vec::new()))?;
            return Ok(handle(node, entry.spot, read, true));
        };
        if mode.create && mode.exclusive {
            self.judge(&entry.spot, Access::Write)?;
            return Err("exist");
        }
        match self.nodes[node] {
            Node::Dir(_) if writes => Err("is-directory"),
            Node::Dir(_) => Ok(handle(node, entry.spot, true, mode.write)),
            Node::Link(_) => Err("loop"),
            Node::File(_) => {
                self.judge_opening(node, &entry.spot, mode)?;
                if entry.must_be_dir || mode.directory {
                    return Err("not-directory");
                }
                let reads = Mode {
                    read: true,
                    write: false,
                    truncate: false,
                    ..mode
                };
                let read = mode.read
                    || asks_for_nothing && self.judge_opening(node, &entry.spot, reads).is_ok();
                if mode.truncate {
                    self.nodes[node] = Node::File(Vec::new());
                }
                Ok(handle(node, entry.spot, read, mode.write || mode.truncate))
            }
        }
    }

    fn judge_opening(&self, node: usize, spot: &Spot, mode: Mode) -> Told<()> {
        let write = mode.write || mode.truncate;
        for (wanted, access) in [
            (mode.read, Access::Read),
            (write, Access::Write),
            (!mode.read && !write, Access::Stat),
        ] {
            if wanted {
                self.judge(spot, access)?;
                self.judge_names(node, access)?;
            }
        }
        Ok(())
    }

    fn bytes(&self, node: usize) -> &[u8] {
        match &self.nodes[node] {
            Node::File(bytes) => bytes,
            _ => panic!("no file"),
        }
    }

    fn writable(&mut self, on: On) -> Told<&mut Vec<u8>> {
        let handle = self.file(on)?;
        if !handle.write {
            return Err("bad-descriptor");
        }
        let node = handle.node;
        match &mut self.nodes[node] {
            Node::File(bytes) => Ok(bytes),
            _ => panic!("no file"),
        }
    }

    fn look(&self, node: usize, spot: &Spot) -> Told<Value> {
        let (kind, size, links) = match &self.nodes[node] {
            Node::Dir(_) => {
                self.judge_look(spot)?;
                ("directory", 0, 1)
            }
            Node::File(bytes) => ("regular-file", bytes.len(), self.names_of(node).len()),
            Node::Link(target) => ("symbolic-link", target.len(), self.names_of(node).len()),
        };
        if !self.is_dir(node) {
            self.judge(spot, Access::Stat)?;
            self.judge_names(node, Access::Stat)?;
        }
        Ok(json!({ "type": kind, "size": size, "links": links }))
    }

    fn list(&self, on: On) -> Told<Value> {
        let handle = self.dir(on)?;
        self.judge_look(&handle.spot)?;
        let Node::Dir(entries) = &self.nodes[handle.node] else {
            panic!("no directory");
        };
        let mut shown = Vec::new();
        for (name, node) in entries {
            let spot = handle.spot.below(name);
            let leads_on = self.is_dir(*node) && self.allows(&spot, Access::Traverse);
            if leads_on || self.allows(&spot, Access::Stat) {
                let kind = match self.nodes[*node] {
                    Node::File(_) => "regular-file",
                    Node::Dir(_) => "directory",
                    Node::Link(_) => "symbolic-link",
                };
                shown.push((name, kind));
            }
        }
        Ok(json!(shown))
    }

    fn judge_target(&self, link: &Entry, target: &str) -> Told<()> {
        if target.starts_with('/') {
            return Err(DENIED);
        }
        let mut names = link.spot.resolved.clone();
        names.pop();
        for name in plain_names(target) {
            if name != ".." {
                names.push(name);
            } else if names.pop().is_none() {
                return Err(DENIED);
            }
        }
        self.judge_look(&Spot {
            resolved: names.clone(),
            given: names,
        })
    }

    fn judge_move(&self, old: &Spot, new: &Spot) -> Told<()> {
        self.judge(new, Access::Write)?;
        self.judge(old, Access::Write)?;
        if self.allows(new, Access::Read) {
            self.judge(old, Access::Read)
        } else {
            Ok(())
        }
    }

    fn rename(&mut self, old: &Entry, new: &Entry) -> Told<()> {
        let node = old.node.ok_or("no-entry")?;
        self.judge_move(&old.spot, &new.spot)?;
        let is_dir = self.is_dir(node);
        if !is_dir && (old.must_be_dir || new.must_be_dir) {
            return Err("not-directory");
        }
        self.judge_names(node, Access::Write)?;
        let carried = self.all(node, &Vec::new());
        for (below, inner) in &carried {
            let at = |spot: &Spot| {
                below
                    .iter()
                    .fold(spot.clone(), |spot, name| spot.below(name))
            };
            self.judge_move(&at(&old.spot), &at(&new.spot))?;
            self.judge_names(*inner, Access::Write)?;
        }
        if !self.is_alive(new.parent) {
            return Err("no-entry");
        }
        if new.parent == node || carried.iter().any(|(_, inner)| *inner == new.parent) {
            return Err("invalid");
        }
        if let Some(there) = new.node {
            if there == node {
                // Two names of one file both stay, and a directory stays where it is.
                return Ok(());
            }
            match &self.nodes[there] {
                Node::Dir(_) if self.is_within(old.parent, there) => return Err("not-empty"),
                Node::Dir(_) if !is_dir => return Err("is-directory"),
                Node::Dir(entries) if !entries.is_empty() => return Err("not-empty"),
                Node::File(_) | Node::Link(_) if is_dir => return Err("not-directory"),
                _ => {}
            }
        }
        self.entries(old.parent).remove(&old.name);
        self.entries(new.parent).insert(new.name.clone(), node);
        if is_dir {
            self.follow_move(&old.spot.resolved, &new.spot.resolved);
        }
        Ok(())
    }

    /// Handles of directories move along with them.
    fn follow_move(&mut self, from: &Names, to: &Names) {
        let is_dir = |node: usize, nodes: &[Node]| matches!(nodes[node], Node::Dir(_));
        for handle in self.handles.values_mut() {
            let below = handle.spot.resolved.strip_prefix(from.as_slice());
            if let Some(below) = below.filter(|_| is_dir(handle.node, &self.nodes)) {
                let resolved: Names = to.iter().chain(below).cloned().collect();
                handle.spot = Spot {
                    given: resolved.clone(),
                    resolved,
                };
            }
        }
    }

    fn link(&mut self, old: &Entry, new: &Entry) -> Told<()> {
        let node = old.node.ok_or("no-entry")?;
        self.judge_move(&old.spot, &new.spot)?;
        new.is_free()?;
        if self.is_dir(node) {
            return Err("not-permitted");
        }
        if old.must_be_dir {
            return Err("not-directory");
        }
        self.judge_names(node, Access::Write)?;
        self.put(new, node)
    }
}

impl Entry {
    fn is_free(&self) -> Told<()> {
        match (self.node, self.must_be_dir) {
            (Some(_), _) => Err("exist"),
            (None, true) => Err("no-entry"),
            (None, false) => Ok(()),
        }
    }
}

impl Spot {
    fn below(&self, name: &str) -> Self {
        let with = |names: &Names| names.iter().cloned().chain([name.to_owned()]).collect();
        Self {
            resolved: with(&self.resolved),
            given: with(&self.given),
        }
    }
}

fn plain_names(path: &str) -> Names {
    let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
    names.map(str::to_owned).collect()
}

fn ends_as_dir(path: &str) -> bool {
    path.ends_with('/') || matches!(path.rsplit('/').next(), Some("." | ".."))
}
