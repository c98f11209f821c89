//! What a plugin says of itself: the TOML text in its custom section [`MANIFEST_SECTION`].
//!
//! Owns the shape of manifests and the check of contract versions. The section is found in a component's bytes by
//! `ringfence-sandbox`, without running anything; what a plugin is granted of its asks is [`spec`](crate::spec)'s to say.
//!
//! **Invariant:** a manifest is the plugin author's claim. It can only ask, and a key that this host does not know
//! refuses the plugin.

mod keys;
mod problem;

pub(crate) use self::keys::{GLOB, NAME, VERSION};
pub use self::problem::Problem;

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::json_schema::{Misfit, check_schema, check_value};
use crate::toml_doc::{self, Json, Section};

/// The custom section of a component that holds its manifest.
pub const MANIFEST_SECTION: &str = "ringfence:plugin";
/// The contract this host keeps, the version of the WIT package `ringfence:beat`.
pub const CONTRACT: &str = "0.1.0";
/// Longest manifest in bytes.
// Limit: config schemas and action schemas of a large plugin; read before anything is known of the plugin.
pub const MANIFEST_BYTES_MAX: usize = 256 << 10;

// Limit: each action brings a schema that is compiled when the manifest is read.
const ACTIONS_MAX: usize = 32;

const CONTRACT_MINOR: &str = "0.1.";
const CONTRACT_PATCH: u32 = 0;

/// One of the four things a plugin can be.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Observes.
    Sensor,
    /// Decides.
    Decider,
    /// Acts.
    Executor,
    /// Judges.
    Gate,
}

impl Role {
    /// Every role, in the order of a beat.
    pub const ALL: [Self; 4] = [Self::Sensor, Self::Decider, Self::Executor, Self::Gate];

    /// As loop files and manifests spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Decider => "decider",
            Self::Executor => "executor",
            Self::Gate => "gate",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a plugin would like to touch: globs from the workspace root, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Asks {
    /// To read.
    pub read: Vec<String>,
    /// To write.
    pub write: Vec<String>,
}

/// Something an executor can be told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Unique within the plugin.
    pub name: String,
    /// One line.
    pub summary: String,
    /// JSON Schema of its input.
    pub input: Value,
}

impl Action {
    /// Checks an input that a decider wrote.
    ///
    /// # Errors
    /// One line for each place that does not fit the action's schema.
    pub fn validate(&self, input: &Value) -> Result<(), Vec<String>> {
        check_value(&self.input, input).map_err(|misfits| lines(&misfits))
    }
}

/// A manifest, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The plugin's name: letters, digits, `-`, `_`.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The contract it was built against; one that [`contract_supported`] takes.
    pub contract: String,
    /// The SDK it was built with; empty when it was built without.
    pub sdk: String,
    /// What it can be; never empty.
    pub roles: BTreeSet<Role>,
    /// One line.
    pub summary: String,
    /// What it would like to touch.
    pub asks: Asks,
    /// JSON Schema of its config; none when it takes no config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// What it can be told to do; empty unless it is an executor.
    pub actions: Vec<Action>,
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Longer than [`MANIFEST_BYTES_MAX`].
    #[error("a manifest of {0} bytes, at most {MANIFEST_BYTES_MAX} are read")]
    TooLong(usize),
    /// Built against a contract this host does not keep.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// Keys, values or schemas are wrong, or do not fit together: every problem, those with a line first.
    #[error("{}", problem::listed(.0))]
    Wrong(Vec<Problem>),
}

/// A contract version out of range; both sides are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("contract {} is not supported: this host keeps {CONTRACT}", quote(.wanted))]
pub struct ContractError {
    /// The contract the plugin was built against.
    pub wanted: String,
}

