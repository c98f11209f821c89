//! Random plans: trees, policies and operations, made of few names so that they meet.
//!
//! **Invariant:** a step says everything that its answer depends on, so that the model and the guest read the same plan.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use ringfence_tests_sandbox::probe::op;
use serde_json::{Value, json};

/// Something of a tree; what does not fit is left out.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    Dir(Vec<&'static str>),
    File(Vec<&'static str>),
    Link(Vec<&'static str>, String),
    /// A second name for a file that is there.
    Name(Vec<&'static str>, Vec<&'static str>),
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) directory: bool,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// A handle: the root, or one that a plan has opened.
pub(crate) type On = &'static str;

/// One operation.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Open(On, String, bool, Mode, On),
    Drop(On),
    Read(On, u64),
    Write(On, u64),
    SetSize(On, u64),
    Stat(On),
    List(On),
    StatAt(On, String, bool),
    ReadLink(On, String),
    MakeDir(On, String),
    RemoveDir(On, String),
    Unlink(On, String),
    Symlink(String, On, String),
    Rename(On, String, On, String),
    Link(On, String, On, String, bool),
}

/// What every write writes.
pub(crate) const TEXT: &str = "written";

impl Step {
    /// As the guest reads it.
    pub(crate) fn json(&self) -> Value {
        let at = |verb: &str, on: &str, path: &str| op(verb, json!({ "on": on, "path": path }));
        match self {
            Self::Open(on, path, follow, mode, name) => {
                let flags = [
                    (mode.create, "create"),
                    (mode.exclusive, "exclusive"),
                    (mode.truncate, "truncate"),
                    (mode.directory, "directory"),
                ];
                let descriptor = [(mode.read, "read"), (mode.write, "write")];
                op(
                    "open",
                    json!({
                        "on": on, "path": path, "follow": follow, "as": name,
                        "flags": set(&flags), "descriptor": set(&descriptor),
                    }),
                )
            }
            Self::Drop(on) => op("drop", json!({ "on": on })),
            Self::Read(on, offset) => {
                op("read", json!({ "on": on, "offset": offset, "length": 64 }))
            }
            Self::Write(on, offset) => {
                op("write", json!({ "on": on, "offset": offset, "text": TEXT }))
            }
            Self::SetSize(on, size) => op("set-size", json!({ "on": on, "length": size })),
            Self::Stat(on) => op("stat", json!({ "on": on })),
            Self::List(on) => op("list", json!({ "on": on })),
            Self::StatAt(on, path, follow) => op(
                "stat-at",
                json!({ "on": on, "path": path, "follow": follow }),
            ),
            Self::ReadLink(on, path) => at("readlink-at", on, path),
            Self::MakeDir(on, path) => at("create-directory-at", on, path),
            Self::RemoveDir(on, path) => at("remove-directory-at", on, path),
            Self::Unlink(on, path) => at("unlink-file-at", on, path),
            Self::Symlink(target, on, path) => op(
                "symlink-at",
                json!({ "path": target, "on": on, "new_path": path }),
            ),
            Self::Rename(on, path, to, new) => op(
                "rename-at",
                json!({ "on": on, "path": path, "to": to, "new_path": new }),
            ),
            Self::Link(on, path, to, new, follow) => op(
                "link-at",
                json!({
                    "on": on, "path": path, "to": to, "new_path": new, "follow": follow,
                }),
            ),
        }
    }
}

fn set(flags: &[(bool, &'static str)]) -> Vec<&'static str> {
    flags
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| *name)
        .collect()
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just("a"), 8 => Just("b"), 6 => Just("c"), 3 => Just("k"), 1 => Just("K")]
}

fn place() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(name(), 1..4)
}

/// A path or a link's target.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let token = prop_oneof![20 => name(), 2 => Just(".."), 1 => Just(".")];
    let end = prop_oneof![20 => Just(""), 2 => Just("/"), 1 => Just("/.")];
    let start = prop_oneof![30 => Just(""), 1 => Just("/")];
    (start, prop::collection::vec(token, 1..4), end)
        .prop_map(|(start, tokens, end)| format!("{start}{}{end}", tokens.join("/")))
}

pub(crate) fn tree() -> impl Strategy<Value = Vec<Made>> {
    let made = prop_oneof![
        3 => place().prop_map(Made::Dir),
        4 => place().prop_map(Made::File),
        2 => (place(), text()).prop_map(|(at, target)| Made::Link(at, target)),
        2 => (place(), place()).prop_map(|(old, new)| Made::Name(old, new)),
    ];
    let always = [
        Made::Dir(vec!["a", "b"]),
        Made::Dir(vec!["b"]),
        Made::File(vec!["c"]),
    ];
    prop::collection::vec(made, 3..16)
        .prop_map(move |made| always.iter().cloned().chain(made).collect())
}

