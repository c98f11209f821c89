//! The report for people: what was found with the lines it is about, then one line for each gate, the outcome last.
//!
//! **Invariant:** a list that is cut says how much it leaves out.

use ringfence_core::call::LogLine;
use ringfence_core::evidence::{CommandReceipt, Confinement, Ended};
use ringfence_core::gating::{Judged, Report, Standing, Status, TreeName};
use ringfence_core::quantity::Fuel;
use ringfence_core::verdict::{SCOPE, Severity};

use super::items::{self, Item, VERDICT};
use super::said::said;
use crate::render::amount::{count, fuel, took};
use crate::render::page::Page;
use crate::render::receipt::{denied, is_loud, more};
use crate::render::safe::Safe;
use crate::render::text::{Ink, Text, text};

mod excerpt;

// Limit: what a person reads of one gate; `--format json` has all of it.
const FINDINGS_MAX: usize = 20;
// Limit: the same, of what fails nothing.
const SHORT_MAX: usize = 5;
const LOG_LINES_MAX: usize = 20;
// Limit: a finding about more places is read at the first ones.
const PLACES_MAX: usize = 5;
// Limit: some lines of a terminal, for one of a program.
const OUTPUT_CHARS_MAX: usize = 300;

/// The page.
pub(crate) fn page(report: &Report) -> Page {
    let mut page = Page::new();
    headline(&mut page, report);
    let items = items::all(report);
    let names = [SCOPE, VERDICT].into_iter();
    for source in names.chain(report.gates.iter().map(|gate| gate.gate.as_str())) {
        let own: Vec<&Item> = items.iter().filter(|item| item.source == source).collect();
        remarked(&mut page, source, &own);
        if let Some(gate) = report
            .gates
            .iter()
            .find(|gate| gate.gate.as_str() == source)
        {
            logged(&mut page, gate);
        }
    }
    denied(&mut page, report.gates.iter().map(|gate| &gate.receipt));
    ran(&mut page, report);
    if !report.gates.is_empty() {
        page.gap().line(text!["gates"].ink(Ink::Strong));
    }
    for gate in &report.gates {
        let (word, ink) = items::standing(gate.standing);
        let what = text![
            &gate.gate,
            ": ",
            items::summary(gate),
            " (",
            cost(gate),
            ")"
        ];
        page.row(2, 13, Text::from(word).ink(ink), what);
    }
    outcome(&mut page, report, &items);
    page
}

fn headline(page: &mut Page, report: &Report) {
    let change = &report.change;
    let commits = match change.commits {
        0 => Text::new(),
        number => text![" in ", count(number, "commit", "commits")],
    };
    page.hanging(
        0,
        2,
        text![
            text!["judged"].ink(Ink::Strong),
            ": ",
            tree(&report.head),
            " against ",
            tree(&report.base),
            ": ",
            count(change.files, "file", "files"),
            ", +",
            change.lines_added,
            " −",
            change.lines_removed,
            commits
        ],
    );
    let from = match &report.rules_from {
        Some(revision) => text![" as it is in ", Safe::line(revision)],
        None => Text::new(),
    };
    page.hanging(
        0,
        2,
        text!["by the gates of ", Safe::line(&report.file), from],
    );
}

/// A tree by its name, and the commit where that is another word.
fn tree(tree: &TreeName) -> Text {
    let name = Safe::line(&tree.name);
    match &tree.commit {
        Some(commit) if !commit.starts_with(&tree.name) => {
            text![name, " (", Safe::line(&short(commit)), ")"]
        }
        _ => name.into(),
    }
}

/// As much of a commit's id as tells it from others.
pub(super) fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

/// What one gate found: what counts with its lines, the rest in short.
fn remarked(page: &mut Page, source: &str, items: &[&Item]) {
    if items.is_empty() {
        return;
    }
    page.gap().line(text![Safe::line(source)].ink(Ink::Strong));
    let mut counting: Vec<&&Item> = items.iter().filter(|item| item.counts()).collect();
    counting.sort_by_key(|item| std::cmp::Reverse(item.severity));
    for item in counting.iter().take(FINDINGS_MAX) {
        whole(page, item);
    }
    more(
        page,
        counting.len().saturating_sub(FINDINGS_MAX),
        "findings",
    );
    in_short(page, "known", items, |status| {
        matches!(status, Status::Known)
    });
    in_short(page, "allowed", items, |status| {
        matches!(status, Status::Allowed { .. })
    });
    in_short(page, "accepted", items, |status| {
        matches!(status, Status::Accepted)
    });
}

