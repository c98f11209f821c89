//! `ringfence answer`: what a person says to something that waits.

use ringfence_core::ids::LoopId;
use ringfence_core::journal::{Act, Answer as What, LoopState};
use ringfence_runner::people;
use serde::Serialize;

use super::operator::{self, Told};
use super::{Context, Stop, beat};
use crate::args::{Answer, Beat, LoopFile, Say};
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, Text, text};

/// What was written, for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    id: &'a str,
    answer: What,
    /// True when the next beat acts on it.
    next_beat: bool,
}

/// Writes an answer into the journal.
pub(super) fn run(args: &Answer, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let told = operator::find(&args.which, context)?;
    let answer = match args.answer {
        Say::Approve => What::Approve,
        Say::Reject => What::Reject,
        Say::Note => What::Note,
    };
    let reason = args.reason.as_deref().unwrap_or_default();
    if answer == What::Note && reason.trim().is_empty() {
        return Err(Stop::new(
            Exit::Usage,
            "a note without --reason says nothing",
        ));
    }
    let held = args.id.starts_with("held-");
    let state = operator::say(&told, context, reason, |state| {
        let id = meant(state, &args.id)?;
        Ok(Act::Answer { id, answer })
    })?;
    if args.now {
        return follow(args, &told, context);
    }
    let not_yet = told.open.as_ref().and_then(|open| {
        let config_dir = context.config_dir.as_deref();
        let inbox = people::inbox(open, &state, config_dir, context.clock.now());
        inbox.into_iter().find(|one| one.id == args.id)?.not_yet
    });
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id: &told.loop_id,
            id: &args.id,
            answer,
            next_beat: held && answer == What::Approve && not_yet.is_none(),
        })?;
    } else {
        let mut page = Page::new();
        let head = text!["loop ", &told.loop_id].ink(Ink::Strong);
        page.line(text![
            head,
            ": ",
            line(&args.id, answer, held, not_yet.as_deref())
        ]);
        context.console.print(&page);
    }
    Ok(Exit::Done)
}

fn line(id: &str, answer: What, held: bool, not_yet: Option<&str>) -> Text {
    let id = Safe::line(id);
    match (answer, held) {
        (What::Approve, true) if not_yet.is_some() => text![
            id,
            " is approved, and not settled yet: ",
            Safe::paragraph(not_yet.unwrap_or_default())
        ],
        (What::Approve, true) => text![
            id,
            " is approved: the next beat judges it anew and settles it (now: --now, or `ringfence beat`)"
        ],
        (What::Approve, false) => text![id, " is the loop's again, with new attempts"],
        (What::Reject, true) => text![
            id,
            " is dropped; its item is left alone while it is as it is"
        ],
        (What::Reject, false) => text![id, " is left alone while it is as it is"],
        (What::Note, _) => text!["noted; the decider is told"],
    }
}

/// The whole of what `id` begins. Nothing is written about what does not wait, lest a typing mistake passes for an answer.
fn meant(state: &LoopState, id: &str) -> Result<String, Stop> {
    let mut called = state.called(id).into_iter();
    let what = match (called.next(), called.next()) {
        (Some(one), None) => return Ok(one),
        (Some(_), Some(_)) => text!["several things are called ", Safe::line(id), "…"],
        (None, _) => return Err(nothing_called(state, id)),
    };
    Err(Stop::new(Exit::Usage, what).help("`ringfence inbox` shows what waits"))
}

/// Why nothing of this name waits, and what helps instead.
fn nothing_called(state: &LoopState, id: &str) -> Stop {
    let shown = Safe::line(id);
    let (what, help) = match id {
        "paused" | "retired" | "report-only" | "unmetered" => (
            text![shown, " takes no answer"],
            "`ringfence resume` lets the loop go on",
        ),
        "budget" | "calendar" | "failing" => (
            text![shown, " takes no answer: it ends when its reason does"],
            "`ringfence status` says what the next beat would meet",
        ),
        _ => {
            let answers = state.orders.answers.iter().rev();
            let before = answers
                .filter(|order| order.what.id == id)
                .find(|order| order.what.answer != What::Note);
            let what = match before {
                Some(order) => text![
                    shown,
                    " was ",
                    match order.what.answer {
                        What::Approve => "approved",
                        What::Reject | What::Note => "rejected",
                    },
                    " at ",
                    order.at,
                    " and waits no longer"
                ],
                None => text!["nothing called ", shown, " waits for an answer"],
            };
            (what, "`ringfence inbox` shows what waits")
        }
    };
    Stop::new(Exit::Usage, what).help(help)
}

/// Runs the beat that acts on it; its report is the result.
fn follow(args: &Answer, told: &Told, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let Some(open) = &told.open else {
        return Err(Stop::new(
            Exit::Usage,
            "the answer is in the journal, but no beat can run without a loop file that can be read",
        ));
    };
    let file = open.project.top().join(open.path.as_str());
    let beat = Beat {
        file: LoopFile { file: Some(file) },
        if_due: false,
        dry_run: false,
        no_memo: false,
        detailed_exit_code: false,
        output: args.output.clone(),
    };
    beat::run(&beat, context)
}
