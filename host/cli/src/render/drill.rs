//! How drills went: a line for each guard, and what every single one of those that failed has seen.

use ringfence_core::ids::LoopId;
use ringfence_core::journal::{DrillResult, DrillRun};

use super::amount::count;
use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

/// The page. `recorded`: whether the journal was told.
pub(crate) fn report(loop_id: &LoopId, run: &DrillRun, recorded: bool) -> Page {
    let mut page = Page::new();
    page.line(text![text!["drills of ", loop_id].ink(Ink::Strong)]);
    let columns = [("guard", 30), ("caught", 6), ("passes", 6), ("seen", 80)];
    let mut table = Table::new(2, &columns);
    let mut names: Vec<&str> = Vec::new();
    for result in &run.results {
        if !names.contains(&result.name.as_str()) {
            names.push(&result.name);
        }
    }
    for name in names {
        let of = |fault| {
            let some = run.results.iter();
            let some: Vec<_> = some
                .filter(|one| one.name == name && one.fault == fault)
                .collect();
            some
        };
        let (faults, clean) = (of(true), of(false));
        let mut all = faults.iter().chain(&clean);
        let seen = all.clone().find(|one| !one.passed).or_else(|| all.next());
        let seen = seen.map_or_else(Text::new, |one| Safe::line(&one.seen).into());
        table.row([Safe::line(name).into(), word(&faults), word(&clean), seen]);
    }
    table.put(&mut page);
    if !run.unguarded.is_empty() {
        page.gap()
            .line(text![text!["no guard for this"].ink(Ink::Warn)]);
        for line in &run.unguarded {
            page.item(2, Safe::line(line));
        }
    }
    let failed = run.results.iter().filter(|result| !result.passed).count();
    let all = count(run.results.len(), "drill", "drills");
    let end = match (run.results.len(), failed) {
        (0, _) => text!["nothing could be drilled"].ink(Ink::Bad),
        (_, 0) => text![text!["passed"].ink(Ink::Good), ": all of ", all],
        (_, failed) => text![text!["failed"].ink(Ink::Bad), ": ", failed, " of ", all],
    };
    let told = if recorded {
        ""
    } else {
        "; one alone is not written down"
    };
    page.gap().line(text![end, told]);
    page
}

fn word(results: &[&DrillResult]) -> Text {
    if results.is_empty() {
        text!["-"].ink(Ink::Faint)
    } else if results.iter().all(|result| result.passed) {
        text!["yes"].ink(Ink::Good)
    } else {
        text!["NO"].ink(Ink::Bad)
    }
}
