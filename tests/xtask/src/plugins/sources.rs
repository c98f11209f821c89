//! A digest over everything that a plugin is built from.
//!
//! Owns the list of what that is: the files of its crate and of the workspace crates below it, the contract, the
//! versions, checksums and features of every other crate that goes in, and the profile.
//!
//! **Invariant:** what cannot change the component does not count (a dependency of the host alone, a test fixture),
//! and what can is never left out. Parts are length-prefixed, so no two lists of parts share a digest.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    toolchain::TARGET,
    workspace::{self, Workspace},
};

/// Folders of a crate that are no part of its library.
const NOT_BUILT: [&str; 4] = ["benches", "examples", "fixtures", "tests"];

/// The digest of one package's sources.
///
/// # Errors
/// cargo cannot resolve the package, or a source cannot be read.
pub(crate) fn digest(workspace: &Workspace, package: &str) -> Result<String> {
    let mut parts = Parts::default();
    let closure = Closure::of(workspace, package)?;
    for folder in &closure.folders {
        add_crate(&mut parts, workspace.root(), folder)?;
    }
    add_folder(
        &mut parts,
        workspace.root(),
        &workspace.path("wit"),
        &|path| path.extension().is_some_and(|extension| extension == "wit"),
    )?;
    parts.add("crates", closure.crates.join("\n").as_bytes());
    let settings = settings(&workspace::read_text(&workspace.path("Cargo.toml"))?)?;
    parts.add("settings", settings.as_bytes());
    Ok(parts.digest())
}

/// Named parts in the order of their names.
#[derive(Debug, Default)]
struct Parts(BTreeMap<String, blake3::Hash>);

impl Parts {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(name.to_owned(), blake3::hash(bytes));
    }

    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, hash) in &self.0 {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(hash.as_bytes());
        }
        format!("blake3:{}", hasher.finalize().to_hex())
    }
}

/// What cargo would put into the component.
struct Closure {
    /// The folders of the workspace's own crates.
    folders: BTreeSet<PathBuf>,
    /// A line for each other crate: name, version, checksum, features.
    crates: Vec<String>,
}

impl Closure {
    fn of(workspace: &Workspace, package: &str) -> Result<Self> {
        // `cargo tree` and not `cargo metadata`: the latter mixes in features that only the host asks for.
        let mut cargo = workspace.cargo();
        cargo
            .args(["tree", "--locked", "--package", package])
            .args(["--edges", "normal,build", "--target", TARGET])
            .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"]);
        let tree = workspace::output(&mut cargo)?;
        let lock = Lock::parse(&workspace::read_text(&workspace.path("Cargo.lock"))?)?;
        Self::parse(&tree, &lock)
    }

    fn parse(tree: &str, lock: &Lock) -> Result<Self> {
        let (mut folders, mut crates) = (BTreeSet::new(), BTreeSet::new());
        for line in tree.lines() {
            let (package, features) = line.split_once('|').context("cargo tree's format")?;
            if let Some(folder) = package
                .rsplit_once(" (/")
                .and_then(|(_, f)| f.strip_suffix(')'))
            {
                folders.insert(PathBuf::from(format!("/{folder}")));
                continue;
            }
            let mut words = package.split(' ');
            let (Some(name), Some(version)) = (words.next(), words.next()) else {
                bail!("cargo tree printed «{line}»");
            };
            let version = version.trim_start_matches('v');
            let checksum = lock.checksum(name, version)?;
            crates.insert(format!("{name} {version} {checksum} {features}"));
        }
        Ok(Self {
            folders,
            crates: crates.into_iter().collect(),
        })
    }
}

/// `Cargo.lock`, as far as it says what a crate's bytes are.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Lock {
    fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("Cargo.lock")
    }

    fn checksum(&self, name: &str, version: &str) -> Result<&str> {
        self.package
            .iter()
            .find(|p| p.name == name && p.version == version)
            .and_then(|p| p.checksum.as_deref())
            .with_context(|| format!("Cargo.lock has no checksum for {name} {version}"))
    }
}

/// What the workspace's own manifest decides about a plugin's build.
fn settings(manifest: &str) -> Result<String> {
    let manifest: toml::Table = toml::from_str(manifest).context("Cargo.toml")?;
    let package = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("package"))
        .context("Cargo.toml has no [workspace.package]")?;
    let profile = |name: &str| {
        manifest
            .get("profile")
            .and_then(|profiles| profiles.get(name))
    };
    Ok(format!(
        "edition {:?}\nversion {:?}\nplugin {:?}\nrelease {:?}\n",
        package.get("edition"),
        package.get("version"),
        profile("plugin"),
        profile("release"),
    ))
}

