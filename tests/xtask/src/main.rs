//! `cargo xtask`: what has to be done to the workspace besides building it.
//!
//! Owns the command line only; each task is a module of its own: `bindings`, `toolchain`, `plugins` and `guests`
//! (both built by `component`), `ci` with `test`, `demo`, `bench`,
//! `generate`. `workspace` is what they share.
//!
//! **Invariant:** nothing here is needed to build or install the host.

mod bench;
#[cfg(feature = "bindings")]
mod bindings;
mod ci;
mod component;
mod demo;
mod generate;
mod guests;
mod plugins;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::{toolchain::Ways, workspace::Workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the Ringfence workspace")]
enum Task {
    /// Sets up and runs a first beat on a repository with broken links.
    Demo,
    /// Sets up and runs all tests.
    Test {
        #[command(flatten)]
        ways: Ways,
    },
    /// Does everything that CI does.
    Ci {
        #[command(flatten)]
        ways: Ways,
    },
    /// Measures what the boundary costs, in a release build.
    Bench {
        #[command(flatten)]
        ways: Ways,
        /// Fewer rounds: some seconds for each group.
        #[arg(long)]
        quick: bool,
        /// Only these groups.
        groups: Vec<String>,
    },
    /// Finds or makes a compiler for wasm32-wasip2 and prints its path.
    Toolchain {
        #[command(flatten)]
        ways: Ways,
        /// Make the fallback toolchain anew.
        #[arg(long)]
        force: bool,
    },
    /// Builds the components that are shipped: the standard plugins, and the probe of `ringfence selftest`.
    Plugins {
        #[command(flatten)]
        ways: Ways,
        /// Only fail when what is shipped was not built from the sources as they stand.
        #[arg(long)]
        check: bool,
    },
    /// Builds the components that tests run into target/guests.
    Guests {
        #[command(flatten)]
        ways: Ways,
    },
    /// Brings every generated file up to date.
    Generate {
        /// Only fail when a committed one is stale.
        #[arg(long)]
        check: bool,
    },
    /// Generates the SDK's bindings from wit/.
    Bindings {
        /// Only fail when the committed ones are stale.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            workspace::say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    match Task::parse() {
        Task::Demo => demo::run(&workspace),
        Task::Test { ways } => ci::test(&workspace, ways),
        Task::Ci { ways } => ci::run(&workspace, ways),
        Task::Bench {
            ways,
            quick,
            groups,
        } => bench::run(&workspace, ways, quick, &groups),
        Task::Toolchain { ways, force } => print_toolchain(&workspace, ways, force),
        Task::Plugins { check: true, .. } => plugins::check(&workspace),
        Task::Plugins { ways, .. } => plugins::ship(&workspace, ways),
        Task::Guests { ways } => guests::run(&workspace, ways),
        Task::Generate { check } => generate::run(&workspace, check),
        Task::Bindings { check } => bindings(&workspace, check),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the answer, for RUSTC=$(cargo xtask toolchain)"
)]
fn print_toolchain(workspace: &Workspace, ways: Ways, force: bool) -> Result<()> {
    let toolchain = if force {
        toolchain::remake(workspace, ways)?
    } else {
        toolchain::ensure(workspace, ways)?
    };
    println!("{}", toolchain.rustc.display());
    Ok(())
}

#[cfg(feature = "bindings")]
fn bindings(workspace: &Workspace, check: bool) -> Result<()> {
    bindings::run(workspace, check)
}

/// Starts this program again with the generator compiled in.
#[cfg(not(feature = "bindings"))]
fn bindings(workspace: &Workspace, check: bool) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "ringfence-xtask"]);
    cargo.args(["--features", "bindings", "--", "bindings"]);
    if check {
        cargo.arg("--check");
    }
    workspace::run(&mut cargo)
}
