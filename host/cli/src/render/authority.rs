//! What speaks for and against a loop's authority, for people.

use ringfence_core::authority::{Check, Rule};
use ringfence_core::ids::LoopId;
use ringfence_core::regulator::{Action, Cadence, Saturation, Window};
use ringfence_core::spec::Level;

use super::amount::count;
use super::page::Page;
use super::safe::Safe;
use super::text::{Ink, Text, text};
use crate::command::health::Report;

// Column of what was seen, behind the longest name of a rule.
const SEEN: usize = 20;
// The same of a report.
const SAID: usize = 14;

/// A promotion that was asked for.
pub(crate) struct Asked<'a> {
    /// Of which loop.
    pub(crate) loop_id: &'a LoopId,
    /// Where it is.
    pub(crate) from: Level,
    /// Where it is to be.
    pub(crate) to: Level,
    /// What speaks for it and against it.
    pub(crate) checks: &'a [Check],
    /// The rules that were passed over.
    pub(crate) passed_over: &'a [Rule],
    /// Whether it may.
    pub(crate) allowed: bool,
    /// Whether nothing was written down.
    pub(crate) dry_run: bool,
}

/// The evidence, and what came of it.
pub(crate) fn promotion(asked: &Asked<'_>) -> Page {
    let mut page = Page::new();
    let head = text!["loop ", asked.loop_id].ink(Ink::Strong);
    page.line(text![head, ": from ", asked.from, " to ", asked.to]);
    for check in asked.checks {
        let state = if check.met {
            text!["ok"].ink(Ink::Good)
        } else if asked.passed_over.contains(&check.rule) {
            text!["passed over"].ink(Ink::Warn)
        } else {
            text!["no"].ink(Ink::Bad)
        };
        let seen = text![state, ": ", Safe::line(&check.seen)];
        page.field(2, SEEN, check.rule.name(), seen);
        if !check.met {
            page.field(2, SEEN, "", text!["needed: ", Safe::line(&check.needed)]);
        }
    }
    let refused = asked.checks.iter().filter(|check| {
        let over = asked.passed_over.contains(&check.rule);
        !check.met && !over
    });
    page.gap().line(match (asked.allowed, asked.dry_run) {
        (true, false) => text![text!["promoted"].ink(Ink::Good), " to ", asked.to],
        (true, true) => text!["it could be promoted to ", asked.to],
        (false, _) => {
            let rules = refused.map(|check| text![check.rule.name()]);
            let not = text!["not promoted"].ink(Ink::Bad);
            text![not, ": ", Text::join(rules, ", ")]
        }
    });
    page
}

/// How a loop does.
pub(crate) fn health(report: &Report) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["loop ", &report.loop_id].ink(Ink::Strong),
        ", at ",
        report.level,
        " since ",
        report.since
    ]);
    let cycles = &report.cycles;
    let sums = text![
        cycles.well,
        " of ",
        cycles.all,
        " went well; ",
        count(cycles.tasks, "move", "moves"),
        ", ",
        cycles.duplicates,
        " of them done before; people helped ",
        count(cycles.rescues, "time", "times")
    ];
    page.field(2, SAID, "cycles", sums);
    let action = match report.advice.action {
        Action::Promote => text!["promote"].ink(Ink::Good),
        Action::Hold => text!["hold"],
        Action::Demote => text!["demote"].ink(Ink::Bad),
        Action::Pause => text!["pause"].ink(Ink::Bad),
    };
    let why = Safe::line(&report.advice.why.join(", "));
    page.field(2, SAID, "authority", text![action, ": ", why]);
    let cadence = match report.cadence {
        Cadence::Unknown | Cadence::Keep => text![report.cadence.as_str()],
        Cadence::Slower | Cadence::Faster => text![report.cadence.as_str()].ink(Ink::Warn),
    };
    let why = Safe::line(&report.cadence_why);
    page.field(2, SAID, "cadence", text![cadence, ": ", why]);
    let saturation = match report.saturation {
        Saturation::Hold | Saturation::Active => text![report.saturation.as_str()],
        Saturation::Saturated => text!["saturated"].ink(Ink::Warn),
        Saturation::Famine => text!["famine"].ink(Ink::Bad),
        Saturation::Regressing => text!["regressing"].ink(Ink::Bad),
    };
    let now = window("of the last ", &report.current);
    page.field(2, SAID, "saturation", text![saturation, ": ", now]);
    if let Some(prior) = &report.prior {
        page.field(2, SAID, "", window("of those before ", prior));
    }
    for (index, rescue) in report.rescues.iter().enumerate() {
        let name = if index == 0 { "rescues" } else { "" };
        page.field(
            2,
            SAID,
            name,
            text![rescue.at, ": ", Safe::line(&rescue.what)],
        );
    }
    page.gap();
    page.line(text!["this is advice: `ringfence promote` and `demote` decide"].ink(Ink::Faint));
    page
}

fn window(head: &'static str, window: &Window) -> Text {
    if window.cycles == 0 {
        return "unknown, since no cycle has ended yet".into();
    }
    let percent = |thousandths: i64| u64::try_from(thousandths / 10).unwrap_or(0);
    text![
        head,
        count(window.cycles as u64, "cycle", "cycles"),
        " ",
        percent(window.success),
        " % went well, ",
        percent(window.quality),
        " % of the moves passed, ",
        window.progress,
        " got on, ",
        window.new_actionable,
        " were about something new"
    ]
}