fn add_crate(parts: &mut Parts, root: &Path, folder: &Path) -> Result<()> {
    add_folder(parts, root, folder, &|path| {
        let top = path
            .strip_prefix(folder)
            .ok()
            .and_then(|p| p.components().next());
        // A crate below another one (the macros below the SDK) counts for itself.
        let other_crate = path.is_dir() && path.join("Cargo.toml").is_file();
        // Editors and test tools leave dot files behind.
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !other_crate
            && !hidden
            && !top.is_some_and(|top| NOT_BUILT.iter().any(|n| top.as_os_str() == *n))
    })
}

fn add_folder(
    parts: &mut Parts,
    root: &Path,
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if !wanted(&path) {
            continue;
        }
        if path.is_dir() {
            add_folder(parts, root, &path, wanted)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path);
            parts.add(&name.to_string_lossy(), &workspace::read(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\n\
                        [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nchecksum = \"bb\"\n";

    fn closure(tree: &str) -> Result<Closure> {
        Closure::parse(tree, &Lock::parse(LOCK).unwrap())
    }

    #[test]
    fn a_tree_gives_folders_and_crates() {
        let closure = closure(
            "p v0.1.0 (/w/plugins/p)|\nm v0.1.0 (proc-macro) (/w/macros)|\n\
             b v2.0.0|std\na v1.0.0 (proc-macro)|\nb v2.0.0|std",
        )
        .unwrap();
        let folders: Vec<_> = closure
            .folders
            .iter()
            .map(|f| f.to_str().unwrap())
            .collect();
        assert_eq!(folders, ["/w/macros", "/w/plugins/p"]);
        assert_eq!(closure.crates, ["a 1.0.0 aa ", "b 2.0.0 bb std"]);
    }

    #[test]
    fn a_crate_without_checksum_is_refused() {
        assert!(closure("c v1.0.0|").is_err());
        assert!(closure("a v1.0.1|").is_err());
        assert!(closure("no bar").is_err());
    }

    fn folder_digest(files: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            workspace::write(&root.path().join("c").join(path), text.as_bytes()).unwrap();
        }
        let mut parts = Parts::default();
        add_crate(&mut parts, root.path(), &root.path().join("c")).unwrap();
        parts.digest()
    }

    #[test]
    fn what_is_built_counts_and_nothing_else() {
        let base = [("Cargo.toml", "x"), ("src/lib.rs", "fn a() {}")];
        let digest = folder_digest(&base);
        let with = |more: (&str, &str)| folder_digest(&[&base[..], &[more]].concat());
        for same in [
            "tests/a.rs",
            "fixtures/x/a.md",
            "inner/Cargo.toml",
            "inner/src/lib.rs",
        ] {
            let files = [("inner/Cargo.toml", ""), (same, "changed")];
            assert_eq!(
                folder_digest(&[&base[..], &files].concat()),
                digest,
                "{same}"
            );
        }
        for other in [
            "src/b.rs",
            "plugin.toml",
            "build.rs",
            "data/list.txt",
            "src/tests/a.rs",
        ] {
            assert_ne!(with((other, "")), digest, "{other}");
        }
        assert_ne!(
            folder_digest(&[base[0], ("src/lib.rs", "fn b() {}")]),
            digest
        );
        assert_ne!(
            folder_digest(&[base[0], ("src/lob.rs", "fn a() {}")]),
            digest
        );
    }

    #[test]
    fn parts_are_told_apart() {
        let digest = |parts: &[(&str, &str)]| {
            let mut all = Parts::default();
            for (name, bytes) in parts {
                all.add(name, bytes.as_bytes());
            }
            all.digest()
        };
        assert_ne!(digest(&[("a", "bc")]), digest(&[("ab", "c")]));
        assert_ne!(digest(&[("a", "")]), digest(&[]));
        assert_eq!(
            digest(&[("a", "1"), ("b", "2")]),
            digest(&[("b", "2"), ("a", "1")])
        );
    }

    #[test]
    fn only_the_settings_that_matter_count() {
        let base = "[workspace.package]\nedition = \"2024\"\nversion = \"1\"\n[profile.plugin]\nlto = true\n";
        let digest = settings(base).unwrap();
        let other_dependency =
            format!("{base}[workspace.dependencies]\nx = \"1\"\n[profile.dev]\ndebug = 1\n");
        assert_eq!(settings(&other_dependency).unwrap(), digest);
        for changed in [base.replace("2024", "2027"), base.replace("true", "false")] {
            assert_ne!(settings(&changed).unwrap(), digest);
        }
        assert!(settings("").is_err());
    }
}
