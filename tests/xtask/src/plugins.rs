//! The components that are shipped inside the host: the standard plugins, and the probe of `ringfence selftest`.
//!
//! Owns `host/cli/plugins/` and `host/sandbox/selftest/`: one built component a crate, and a `.toml` that says what they were built from.
//! The digest over the sources is in `plugins/sources.rs`, reading a component in `plugins/inspect.rs`.
//!
//! **Invariant:** checking needs no wasm target: what is shipped is tied to the sources by digests. Whether the
//! sources really give those bytes is seen by building again with the same toolchain.

mod inspect;
mod record;
mod sources;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    component,
    plugins::record::{Plugin, Record},
    toolchain::{self, Toolchain, Ways},
    workspace::{self, Workspace},
};

/// Where some components are shipped.
struct Shelf {
    /// Where they and their record are.
    folder: &'static str,
    /// The record's name.
    record: &'static str,
    /// Where their crates are.
    crates: &'static str,
    /// The one crate that is shipped; none for all.
    only: Option<&'static str>,
}

const SHELVES: [Shelf; 2] = [
    Shelf {
        folder: "host/cli/plugins",
        record: "plugins.toml",
        crates: "plugins",
        only: None,
    },
    Shelf {
        folder: "host/sandbox/selftest",
        record: "probe.toml",
        crates: "tests/guests",
        only: Some("probe"),
    },
];

impl Shelf {
    fn record(&self, workspace: &Workspace) -> PathBuf {
        workspace.path(self.folder).join(self.record)
    }

    /// What belongs here, sorted by name.
    fn packages(&self, workspace: &Workspace) -> Result<Vec<Package>> {
        let mut packages = packages_below(workspace, self.crates)?;
        packages.retain(|package| self.only.is_none_or(|only| only == package.name));
        Ok(packages)
    }
}

/// Builds all that is shipped.
///
/// # Errors
/// No toolchain, a crate does not compile, or its manifest and exports disagree.
pub(crate) fn ship(workspace: &Workspace, ways: Ways) -> Result<()> {
    let toolchain = toolchain::ensure(workspace, ways)?;
    SHELVES
        .iter()
        .try_for_each(|shelf| fill(workspace, &toolchain, shelf))
}

fn fill(workspace: &Workspace, toolchain: &Toolchain, shelf: &Shelf) -> Result<()> {
    let folder = workspace.path(shelf.folder);
    let mut plugins = Vec::new();
    for package in shelf.packages(workspace)? {
        let (plugin, bytes) = build(workspace, toolchain, &package)?;
        let path = folder.join(plugin.file());
        if std::fs::read(&path).ok().as_ref() != Some(&bytes) {
            workspace::write(&path, &bytes)?;
            workspace::say(&format!("{}: {} bytes", plugin.name, plugin.size));
        }
        plugins.push(plugin);
    }
    let record = Record {
        toolchain: toolchain.stamp.clone(),
        plugins,
    };
    remove_strangers(workspace, shelf, &record)?;
    workspace::write(&shelf.record(workspace), record.to_text()?.as_bytes())
}

/// Proves that what is shipped was built from the sources as they stand.
///
/// # Errors
/// Anything shipped is stale, missing, damaged or unknown; all of it is named.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    SHELVES
        .iter()
        .try_for_each(|shelf| check_shelf(workspace, shelf))
}

fn check_shelf(workspace: &Workspace, shelf: &Shelf) -> Result<()> {
    let record = Record::read(&shelf.record(workspace))?;
    let mut wrong = Vec::new();
    let packages = shelf.packages(workspace)?;
    for package in &packages {
        let Some(plugin) = record.plugins.iter().find(|p| p.name == package.name) else {
            wrong.push(format!("{} is not shipped", package.name));
            continue;
        };
        if plugin.sources != sources::digest(workspace, &package.name)? {
            wrong.push(format!("the sources of {} have changed", plugin.name));
        }
        if plugin.version != package.version {
            wrong.push(format!(
                "{} is version {} now",
                plugin.name, package.version
            ));
        }
        let bytes = workspace::read(&workspace.path(shelf.folder).join(plugin.file()))?;
        if plugin.size != bytes.len() || plugin.digest != record::digest(&bytes) {
            wrong.push(format!("{} is not what was built", plugin.file()));
        }
    }
    let known: BTreeSet<_> = packages.iter().map(|p| p.name.as_str()).collect();
    for plugin in &record.plugins {
        if !known.contains(plugin.name.as_str()) {
            wrong.push(format!("{} has no sources any more", plugin.name));
        }
    }
    for file in strangers(workspace, shelf, &record)? {
        wrong.push(format!("{}/{file} belongs to no crate", shelf.folder));
    }
    if !wrong.is_empty() {
        bail!(
            "{}; run `cargo xtask plugins` and commit {}",
            wrong.join("; "),
            shelf.folder
        );
    }
    Ok(())
}

