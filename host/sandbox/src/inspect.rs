//! What can be said of a component without running it: what it exports, imports, and the manifest it carries.
//!
//! **Invariant:** a contract that this host does not speak, an import that it does not offer and a manifest that does not
//! fit the exports are refused here, before anything is compiled.

use std::collections::BTreeSet;

use ringfence_core::digest::Digest;
use ringfence_core::manifest::{
    CONTRACT, MANIFEST_BYTES_MAX, MANIFEST_SECTION, Manifest, ManifestError, Role,
    contract_supported,
};
use ringfence_core::spec::Sees;
use wasmparser::{
    ComponentType, ComponentTypeDeclaration, Encoding, InstanceTypeDeclaration, Parser, Payload,
};

// Limit: the largest useful components (a Python interpreter) are 18 MB; ours are below 300 KB.
/// The largest component in bytes that is looked at.
pub const COMPONENT_BYTES_MAX: usize = 32 << 20;
// Limit: a component of hand-made modules has some; each costs compile time and memory.
const MODULES_MAX: usize = 1_000;
// Limit: imports and exports together, whose names are kept; a plugin has some dozens.
const NAMES_MAX: u32 = 10_000;

const CONTRACT_PACKAGE: &str = "ringfence:beat/";
const EVIDENCE_INTERFACE: &str = "ringfence:beat/evidence@";
// A function of an interface that has others as well.
const COMMITS_FUNCTION: &str = "commits";
const PROGRAM_EXPORT: &str = "wasi:cli/run@0.2.";

/// What a component is, by its bytes alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Digest of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// The manifest it carries.
    pub manifest: Manifest,
    /// Names of the interfaces it imports, sorted.
    pub imports: BTreeSet<String>,
    /// What it can ask for besides files and the change.
    pub sees: Sees,
}

/// Why bytes are no plugin.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Larger than [`COMPONENT_BYTES_MAX`].
    #[error("the component has {size} bytes, more than the {COMPONENT_BYTES_MAX} that are allowed")]
    TooLarge {
        /// Its bytes.
        size: usize,
    },
    /// Not WebAssembly, or broken.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// A core module.
    #[error("a core WebAssembly module, not a component: build it for the target wasm32-wasip2")]
    CoreModule,
    /// No program.
    #[error(
        "not a program: it exports no wasi:cli/run; a plugin is run by a loop or from `ringfence-testkit`"
    )]
    NoProgram,
    /// No manifest inside.
    #[error("no plugin manifest inside: build it with ringfence-sdk and `plugin!`")]
    NoManifest,
    /// The manifest cannot be read.
    #[error("the manifest inside cannot be used: {0}")]
    Manifest(#[from] ManifestError),
    /// It speaks a version of the contract that this host does not.
    #[error(
        "exports {export}, but this host speaks contract {CONTRACT}: use a host of that version, or rebuild the plugin"
    )]
    Contract {
        /// The export with its version.
        export: String,
    },
    /// Exports and manifest disagree.
    #[error("the manifest names the roles {declared}, but the component exports {exported}")]
    Roles {
        /// By the manifest.
        declared: String,
        /// By the exports.
        exported: String,
    },
}

/// Reads a component without running or compiling it.
///
/// # Errors
/// [`InspectError`], the first that applies.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(InspectError::TooLarge { size: bytes.len() });
    }
    let outline = Outline::read(bytes)?;
    let manifest = Manifest::parse(&outline.manifest.ok_or(InspectError::NoManifest)?)?;
    let exported = roles(&outline.exports)?;
    if exported != manifest.roles {
        return Err(InspectError::Roles {
            declared: list(&manifest.roles),
            exported: list(&exported),
        });
    }
    Ok(Inspection {
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        manifest,
        sees: Sees {
            commits: outline.names_commits,
            evidence: outline
                .imports
                .iter()
                .any(|import| import.starts_with(EVIDENCE_INTERFACE)),
        },
        imports: outline.imports,
    })
}

/// Reads a component that is to be run as a program; its digest.
///
/// # Errors
/// [`InspectError`], the first that applies.
pub(crate) fn inspect_program(bytes: &[u8]) -> Result<Digest, InspectError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(InspectError::TooLarge { size: bytes.len() });
    }
    let outline = Outline::read(bytes)?;
    if outline
        .exports
        .iter()
        .any(|export| export.starts_with(PROGRAM_EXPORT))
    {
        Ok(Digest::of(bytes))
    } else {
        Err(InspectError::NoProgram)
    }
}

