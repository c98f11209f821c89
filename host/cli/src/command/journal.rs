//! `ringfence journal`: a loop's history, and whether it can be trusted.
//!
//! **Invariant:** reading needs no lock and changes nothing; a torn last line may be one that is being written.

use std::collections::{BTreeMap, VecDeque};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ringfence_core::ids::{BeatNo, ItemId};
use ringfence_core::journal::{Body, Entry, Selection, TornTail};
use ringfence_core::quantity::Millis;
use ringfence_core::run_log::RunLine;
use ringfence_runner::follow::Followed;
use ringfence_runner::open_loop::OpenLoop;
use ringfence_runner::state_dir::place_from_top;
use serde::Serialize;
use serde_json::Value;

use super::standing::{self, look};
use super::{Context, Stop, ways_out};
use crate::args::{JournalExport, JournalShow, JournalVerify};
use crate::exit::Exit;
use crate::render::amount::count;
use crate::render::receipt::Whose;
use crate::render::{Ink, Page, Safe, Text, explained, journal, text};

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
    entries: u64,
    kinds: BTreeMap<&'static str, u64>,
    /// The digest of the last entry.
    head: Option<String>,
    torn_tail: Option<String>,
    error: Option<String>,
}

/// Reads the journal of a loop, all of its entries at once, and what they add up to.
pub(super) fn read(open: &OpenLoop) -> Result<(Vec<Entry>, Followed), Stop> {
    let mut entries = Vec::new();
    let mut followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
    look(open, &mut followed, &mut |entry| entries.push(entry))?;
    Ok((entries, followed))
}

impl Context<'_, '_> {
    /// Tells that a part of a journal was passed over, if one was.
    pub(super) fn say_newer(&mut self, followed: &Followed) {
        if let Some(error) = followed.newer() {
            let mut page = Page::new();
            page.hanging(
                0,
                2,
                text![
                    text!["note"].ink(Ink::Warn),
                    ": ",
                    Safe::error(error),
                    "; it and others like it are left out here. ",
                    ways_out::NEWER
                ],
            );
            self.console.say(&page);
        }
    }
}

// Limit: a beat has four entries at most; whatever says it has more is shown in part.
const ENTRIES_OF_A_BEAT_MAX: usize = 100;

/// Shows the last entries, or those that were asked for.
pub(super) fn show(args: &JournalShow, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let selection = selection(args, &open, context.clock.now())?;
    // A beat is shown whole.
    let number = if args.beat.is_some() {
        ENTRIES_OF_A_BEAT_MAX
    } else {
        args.number
    };
    let mut chosen = Chosen::default();
    let mut followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
    look(&open, &mut followed, &mut |entry| {
        if selection.takes(&entry) {
            chosen.add(entry, number);
        }
    })?;
    context.say_newer(&followed);
    if args.output.is_json() {
        let all: Vec<JsonEntry> = chosen.last.iter().map(json).collect::<Result<_, _>>()?;
        context.print_json(&all)?;
        return Ok(Exit::Done);
    }
    let entries = chosen.last.make_contiguous();
    let mut page = match args.beat {
        Some(_) if !entries.is_empty() => {
            let whose = Whose {
                loop_id: &open.spec.loop_id,
                state: &place_from_top(&open.project),
            };
            explained::beat(whose, entries)
        }
        _ => journal::entries(entries),
    };
    if entries.is_empty() {
        page.line(nothing(&followed, &selection));
    }
    if chosen.before > 0 {
        let all = chosen.before + entries.len();
        let more = text!["… ", chosen.before, " before these: -n ", all, " shows all"];
        page.line(more.ink(Ink::Faint));
    }
    torn(&mut page, followed.torn_tail());
    context.console.print(&page);
    Ok(Exit::Done)
}

/// Prints a line for each beat, as other tools write them.
pub(super) fn export(args: &JournalExport, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let since = since(args.since.as_deref(), &open, context.clock.now())?;
    let mut lines = Vec::new();
    let mut followed = Followed::new(&open.spec.loop_id, open.timezone.clone());
    look(&open, &mut followed, &mut |entry| {
        if let Body::Beat(receipt) = &entry.body
            && since.is_none_or(|since| entry.at >= since)
        {
            lines.push(RunLine::of(receipt, entry.at, &open.spec.loop_id));
        }
    })?;
    context.say_newer(&followed);
    let mut out = String::new();
    for line in &lines {
        out.push_str(&serde_json::to_string(line)?);
        out.push('\n');
    }
    context.console.print_text(&out);
    Ok(Exit::Done)
}

