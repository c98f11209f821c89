//! `ringfence demote`: a loop goes less far from now on.
//!
//! **Invariant:** no rule and no broken plugin stands in its way: only the loop file and the journal have to be readable.

use ringfence_core::authority::{below, reach};
use ringfence_core::ids::LoopId;
use ringfence_core::journal::Act;
use ringfence_core::spec::Level;
use serde::Serialize;

use super::trust::tell;
use super::{Context, Stop, journal};
use crate::args::Demote;
use crate::exit::Exit;
use crate::render::{Ink, Page, text};

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    from: Level,
    to: Level,
}

/// Takes a loop back.
pub(super) fn run(args: &Demote, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let open = context.open(args.file.file.as_deref())?;
    let (_, followed) = journal::read(&open)?;
    let state = followed.state();
    let now = context.clock.now();
    // What was ordered counts here, whether drills have lapsed or not: it is the order that is taken back.
    let from = reach(open.spec.level, state, None, now).ordered;
    let to = match args.to {
        Some(to) => Some(to.level()),
        None => below(from),
    };
    let Some(to) = to.filter(|to| *to < from) else {
        let stop = Stop::new(Exit::Usage, text!["the loop is at ", from, " already"]);
        return Err(stop.help("`ringfence pause` and `ringfence retire` stop it"));
    };
    tell(
        &open,
        context,
        Act::Demote { to },
        args.reason.as_deref().unwrap_or_default(),
        None,
    )?;
    let loop_id = &open.spec.loop_id;
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id,
            from,
            to,
        })?;
    } else {
        let mut page = Page::new();
        page.line(text![
            text!["demoted"].ink(Ink::Warn),
            ": ",
            loop_id,
            " goes to ",
            to,
            " at most, it was at ",
            from
        ]);
        context.console.print(&page);
    }
    Ok(Exit::Done)
}
