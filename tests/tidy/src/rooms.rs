//! Who may depend on whom: the borders between the crates, as `cargo metadata` shows them.
//!
//! **Invariant:** a crate in a folder that this table does not know is a finding, so that a new room is a decision.

use serde_json::Value;

use crate::Finding;

/// The crates that only the boundary may name: the engine, and files by capability.
const BOUNDARY_ONLY: &[&str] = &[
    "wasmtime",
    "wasi-common",
    "cap-",
    "cranelift",
    "wasm-component-model",
];
const BOUNDARY: &str = "host/sandbox";
/// Run the engine's own host as a peer: what that costs and answers can only be told by running it. Nobody may depend on
/// them.
const PEERS: &[&str] = &["tests/bench", "tests/conformance"];
/// Compares the boundary with the engine's own file host, in its tests alone.
const COMPARES: &str = "tests/sandbox";

/// All that core is made of. A new name is an architectural change.
const CORE_DEPENDENCIES: &[&str] = &[
    "blake3",
    "globset",
    "jiff",
    "jsonschema",
    "saphyr-parser",
    "schemars",
    "serde",
    "serde_json",
    "strsim",
    "thiserror",
    "toml",
    "unicode-normalization",
];

/// Features of core's dependencies that would bring the outside in.
const CORE_FEATURES_OFF: &[(&str, &[&str])] = &[
    (
        "jsonschema",
        &["resolve-http", "resolve-file", "resolve-async"],
    ),
    ("jiff", &["js"]),
];

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the root.
    pub room: String,
    /// What its manifest names, of every kind.
    pub dependencies: Vec<Dependency>,
}

/// One dependency of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package's name, whatever it is renamed to.
    pub name: String,
    /// True for `[dev-dependencies]`.
    pub dev: bool,
    /// The folder, when it lies in the workspace.
    pub room: Option<String>,
    /// Features asked for.
    pub features: Vec<String>,
    /// Whether default features are on.
    pub default_features: bool,
}

/// Reads the members out of the answer of `cargo metadata --no-deps`.
///
/// # Errors
/// What of the answer is not as expected.
pub fn crates(metadata: &Value) -> Result<Vec<Crate>, String> {
    let root = text(metadata, "workspace_root")?;
    let packages = list(metadata, "packages")?;
    packages
        .iter()
        .map(|package| read_crate(package, root))
        .collect()
}

fn read_crate(package: &Value, root: &str) -> Result<Crate, String> {
    let manifest = text(package, "manifest_path")?;
    let folder = manifest.trim_end_matches("/Cargo.toml");
    let dependencies = list(package, "dependencies")?;
    Ok(Crate {
        name: text(package, "name")?.to_owned(),
        room: below(folder, root).ok_or_else(|| format!("{manifest} is not below {root}"))?,
        dependencies: dependencies
            .iter()
            .map(|found| read_dependency(found, root))
            .collect::<Result<_, _>>()?,
    })
}

fn read_dependency(found: &Value, root: &str) -> Result<Dependency, String> {
    let path = found.get("path").and_then(Value::as_str);
    let features = list(found, "features")?.iter().filter_map(Value::as_str);
    Ok(Dependency {
        name: text(found, "name")?.to_owned(),
        dev: found.get("kind").and_then(Value::as_str) == Some("dev"),
        room: path.map(|path| below(path, root).unwrap_or_else(|| path.to_owned())),
        features: features.map(str::to_owned).collect(),
        default_features: found
            .get("uses_default_features")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    })
}

fn below(path: &str, root: &str) -> Option<String> {
    path.strip_prefix(root)
        .map(|rest| rest.trim_start_matches('/').to_owned())
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("no text `{key}` in the metadata"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    value
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("no list `{key}` in the metadata"))
}

enum Neighbours {
    These(&'static [&'static str]),
    Any,
}

/// The rooms that a room may use; none for a room that nobody knows.
fn neighbours(room: &str) -> Option<Neighbours> {
    use Neighbours::{Any, These};
    let rooms = match room {
        "host/core" | "sdk/rust/macros" | "plugins/markdown" => These(&[]),
        "plugins/globs" => These(&["sdk/rust"]),
        "host/sandbox" => These(&["host/core"]),
        "host/runner" => These(&["host/core", "host/sandbox"]),
        "host/cli" => These(&["host/core", "host/sandbox", "host/runner"]),
        "sdk/rust" => These(&["sdk/rust/macros"]),
        "sdk/testkit" => These(&["host/core", "host/sandbox"]),
        _ if room.starts_with("plugins/") => {
            These(&["sdk/rust", "plugins/globs", "plugins/markdown"])
        }
        _ if room.starts_with("tests/guests/") => These(&["sdk/rust"]),
        _ if room.starts_with("tests/") => Any,
        _ => return None,
    };
    Some(rooms)
}

