//! Generates the Rust SDK's bindings from `wit/` and checks that the committed ones are current.
//!
//! Owns `sdk/rust/src/bindings/*.rs`: one module with the imports and types that every role shares, and one with
//! the export of each role, which borrows its types from the first.
//!
//! **Invariant:** a plugin's build never generates anything; what it compiles is what stands in the repository.
//! The hand-written module that ties the files together is `sdk/rust/src/bindings.rs`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::{Opts, WithOption};

use crate::workspace::{self, Workspace};

/// A package of our own with one world: everything that the roles import.
const SHARED_WIT: &str = "\
package ringfence:sdk;

world shared {
    import ringfence:beat/types@0.1.0;
    import ringfence:beat/log@0.1.0;
    import ringfence:beat/config@0.1.0;
    import ringfence:beat/change@0.1.0;
    import ringfence:beat/evidence@0.1.0;
}
";

const SHARED_INTERFACES: [&str; 5] = ["types", "log", "config", "change", "evidence"];
/// Those that only a gate imports.
const OF_GATES: [&str; 2] = ["change", "evidence"];
const ROLES: [&str; 4] = ["sensor", "decider", "executor", "gate"];
const PACKAGE: &str = "ringfence:beat";
const PACKAGE_VERSION: &str = "0.1.0";

/// Writes the bindings, or with `check` fails when the committed ones differ from what would be written.
///
/// # Errors
/// The WIT does not parse, a file cannot be written, or (with `check`) a file is stale.
pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    let folder = workspace.path("sdk/rust/src/bindings");
    let mut stale = Vec::new();
    for (name, text) in generate(&workspace.path("wit"))? {
        let path = folder.join(&name);
        if std::fs::read(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            stale.push(name);
        } else {
            workspace::write(&path, &text)?;
            workspace::say(&format!("wrote {}", path.display()));
        }
    }
    if !stale.is_empty() {
        bail!(
            "sdk/rust/src/bindings is stale ({}): run `cargo xtask bindings`",
            stale.join(", ")
        );
    }
    Ok(())
}

/// The files as `(name, bytes)`: the shared module first, then one a role.
fn generate(wit: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![generate_world(wit, "shared", Opts::default())?];
    for role in ROLES {
        files.push(generate_world(wit, role, role_opts(role))?);
    }
    Ok(files)
}

fn role_opts(role: &str) -> Opts {
    let with = SHARED_INTERFACES
        .iter()
        .filter(|name| !OF_GATES.contains(name) || role == "gate")
        .map(|name| {
            (
                format!("{PACKAGE}/{name}@{PACKAGE_VERSION}"),
                WithOption::Path(format!("crate::bindings::shared::ringfence::beat::{name}")),
            )
        })
        .collect();
    Opts {
        with,
        default_bindings_module: Some(format!("ringfence_sdk::__private::{role}")),
        export_macro_name: Some(format!("export_{role}")),
        ..Opts::default()
    }
}

fn generate_world(wit: &Path, world: &str, opts: Opts) -> Result<(String, Vec<u8>)> {
    let mut resolve = Resolve::default();
    let (beat, _) = resolve
        .push_path(wit)
        .with_context(|| format!("reading {}", wit.display()))?;
    let shared = resolve.push_source("shared.wit", SHARED_WIT)?;
    let package = if world == "shared" { shared } else { beat };
    let id = resolve.select_world(&[package], Some(world))?;
    let opts = Opts {
        format: true,
        generate_all: true,
        generate_unused_types: true,
        // The macro carries the section that names the exports, so only a crate that has the role embeds it.
        pub_export_macro: true,
        disable_custom_section_link_helpers: true,
        ..opts
    };
    let mut files = Files::default();
    opts.build().generate(&mut resolve, id, &mut files)?;
    let Some((name, text)) = files.iter().next() else {
        bail!("the generator wrote nothing for world {world}");
    };
    Ok((name.to_owned(), text.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_embeds_its_own_exports_only() {
        let wit = Workspace::find().unwrap().path("wit");
        let files = generate(&wit).unwrap();
        let sections = |name: &str| {
            let (_, text) = files.iter().find(|(n, _)| n == name).unwrap();
            let text = String::from_utf8(text.clone()).unwrap();
            text.matches(":imports and exports").count()
        };
        assert_eq!(sections("shared.rs"), 0);
        for role in ROLES {
            assert_eq!(sections(&format!("{role}.rs")), 1, "{role}");
        }
    }
}
