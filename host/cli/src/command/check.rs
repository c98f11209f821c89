//! `ringfence check`: what each step of a loop may do.
//!
//! **Invariant:** runs nothing, and writes nothing but `ringfence.lock`, and that only when asked to.

use std::iter;

use jiff::Timestamp;
use ringfence_core::cadence::Rhythm;
use ringfence_core::spec::LockedSpec;
use ringfence_runner::open_loop::{LOCK_FILE, LockMode, Locked, OpenError, OpenLoop, Pins};
use serde::Serialize;

use super::{Context, JsonDiagnostic, Stop, json_diagnostics};
use crate::args::Check;
use crate::exit::Exit;
use crate::render::diagnostic::diagnostics;
use crate::render::grant::grants;
use crate::render::{Ink, Page, Safe, Text, text};
use crate::std_plugins::StdPlugins;

// Limit: enough to see whether the expression means what was meant.
const TICKS: usize = 3;

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    ok: bool,
    file: &'a str,
    diagnostics: Vec<JsonDiagnostic<'a>>,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    spec: Option<&'a LockedSpec>,
    unpinned: &'a [String],
    next_ticks: Vec<Timestamp>,
}

/// Reads and locks a loop, and prints its grants.
pub(super) fn run(args: &Check, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let mode = if args.write_lock {
        LockMode::Write
    } else {
        LockMode::Check
    };
    let checked = context
        .open_quietly(args.file.file.as_deref())
        .and_then(|open| {
            let locked = open.lock_accepting(&StdPlugins, mode, &args.accept)?;
            Ok((open, locked))
        });
    match checked {
        Ok((open, locked)) if args.output.is_json() => {
            let diagnostics = json_diagnostics(&open.text, &open.warnings);
            let file = open.path.as_str();
            let json = Json {
                version: 1,
                ok: true,
                file,
                diagnostics,
                spec: Some(&locked.spec),
                unpinned: &locked.pins.unpinned,
                next_ticks: ticks(&open, context.clock.now()),
            };
            context.print_json(&json)?;
            Ok(Exit::Done)
        }
        Ok((open, locked)) => {
            tell(&open, &locked, args.write_lock, context);
            Ok(Exit::Done)
        }
        Err(OpenError::Diagnostics {
            name,
            text,
            diagnostics,
        }) if args.output.is_json() => {
            let found = json_diagnostics(&text, &diagnostics);
            let json = Json {
                version: 1,
                ok: false,
                file: &name,
                diagnostics: found,
                spec: None,
                unpinned: &[],
                next_ticks: Vec::new(),
            };
            context.print_json(&json)?;
            Ok(Exit::of_open(&OpenError::Diagnostics {
                name,
                text,
                diagnostics,
            }))
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(open: &OpenLoop, locked: &Locked, wrote: bool, context: &mut Context<'_, '_>) {
    if !open.warnings.is_empty() {
        let page = diagnostics(open.path.as_str(), &open.text, &open.warnings);
        context.console.say(&page);
    }
    let mut page = grants(&locked.spec, open.project.repository().is_some());
    page.append(times(open, context.clock.now()));
    page.gap();
    page.append(pins(&locked.pins, wrote, "No beat", "ringfence check"));
    context.console.print(&page);
}

/// The next ticks of the cadence, if the loop beat now.
fn ticks(open: &OpenLoop, now: Timestamp) -> Vec<Timestamp> {
    let after = |time: &Timestamp| open.spec.cadence.tick_after(*time, &open.cadence_zone);
    iter::successors(after(&now), after).take(TICKS).collect()
}

/// When that is, where the loop file does not say it in so many words.
fn times(open: &OpenLoop, now: Timestamp) -> Page {
    let mut page = Page::new();
    if let Rhythm::Cron(_) = open.spec.cadence.rhythm {
        let local = |time: Timestamp| {
            let local = time.to_zoned(open.cadence_zone.clone());
            Safe::line(&local.strftime("%a %Y-%m-%d %H:%M %:z").to_string())
        };
        page.gap();
        page.line(text!["next times"].ink(Ink::Strong));
        for time in ticks(open, now) {
            page.item(2, local(time));
        }
    }
    page
}

/// How plugins stand to the lock file, which `what` waits for, and which `check` writes.
pub(super) fn pins(pins: &Pins, wrote: bool, what: &'static str, check: &'static str) -> Page {
    let mut page = Page::new();
    let names = |names: &[String]| Text::join(names.iter().map(|name| Safe::line(name)), ", ");
    if !pins.unpinned.is_empty() {
        let not = text!["not pinned in ", LOCK_FILE].ink(Ink::Warn);
        page.line(text![not, ": ", names(&pins.unpinned)]);
        page.line(text![
            what,
            " runs before that. To accept these plugins with the grants above:"
        ]);
        page.copy(2, text![check, " --write-lock"]);
    } else if wrote {
        page.line(text!["every plugin is pinned in ", LOCK_FILE]);
    } else {
        page.line(text!["every plugin is the one pinned in ", LOCK_FILE]);
    }
    for (how, which) in [
        ("pinned now: ", &pins.written),
        ("pinned no longer: ", &pins.dropped),
    ] {
        if !which.is_empty() {
            page.line(text![how, names(which)]);
        }
    }
    if let Some(first) = pins.unused.first() {
        let unused = text![
            "pinned for another file, or for nothing: ",
            names(&pins.unused)
        ];
        page.line(unused.ink(Ink::Faint));
        let drop = text![check, " --write-lock --accept ", Safe::line(first)];
        page.line(text!["one that nothing uses goes by `", drop, "`"].ink(Ink::Faint));
    }
    page
}
