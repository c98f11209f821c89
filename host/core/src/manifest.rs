//! What a plugin says of itself: the TOML text in its custom section [`MANIFEST_SECTION`].
//!
//! Owns the shape of manifests and the check of contract versions. The section is found in a component's bytes by
//! `ringfence-sandbox`, without running anything; what a plugin is granted of its asks is [`spec`](crate::spec)'s to say.
//!
//! **Invariant:** a manifest is the plugin author's claim. It can only ask, and a key that this host does not know
//! refuses the plugin.

mod keys;

pub(crate) use self::keys::{GLOB, NAME, VERSION};

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::{Diagnostics, line_column, quote};
use crate::json_schema::{Misfit, SchemaError, check_schema, check_value};
use crate::toml_doc::{self, Section};

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
    /// Keys or values are wrong: the first problem, and how many follow.
    #[error("manifest line {line}: {message}{}", and_more(*more))]
    Keys {
        /// From 1.
        line: usize,
        /// The first problem.
        message: String,
        /// How many more there are.
        more: usize,
    },
    /// A schema in it cannot be used.
    #[error("the schema of {of} is not usable: {source}")]
    Schema {
        /// `config`, or `action "fix"`.
        of: String,
        /// Why.
        source: SchemaError,
    },
    /// The parts do not fit together.
    #[error("{0}")]
    Inconsistent(String),
}

/// A contract version out of range; both sides are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("contract {} is not supported: this host keeps {CONTRACT}", quote(.wanted))]
pub struct ContractError {
    /// The contract the plugin was built against.
    pub wanted: String,
}

fn and_more(count: usize) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(" (and {count} more)")
    }
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
        let section = toml_doc::read(text, &keys::MANIFEST, 0..0, &mut found);
        if let Some(contract) = section
            .as_ref()
            .and_then(|section| section.text("contract"))
        {
            contract_supported(contract)?;
        }
        let sorted = found.into_sorted();
        match (section, sorted.first()) {
            (Some(section), None) => Self::build(&section),
            (_, Some(first)) => Err(ManifestError::Keys {
                line: line_column(text, first.span.start).0,
                message: first.message.clone(),
                more: sorted.len() - 1,
            }),
            (None, None) => Err(ManifestError::Inconsistent("no manifest".to_owned())),
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

    fn build(section: &Section) -> Result<Self, ManifestError> {
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
            roles: roles(section)?,
            summary: text("summary"),
            asks: Asks {
                read: globs("read"),
                write: globs("write"),
            },
            config: section.json("config").map(|json| json.value.clone()),
            actions: section.many("action").iter().map(action).collect(),
        };
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let inconsistent = |message: String| Err(ManifestError::Inconsistent(message));
        let schema = |of: String, schema: &Value| {
            check_schema(schema).map_err(|source| ManifestError::Schema { of, source })
        };
        if self.actions.len() > ACTIONS_MAX {
            return inconsistent(format!(
                "{} actions, at most {ACTIONS_MAX} fit",
                self.actions.len()
            ));
        }
        if let Some(config) = &self.config {
            schema("config".to_owned(), config)?;
        }
        let mut names = BTreeSet::new();
        for action in &self.actions {
            schema(format!("action {}", quote(&action.name)), &action.input)?;
            if !names.insert(&action.name) {
                return inconsistent(format!("two actions are called {}", quote(&action.name)));
            }
        }
        match (
            self.roles.contains(&Role::Executor),
            self.actions.is_empty(),
        ) {
            (true, true) => inconsistent(
                "an executor without an [[action]] can be told to do nothing".to_owned(),
            ),
            (false, false) => inconsistent("only an executor has an [[action]]".to_owned()),
            _ => Ok(()),
        }
    }
}

fn lines(misfits: &[Misfit]) -> Vec<String> {
    misfits.iter().map(ToString::to_string).collect()
}

fn roles(section: &Section) -> Result<BTreeSet<Role>, ManifestError> {
    let words = section.list("roles").unwrap_or_default();
    let roles: BTreeSet<Role> = Role::ALL
        .into_iter()
        .filter(|role| words.iter().any(|word| word == role.as_str()))
        .collect();
    if roles.is_empty() {
        Err(ManifestError::Inconsistent("`roles` is empty".to_owned()))
    } else if roles.len() < words.len() {
        Err(ManifestError::Inconsistent(
            "`roles` names a role twice".to_owned(),
        ))
    } else {
        Ok(roles)
    }
}

fn action(section: &Section) -> Action {
    Action {
        name: section.text("name").unwrap_or_default().to_owned(),
        summary: section.text("summary").unwrap_or_default().to_owned(),
        input: section
            .json("input")
            .map_or(Value::Bool(true), |json| json.value.clone()),
    }
}

#[cfg(test)]
mod tests;