/// Holds every edge between members to the table.
#[must_use]
pub fn edges_are_allowed(crates: &[Crate]) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in crates {
        let path = manifest(member);
        let allowed = match neighbours(&member.room) {
            Some(Neighbours::Any) => continue,
            Some(Neighbours::These(rooms)) => rooms,
            None => {
                found.push(Finding::file(
                    &path,
                    "no room of that name is known: see docs/architecture.md",
                ));
                continue;
            }
        };
        for dependency in &member.dependencies {
            let Some(room) = &dependency.room else {
                continue;
            };
            if !allowed.contains(&room.as_str()) {
                let what = format!(
                    "{} may not use {room}: see docs/architecture.md",
                    member.room
                );
                found.push(Finding::file(&path, what));
            }
        }
    }
    found
}

/// Holds the engine and files by capability to the one room that is the boundary.
#[must_use]
pub fn only_the_boundary_names_the_engine(crates: &[Crate]) -> Vec<Finding> {
    let others = crates
        .iter()
        .filter(|member| member.room != BOUNDARY && !PEERS.contains(&member.room.as_str()));
    let uses = others.flat_map(|member| {
        member
            .dependencies
            .iter()
            .map(move |dependency| (member, dependency))
    });
    let compares = |member: &Crate, used: &Dependency| member.room == COMPARES && used.dev;
    uses.filter(|(member, dependency)| {
        !compares(member, dependency)
            && BOUNDARY_ONLY
                .iter()
                .any(|name| dependency.name.starts_with(name))
    })
    .map(|(member, dependency)| {
        let what = format!(
            "`{}` is for {BOUNDARY} alone: go through ringfence-sandbox",
            dependency.name
        );
        Finding::file(&manifest(member), what)
    })
    .collect()
}

/// Holds core to its short list of dependencies, none of which may bring the outside in.
#[must_use]
pub fn core_is_small(crates: &[Crate]) -> Vec<Finding> {
    let mut found = Vec::new();
    let core = crates.iter().filter(|member| member.room == "host/core");
    for (member, dependency) in
        core.flat_map(|member| member.dependencies.iter().map(move |found| (member, found)))
    {
        if dependency.dev {
            continue;
        }
        let path = manifest(member);
        if !CORE_DEPENDENCIES.contains(&dependency.name.as_str()) {
            let what = format!(
                "core does not use `{}`: if it must, add it to tests/tidy/src/rooms.rs",
                dependency.name
            );
            found.push(Finding::file(&path, what));
        }
        for (name, features) in CORE_FEATURES_OFF {
            let on = |feature: &&&str| dependency.features.iter().any(|asked| asked == **feature);
            if dependency.name != *name {
                continue;
            }
            if let Some(feature) = features.iter().find(on) {
                found.push(Finding::file(
                    &path,
                    format!("feature `{feature}` of `{name}` reaches outside"),
                ));
            } else if dependency.default_features {
                found.push(Finding::file(
                    &path,
                    format!("`{name}` needs `default-features = false`"),
                ));
            }
        }
    }
    found
}

fn manifest(member: &Crate) -> String {
    format!("{}/Cargo.toml", member.room)
}

