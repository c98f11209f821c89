//! Builds one crate into one component.
//!
//! Owns the cargo invocation for plugins and guests alike.
//!
//! **Invariant:** the bytes do not depend on where the workspace or cargo's home lie; with the same toolchain they
//! are the same on every machine.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    toolchain::{TARGET, Toolchain},
    workspace::{self, Workspace},
};

/// Builds the package's library and returns the path of the component.
///
/// # Errors
/// It does not compile.
pub(crate) fn build(
    workspace: &Workspace,
    toolchain: &Toolchain,
    package: &str,
) -> Result<PathBuf> {
    let folder = workspace.path("target/wasm");
    let mut cargo = workspace.cargo();
    for name in [
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(name);
    }
    cargo
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace))
        // As a cdylib alone: beside an rlib there is no link-time optimisation.
        .args(["rustc", "--quiet", "--locked", "--lib"])
        .args(["--crate-type", "cdylib", "--package", package])
        .args(["--profile", "plugin", "--target", TARGET, "--target-dir"])
        .arg(&folder);
    workspace::run(&mut cargo)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(folder.join(TARGET).join("plugin").join(file))
}

fn flags(workspace: &Workspace) -> String {
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(
        || {
            let home = std::env::var_os("HOME").unwrap_or_default();
            PathBuf::from(home).join(".cargo")
        },
        PathBuf::from,
    );
    [
        (cargo_home.join("registry/src"), "/crates"),
        (workspace.root().to_owned(), "/ringfence"),
    ]
    .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
    .join("\u{1f}")
}