fn whole(page: &mut Page, item: &Item) {
    let head = text![item.head(), " ", Safe::paragraph(item.message)];
    page.hanging(2, 4, head);
    let places = item.places();
    let excerpt = item.remark().and_then(|remark| remark.excerpt.as_ref());
    if let Some(first) = places.first() {
        match excerpt.filter(|_| first.line > 0) {
            Some(excerpt) => excerpt::draw(page, first, excerpt),
            None => {
                page.hanging(4, 6, text!["at ", first.text()]);
            }
        }
    }
    for place in places.iter().skip(1).take(PLACES_MAX) {
        page.hanging(4, 6, text!["also at ", place.text()]);
    }
    more(page, places.len().saturating_sub(1 + PLACES_MAX), "places");
    if !item.help.is_empty() {
        page.hanging(4, 10, text!["help: ", Safe::paragraph(item.help)]);
    }
}

/// What a gate said: all of it where it gave no verdict, warnings and errors elsewhere.
fn logged(page: &mut Page, gate: &Judged) {
    let all = gate.standing == Standing::Broken;
    let lines: Vec<&LogLine> = gate
        .log
        .iter()
        .filter(|line| all || is_loud(line))
        .collect();
    if lines.is_empty() {
        return;
    }
    page.gap().line(text![&gate.gate, " said"].ink(Ink::Strong));
    for line in lines.iter().take(LOG_LINES_MAX) {
        page.item(
            2,
            text![Safe::cut(&line.level, 8), ": ", Safe::line(&line.text)],
        );
    }
    more(page, lines.len().saturating_sub(LOG_LINES_MAX), "lines");
}

fn in_short(page: &mut Page, word: &'static str, items: &[&Item], is: fn(&Status) -> bool) {
    let of_status = |item: &&&Item| item.remark().is_some_and(|remark| is(&remark.status));
    let all: Vec<&&Item> = items.iter().filter(of_status).collect();
    for item in all.iter().take(SHORT_MAX) {
        let at = match item.places().first() {
            Some(place) => text![" at ", place.text()],
            None => Text::new(),
        };
        let why = match item.remark().map(|remark| &remark.status) {
            Some(Status::Allowed { reason }) => text![": ", Safe::line(reason)],
            _ => Text::new(),
        };
        page.hanging(2, 4, text![word, "[", Safe::line(item.rule), "]", at, why]);
    }
    if all.len() > SHORT_MAX {
        page.item(
            2,
            text!["… ", all.len() - SHORT_MAX, " more ", word].ink(Ink::Faint),
        );
    }
}

/// `1.2M of 500M fuel, 12 ms`, or that it was remembered.
pub(super) fn cost(gate: &Judged) -> Text {
    let fuel = match &gate.receipt.usage {
        Some(usage) => text![fuel(usage.fuel), " fuel"],
        None => "not started".into(),
    };
    if gate.receipt.memo {
        text![fuel, ", remembered"]
    } else {
        text![fuel, ", ", took(gate.ms)]
    }
}

fn ran(page: &mut Page, report: &Report) {
    let commands = &report.commands;
    if commands.is_empty() {
        return;
    }
    page.gap().line(text!["native programs"].ink(Ink::Strong));
    for command in commands {
        page.hanging(2, 4, ran_line(command));
        for note in &command.notes {
            page.hanging(4, 6, Safe::line(note));
        }
        for said in said(report, command, OUTPUT_CHARS_MAX) {
            page.item(4, text![said.title, ":"]);
            for line in said.lines {
                page.copy(4, text![text!["| "].ink(Ink::Faint), line]);
            }
        }
    }
}