/// Builds all plugins again and compares the bytes, where the toolchain is the one that built what is shipped.
///
/// # Errors
/// A plugin does not compile, its manifest and exports disagree, or it gives other bytes.
pub(crate) fn rebuild(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    SHELVES
        .iter()
        .try_for_each(|shelf| rebuild_shelf(workspace, toolchain, shelf))
}

fn rebuild_shelf(workspace: &Workspace, toolchain: &Toolchain, shelf: &Shelf) -> Result<()> {
    let record = Record::read(&shelf.record(workspace))?;
    let same_toolchain = record.toolchain == toolchain.stamp;
    if !same_toolchain {
        workspace::say(&format!(
            "{}: built by «{}», here is «{}»: bytes are not compared",
            shelf.folder, record.toolchain, toolchain.stamp
        ));
    }
    for package in shelf.packages(workspace)? {
        let (built, _) = build(workspace, toolchain, &package)?;
        let shipped = record.plugins.iter().find(|p| p.name == built.name);
        if same_toolchain && shipped != Some(&built) {
            bail!("{} gives other bytes than what is shipped", built.name);
        }
    }
    Ok(())
}

/// A crate that becomes a component: a workspace member with a `plugin.toml`, or a guest that says it is a program.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: std::path::PathBuf,
    metadata: serde_json::Value,
}

impl Package {
    fn is_component(&self) -> bool {
        let is_program = self.metadata.pointer("/ringfence/program");
        is_program == Some(&serde_json::Value::Bool(true))
            || self.manifest_path.with_file_name("plugin.toml").is_file()
    }
}

/// The crates below a folder that make components, sorted by name.
fn packages_below(workspace: &Workspace, folder: &str) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut cargo = workspace.cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Metadata = serde_json::from_str(&workspace::output(&mut cargo)?)?;
    let folder = workspace.path(folder);
    let mut packages: Vec<_> = metadata
        .packages
        .into_iter()
        .filter(|package| package.manifest_path.starts_with(&folder) && package.is_component())
        .collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The names of the crates below a folder that make components, sorted.
///
/// # Errors
/// cargo cannot read the workspace.
pub(crate) fn names_below(workspace: &Workspace, folder: &str) -> Result<Vec<String>> {
    let packages = packages_below(workspace, folder)?;
    Ok(packages.into_iter().map(|package| package.name).collect())
}

fn build(
    workspace: &Workspace,
    toolchain: &Toolchain,
    package: &Package,
) -> Result<(Plugin, Vec<u8>)> {
    // Before building: a source that changes meanwhile must show as changed, not slip in.
    let sources = sources::digest(workspace, &package.name)?;
    let path = component::build(workspace, toolchain, &package.name)?;
    let bytes = workspace::read(&path)?;
    inspect::check(&package.name, &bytes).with_context(|| path.display().to_string())?;
    let plugin = Plugin {
        name: package.name.clone(),
        version: package.version.clone(),
        size: bytes.len(),
        digest: record::digest(&bytes),
        sources,
    };
    Ok((plugin, bytes))
}

/// Files of the shipped folder that the record does not know.
fn strangers(workspace: &Workspace, shelf: &Shelf, record: &Record) -> Result<Vec<String>> {
    let mut known: BTreeSet<String> = record.plugins.iter().map(Plugin::file).collect();
    known.insert(shelf.record.to_owned());
    let mut strangers = Vec::new();
    for entry in std::fs::read_dir(workspace.path(shelf.folder)).context(shelf.folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !known.contains(&name) {
            strangers.push(name);
        }
    }
    Ok(strangers)
}

fn remove_strangers(workspace: &Workspace, shelf: &Shelf, record: &Record) -> Result<()> {
    for name in strangers(workspace, shelf, record)? {
        let path = workspace.path(shelf.folder).join(&name);
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}
