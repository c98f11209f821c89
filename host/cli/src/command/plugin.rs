//! `ringfence plugin`: what plugins are, by their bytes alone, and a crate to begin one with (`new`).

pub(super) mod new;

use std::io::Read;
use std::path::Path;

use ringfence_core::digest::Digest;
use ringfence_core::manifest::Manifest;
use ringfence_runner::state_dir::open_followed;
use ringfence_sandbox::{COMPONENT_BYTES_MAX, Inspection};
use serde::Serialize;

use super::{Context, Stop};
use crate::args::{PluginInspect, PluginList};
use crate::exit::Exit;
use crate::render::{Safe, plugin, text};
use crate::std_plugins::StdPlugins;

/// A plugin for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    plugin: &'a str,
    digest: Digest,
    size: u64,
    imports: &'a std::collections::BTreeSet<String>,
    manifest: &'a Manifest,
}

impl<'a> Json<'a> {
    fn of(plugin: &'a str, found: &'a Inspection) -> Self {
        let Inspection {
            digest,
            size,
            manifest,
            imports,
            // The imports say it.
            sees: _,
        } = found;
        Self {
            version: 1,
            plugin,
            digest: *digest,
            size: *size,
            imports,
            manifest,
        }
    }
}

/// Shows one plugin.
pub(super) fn inspect(args: &PluginInspect, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let bytes = match args.plugin.strip_prefix("std:") {
        Some(name) => StdPlugins
            .get(name)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| unknown(&args.plugin))?,
        None => read(&context.dir.join(&args.plugin))?,
    };
    let found = look(&args.plugin, &bytes)?;
    if args.output.is_json() {
        context.print_json(&Json::of(&args.plugin, &found))?;
    } else {
        context.console.print(&plugin::whole(&found));
    }
    Ok(Exit::Done)
}

/// Lists the standard plugins.
pub(super) fn list(args: &PluginList, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let names = StdPlugins
        .all()
        .map(|(name, bytes)| (format!("std:{name}"), bytes));
    let found: Vec<(String, Inspection)> = names
        .map(|(name, bytes)| {
            let found = look(&name, bytes)?;
            Ok((name, found))
        })
        .collect::<Result<_, Stop>>()?;
    if args.output.is_json() {
        let all: Vec<Json<'_>> = found
            .iter()
            .map(|(name, found)| Json::of(name, found))
            .collect();
        context.print_json(&all)?;
    } else {
        context.console.print(&plugin::list(&found));
    }
    Ok(Exit::Done)
}

fn look(name: &str, bytes: &[u8]) -> Result<Inspection, Stop> {
    ringfence_sandbox::inspect(bytes).map_err(|error| {
        Stop::new(
            Exit::Plugin,
            text![Safe::line(name), ": ", Safe::error(&error)],
        )
    })
}

fn unknown(name: &str) -> Stop {
    Stop::new(Exit::Usage, text!["there is no plugin ", Safe::line(name)])
        .help("`ringfence plugin list` shows those inside this program")
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let read = || {
        let mut bytes = Vec::new();
        // One byte more than is allowed, so that too large a file is seen to be one.
        open_followed(path)?
            .take(COMPONENT_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound {
            Exit::Usage
        } else {
            Exit::Host
        };
        Stop::new(
            exit,
            text![Safe::path(path), " cannot be read: ", Safe::error(&error)],
        )
    })
}