#[derive(Default)]
struct Outline {
    exports: BTreeSet<String>,
    imports: BTreeSet<String>,
    /// Whether some instance type has a function of that name: without one, none can be imported.
    names_commits: bool,
    manifest: Option<String>,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, InspectError> {
        let broken = |error: &dyn ToString| InspectError::NotAComponent(error.to_string());
        let mut outline = Self::default();
        let (mut depth, mut modules, mut names) = (0_usize, 0_usize, 0);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| broken(&error))? {
                Payload::Version {
                    encoding: Encoding::Module,
                    ..
                } if depth == 0 => return Err(InspectError::CoreModule),
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth += 1;
                    modules += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentExportSection(section) if depth == 0 => {
                    names = named(names, section.count())?;
                    for export in section {
                        let export = export.map_err(|error| broken(&error))?;
                        outline.exports.insert(export.name.name.to_owned());
                    }
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    names = named(names, section.count())?;
                    for import in section {
                        let import = import.map_err(|error| broken(&error))?;
                        outline.imports.insert(import.name.name.to_owned());
                    }
                }
                Payload::ComponentTypeSection(section) if depth == 0 => {
                    for kind in section {
                        let kind = kind.map_err(|error| broken(&error))?;
                        outline.names_commits |= has(&kind, COMMITS_FUNCTION);
                    }
                }
                Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                    outline.keep(section.data())?
                }
                _ => {}
            }
            if modules > MODULES_MAX {
                return Err(broken(&format!("more than {MODULES_MAX} modules inside")));
            }
        }
        Ok(outline)
    }

    fn keep(&mut self, manifest: &[u8]) -> Result<(), InspectError> {
        let broken = |why: &str| InspectError::NotAComponent(why.to_owned());
        if manifest.len() > MANIFEST_BYTES_MAX {
            return Err(broken("its manifest is too large"));
        }
        let text =
            std::str::from_utf8(manifest).map_err(|_| broken("its manifest is not UTF-8"))?;
        match self.manifest.replace(text.to_owned()) {
            Some(_) => Err(broken("it has two manifests")),
            None => Ok(()),
        }
    }
}

/// Whether `kind`, or a type inside it, is an instance that has something called `function`.
fn has(kind: &ComponentType<'_>, function: &str) -> bool {
    match kind {
        ComponentType::Instance(inside) => inside.iter().any(|inside| match inside {
            InstanceTypeDeclaration::Export { name, .. } => name.name == function,
            InstanceTypeDeclaration::Type(kind) => has(kind, function),
            InstanceTypeDeclaration::CoreType(_) | InstanceTypeDeclaration::Alias(_) => false,
        }),
        ComponentType::Component(inside) => inside.iter().any(|inside| match inside {
            ComponentTypeDeclaration::Type(kind) => has(kind, function),
            ComponentTypeDeclaration::CoreType(_)
            | ComponentTypeDeclaration::Alias(_)
            | ComponentTypeDeclaration::Export { .. }
            | ComponentTypeDeclaration::Import(_) => false,
        }),
        ComponentType::Defined(_) | ComponentType::Func(_) | ComponentType::Resource { .. } => {
            false
        }
    }
}

/// Counts `more` names, before any of them is kept.
fn named(names: u32, more: u32) -> Result<u32, InspectError> {
    let total = names.saturating_add(more);
    if total > NAMES_MAX {
        let why = format!("more than {NAMES_MAX} imports and exports");
        return Err(InspectError::NotAComponent(why));
    }
    Ok(total)
}

fn roles(exports: &BTreeSet<String>) -> Result<BTreeSet<Role>, InspectError> {
    let mut roles = BTreeSet::new();
    for export in exports {
        let Some((interface, version)) = export
            .strip_prefix(CONTRACT_PACKAGE)
            .and_then(|rest| rest.split_once('@'))
        else {
            continue;
        };
        let wrong = || InspectError::Contract {
            export: export.clone(),
        };
        contract_supported(version).map_err(|_| wrong())?;
        roles.insert(match interface {
            "observe" => Role::Sensor,
            "decide" => Role::Decider,
            "act" => Role::Executor,
            "judge" => Role::Gate,
            _ => return Err(wrong()),
        });
    }
    Ok(roles)
}

fn list(roles: &BTreeSet<Role>) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three million names of a few bytes fit into the largest component, and would take the host a gigabyte.
    #[test]
    fn names_stop_at_their_number() {
        let count = NAMES_MAX + 1;
        let mut exports = vec![
            0x80 | (count & 0x7f) as u8,
            0x80 | (count >> 7 & 0x7f) as u8,
        ];
        exports.push((count >> 14) as u8);
        for n in 0..count {
            // A plain name, and the component's first function.
            exports.extend([0, 5]);
            exports.extend(format!("{n:05}").bytes());
            exports.extend([1, 0, 0]);
        }
        let size = u32::try_from(exports.len()).unwrap();
        let mut bytes = b"\0asm\x0d\0\x01\0\x0b".to_vec();
        bytes.extend((0..4).map(|n| 0x80 | (size >> (7 * n) & 0x7f) as u8));
        bytes.push((size >> 28) as u8);
        bytes.extend(exports);
        let error = inspect(&bytes).unwrap_err().to_string();
        assert!(
            error.contains("more than 10000 imports and exports"),
            "{error}"
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let module = b"\0asm\x01\0\0\0";
        let component = b"\0asm\x0d\0\x01\0";
        for (bytes, expect) in [
            (&b""[..], "not a WebAssembly component"),
            (b"#!/bin/sh", "not a WebAssembly component"),
            (module, "a core WebAssembly module"),
            (component, "no plugin manifest inside"),
            (&[0; COMPONENT_BYTES_MAX + 1], "more than the"),
        ] {
            let error = inspect(bytes).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }
}
