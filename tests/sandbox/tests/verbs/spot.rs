//! Which paths there are, and whose each is.

use ringfence_testkit::core::policy::Access;
use ringfence_tests_sandbox::probe::op;
use serde_json::{Value, json};

/// Who says what may be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Readable and writable.
    Own,
    /// Readable.
    ReadOnly,
    /// In no list.
    Hidden,
    /// On the way to something readable.
    Way,
    /// Denied.
    Denied,
    /// Above the workspace.
    Outside,
    /// From the root of the host.
    Absolute,
    /// Spelled as another system would.
    Backslash,
    /// Readable and writable, with a second name in another zone.
    TwinOfReadOnly,
    TwinOfHidden,
    TwinOfDenied,
    TwinOfOutside,
    /// Readable and writable, and neither file, directory nor link.
    Special,
}

impl Zone {
    pub(crate) fn refuses(self, access: Access) -> bool {
        match self {
            Self::Own => false,
            Self::ReadOnly | Self::Way | Self::TwinOfReadOnly | Self::TwinOfOutside => {
                access == Access::Write
            }
            Self::Hidden
            | Self::Denied
            | Self::Outside
            | Self::Absolute
            | Self::Backslash
            | Self::TwinOfHidden
            | Self::TwinOfDenied
            | Self::Special => true,
        }
    }

    /// The zone of a name alone: what other names there are does not matter for it.
    pub(crate) fn of_name(self) -> Self {
        match self {
            Self::TwinOfReadOnly
            | Self::TwinOfHidden
            | Self::TwinOfDenied
            | Self::TwinOfOutside
            | Self::Special => Self::Own,
            zone => zone,
        }
    }
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Link,
    /// A link that leads to itself.
    Loop,
    Missing,
    /// Not even the directory is there.
    Nowhere,
    /// A directory that is walked into: `.`, `..`.
    Walked,
    Special,
}

/// What is there, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) zone: Zone,
    pub(crate) kind: Kind,
}

/// One path.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) name: String,
    /// What the guest does first.
    pub(crate) prelude: Vec<Value>,
    /// The handle that the path begins at.
    pub(crate) on: &'static str,
    pub(crate) path: String,
    /// Under the name itself.
    pub(crate) here: Node,
    /// Where links lead.
    pub(crate) end: Node,
    /// What the text says when it is read without looking.
    pub(crate) text: Node,
    /// The path ends in a slash.
    pub(crate) slash: bool,
}

impl Spot {
    fn new(name: &str, path: &str, zone: Zone, kind: Kind) -> Self {
        let node = Node { zone, kind };
        Self {
            name: name.to_owned(),
            prelude: Vec::new(),
            on: "root",
            path: path.to_owned(),
            here: node,
            end: node,
            text: node,
            slash: path.ends_with('/'),
        }
    }

    /// A link in a place of one's own.
    fn link(name: &str, path: &str, zone: Zone, kind: Kind) -> Self {
        let here = Node {
            zone: Zone::Own,
            kind: Kind::Link,
        };
        Self {
            here,
            text: here,
            ..Self::new(name, path, zone, kind)
        }
    }

    fn after(mut self, prelude: Vec<Value>) -> Self {
        self.prelude = prelude;
        self
    }

    fn on(mut self, handle: &'static str) -> Self {
        self.on = handle;
        self
    }

    /// Another reading of the text than of what is there.
    fn reads(mut self, zone: Zone) -> Self {
        self.text.zone = zone;
        self
    }

    pub(crate) fn slash_after_file(&self) -> bool {
        self.slash && !matches!(self.end.kind, Kind::Dir | Kind::Walked)
    }
}

struct Region {
    zone: Zone,
    folder: &'static str,
    /// In the folder.
    file: &'static str,
    dir: &'static str,
    in_dir: &'static str,
    /// How links and second names that lead here are called.
    short: &'static str,
}

const REGIONS: [Region; 5] = [
    region(Zone::Own, "docs", "a.md", "deep", "b.md", "own"),
    region(Zone::ReadOnly, "src", "main.rs", "lib", "mod.rs", "src"),
    region(Zone::Hidden, "hidden", "h.txt", "dir", "h.txt", "hidden"),
    region(Zone::Denied, "secrets", "s.txt", "deep", "t.txt", "secret"),
    region(
        Zone::Outside,
        "../outside",
        "o.txt",
        "dir",
        "o.txt",
        "outside",
    ),
];

const fn region(
    zone: Zone,
    folder: &'static str,
    file: &'static str,
    dir: &'static str,
    in_dir: &'static str,
    short: &'static str,
) -> Region {
    Region {
        zone,
        folder,
        file,
        dir,
        in_dir,
        short,
    }
}