/// Checks that a component built against `contract` can run here: the same minor version, and no newer patch.
///
/// Within one minor version functions are only added, so an older patch always runs.
///
/// # Errors
/// [`ContractError`] naming both versions.
pub fn contract_supported(contract: &str) -> Result<(), ContractError> {
    let patch = contract.strip_prefix(CONTRACT_MINOR).filter(|patch| {
        let canonical = *patch == "0" || !patch.starts_with('0');
        canonical && patch.chars().all(|c| c.is_ascii_digit())
    });
    match patch.and_then(|patch| patch.parse::<u32>().ok()) {
        Some(patch) if (0..=CONTRACT_PATCH).contains(&patch) => Ok(()),
        _ => Err(ContractError {
            wanted: contract.to_owned(),
        }),
    }
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// [`ManifestError`]; a contract out of range before anything else, since such a manifest may have other keys.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLong(text.len()));
        }
        let mut found = Diagnostics::default();
        // What is missing is told last: a key that is spelled wrong says more.
        let section = toml_doc::read(text, &keys::MANIFEST, text.len()..text.len(), &mut found);
        let contract = section
            .as_ref()
            .and_then(|section| section.text("contract"));
        contract.map_or(Ok(()), contract_supported)?;
        let manifest = section.map(|section| Self::build(&section, &mut found));
        match (manifest, found.into_sorted()) {
            (Some(manifest), found) if found.is_empty() => Ok(manifest),
            (_, found) => Err(ManifestError::Wrong(problem::told(text, found))),
        }
    }

    /// Checks a config against the plugin's schema.
    ///
    /// Without a schema only the empty object fits.
    ///
    /// # Errors
    /// One line for each place that does not fit.
    pub fn validate_config(&self, config: &Value) -> Result<(), Vec<String>> {
        self.config_misfits(config)
            .map_err(|misfits| lines(&misfits))
    }

    pub(crate) fn config_misfits(&self, config: &Value) -> Result<(), Vec<Misfit>> {
        match &self.config {
            Some(schema) => check_value(schema, config),
            None if config.as_object().is_some_and(serde_json::Map::is_empty) => Ok(()),
            None => Err(vec![Misfit {
                pointer: String::new(),
                message: format!("{} takes no config", self.name),
                unexpected: Vec::new(),
            }]),
        }
    }

    /// The names at the top of its configuration.
    pub(crate) fn config_names(&self) -> impl Iterator<Item = &str> {
        let properties = self
            .config
            .as_ref()
            .and_then(|schema| schema.get("properties"));
        let properties = properties.and_then(Value::as_object).into_iter();
        properties.flat_map(|names| names.keys().map(String::as_str))
    }

    fn build(section: &Section, out: &mut Diagnostics) -> Self {
        let text = |key: &str| section.text(key).unwrap_or_default().to_owned();
        let asks = section.one("asks");
        let globs = |key: &str| {
            asks.and_then(|asks| asks.list(key))
                .unwrap_or_default()
                .to_vec()
        };
        let manifest = Self {
            name: text("name"),
            version: text("version"),
            contract: text("contract"),
            sdk: text("sdk"),
            roles: roles(section, out),
            summary: text("summary"),
            asks: Asks {
                read: globs("read"),
                write: globs("write"),
            },
            config: schema(section, "config", "config", out),
            actions: actions(section, out),
        };
        if section.has("roles") {
            manifest.check_actions(section, out);
        }
        manifest
    }

    fn check_actions(&self, section: &Section, out: &mut Diagnostics) {
        let roles = section.span_of("roles");
        match (self.roles.contains(&Role::Executor), section.has("action")) {
            (true, false) => out.push(Diagnostic::error(
                "missing-key",
                roles,
                "an executor without an [[action]] can be told to do nothing",
                "an executor",
            )),
            (false, true) if !self.roles.is_empty() => out.push(Diagnostic::error(
                "bad-value",
                roles,
                "only an executor has an [[action]]",
                "no executor",
            )),
            _ => {}
        }
    }
}

fn lines(misfits: &[Misfit]) -> Vec<String> {
    misfits.iter().map(ToString::to_string).collect()
}

/// The roles; what is wrong with them is reported, once.
fn roles(section: &Section, out: &mut Diagnostics) -> BTreeSet<Role> {
    let Some(words) = section.list("roles") else {
        return BTreeSet::new();
    };
    let roles: BTreeSet<Role> = Role::ALL
        .into_iter()
        .filter(|role| words.iter().any(|word| word == role.as_str()))
        .collect();
    let wrong = if roles.is_empty() {
        "`roles` is empty"
    } else if roles.len() < words.len() {
        "`roles` names a role twice"
    } else {
        return roles;
    };
    out.push(Diagnostic::error(
        "bad-value",
        section.span_of("roles"),
        wrong,
        "here",
    ));
    roles
}

fn actions(section: &Section, out: &mut Diagnostics) -> Vec<Action> {
    let sections = section.many("action");
    if sections.len() > ACTIONS_MAX {
        let message = format!("{} actions, at most {ACTIONS_MAX} fit", sections.len());
        let span = section.span_of("action");
        out.push(Diagnostic::error("too-many", span, message, "too many"));
        return Vec::new();
    }
    let mut actions: Vec<Action> = Vec::new();
    for section in sections {
        let name = section.text("name").unwrap_or_default();
        if !name.is_empty() && actions.iter().any(|action| action.name == name) {
            let message = format!("two actions are called {}", quote(name));
            let span = section.span_of("name");
            out.push(Diagnostic::error("bad-name", span, message, "the second"));
        }
        let of = format!("action {}", quote(name));
        actions.push(Action {
            name: name.to_owned(),
            summary: section.text("summary").unwrap_or_default().to_owned(),
            input: schema(section, "input", &of, out).unwrap_or(Value::Bool(true)),
        });
    }
    actions
}

/// The schema at `key`; one that cannot be used is reported where it is wrong.
fn schema(section: &Section, key: &str, of: &str, out: &mut Diagnostics) -> Option<Value> {
    let Json { value, place } = section.json(key)?;
    if let Err(error) = check_schema(value) {
        let message = format!("the schema of {of} is not usable: {error}");
        let wrong = Diagnostic::error("bad-schema", place.span_at(&error.at), message, "here");
        out.push(match error.help {
            Some(help) => wrong.with_help(help),
            None => wrong,
        });
    }
    Some(value.clone())
}

/// The JSON Schema of `plugin.toml`, for editors: the manifest without what the SDK stamps.
#[must_use]
pub fn plugin_schema() -> Value {
    keys::authored_schema()
}

#[cfg(test)]
mod tests;
