//! A workspace with something of every kind in it, beside a directory that is not part of it.
//!
//! | place | may be |
//! | --- | --- |
//! | `docs/**`, `out/**`, `yard/**` | read and written, `**/*.key` excepted |
//! | `src/**` | read |
//! | `drop/**` | written |
//! | `hidden/**`, `wide/**` | neither: no list has it, but `wide/one/*.md`, so that `wide` is passed through |
//! | `secrets/**`, `out/moved/*.lock` | denied |
//! | `../outside` | no place at all |
//!
//! **Invariant:** every file that may not be read holds [`SECRET`], and no other does. Everything lies in a temporary directory that
//! is removed with the ground.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ringfence_core::policy::{DenyPattern, DenySource, Layer, PathPolicy, PolicySpec};
use rustix::fs::{CWD, FileType, Mode};
use serde::Serialize;

use super::SelftestError;
use super::seen::{Seen, look_below};
use super::words::Zone;

/// What must never come out.
pub(super) const SECRET: &str = "xyzzy-unseen-4711";
/// What every other file holds.
pub(super) const PLAIN: &str = "plain words";

/// Something that not every file system or user can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Feature {
    SymbolicLinks,
    HardLinks,
    Pipes,
    Sockets,
    Devices,
}

impl Feature {
    /// In a sentence: «no … here».
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SymbolicLinks => "symbolic links",
            Self::HardLinks => "hard links",
            Self::Pipes => "named pipes",
            Self::Sockets => "sockets",
            Self::Devices => "devices",
        }
    }
}

/// The folder of a zone, from the workspace.
pub(super) fn folder(zone: Zone) -> &'static str {
    match zone {
        Zone::Own => "docs",
        Zone::ReadOnly => "src",
        Zone::WriteOnly => "drop",
        Zone::Hidden => "hidden",
        Zone::Denied => "secrets",
        Zone::Outside => "../outside",
    }
}

/// The zone's word in the names of links.
pub(super) fn short(zone: Zone) -> &'static str {
    folder(zone).trim_start_matches("../")
}

/// What every file of a zone holds.
pub(super) fn text(zone: Zone) -> &'static str {
    match zone {
        Zone::Own | Zone::ReadOnly => PLAIN,
        Zone::WriteOnly | Zone::Hidden | Zone::Denied | Zone::Outside => SECRET,
    }
}

/// True where the policy lets something be written.
pub(super) fn may_change(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    matches!(top, "docs" | "out" | "drop") && !path.ends_with(".key") && !path.ends_with(".lock")
}

/// What may be done on the ground.
pub(super) fn policy() -> Result<PathPolicy, SelftestError> {
    let globs = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    let deny = ["secrets/**", "**/*.key", "out/moved/*.lock"];
    let spec = PolicySpec {
        layers: vec![Layer {
            name: "loop".to_owned(),
            read: globs(&["docs/**", "out/**", "yard/**", "src/**", "wide/one/*.md"]),
            write: globs(&["docs/**", "out/**", "yard/**", "drop/**"]),
        }],
        deny: deny
            .map(|pattern| DenyPattern {
                pattern: pattern.to_owned(),
                source: DenySource::Operator,
            })
            .into(),
    };
    PathPolicy::new(&spec).map_err(|errors| SelftestError::Policy(format!("{errors:?}")))
}

/// The workspace and what is beside it.
#[derive(Debug)]
pub(super) struct Ground {
    dir: tempfile::TempDir,
    /// What could not be made, and why.
    pub(super) lacks: BTreeMap<Feature, String>,
    /// Everything that was there at the beginning.
    pub(super) before: BTreeMap<String, Seen>,
}

impl Ground {
    /// Makes everything in a new directory below `within`, or where the system has temporary ones.
    pub(super) fn new(within: Option<&Path>) -> Result<Self, SelftestError> {
        let made = match within {
            Some(within) => tempfile::tempdir_in(within),
            None => tempfile::tempdir(),
        };
        let dir = made.map_err(SelftestError::at(
            within.unwrap_or(Path::new("temporary files")),
        ))?;
        let mut ground = Self {
            dir,
            lacks: BTreeMap::new(),
            before: BTreeMap::new(),
        };
        ground.make()?;
        Ok(ground)
    }

    /// Makes everything anew.
    pub(super) fn renew(&mut self) -> Result<(), SelftestError> {
        for part in ["workspace", "outside"] {
            let part = self.dir.path().join(part);
            fs::remove_dir_all(&part).map_err(SelftestError::at(&part))?;
        }
        self.make()
    }