/// Every path that the verbs are tried at.
pub(crate) fn spots() -> Vec<Spot> {
    let mut spots: Vec<Spot> = REGIONS.iter().flat_map(plain).collect();
    spots.extend(REGIONS.iter().flat_map(linked));
    spots.extend(look_alikes());
    spots.extend(odd());
    spots.extend(held());
    spots
}

fn plain(region: &Region) -> Vec<Spot> {
    let Region {
        zone,
        folder,
        file,
        dir,
        in_dir,
        short,
    } = *region;
    let spot =
        |kind: &str, path: String, what| Spot::new(&format!("{kind}:{short}"), &path, zone, what);
    vec![
        spot("file", format!("{folder}/{file}"), Kind::File),
        spot("dir", format!("{folder}/{dir}"), Kind::Dir),
        spot("in-dir", format!("{folder}/{dir}/{in_dir}"), Kind::File),
        spot("missing", format!("{folder}/new"), Kind::Missing),
        spot(
            "below-missing",
            format!("{folder}/new/newer"),
            Kind::Nowhere,
        ),
        spot(
            "dots",
            format!("./docs/.././{folder}//./{file}"),
            Kind::File,
        ),
        spot("back", format!("{folder}/{dir}/../{file}"), Kind::File),
        spot("through-file", format!("{folder}/{file}/x"), Kind::Nowhere),
        spot("file-slash", format!("{folder}/{file}/"), Kind::File),
        spot("dir-slash", format!("{folder}/{dir}/"), Kind::Dir),
        spot("missing-slash", format!("{folder}/new/"), Kind::Missing),
    ]
}

fn linked(region: &Region) -> Vec<Spot> {
    let Region {
        zone,
        in_dir,
        short,
        ..
    } = *region;
    let link =
        |kind: &str, path: String, what| Spot::link(&format!("{kind}:{short}"), &path, zone, what);
    let twin = match zone {
        Zone::ReadOnly => Zone::TwinOfReadOnly,
        Zone::Hidden => Zone::TwinOfHidden,
        Zone::Denied => Zone::TwinOfDenied,
        Zone::Outside => Zone::TwinOfOutside,
        zone => zone,
    };
    // What a path through a link is, nobody knows from its text.
    let inside = |kind: &str, path: String, what| {
        Spot::new(&format!("{kind}:{short}"), &path, zone, what).reads(Zone::Own)
    };
    vec![
        link("link", format!("docs/to-{short}"), Kind::File),
        link("chain", format!("docs/chain-{short}"), Kind::File),
        link("dangling", format!("docs/dangling-{short}"), Kind::Missing),
        link("dir-link", format!("docs/into-{short}"), Kind::Dir),
        link("dir-link-slash", format!("docs/into-{short}/"), Kind::Dir),
        link("link-slash", format!("docs/to-{short}/"), Kind::File),
        inside(
            "in-dir-link",
            format!("docs/into-{short}/{in_dir}"),
            Kind::File,
        ),
        inside(
            "new-in-dir-link",
            format!("docs/into-{short}/new"),
            Kind::Missing,
        ),
        Spot::new(
            &format!("second-name:{short}"),
            &format!("docs/twice-{short}"),
            twin,
            Kind::File,
        ),
    ]
}

/// Names that some file system takes for a denied one, and names that only look like an allowed one.
fn look_alikes() -> Vec<Spot> {
    let denied = [
        ("case-dir", "SECRETS/s.txt"),
        ("case-name", "docs/X.KEY"),
        ("case-new", "docs/new.Key"),
        ("fullwidth", "\u{ff53}ecrets/s.txt"),
        ("long-s", "\u{17f}ecrets/s.txt"),
        ("kelvin", "docs/x.\u{212a}ey"),
        ("ignorable", "sec\u{200c}rets/s.txt"),
        ("soft-hyphen", "docs/x.k\u{ad}ey"),
        ("dot-after", "secrets./s.txt"),
        ("space-after", "docs/x.key "),
        ("stream", "docs/x.key:stream"),
        ("stream-of-dir", "secrets::$INDEX_ALLOCATION/s.txt"),
    ];
    let mut spots: Vec<Spot> = denied
        .iter()
        .map(|(name, path)| Spot::new(name, path, Zone::Denied, Kind::Missing))
        .collect();
    spots.push(Spot::new("key", "docs/x.key", Zone::Denied, Kind::File));
    spots.extend([
        Spot::new("own-case-dir", "DOCS/a.md", Zone::Hidden, Kind::Missing),
        Spot::new("own-case-name", "docs/A.MD", Zone::Own, Kind::Missing),
        Spot::new("own-stream", "docs/a.md:stream", Zone::Own, Kind::Missing),
        Spot::new("own-dot-after", "docs/a.md.", Zone::Own, Kind::Missing),
    ]);
    spots
}

