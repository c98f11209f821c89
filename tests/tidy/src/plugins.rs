//! The standard plugins: each says its roles, and each component has a manifest.

use crate::Finding;

const ROLES: &[&str] = &["sensor", "decider", "executor", "gate"];

/// Holds a `plugin.toml` to naming at least one role, each once, and what it asks for.
#[must_use]
pub fn says_its_roles(path: &str, text: &str) -> Vec<Finding> {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::file(path, format!("unreadable: {error}"))],
    };
    let mut found = Vec::new();
    let roles = manifest.get("roles").and_then(toml::Value::as_array);
    let roles: Vec<&str> = roles
        .into_iter()
        .flatten()
        .map(|role| role.as_str().unwrap_or_default())
        .collect();
    if roles.is_empty() {
        found.push(Finding::file(path, "no `roles = […]`"));
    }
    for (at, role) in roles.iter().enumerate() {
        if !ROLES.contains(role) {
            found.push(Finding::file(
                path,
                format!("`{role}` is no role: {}", ROLES.join(", ")),
            ));
        } else if roles.iter().take(at).any(|before| before == role) {
            found.push(Finding::file(
                path,
                format!("the role `{role}` stands twice"),
            ));
        }
    }
    for (key, what) in [
        ("summary", "no `summary`"),
        ("asks", "no `[asks]`, not even empty lists"),
    ] {
        if !manifest.contains_key(key) {
            found.push(Finding::file(path, what));
        }
    }
    found
}

/// True for a crate that says it is a program (`wasi:cli/run`), not a plugin.
#[must_use]
pub fn is_program(manifest: &toml::Table) -> bool {
    let says = |table: &toml::Table| {
        let own = table.get("metadata")?.get("ringfence")?;
        own.get("program")?.as_bool()
    };
    let package = manifest.get("package").and_then(toml::Value::as_table);
    package.and_then(says) == Some(true)
}

/// Holds a crate that builds to a component (a `cdylib`) to having its `plugin.toml` beside it, unless it is a program.
#[must_use]
pub fn has_manifest(path: &str, text: &str, plugin_tomls: &[String]) -> Vec<Finding> {
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let kinds = manifest
        .get("lib")
        .and_then(|lib| lib.get("crate-type"))
        .and_then(toml::Value::as_array);
    let is_component = kinds
        .into_iter()
        .flatten()
        .any(|kind| kind.as_str() == Some("cdylib"));
    let beside = path.replace("Cargo.toml", "plugin.toml");
    if !is_component || is_program(&manifest) || plugin_tomls.contains(&beside) {
        return Vec::new();
    }
    vec![Finding::file(
        path,
        "builds a component, but no plugin.toml stands beside it",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_said_once_and_spelled_right() {
        let rest = "summary = \"x\"\n[asks]\nread = []\n";
        for (roles, count) in [
            ("roles = [\"gate\"]", 0),
            ("roles = [\"sensor\", \"gate\"]", 0),
            ("roles = []", 1),
            ("", 1),
            ("roles = [\"checker\"]", 1),
            ("roles = [\"gate\", \"gate\"]", 1),
            ("roles = [1]", 1),
            ("roles = ", 1),
        ] {
            let found = says_its_roles("plugin.toml", &format!("{roles}\n{rest}"));
            assert_eq!(found.len(), count, "{roles}: {found:?}");
        }
        assert_eq!(
            says_its_roles("plugin.toml", "roles = [\"gate\"]\n").len(),
            2
        );
    }

    #[test]
    fn a_component_has_a_manifest() {
        let cargo = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";
        let beside = ["plugins/x/plugin.toml".to_owned()];
        assert!(has_manifest("plugins/x/Cargo.toml", cargo, &beside).is_empty());
        assert!(has_manifest("plugins/y/Cargo.toml", "[lib]\n", &[]).is_empty());
        assert_eq!(
            has_manifest("plugins/y/Cargo.toml", cargo, &beside).len(),
            1
        );
        for (says, found) in [("true", 0), ("false", 1), ("\"true\"", 1)] {
            let program = format!("{cargo}[package.metadata.ringfence]\nprogram = {says}\n");
            let found_here = has_manifest("tests/guests/y/Cargo.toml", &program, &[]);
            assert_eq!(found_here.len(), found, "{says}");
        }
    }
}
