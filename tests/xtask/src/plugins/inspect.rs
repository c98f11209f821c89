//! Reads what a built component says about itself, without running it.
//!
//! Owns the check that the stamped manifest and the exports agree before anything is shipped.
//!
//! **Invariant:** a plugin that the host would refuse is not shipped.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wasmparser::{Parser, Payload};

const SECTION: &str = "ringfence:plugin";
const PACKAGE: &str = "ringfence:beat/";

#[derive(Deserialize)]
struct Manifest {
    name: String,
    roles: BTreeSet<String>,
}

/// Fails unless the component carries one manifest of that name, and exports exactly the roles it names.
///
/// # Errors
/// See above, or the bytes are no component.
pub(crate) fn check(name: &str, bytes: &[u8]) -> Result<()> {
    let Seen { manifests, roles } = Seen::read(bytes)?;
    let [manifest] = manifests.as_slice() else {
        bail!(
            "{} manifests instead of one: is `plugin!` said once?",
            manifests.len()
        );
    };
    let manifest: Manifest = toml::from_str(manifest).context("its manifest")?;
    if manifest.name != name {
        bail!("its manifest names {}", manifest.name);
    }
    if manifest.roles != roles {
        bail!(
            "plugin.toml says {:?}, the exports are {roles:?}",
            manifest.roles
        );
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    manifests: Vec<String>,
    roles: BTreeSet<String>,
}

impl Seen {
    fn read(bytes: &[u8]) -> Result<Self> {
        if !Parser::is_component(bytes) {
            bail!("not a component");
        }
        let (mut seen, mut depth) = (Self::default(), 0_usize);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if section.name() == SECTION => {
                    seen.manifests
                        .push(String::from_utf8(section.data().to_vec())?);
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        seen.export(export?.name.name);
                    }
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    fn export(&mut self, name: &str) {
        let interface = name
            .strip_prefix(PACKAGE)
            .and_then(|rest| rest.split('@').next());
        let role = match interface {
            Some("observe") => "sensor",
            Some("decide") => "decider",
            Some("act") => "executor",
            Some("judge") => "gate",
            _ => return,
        };
        self.roles.insert(role.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_module_is_no_component() {
        let error = check("a", b"\0asm\x01\0\0\0").unwrap_err();
        assert_eq!(error.to_string(), "not a component");
    }

    #[test]
    fn a_component_without_manifest_is_refused() {
        let error = check("a", b"\0asm\x0d\0\x01\0").unwrap_err();
        assert!(error.to_string().starts_with("0 manifests"));
    }

    #[test]
    fn interfaces_name_roles() {
        let mut seen = Seen::default();
        for name in [
            "ringfence:beat/observe@0.1.0",
            "ringfence:beat/judge@0.1.7",
            "ringfence:beat/other@0.1.0",
            "wasi:cli/run@0.2.0",
        ] {
            seen.export(name);
        }
        assert_eq!(
            seen.roles,
            BTreeSet::from(["gate".to_owned(), "sensor".to_owned()])
        );
    }
}