fn odd() -> Vec<Spot> {
    vec![
        Spot::new("fifo", "docs/fifo", Zone::Special, Kind::Special),
        Spot::new("socket", "docs/socket", Zone::Special, Kind::Special),
        Spot::new("root", ".", Zone::Way, Kind::Walked),
        Spot::new("back-to-root", "docs/..", Zone::Way, Kind::Walked),
        Spot::new("above-root", "..", Zone::Outside, Kind::Walked),
        Spot::new("way", "wide", Zone::Way, Kind::Dir),
        Spot::new("beside-the-way", "wide/two.md", Zone::Hidden, Kind::File),
        Spot::new(
            "through-denied",
            "secrets/../docs/a.md",
            Zone::Denied,
            Kind::File,
        )
        .reads(Zone::Own),
        Spot::new("absolute", "/docs/a.md", Zone::Absolute, Kind::File),
        Spot::new(
            "absolute-outside",
            "/etc/passwd",
            Zone::Absolute,
            Kind::File,
        ),
        Spot::new("drive", "C:/docs/a.md", Zone::Absolute, Kind::File).reads(Zone::Hidden),
        Spot::new("backslash", "docs\\a.md", Zone::Backslash, Kind::File),
        Spot::link("absolute-link", "docs/absolute", Zone::Absolute, Kind::File),
        Spot::link("loop", "docs/loop-a", Zone::Own, Kind::Loop),
    ]
}

/// Paths that only exist by what the guest did before.
fn held() -> Vec<Spot> {
    let hold = |path: &str| {
        op(
            "open",
            json!({ "path": path, "descriptor": ["read"], "as": "d" }),
        )
    };
    let moved = || {
        op(
            "rename-at",
            json!({ "path": "docs/deep", "new_path": "out/moved" }),
        )
    };
    let link =
        |target: &str, path: &str| op("symlink-at", json!({ "path": target, "new_path": path }));
    let rename = |old: &str, new: &str| op("rename-at", json!({ "path": old, "new_path": new }));
    let twin = || {
        op(
            "link-at",
            json!({ "path": "docs/a.md", "new_path": "out/a2.md" }),
        )
    };
    vec![
        Spot::new("held:own", "b.md", Zone::Own, Kind::File)
            .after(vec![hold("docs/deep")])
            .on("d"),
        Spot::new("held:src", "main.rs", Zone::ReadOnly, Kind::File)
            .after(vec![hold("src")])
            .on("d"),
        Spot::new("held-up", "../a.md", Zone::Outside, Kind::File)
            .after(vec![hold("docs/deep")])
            .on("d"),
        Spot::new("held-key", "new.key", Zone::Denied, Kind::Missing)
            .after(vec![hold("docs/deep")])
            .on("d"),
        Spot::new("parent-renamed:own", "b.md", Zone::Own, Kind::File)
            .after(vec![hold("docs/deep"), moved()])
            .on("d"),
        Spot::new(
            "parent-renamed:denied",
            "new.lock",
            Zone::Denied,
            Kind::Missing,
        )
        .after(vec![hold("docs/deep"), moved()])
        .on("d"),
        Spot::new(
            "parent-renamed-old-path",
            "docs/deep/b.md",
            Zone::Own,
            Kind::Nowhere,
        )
        .after(vec![hold("docs/deep"), moved()]),
        Spot::link("guest-link:own", "docs/mine", Zone::Own, Kind::File)
            .after(vec![link("a.md", "docs/mine")]),
        // From `docs/deep/er` this target is harmless; one directory up it is not.
        Spot::link(
            "guest-link-moved:denied",
            "docs/deep/mine",
            Zone::Denied,
            Kind::File,
        )
        .after(vec![
            link("../../secrets/s.txt", "docs/deep/er/mine"),
            rename("docs/deep/er/mine", "docs/deep/mine"),
        ]),
        Spot::link(
            "guest-link-moved:outside",
            "docs/mine",
            Zone::Outside,
            Kind::Nowhere,
        )
        .after(vec![
            link("../../out", "docs/deep/er/mine"),
            rename("docs/deep/er/mine", "docs/mine"),
        ]),
        Spot::new("guest-second-name:own", "out/a2.md", Zone::Own, Kind::File).after(vec![twin()]),
    ]
}
