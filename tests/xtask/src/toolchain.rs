//! A compiler that can build for `wasm32-wasip2`.
//!
//! Owns the call of `wasm-toolchain.sh`, which finds or makes one, and the stamp that names everything in it that
//! changes the bytes of a component.
//!
//! **Invariant:** with `no_fetch`, rustup downloads nothing; what is then missing comes from Debian and crates.io.

use std::{path::Path, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};

/// The target of every plugin and guest.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// A compiler that has the target.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// What cargo is given as `RUSTC`.
    pub(crate) rustc: PathBuf,
    /// One line that differs whenever the toolchain may write other bytes.
    pub(crate) stamp: String,
}

/// Which ways to a toolchain are open.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Ways {
    /// Never let rustup download anything.
    #[arg(long)]
    pub(crate) no_fetch: bool,
}

/// Finds a toolchain or makes one; quick when there is one.
///
/// # Errors
/// No way to one is open on this machine; the script has said why.
pub(crate) fn ensure(workspace: &Workspace, ways: Ways) -> Result<Toolchain> {
    script(workspace, ways, false)
}

/// Makes the fallback toolchain anew, whatever is there.
///
/// # Errors
/// The script fails.
pub(crate) fn remake(workspace: &Workspace, ways: Ways) -> Result<Toolchain> {
    script(workspace, ways, true)
}

fn script(workspace: &Workspace, ways: Ways, force: bool) -> Result<Toolchain> {
    let mut command = workspace.command("bash");
    command.arg(workspace.path("tests/xtask/wasm-toolchain.sh"));
    if ways.no_fetch {
        command.arg("--no-fetch");
    }
    if force {
        command.arg("--force");
    }
    // Its messages are for the person at the terminal; what it prints is the answer.
    command.stderr(std::process::Stdio::inherit());
    let rustc = PathBuf::from(workspace::output(&mut command)?);
    let stamp = stamp(&rustc)?;
    Ok(Toolchain { rustc, stamp })
}

fn stamp(rustc: &Path) -> Result<String> {
    let version = first_line(Command::new(rustc).arg("--version"))?;
    let sysroot = PathBuf::from(workspace::output(
        Command::new(rustc).args(["--print", "sysroot"]),
    )?);
    let host = workspace::output(Command::new(rustc).args(["--print", "host-tuple"]))?;
    let tools = sysroot.join("lib/rustlib").join(host).join("bin");
    let linker = first_line(Command::new(tools.join("wasm-component-ld")).arg("--version"))?;
    let std = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let libc = std.join("self-contained/libc.a");
    let libc = if libc.is_file() {
        blake3::hash(&workspace::read(&libc)?).to_hex()
    } else {
        blake3::hash(b"").to_hex()
    };
    let libc: String = libc.chars().take(12).collect();
    Ok(format!("{version}, {linker}, libc {libc}"))
}

fn first_line(command: &mut Command) -> Result<String> {
    let text = workspace::output(command)?;
    let line = text.lines().next().context("no version was printed")?;
    Ok(line.to_owned())
}
