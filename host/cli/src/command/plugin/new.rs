//! `ringfence plugin new`: a crate to begin with.
//!
//! Owns the crates that it writes, which stand below as they are written: a plugin that works, its manifest and its tests.
//!
//! **Invariant:** everything goes into a folder that was not there before; nothing that exists is changed.

use std::path::Path;

use ringfence_runner::state_dir::write_new;

use super::super::{Context, Stop};
use crate::args::{PluginNew, PluginRole};
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, text};

const CRATE: &str = include_str!("new/crate.toml");
/// Where the SDK comes from unless somebody says otherwise; crates of this project are on no registry.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
/// Where it is in a clone.
const SDK_FOLDER: &str = "sdk/rust";
// Limit: what a manifest allows a name to have.
const NAME_BYTES_MAX: usize = 64;

/// What differs between the roles.
struct Template {
    manifest: &'static str,
    source: &'static str,
    /// Lines of `[dependencies]` besides the SDK.
    dependencies: &'static str,
}

impl Template {
    fn of(role: PluginRole) -> Self {
        let (manifest, source, dependencies) = match role {
            PluginRole::Sensor => (
                include_str!("new/sensor/plugin.toml"),
                include_str!("new/sensor/src/lib.rs"),
                "",
            ),
            PluginRole::Decider => (
                include_str!("new/decider/plugin.toml"),
                include_str!("new/decider/src/lib.rs"),
                "",
            ),
            PluginRole::Executor => (
                include_str!("new/executor/plugin.toml"),
                include_str!("new/executor/src/lib.rs"),
                "",
            ),
            PluginRole::Gate => (
                include_str!("new/gate/plugin.toml"),
                include_str!("new/gate/src/lib.rs"),
                "serde = { version = \"1\", features = [\"derive\"] }\n",
            ),
        };
        Self {
            manifest,
            source,
            dependencies,
        }
    }
}

/// Writes the crate, and says what to do next.
pub(in super::super) fn run(args: &PluginNew, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    check(&args.name)?;
    let sdk = sdk(args.sdk.as_deref().unwrap_or(REPOSITORY), &context.dir)?;
    let template = Template::of(args.role);
    let dependencies = format!("ringfence-sdk = {sdk}\n{}", template.dependencies);
    let manifest = CRATE
        .replace("{name}", &args.name)
        .replace("{dependencies}", &dependencies);
    let folder = context.dir.join(&args.name);
    make(&folder)?;
    make(&folder.join("src"))?;
    for (path, text) in [
        ("Cargo.toml", manifest.as_str()),
        ("plugin.toml", template.manifest),
        ("src/lib.rs", template.source),
        (".gitignore", "/target\n"),
    ] {
        let file = folder.join(path);
        write_new(&file, text.as_bytes()).map_err(|error| Stop::unwritable(&file, &error))?;
    }
    context.console.print(&next(args));
    Ok(Exit::Done)
}

fn next(args: &PluginNew) -> Page {
    let name = args.name.as_str();
    let component = format!(
        "target/wasm32-wasip2/release/{}.wasm",
        name.replace('-', "_")
    );
    let mut page = Page::new();
    page.line(text![
        "wrote ",
        text![Safe::line(name)].ink(Ink::Strong),
        ": Cargo.toml, plugin.toml, src/lib.rs"
    ]);
    page.gap().line("Next, in that folder:");
    for (command, what) in [
        ("cargo test", "its tests, natively"),
        ("rustup target add wasm32-wasip2", "once"),
        (
            "cargo build --release --target wasm32-wasip2",
            "the component",
        ),
    ] {
        page.field(2, 48, command, what);
    }
    page.copy(
        2,
        text!["ringfence plugin inspect ", Safe::line(&component)],
    );
    let (file, pin) = match args.role {
        PluginRole::Gate => ("ringfence-gates.toml", "ringfence gate check --write-lock"),
        PluginRole::Sensor | PluginRole::Decider | PluginRole::Executor => {
            ("LOOP.md", "ringfence check --write-lock")
        }
    };
    page.gap().line(text![
        "Then copy the component into your repository, name it in ",
        file,
        " and pin it:"
    ]);
    page.copy(2, text!["plugin = \"./", Safe::line(name), ".wasm\""]);
    page.copy(2, pin);
    page
}

/// Refuses what Cargo or a manifest would refuse later.
fn check(name: &str) -> Result<(), Stop> {
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= NAME_BYTES_MAX
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits {
        return Ok(());
    }
    let why = text![
        Safe::line(name),
        " is no name for a plugin: a letter, then letters, digits, dashes and underscores, ",
        NAME_BYTES_MAX,
        " at most"
    ];
    Err(Stop::new(Exit::Usage, why))
}

/// What a manifest of Cargo says of the SDK at an address of git, or in a folder: the SDK's, or a clone of this project.
fn sdk(place: &str, dir: &Path) -> Result<String, Stop> {
    if place.contains("://") || place.starts_with("git@") {
        return Ok(format!("{{ git = {} }}", quoted(place)));
    }
    let folder = dir.join(place);
    let found = [folder.join(SDK_FOLDER), folder.clone()]
        .into_iter()
        .find(|folder| is_sdk(folder))
        .and_then(|folder| folder.canonicalize().ok());
    let found = found.as_deref().and_then(Path::to_str);
    match found {
        Some(path) => Ok(format!("{{ path = {} }}", quoted(path))),
        None => {
            let stop = Stop::new(Exit::Usage, text![Safe::line(place), " has no SDK in it"]);
            Err(stop.help("name a clone of Ringfence, or an address of git (https://...)"))
        }
    }
}

fn is_sdk(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|line| line == "name = \"ringfence-sdk\""))
}

/// A string of TOML: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn make(folder: &Path) -> Result<(), Stop> {
    std::fs::create_dir(folder).map_err(|error| Stop::unwritable(folder, &error))
}