/// The last entries of those that were asked for.
#[derive(Default)]
struct Chosen {
    last: VecDeque<Entry>,
    before: usize,
}

impl Chosen {
    fn add(&mut self, entry: Entry, number: usize) {
        self.last.push_back(entry);
        if self.last.len() > number {
            self.last.pop_front();
            self.before += 1;
        }
    }
}

fn selection(args: &JournalShow, open: &OpenLoop, now: Timestamp) -> Result<Selection, Stop> {
    let item = args.item.as_deref().map(ItemId::new).transpose();
    Ok(Selection {
        beat: args.beat.map(BeatNo),
        outcome: args.outcome.clone(),
        since: since(args.since.as_deref(), open, now)?,
        item: item.map_err(|error| Stop::error(Exit::Usage, &error))?,
    })
}

fn since(text: Option<&str>, open: &OpenLoop, now: Timestamp) -> Result<Option<Timestamp>, Stop> {
    text.map(|text| moment(text, &open.timezone, now).ok_or_else(|| no_moment(text)))
        .transpose()
}

/// A time as people write it: a day, a moment, or how long ago it was.
fn moment(text: &str, timezone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if let Ok(day) = text.parse::<Date>() {
        let midnight = day.to_zoned(timezone.clone()).ok()?;
        return Some(midnight.timestamp());
    }
    let ago: Millis = text.parse().ok()?;
    let ago = SignedDuration::from_millis(i64::try_from(ago.0).ok()?);
    now.checked_sub(ago).ok()
}

fn no_moment(text: &str) -> Stop {
    let what = text![Safe::line(text), " is no time"];
    Stop::new(Exit::Usage, what)
        .help("write a day (2026-11-21), a moment (2026-11-21T09:30:00Z), or how long ago it was (90m, 2h, 7d)")
}

/// Why there is nothing to show.
fn nothing(followed: &Followed, selection: &Selection) -> Text {
    let history = followed.history();
    if selection.is_everything() || history.beats() == 0 {
        return "no beat has run yet".into();
    }
    let last = followed
        .state()
        .last_beat
        .map_or_else(Text::new, |beat| text!["; the last beat is ", beat]);
    let ended = Text::join(history.outcomes.keys().copied(), ", ");
    text!["no entry is like that", last, "; beats ended as ", ended]
}

/// Checks the journal.
pub(super) fn verify(args: &JournalVerify, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let read = standing::read(&open);
    if let Ok(followed) = &read {
        context.say_newer(followed);
    }
    if args.output.is_json() {
        let (verdict, exit) = verdict(read);
        context.print_json(&verdict)?;
        return Ok(exit);
    }
    let followed = read?;
    let head = followed.head();
    let mut page = Page::new();
    page.line(text![
        text!["whole"].ink(Ink::Good),
        ": ",
        count(head.seq(), "entry", "entries"),
        " of loop ",
        &open.spec.loop_id,
        ", each follows from the one before"
    ]);
    let kinds = followed.history().entries.iter();
    let kinds = kinds.map(|(kind, number)| text![*number, " ", *kind]);
    page.field(2, 10, "kinds", Text::join(kinds, ", "));
    if let Some(line) = head.line() {
        page.line(text!["the last one is"]);
        page.copy(2, Safe::line(&line.to_string()));
    }
    torn(&mut page, followed.torn_tail());
    context.console.print(&page);
    Ok(Exit::Done)
}

fn verdict(read: Result<Followed, Stop>) -> (JsonVerdict, Exit) {
    match read {
        Ok(followed) => {
            let verdict = JsonVerdict {
                version: 1,
                ok: true,
                entries: followed.head().seq(),
                kinds: followed.history().entries.clone(),
                head: followed.head().line().map(|line| line.to_string()),
                torn_tail: followed.torn_tail().map(|torn| torn.why.clone()),
                error: None,
            };
            (verdict, Exit::Done)
        }
        Err(stop) => {
            let verdict = JsonVerdict {
                version: 1,
                ok: false,
                entries: 0,
                kinds: BTreeMap::new(),
                head: None,
                torn_tail: None,
                error: Some(stop.page.print(false).trim_end().to_owned()),
            };
            (verdict, stop.exit)
        }
    }
}

fn torn(page: &mut Page, torn: Option<&TornTail>) {
    if let Some(torn) = torn {
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
        Body::Reserve(reservation) => serde_json::to_value(reservation)?,
        Body::Notice(notice) => serde_json::to_value(notice)?,
    };
    Ok(JsonEntry {
        seq: entry.seq,
        at: entry.at,
        kind: entry.body.kind(),
        body,
    })
}
