//! `ringfence journal`: a loop's history, and whether it can be trusted.
//!
//! **Invariant:** reading needs no lock and changes nothing; a torn last line may be one that is being written.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ringfence_core::journal::{Body, Entry, Journal, decode};
use ringfence_core::run_log::RunLine;
use ringfence_runner::journal_file::read_journal;
use ringfence_runner::open_loop::OpenLoop;
use serde::Serialize;
use serde_json::Value;

use super::{Context, Stop, loop_dir};
use crate::args::{JournalExport, JournalShow, JournalVerify};
use crate::exit::Exit;
use crate::render::amount::count;
use crate::render::{Ink, Page, Safe, journal, text};

/// An entry for programs: as the journal has it, without the chain.
#[derive(Serialize)]
struct JsonEntry {
    seq: u64,
    at: Timestamp,
    kind: &'static str,
    body: Value,
}

/// The verdict over a journal for programs.
#[derive(Serialize)]
struct JsonVerdict {
    version: u32,
    ok: bool,
    entries: usize,
    torn_tail: Option<String>,
    error: Option<String>,
}

/// Reads the journal of a loop.
pub(super) fn read(open: &OpenLoop) -> Result<Journal, Stop> {
    let Some(dir) = loop_dir(open)? else {
        return decode(b"").map_err(|error| Stop::error(Exit::Host, &error));
    };
    let path = dir.journal();
    let bytes = read_journal(&path).map_err(|error| Stop::error(Exit::Host, &error))?;
    decode(&bytes).map_err(|error| {
        Stop::new(Exit::Host, text![Safe::path(&path), ": ", Safe::error(&error)])
            .help("no beat runs on a history that cannot be trusted: restore the file, or move it away to begin anew")
    })
}

/// Shows the last entries.
pub(super) fn show(args: &JournalShow, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let journal = read(&open)?;
    let entries = &journal.entries;
    let last = entries
        .get(entries.len().saturating_sub(args.number)..)
        .unwrap_or(entries);
    if args.output.is_json() {
        let all: Vec<JsonEntry> = last.iter().map(json).collect::<Result<_, _>>()?;
        context.print_json(&all)?;
        return Ok(Exit::Done);
    }
    let mut page = Page::new();
    if entries.is_empty() {
        page.line("no beat has run yet");
    } else {
        page.append(journal::entries(last));
    }
    let before = entries.len() - last.len();
    if before > 0 {
        page.line(
            text![
                "… ",
                before,
                " before these: -n ",
                entries.len(),
                " shows all"
            ]
            .ink(Ink::Faint),
        );
    }
    torn(&mut page, &journal);
    context.console.print(&page);
    Ok(Exit::Done)
}

/// Prints a line for each beat, as other tools write them.
pub(super) fn export(args: &JournalExport, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let since = args
        .since
        .as_deref()
        .map(|since| time(since, &open.timezone));
    let since = since.transpose()?;
    let journal = read(&open)?;
    let mut out = String::new();
    for entry in &journal.entries {
        let Body::Beat(receipt) = &entry.body else {
            continue;
        };
        if since.is_some_and(|since| entry.at < since) {
            continue;
        }
        let line = RunLine::of(receipt, entry.at, &open.spec.loop_id);
        out.push_str(&serde_json::to_string(&line)?);
        out.push('\n');
    }
    context.console.print_text(&out);
    Ok(Exit::Done)
}

/// A time, or the beginning of a day of `timezone`.
fn time(text: &str, timezone: &TimeZone) -> Result<Timestamp, Stop> {
    let day = || {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(timezone.clone()).ok()?.timestamp())
    };
    text.parse().ok().or_else(day).ok_or_else(|| {
        Stop::new(
            Exit::Usage,
            text!["--since ", Safe::line(text), " is no time"],
        )
        .help("write a day, 2026-11-21, or a time, 2026-11-21T09:30:00Z")
    })
}

/// Checks the journal.
pub(super) fn verify(args: &JournalVerify, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let read = read(&open);
    if !args.output.is_json() {
        let journal = read?;
        let mut page = Page::new();
        let entries = count(journal.entries.len(), "entry", "entries");
        page.line(text![
            text!["whole"].ink(Ink::Good),
            ": ",
            entries,
            " of loop ",
            &open.spec.loop_id,
            ", each follows from the one before"
        ]);
        torn(&mut page, &journal);
        context.console.print(&page);
        return Ok(Exit::Done);
    }
    let (verdict, exit) = match read {
        Ok(journal) => {
            let torn_tail = journal.torn_tail.map(|torn| torn.why);
            (
                JsonVerdict {
                    version: 1,
                    ok: true,
                    entries: journal.entries.len(),
                    torn_tail,
                    error: None,
                },
                Exit::Done,
            )
        }
        Err(stop) => {
            let error = Some(stop.page.print(false).trim_end().to_owned());
            (
                JsonVerdict {
                    version: 1,
                    ok: false,
                    entries: 0,
                    torn_tail: None,
                    error,
                },
                stop.exit,
            )
        }
    };
    context.print_json(&verdict)?;
    Ok(exit)
}

fn torn(page: &mut Page, journal: &Journal) {
    if let Some(torn) = &journal.torn_tail {
        let what = text![
            torn.bytes.len(),
            " bytes behind the last whole entry: ",
            Safe::line(&torn.why)
        ];
        page.line(text![
            text!["torn tail"].ink(Ink::Warn),
            ": ",
            what,
            "; the next beat cuts them off and keeps them aside"
        ]);
    }
}

fn json(entry: &Entry) -> Result<JsonEntry, serde_json::Error> {
    let body = match &entry.body {
        Body::Beat(receipt) => serde_json::to_value(receipt)?,
        Body::Intent(intent) => serde_json::to_value(intent)?,
        Body::Done(done) => serde_json::to_value(done)?,
        Body::Recovered(recovered) => serde_json::to_value(recovered)?,
        Body::Operator(act) => serde_json::to_value(act)?,
        Body::Drill(run) => serde_json::to_value(run)?,
        Body::Notice(notice) => serde_json::to_value(notice)?,
    };
    Ok(JsonEntry {
        seq: entry.seq,
        at: entry.at,
        kind: entry.body.kind(),
        body,
    })
}