    /// Where `path` is on the host.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("workspace").join(path)
    }

    /// Everything that is there, by its path from the workspace, but the yard: that is where the guest may always work.
    pub(super) fn look(&self) -> Result<BTreeMap<String, Seen>, SelftestError> {
        let mut seen = BTreeMap::new();
        look_below(&self.at("."), "", &mut seen)?;
        look_below(&self.at("../outside"), "../outside/", &mut seen)?;
        seen.retain(|path, _| path != "yard" && !path.starts_with("yard/"));
        Ok(seen)
    }

    /// True when `path` is there, under whatever spelling the file system takes for it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.at(path).symlink_metadata().is_ok()
    }

    fn make(&mut self) -> Result<(), SelftestError> {
        self.make_dir("docs")?;
        for zone in Zone::ALL {
            let folder = folder(zone);
            self.make_dir(&format!("{folder}/deep/er"))?;
            for name in ["file.md", "twice.md", "deep/in.md"] {
                self.put(&format!("{folder}/{name}"), text(zone))?;
            }
        }
        // It may be read by its other name, inside.
        self.put("../outside/twice.md", PLAIN)?;
        for dir in ["out", "yard", "docs/mixed", "wide/one", "wide/closed"] {
            self.make_dir(dir)?;
        }
        for path in [
            "docs/spare.md",
            "docs/mixed/file.md",
            "wide/one/w.md",
            "yard/n.md",
        ] {
            self.put(path, PLAIN)?;
        }
        for path in ["docs/x.key", "docs/mixed/m.key", "wide/two.md"] {
            self.put(path, SECRET)?;
        }
        for zone in Zone::ALL {
            self.make_links(zone);
        }
        self.link("/etc/passwd", "docs/absolute");
        self.link("loop-b", "docs/loop-a");
        self.link("loop-a", "docs/loop-b");
        self.make_special();
        self.before = self.look()?;
        Ok(())
    }

    fn make_links(&mut self, zone: Zone) {
        let (folder, short) = (folder(zone), short(zone));
        // The links are in `docs`.
        let up = if zone == Zone::Own {
            String::new()
        } else {
            format!("../{folder}/")
        };
        for (word, name, inner) in [
            ("file", "file.md", "in.md"),
            ("dir", "deep", "er"),
            ("gone", "new", "new"),
        ] {
            self.link(&format!("{up}{name}"), &format!("docs/to-{word}-{short}"));
            self.link(
                &format!("to-{word}-{short}"),
                &format!("docs/chain-{word}-{short}"),
            );
            self.link(
                &format!("to-dir-{short}/{inner}"),
                &format!("docs/hop-{word}-{short}"),
            );
        }
        let (old, new) = (format!("{folder}/twice.md"), format!("docs/twice-{short}"));
        let made = fs::hard_link(self.at(&old), self.at(&new));
        self.note(Feature::HardLinks, made);
        self.link(&format!("twice-{short}"), &format!("docs/to-twice-{short}"));
    }

    fn make_special(&mut self) {
        for (name, kind, feature, device) in [
            ("fifo", FileType::Fifo, Feature::Pipes, 0),
            ("socket", FileType::Socket, Feature::Sockets, 0),
            // What `/dev/null` is.
            (
                "device",
                FileType::CharacterDevice,
                Feature::Devices,
                rustix::fs::makedev(1, 3),
            ),
        ] {
            let path = self.at(&format!("docs/{name}"));
            let made = rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), device);
            self.note(feature, made.map_err(io::Error::from));
            self.link(name, &format!("docs/to-{name}"));
        }
    }

    fn link(&mut self, target: &str, path: &str) {
        let made = symlink(target, self.at(path));
        self.note(Feature::SymbolicLinks, made);
    }

    fn note(&mut self, feature: Feature, made: io::Result<()>) {
        if let Err(error) = made {
            self.lacks.insert(feature, error.to_string());
        }
    }

    fn make_dir(&self, path: &str) -> Result<(), SelftestError> {
        let path = self.at(path);
        fs::create_dir_all(&path).map_err(SelftestError::at(&path))
    }

    fn put(&self, path: &str, text: &str) -> Result<(), SelftestError> {
        let path = self.at(path);
        fs::write(&path, text).map_err(SelftestError::at(&path))
    }
}