/// Holds a crate's `Cargo.toml` to the lints of the workspace.
#[must_use]
pub fn inherits_lints(path: &str, text: &str) -> Vec<Finding> {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::file(path, format!("unreadable: {error}"))],
    };
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if !manifest.contains_key("package") || lints.and_then(toml::Value::as_bool) == Some(true) {
        return Vec::new();
    }
    vec![Finding::file(path, "`[lints] workspace = true` is missing")]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace with one member in `room`, which uses the folder or package `uses`.
    fn one(room: &str, uses: &str) -> Vec<Crate> {
        let mut dependency =
            json!({ "name": uses, "kind": null, "features": [], "uses_default_features": false });
        if uses.contains('/') {
            dependency["path"] = json!(format!("/x/{uses}"));
        }
        let package = json!({ "name": "a", "manifest_path": format!("/x/{room}/Cargo.toml"), "dependencies": [dependency] });
        crates(&json!({ "workspace_root": "/x", "packages": [package] })).unwrap()
    }

    #[test]
    fn edges_go_one_way() {
        let rooms = [
            "host/core",
            "host/sandbox",
            "host/runner",
            "host/cli",
            "sdk/rust",
            "sdk/testkit",
            "plugins/globs",
            "plugins/markdown",
            "plugins/x",
        ];
        let allowed = [
            ("host/sandbox", "host/core"),
            ("host/runner", "host/core"),
            ("host/runner", "host/sandbox"),
            ("host/cli", "host/core"),
            ("host/cli", "host/sandbox"),
            ("host/cli", "host/runner"),
            ("sdk/testkit", "host/core"),
            ("sdk/testkit", "host/sandbox"),
            ("plugins/x", "sdk/rust"),
            ("plugins/globs", "sdk/rust"),
            ("plugins/x", "plugins/globs"),
            ("plugins/x", "plugins/markdown"),
        ];
        for from in rooms {
            for to in rooms {
                let refused = !edges_are_allowed(&one(from, to)).is_empty();
                assert_eq!(refused, !allowed.contains(&(from, to)), "{from} → {to}");
            }
        }
        assert!(edges_are_allowed(&one("tests/e2e", "host/cli")).is_empty());
        assert!(edges_are_allowed(&one("tests/guests/x", "sdk/rust")).is_empty());
        assert_eq!(
            edges_are_allowed(&one("tests/guests/x", "host/core")).len(),
            1
        );
        assert_eq!(
            edges_are_allowed(&one("host/extra", "serde")).len(),
            1,
            "an unknown room"
        );
        assert_eq!(
            edges_are_allowed(&one("host/core", "elsewhere/y")).len(),
            1,
            "a path out of the table"
        );
    }

    #[test]
    fn the_engine_is_named_once() {
        for name in ["wasmtime", "wasmtime-wasi", "cap-std", "cap-primitives"] {
            assert_eq!(
                only_the_boundary_names_the_engine(&one("host/runner", name)).len(),
                1,
                "{name}"
            );
            assert_eq!(
                only_the_boundary_names_the_engine(&one("tests/e2e", name)).len(),
                1,
                "{name}"
            );
            for room in [&[BOUNDARY], PEERS].concat() {
                assert!(
                    only_the_boundary_names_the_engine(&one(room, name)).is_empty(),
                    "{room} {name}"
                );
            }
        }
        assert!(only_the_boundary_names_the_engine(&one("host/runner", "wasmparser")).is_empty());
        let mut compares = one("tests/sandbox", "wasmtime-wasi");
        assert_eq!(only_the_boundary_names_the_engine(&compares).len(), 1);
        compares[0].dependencies[0].dev = true;
        assert!(only_the_boundary_names_the_engine(&compares).is_empty());
    }

    #[test]
    fn core_takes_nothing_in_unseen() {
        assert!(core_is_small(&one("host/core", "serde")).is_empty());
        assert!(core_is_small(&one("host/runner", "tokio")).is_empty());
        for name in ["tokio", "wasmtime", "rand"] {
            assert_eq!(core_is_small(&one("host/core", name)).len(), 1, "{name}");
        }
        let mut with_feature = one("host/core", "jsonschema");
        assert!(core_is_small(&with_feature).is_empty());
        with_feature[0].dependencies[0]
            .features
            .push("resolve-http".to_owned());
        assert_eq!(core_is_small(&with_feature).len(), 1);
        with_feature[0].dependencies[0].features.clear();
        with_feature[0].dependencies[0].default_features = true;
        assert_eq!(core_is_small(&with_feature).len(), 1);
        with_feature[0].dependencies[0].dev = true;
        assert!(core_is_small(&with_feature).is_empty());
    }

    #[test]
    fn lints_are_inherited() {
        let package = "[package]\nname = \"a\"\n";
        assert!(inherits_lints("a", &format!("{package}[lints]\nworkspace = true\n")).is_empty());
        assert!(inherits_lints("a", "[workspace]\nmembers = []\n").is_empty());
        for text in [
            package.to_owned(),
            format!("{package}[lints]\nworkspace = false\n"),
            "]".to_owned(),
        ] {
            assert_eq!(inherits_lints("a", &text).len(), 1, "{text}");
        }
    }

    #[test]
    fn metadata_out_of_shape_is_an_error() {
        for metadata in [
            json!({}),
            json!({ "workspace_root": "/x" }),
            json!({ "workspace_root": "/x", "packages": [{}] }),
        ] {
            assert!(crates(&metadata).is_err(), "{metadata}");
        }
    }
}
