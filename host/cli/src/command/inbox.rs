//! `ringfence inbox`: what waits for a person, with what speaks for and against it.
//!
//! **Invariant:** reading needs no lock and changes nothing; what was laid aside is shown only while it is what the gates
//! judged.

use std::path::Path;

use ringfence_core::ids::{BeatNo, ItemId};
use ringfence_core::inbox::{Kind, Waiting};
use ringfence_core::journal::{BeatReceipt, Body, Entry, LoopState};
use ringfence_runner::open_loop::OpenLoop;
use ringfence_runner::people;

use super::{Context, Stop, journal, loop_dir};
use crate::args::Inbox;
use crate::exit::Exit;
use crate::render::inbox::{Attempt, Diff, Shown, Waits, all, one};
use crate::render::{Safe, text};

// Limit: enough to see what kind of change it is; a whole one is shown by its id.
const EXCERPT_BYTES: usize = 2 << 10;
const DIFF_BYTES: usize = 1 << 20;
// Limit: an item is given up after a few.
const ATTEMPTS_MAX: usize = 10;

/// Shows all that waits, or one thing of it.
pub(super) fn run(args: &Inbox, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let id = args.what.as_deref().and_then(id_of);
    let file = match id {
        Some(_) => args.file.as_deref(),
        None => args.what.as_deref().or(args.file.as_deref()),
    };
    let open = context.open(file)?;
    let (entries, followed) = journal::read(&open)?;
    context.say_newer(&followed);
    let state = followed.state();
    let now = context.clock.now();
    let mut waiting = people::inbox(&open, state, context.config_dir.as_deref(), now);
    if let Some(id) = id {
        let is_item = id.starts_with("item-");
        waiting.retain(|one| one.id == id || (is_item && one.id.starts_with(id)));
        let what = match waiting.len() {
            0 => Some(text!["nothing called ", Safe::line(id), " waits"]),
            1 => None,
            _ => Some(text!["several things are called ", Safe::line(id), "…"]),
        };
        if let Some(what) = what {
            return Err(Stop::new(Exit::Usage, what).help("`ringfence inbox` shows what does"));
        }
    }
    let bytes_max = if id.is_some() {
        DIFF_BYTES
    } else {
        EXCERPT_BYTES
    };
    let waiting = waiting
        .into_iter()
        .map(|one| with_evidence(one, &open, state, &entries, bytes_max))
        .collect::<Result<_, Stop>>()?;
    let found = Waits {
        version: 1,
        loop_id: open.spec.loop_id.clone(),
        file: open.path.to_string(),
        now,
        waiting,
    };
    if args.output.is_json() {
        context.print_json(&found)?;
    } else {
        let page = match (id, found.waiting.first()) {
            (Some(_), Some(shown)) => one(shown, now),
            _ => all(&found),
        };
        context.console.print(&page);
    }
    Ok(Exit::Done)
}

/// The text as the name of something that waits; none when it must be a file.
fn id_of(what: &Path) -> Option<&str> {
    let text = what.to_str()?;
    let numbered = ["held-", "item-"].iter().any(|start| {
        let rest = text.strip_prefix(start);
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
    });
    let word = matches!(
        text,
        "paused" | "retired" | "report-only" | "unmetered" | "budget" | "calendar" | "failing"
    );
    (numbered || word).then_some(text)
}

fn with_evidence(
    waiting: Waiting,
    open: &OpenLoop,
    state: &LoopState,
    entries: &[Entry],
    bytes_max: usize,
) -> Result<Shown, Stop> {
    let beat = waiting.beat;
    let receipt = beat.and_then(|beat| receipts(entries).find(|receipt| receipt.beat == beat));
    let held = state.held.iter().find(|held| held.id() == waiting.id);
    let diff = match (held, loop_dir(open)?) {
        (Some(held), Some(dir)) => Some(match people::diff(&dir, held, bytes_max) {
            Some((text, more)) => Diff {
                text,
                more,
                gone: false,
            },
            None => Diff {
                text: String::new(),
                more: false,
                gone: true,
            },
        }),
        _ => None,
    };
    let attempts = match (&waiting.item, waiting.kind) {
        (Some(item), Kind::Held | Kind::Item) => attempts(entries, item, beat),
        _ => Vec::new(),
    };
    Ok(Shown {
        receipt: receipt.cloned(),
        diff,
        attempts,
        waiting,
    })
}

fn receipts(entries: &[Entry]) -> impl Iterator<Item = &BeatReceipt> {
    entries.iter().rev().filter_map(|entry| match &entry.body {
        Body::Beat(receipt) => Some(&**receipt),
        Body::Intent(_)
        | Body::Done(_)
        | Body::Recovered(_)
        | Body::Operator(_)
        | Body::Drill(_)
        | Body::Notice(_)
        | Body::Reserve(_) => None,
    })
}

/// The last attempts at an item up to `beat`, oldest first.
fn attempts(entries: &[Entry], item: &ItemId, beat: Option<BeatNo>) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = receipts(entries)
        .filter(|receipt| beat.is_none_or(|beat| receipt.beat <= beat))
        .filter_map(|receipt| {
            let attempt = receipt.attempt.as_ref()?;
            (attempt.item == *item).then(|| Attempt {
                beat: receipt.beat,
                reason: attempt.reason.clone(),
            })
        })
        .take(ATTEMPTS_MAX)
        .collect();
    attempts.reverse();
    attempts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_waits_are_no_files() {
        for (text, is_id) in [
            ("held-12", true),
            ("item-0a1b2c3d", true),
            ("paused", true),
            ("held-", false),
            ("held-x.md", false),
            ("LOOP.md", false),
            ("loops/a/LOOP.md", false),
        ] {
            assert_eq!(id_of(Path::new(text)).is_some(), is_id, "{text}");
        }
    }
}
