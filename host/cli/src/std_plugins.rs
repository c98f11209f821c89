//! The standard plugins, shipped inside the program: what `std:NAME` means.
//!
//! **Invariant:** they are the very bytes that `plugins/plugins.toml` records, and run under the same policy, fuel and
//! lock file as anybody else's.

use ringfence_runner::open_loop::PluginSource;

/// One entry of the table: a component by the name of its file.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => { &[$(($name, include_bytes!(concat!("../plugins/", $name, ".wasm")))),*] };
}

// Sorted by name; a test compares it with `plugins/plugins.toml`.
static TABLE: &[(&str, &[u8])] = shipped![
    "codeowners",
    "commands",
    "conventional-commits",
    "diff-size",
    "first-fixable",
    "generated",
    "injection",
    "junit-delta",
    "licence-header",
    "lockfile",
    "md-link-fix",
    "md-links",
    "no-test-weakening",
    "paths",
    "report",
    "sarif-delta",
    "schema",
    "secrets",
];

/// The standard plugins.
#[derive(Debug, Clone, Copy, Default)]
pub struct StdPlugins;

impl StdPlugins {
    /// All of them as (name, component), sorted by name.
    pub fn all(self) -> impl Iterator<Item = (&'static str, &'static [u8])> {
        TABLE.iter().copied()
    }

    /// The component of that name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'static [u8]> {
        self.all()
            .find(|(known, _)| *known == name)
            .map(|(_, bytes)| bytes)
    }
}

impl PluginSource for StdPlugins {
    fn std(&self, name: &str) -> Option<&'static [u8]> {
        self.get(name)
    }

    fn names(&self) -> Vec<&str> {
        self.all().map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use ringfence_core::digest::Digest;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Record {
        #[serde(rename = "plugin", default)]
        plugins: Vec<Plugin>,
    }

    #[derive(Deserialize)]
    struct Plugin {
        name: String,
        version: String,
        size: usize,
        digest: Digest,
    }

    #[test]
    fn what_is_inside_is_what_was_recorded() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/plugins.toml");
        let record: Record = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let recorded: Vec<_> = record
            .plugins
            .iter()
            .map(|one| (one.name.as_str(), one.size, one.digest))
            .collect();
        let inside: Vec<_> = StdPlugins
            .all()
            .map(|(name, bytes)| (name, bytes.len(), Digest::of(bytes)))
            .collect();
        assert_eq!(inside, recorded);
        for one in &record.plugins {
            let found = ringfence_sandbox::inspect(StdPlugins.get(&one.name).unwrap()).unwrap();
            assert_eq!(
                (&found.manifest.name, &found.manifest.version),
                (&one.name, &one.version)
            );
        }
        assert_eq!(StdPlugins.get("no-such"), None);
    }
}