/// How one command ended, and how far it was confined.
pub(super) fn ran_line(command: &CommandReceipt) -> Text {
    let ended = match command.ended {
        Ended::Exited { code } => text!["exited with ", u32::from(code)],
        Ended::Signalled { signal } => text!["ended by signal ", u32::from(signal)],
        Ended::TimedOut => "ended: out of time".into(),
        Ended::OutOfMemory => "ended: out of memory".into(),
        Ended::TooMuchOutput => "ended: too much output".into(),
        Ended::TooManyProcesses => "ended: too many processes".into(),
        Ended::NotStarted => "could not be started".into(),
        Ended::Unseen => "reports were handed in".into(),
    };
    let ink = if command.ended.well() || command.ended == Ended::Unseen {
        Ink::Plain
    } else {
        Ink::Bad
    };
    let confined = match command.confinement {
        Confinement::Full => Text::from("confined by the system"),
        Confinement::None => Text::from("not confined").ink(Ink::Warn),
        Confinement::Elsewhere => Text::from("did not run here"),
    };
    let network = if command.network {
        ", with network"
    } else {
        ""
    };
    let after = match command.confinement {
        Confinement::Elsewhere => Text::new(),
        Confinement::Full | Confinement::None => text![" after ", took(command.ms)],
    };
    let side = command.side.as_str();
    text![
        &command.command,
        " (",
        side,
        "): ",
        ended.ink(ink),
        after,
        "; ",
        confined,
        network
    ]
}

fn outcome(page: &mut Page, report: &Report, items: &[Item]) {
    let (word, ink) = items::outcome(report.outcome);
    page.gap()
        .hanging(0, 2, text![Text::from(word).ink(ink), ": ", why(report)]);
    let rest = [counted(items), spent(report), rules(report)];
    page.item(2, Text::join(rest, "; "));
}

/// Who refused it and how many gates stand where, as the reason of the outcome.
pub(super) fn why(report: &Report) -> Text {
    let mut parts = Vec::new();
    if items::is_refused_by_host(report) {
        parts.push(text!["`", SCOPE, "` refused it"]);
    }
    if report.change.files == 0 {
        parts.push("nothing differs".into());
    } else if report.gates.is_empty() {
        parts.push("no gate was asked".into());
    } else {
        parts.push(stood(report));
    }
    if items::is_unjudged(report) {
        parts.push("none passed it, and one must".into());
    }
    Text::join(parts, "; ")
}

fn stood(report: &Report) -> Text {
    use Standing::{Abstained, Broken, Excused, Failed, Passed};
    let mut parts = Vec::new();
    for (standing, words) in [
        (Broken, "gave no verdict"),
        (Failed, "failed"),
        (Excused, "excused by what is known or allowed"),
        (Passed, "passed"),
        (Abstained, "abstained"),
    ] {
        let stands_so = |gate: &&Judged| gate.standing == standing;
        let number = report.gates.iter().filter(stands_so).count();
        if number > 0 {
            parts.push(text![number, " ", words]);
        }
    }
    let all = text!["of ", count(report.gates.len(), "gate", "gates")];
    parts.push(all);
    if !report.not_asked.is_empty() {
        parts.push(text![report.not_asked.len(), " not asked"]);
    }
    Text::join(parts, ", ")
}

/// How many findings count, and how many do not.
pub(super) fn counted(items: &[Item]) -> Text {
    let number = |is: fn(&Status) -> bool| {
        let found = items.iter().filter_map(Item::remark);
        found.filter(|remark| is(&remark.status)).count()
    };
    let mut parts = vec![text![count(
        number(|status| matches!(status, Status::New)),
        "finding",
        "findings"
    )]];
    for (number, word) in [
        (number(|status| matches!(status, Status::Known)), " known"),
        (
            number(|status| matches!(status, Status::Allowed { .. })),
            " allowed",
        ),
        (
            number(|status| matches!(status, Status::Accepted)),
            " accepted",
        ),
        (
            number(|status| matches!(status, Status::Noted)),
            " for information",
        ),
    ] {
        if number > 0 {
            parts.push(text![number, word]);
        }
    }
    Text::join(parts, ", ")
}

/// What all gates used; the remembered ones used nothing now.
pub(super) fn spent(report: &Report) -> Text {
    let receipts = report.gates.iter().map(|gate| &gate.receipt);
    let used = receipts.fold(0_u64, |sum, receipt| sum.saturating_add(receipt.spent().0));
    let ms = report
        .gates
        .iter()
        .fold(0_u64, |sum, gate| sum.saturating_add(gate.ms));
    text![Fuel(used), " fuel, ", took(ms), " in gates"]
}

fn rules(report: &Report) -> Text {
    let least = match report.rules.fail_on {
        Severity::Error => "errors fail",
        Severity::Warning => "warnings and errors fail",
        Severity::Note => "every finding fails",
    };
    least.into()
}
