//! The keys of a manifest, and the rules of its texts that loop files and lock files share.

use serde_json::{Value, json};

use super::Role;
use crate::diagnostic::quote;
use crate::policy::check_pattern;
use crate::toml_doc::{Key, Kind, Table, Text, json_schema};

/// What the SDK stamps above the text of `plugin.toml`, a line each, in this order.
pub(super) const STAMPED: [&str; 4] = ["name", "version", "contract", "sdk"];

/// The schema of what stands below [`STAMPED`].
pub(super) fn authored_schema() -> Value {
    let mut schema = json_schema(&MANIFEST);
    if let Value::Object(map) = &mut schema {
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            properties.retain(|name, _| !STAMPED.contains(&name.as_str()));
        }
        if let Some(Value::Array(required)) = map.get_mut("required") {
            required.retain(|name| name.as_str().is_none_or(|name| !STAMPED.contains(&name)));
        }
        map.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        map.insert(
            "title".to_owned(),
            json!("What a Ringfence plugin says of itself (plugin.toml)"),
        );
    }
    schema
}

pub(super) static MANIFEST: Table = Table {
    title: "the manifest",
    later: &[],
    keys: &[
        Key::required("name", Kind::Text(&NAME), "the plugin's name"),
        Key::required("version", Kind::Text(&VERSION), "the plugin's version"),
        Key::required(
            "contract",
            Kind::Text(&VERSION),
            "the version of ringfence:beat it was built against",
        ),
        Key::optional(
            "sdk",
            Kind::Text(&VERSION),
            "the version of the SDK it was built with",
        ),
        Key::required(
            "roles",
            Kind::List(&ROLE),
            "what it can be: sensor, decider, executor, gate",
        ),
        Key::required("summary", Kind::Text(&LINE), "what it does, in one line"),
        Key::optional(
            "asks",
            Kind::One(&ASKS),
            "what it would like to touch; no file without it",
        ),
        Key::optional(
            "config",
            Kind::Json,
            "a JSON Schema of its configuration; without one it takes none",
        ),
        Key::optional(
            "action",
            Kind::Many(&ACTION),
            "what an executor can be told to do; an executor has one at least, others have none",
        ),
    ],
};

/// What an author writes, as rows of a table: key, whether it is needed, what it is.
#[cfg(test)]
pub(super) fn rows() -> Vec<String> {
    let row = |within: &str, key: &Key| {
        let needed = if key.required { "yes" } else { "no" };
        format!("| `{within}{}` | {needed} | {} |", key.name, key.doc)
    };
    let mut rows = Vec::new();
    for key in MANIFEST.keys {
        if STAMPED.contains(&key.name) {
            continue;
        }
        rows.push(row("", key));
        if let Kind::One(table) | Kind::Many(table) = key.kind {
            rows.extend(
                table
                    .keys
                    .iter()
                    .map(|key| row(&format!("{} ", table.title), key)),
            );
        }
    }
    rows
}

static ASKS: Table = Table {
    title: "[asks]",
    later: &[],
    keys: &[
        Key::optional(
            "read",
            Kind::List(&GLOB),
            "globs of what it would like to read, from the workspace root",
        ),
        Key::optional(
            "write",
            Kind::List(&GLOB),
            "globs of what it would like to write; an executor alone may write",
        ),
    ],
};

static ACTION: Table = Table {
    title: "[[action]]",
    later: &[],
    keys: &[
        Key::required("name", Kind::Text(&NAME), "what a decider calls it"),
        Key::required("summary", Kind::Text(&LINE), "what it does, in one line"),
        Key::required("input", Kind::Json, "a JSON Schema of its input"),
    ],
};

/// A plugin's or an action's name.
pub(crate) static NAME: Text = Text {
    code: "bad-name",
    what: "a name",
    check: |text| {
        let fits = (1..=64).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not a name of 1 to 64 letters, digits, dashes and underscores",
                quote(text)
            ))
        }
    },
    pattern: Some("^[A-Za-z0-9_-]{1,64}$"),
    example: "md-links",
};

/// A version: what semantic versions are made of.
pub(crate) static VERSION: Text = Text {
    code: "bad-version",
    what: "a version",
    check: |text| {
        let fits = (1..=64).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not a version such as \"0.1.0\"",
                quote(text)
            ))
        }
    },
    pattern: Some("^[A-Za-z0-9.+-]{1,64}$"),
    example: "0.1.0",
};

/// A glob of the path policy.
pub(crate) static GLOB: Text = Text {
    code: "bad-glob",
    what: "a glob",
    check: |text| check_pattern(text).map_err(|error| format!("{} {}", quote(text), error.why)),
    pattern: None,
    example: "docs/**",
};

static ROLE: Text = Text {
    code: "bad-value",
    what: "a role",
    check: |text| {
        if Role::ALL.iter().any(|role| role.as_str() == text) {
            Ok(())
        } else {
            Err(format!(
                "{} is none of the roles sensor, decider, executor, gate",
                quote(text)
            ))
        }
    },
    pattern: Some("^(sensor|decider|executor|gate)$"),
    example: "gate",
};

static LINE: Text = Text {
    code: "bad-value",
    what: "one line",
    check: |text| {
        let fits = (1..=400).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not one line of 1 to 400 bytes without control characters",
                quote(text)
            ))
        }
    },
    pattern: None,
    example: "Finds broken links",
};