fn on() -> impl Strategy<Value = On> {
    prop::sample::select(vec!["root", "root", "root", "root", "h0"])
}

/// Where directories are opened, mostly.
fn dir_slot() -> impl Strategy<Value = On> {
    prop_oneof![9 => Just("h0"), 1 => Just("h1")]
}

/// Where files are opened, mostly.
fn file_slot() -> impl Strategy<Value = On> {
    prop_oneof![9 => Just("h1"), 1 => Just("h0")]
}

fn mode() -> impl Strategy<Value = Mode> {
    let flag = |weight: u32| prop::bool::weighted(f64::from(weight) / 10.0);
    (flag(4), flag(2), flag(2), flag(2), flag(8), flag(4)).prop_map(
        |(create, exclusive, truncate, directory, read, write)| Mode {
            create,
            exclusive,
            truncate,
            directory,
            read,
            write,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let follow = || prop::bool::weighted(0.7);
    let dir = Mode {
        directory: true,
        read: true,
        ..Mode::default()
    };
    let content = prop_oneof![
        dir_slot().prop_map(Step::Drop),
        (file_slot(), 0_u64..8).prop_map(|(on, offset)| Step::Read(on, offset)),
        (file_slot(), 0_u64..8).prop_map(|(on, offset)| Step::Write(on, offset)),
        (file_slot(), 0_u64..8).prop_map(|(on, size)| Step::SetSize(on, size)),
        file_slot().prop_map(Step::Stat),
    ];
    let names = prop_oneof![
        (on(), text()).prop_map(|(on, path)| Step::ReadLink(on, path)),
        (on(), text()).prop_map(|(on, path)| Step::MakeDir(on, path)),
        (on(), text()).prop_map(|(on, path)| Step::RemoveDir(on, path)),
        (on(), text()).prop_map(|(on, path)| Step::Unlink(on, path)),
        (text(), on(), text()).prop_map(|(target, on, path)| Step::Symlink(target, on, path)),
        (on(), text(), follow()).prop_map(|(on, path, follow)| Step::StatAt(on, path, follow)),
    ];
    prop_oneof![
        4 => (on(), text(), follow(), mode(), file_slot())
            .prop_map(|(on, path, follow, mode, slot)| Step::Open(on, path, follow, mode, slot)),
        3 => (on(), text(), follow(), dir_slot())
            .prop_map(move |(on, path, follow, slot)| Step::Open(on, path, follow, dir, slot)),
        2 => on().prop_map(Step::List),
        5 => content,
        8 => names,
        4 => (on(), text(), on(), text()).prop_map(|(on, path, to, new)| Step::Rename(on, path, to, new)),
        2 => (on(), text(), on(), text(), prop::bool::weighted(0.1))
            .prop_map(|(on, path, to, new, follow)| Step::Link(on, path, to, new, follow)),
    ]
}

pub(crate) fn plan() -> impl Strategy<Value = Vec<Step>> {
    let dir = Mode {
        directory: true,
        read: true,
        ..Mode::default()
    };
    let file = Mode {
        create: true,
        read: true,
        write: true,
        ..Mode::default()
    };
    let first = (text(), text()).prop_map(move |(at, path)| {
        [
            Step::Open("root", at, true, dir, "h0"),
            Step::Open("root", path, true, file, "h1"),
        ]
    });
    (first, prop::collection::vec(step(), 4..40))
        .prop_map(|(first, rest)| first.into_iter().chain(rest).collect())
}

/// Makes the tree below `root`, never through a link.
pub(crate) fn make(root: &Path, made: &[Made]) {
    for (number, one) in made.iter().enumerate() {
        let (Made::Dir(names) | Made::File(names) | Made::Link(names, _) | Made::Name(_, names)) =
            one;
        let Some((last, above)) = names.split_last() else {
            continue;
        };
        let mut dir = root.to_owned();
        let fits = above.iter().all(|name| {
            dir.push(name);
            !dir.is_symlink() && (dir.is_dir() || fs::create_dir(&dir).is_ok())
        });
        let at = dir.join(last);
        // What does not fit is left out.
        let _made = fits
            && match one {
                Made::Dir(_) => fs::create_dir(&at).is_ok(),
                Made::File(_) => !exists(&at) && fs::write(&at, format!("file {number}")).is_ok(),
                Made::Link(_, target) => symlink(target, &at).is_ok(),
                Made::Name(old, _) => {
                    let plain = plain_file(root, old);
                    plain && fs::hard_link(root.join(old.join("/")), &at).is_ok()
                }
            };
    }
}

fn exists(at: &Path) -> bool {
    at.symlink_metadata().is_ok()
}

/// True when the names lead to a file without passing a link.
fn plain_file(root: &Path, names: &[&str]) -> bool {
    let mut at = root.to_owned();
    let straight = names.iter().all(|name| {
        at.push(name);
        !at.is_symlink()
    });
    straight && at.is_file()
}
