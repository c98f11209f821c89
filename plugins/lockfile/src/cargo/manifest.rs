//! `Cargo.toml`: what a package asks for.
//!
//! **Invariant:** a dependency that cannot be understood is an error of the manifest, not one that is passed over.

use ringfence_sdk::{Change, Finding};
use semver::VersionReq;
use toml::{Table, Value};

use crate::Report;
use crate::tree::Tree;

/// What dependencies stand under, now and in older manifests. A lock has them all.
const TABLES: [&str; 5] = [
    "dependencies",
    "build-dependencies",
    "build_dependencies",
    "dev-dependencies",
    "dev_dependencies",
];

/// A manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) table: Table,
}

/// One dependency, as it is to be looked for in a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Of the package, whatever it is called here.
    pub(super) name: String,
    pub(super) wanted: VersionReq,
    pub(super) from: From,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// None for crates.io, or a name or an address.
    Registry(Option<String>),
    Git {
        url: String,
        /// The branch, tag or commit, as in `branch=main`.
        at: Option<String>,
    },
    /// As seen from the manifest, or from the workspace for what is inherited.
    Path { path: String, of_workspace: bool },
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let table = text.parse::<Table>();
        let table = table.map_err(|error| error.message().to_owned())?;
        Ok(Self { table })
    }

    pub(super) fn workspace(&self) -> Option<&Table> {
        self.table.get("workspace")?.as_table()
    }

    pub(super) fn package(&self) -> Option<&Table> {
        let package = self
            .table
            .get("package")
            .or_else(|| self.table.get("project"));
        package?.as_table()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.package()?.get("name")?.as_str()
    }

    /// The version, which may be the workspace's; a package without one has 0.0.0.
    pub(super) fn version<'a>(&'a self, workspace: Option<&'a Table>) -> Option<&'a str> {
        match self.package()?.get("version") {
            None => Some("0.0.0"),
            Some(Value::String(version)) => Some(version),
            Some(_) => workspace?.get("package")?.get("version")?.as_str(),
        }
    }

    /// All that the package asks for, on any machine and with any feature.
    pub(super) fn dependencies(
        &self,
        workspace: Option<&Table>,
    ) -> Result<Vec<Dependency>, String> {
        let mut found = Vec::new();
        for table in tables(&self.table) {
            for (key, value) in table {
                found.push(dependency(key, value, workspace)?);
            }
        }
        Ok(found)
    }
}

/// The tables of dependencies in a manifest.
fn tables(manifest: &Table) -> Vec<&Table> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.as_table());
    let mut found = Vec::new();
    for place in std::iter::once(manifest).chain(targets) {
        let lists = TABLES.iter().filter_map(|key| place.get(*key));
        found.extend(lists.filter_map(Value::as_table));
    }
    found
}

/// What one entry of a list of dependencies asks for.
pub(super) fn dependency(
    key: &str,
    value: &Value,
    workspace: Option<&Table>,
) -> Result<Dependency, String> {
    let inherits = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let value = if inherits {
        let all = workspace.and_then(|workspace| workspace.get("dependencies"));
        let found = all.and_then(|all| all.get(key));
        found.ok_or_else(|| format!("`{key}` is in no workspace"))?
    } else {
        value
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let wanted = match value {
        Value::String(wanted) => Some(wanted.as_str()),
        Value::Table(_) => text("version"),
        _ => return Err(format!("`{key}` is no dependency")),
    };
    let wanted = match wanted {
        Some(wanted) => VersionReq::parse(wanted).map_err(|why| format!("`{key}`: {why}"))?,
        None => VersionReq::STAR,
    };
    let from = match (text("path"), text("git")) {
        (Some(path), _) => From::Path {
            path: path.to_owned(),
            of_workspace: inherits,
        },
        (None, Some(git)) => From::Git {
            url: git.to_owned(),
            at: ["branch", "tag", "rev"]
                .iter()
                .find_map(|key| Some(format!("{key}={}", text(key)?))),
        },
        (None, None) => {
            let named = text("registry-index").or(text("registry"));
            From::Registry(named.map(str::to_owned))
        }
    };
    Ok(Dependency {
        name: text("package").unwrap_or(key).to_owned(),
        wanted,
        from,
    })
}

/// Finds what differs in a manifest besides the versions that it asks for, and dependencies that come or go.
pub(super) fn only_versions(
    tree: &Tree,
    change: &Change,
    path: &str,
    report: &mut Report,
) -> ringfence_sdk::Result<()> {
    let before = tree.text_before(change, path)?;
    let after = tree.text(path)?;
    let read = |text: Option<String>| text.and_then(|text| Manifest::parse(&text).ok());
    let same = match (read(before), read(after)) {
        (Some(before), Some(after)) => {
            let (mut before, mut after) = (before.table, after.table);
            mask(&mut before, &mut after);
            before == after
        }
        _ => false,
    };
    if !same {
        let message = "differs in more than the versions that it asks for";
        report.add(Finding::error("other-change", message).at(path));
    }
    Ok(())
}

/// Makes dependencies alike that differ in their versions alone, and takes out those that only one side has.
fn mask(before: &mut Table, after: &mut Table) {
    let keys: Vec<String> = before.keys().cloned().collect();
    for key in keys {
        let (Some(Value::Table(old)), Some(Value::Table(new))) =
            (before.get_mut(&key), after.get_mut(&key))
        else {
            continue;
        };
        if TABLES.contains(&key.as_str()) {
            old.retain(|name, _| new.contains_key(name));
            new.retain(|name, _| old.contains_key(name));
            for (_, value) in old.iter_mut().chain(new.iter_mut()) {
                mask_version(value);
            }
        } else if key == "workspace" {
            mask(old, new);
        } else if key == "target" {
            for (target, old) in old.iter_mut() {
                if let (Some(old), Some(Value::Table(new))) =
                    (old.as_table_mut(), new.get_mut(target))
                {
                    mask(old, new);
                }
            }
        }
    }
}

fn mask_version(value: &mut Value) {
    match value {
        Value::String(_) => *value = Value::String(String::new()),
        Value::Table(table) if table.contains_key("version") => {
            table.insert("version".to_owned(), Value::String(String::new()));
        }
        _ => {}
    }
}
