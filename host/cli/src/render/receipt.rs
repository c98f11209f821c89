//! What came of one beat: the outcome first, then what led to it.
//!
//! **Invariant:** every denial that the operator can lift is followed by the line to paste. What a finding points to was
//! judged by its gate's policy when the gate was called; here it is only made harmless.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use ringfence_core::call::LogLine;
use ringfence_core::change::ChangeKind;
use ringfence_core::decision::{Checked, SituationItem};
use ringfence_core::ids::{LoopId, StepId};
use ringfence_core::journal::{BeatReceipt, ChangeSummary, Outcome, StepReceipt};
use ringfence_core::policy::{Access, Denial, Rule};
use ringfence_core::verdict::{Finding, GateResult, Location, Ruling, SCOPE, Severity};
use ringfence_runner::calls::StepLog;
use ringfence_runner::driver::BeatReport;

use super::amount::{count, fuel};
use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

// Limit: what a person reads of each list; `--format json` has all of it.
const ITEMS_MAX: usize = 5;
const FILES_MAX: usize = 20;
const FINDINGS_MAX: usize = 20;
const DENIALS_MAX: usize = 20;
const LOG_LINES_MAX: usize = 20;
const DIFF_LINES_MAX: usize = 200;
// What tells a commit from every other for git and people.
const COMMIT_CHARS: usize = 12;

/// A loop whose beats are shown.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    /// Its name.
    pub(crate) loop_id: &'a LoopId,
    /// Its state directory as the reader reaches it.
    pub(crate) state: &'a Path,
}

/// The report of a beat that was just run.
pub(crate) fn report(whose: Whose<'_>, report: &BeatReport) -> Page {
    let BeatReport {
        receipt,
        outcome,
        logs,
        diff,
        recovered,
        dry_run,
        ..
    } = report;
    let mut page = Page::new();
    for note in recovered {
        page.hanging(
            0,
            2,
            text![text!["note"].ink(Ink::Warn), ": ", Safe::paragraph(note)],
        );
    }
    page.gap();
    headline(&mut page, whose, receipt, outcome, *dry_run);
    found(&mut page, &report.found);
    led_to(&mut page, receipt);
    logged(&mut page, receipt, logs);
    notes(&mut page, receipt);
    if *dry_run && !diff.is_empty() {
        page.gap();
        put_diff(&mut page, diff);
    }
    page
}

/// What led to the outcome of a beat that is over, as far as the journal has it.
pub(super) fn past(page: &mut Page, receipt: &BeatReceipt) {
    led_to(page, receipt);
    if let Some(summary) = &receipt.summary {
        page.gap().line(text!["the executor said"].ink(Ink::Strong));
        page.item(2, Safe::paragraph(summary));
    }
    notes(page, receipt);
}

fn led_to(page: &mut Page, receipt: &BeatReceipt) {
    decided(page, receipt);
    if let Some(change) = &receipt.change {
        changed(page, change);
    }
    super::native::ran(page, &receipt.commands);
    judged(page, receipt);
    steps(page, receipt);
    denied(page, receipt.steps.iter());
}

fn notes(page: &mut Page, receipt: &BeatReceipt) {
    if receipt.notes.is_empty() {
        return;
    }
    page.gap().line(text!["notes"].ink(Ink::Strong));
    for note in &receipt.notes {
        page.item(2, Safe::line(note));
    }
}

/// What the sensors found to work on: the first few by name, the others by number.
fn found(page: &mut Page, items: &[SituationItem]) {
    if items.is_empty() {
        return;
    }
    let eligible = items.iter().filter(|item| item.eligible).count();
    page.gap().hanging(
        0,
        2,
        text![
            text!["found"].ink(Ink::Strong),
            ": ",
            count(items.len(), "item", "items"),
            ", ",
            eligible,
            " open to be worked on"
        ],
    );
    for item in items.iter().take(ITEMS_MAX) {
        let mark = if item.eligible { "" } else { " (not now)" };
        page.item(2, text![Safe::line(&item.title), mark]);
    }
    if items.len() > ITEMS_MAX {
        page.item(2, text!["and ", items.len() - ITEMS_MAX, " more"]);
    }
}

/// The outcome in a word.
pub(crate) fn outcome_word(outcome: &Outcome) -> Text {
    let ink = match outcome {
        Outcome::Proposed { .. } | Outcome::Committed { .. } | Outcome::Shadowed { .. } => {
            Ink::Good
        }
        Outcome::Skipped | Outcome::NothingToDo { .. } => Ink::Plain,
        Outcome::Waiting { .. } | Outcome::Escalated { .. } => Ink::Warn,
        Outcome::Discarded { .. } | Outcome::Failed { .. } => Ink::Bad,
    };
    Text::from(outcome.kind()).ink(ink)
}

/// The outcome in one line, without its name.
pub(crate) fn outcome_line(outcome: &Outcome) -> Text {
    let lines = |lines: &[String]| Text::join(lines.iter().map(|line| Safe::line(line)), "; ");
    match outcome {
        Outcome::Skipped => "nothing has changed".into(),
        Outcome::Waiting { until, why, .. } if *until == Timestamp::MAX => {
            text!["for a person: ", Safe::line(why)]
        }
        Outcome::Waiting { until, why, .. } => text!["until ", *until, ": ", Safe::line(why)],
        Outcome::NothingToDo { reason } => Safe::line(reason).into(),
        Outcome::Proposed { reference, .. } => Safe::line(branch(reference)).into(),
        Outcome::Committed {
            reference, commit, ..
        } => text![
            Safe::line(branch(reference)),
            " at ",
            Safe::line(short(commit))
        ],
        Outcome::Shadowed { patch } => Safe::line(patch).into(),
        Outcome::Discarded { reasons } => lines(reasons),
        Outcome::Escalated { why, .. } => lines(why),
        Outcome::Failed { class, message } => text![class.as_str(), ": ", Safe::line(message)],
    }
}

/// As much of a commit's id as tells it from others.
fn short(commit: &str) -> &str {
    commit.get(..COMMIT_CHARS).unwrap_or(commit)
}

/// The short name of a branch; a patch's path as it is.
pub(crate) fn branch(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").unwrap_or(reference)
}

pub(super) fn headline(
    page: &mut Page,
    whose: Whose<'_>,
    receipt: &BeatReceipt,
    outcome: &Outcome,
    dry_run: bool,
) {
    let Whose { loop_id, state } = whose;
    let title = text![
        text![loop_id, " beat ", receipt.beat].ink(Ink::Strong),
        ": "
    ];
    if dry_run && matches!(outcome, Outcome::Shadowed { .. }) {
        page.line(text![
            title,
            text!["would be accepted"].ink(Ink::Good),
            " (dry run: nothing is kept)"
        ]);
        return;
    }
    let rest = if dry_run {
        text![" (dry run: nothing is kept)"]
    } else {
        Text::new()
    };
    page.line(text![title, outcome_word(outcome), rest]);
    match outcome {
        Outcome::Proposed { reference, commit } if !commit.is_empty() => {
            let name = || Safe::line(branch(reference));
            page.field(2, 12, "branch", name());
            page.field(2, 12, "look", text!["git diff HEAD...", name()]);
            page.field(2, 12, "accept", text!["git merge ", name()]);
        }
        Outcome::Committed {
            reference,
            commit,
            previous,
        } => {
            let commit = || Safe::line(short(commit));
            let previous = Safe::line(short(previous));
            page.field(2, 12, "branch", Safe::line(branch(reference)));
            page.field(2, 12, "commit", text![commit(), " (was at ", previous, ")"]);
            page.field(2, 12, "look", text!["git show ", commit()]);
            page.field(2, 12, "take back", text!["git revert ", commit()]);
        }
        Outcome::Proposed {
            reference: patch, ..
        }
        | Outcome::Shadowed { patch } => {
            let file = || text![Safe::path(&state.join(loop_id.as_str()).join(patch))];
            page.field(2, 12, "patch", file());
            page.field(2, 12, "accept", text!["git apply ", file()]);
        }
        Outcome::Skipped => {
            page.item(
                2,
                "nothing has changed since the last decision, and nothing is left to work on",
            );
        }
        Outcome::Discarded { reasons: lines } => {
            for line in lines {
                page.item(2, Safe::line(line));
            }
        }
        Outcome::Escalated { why, id } => {
            for line in why {
                page.item(2, Safe::line(line));
            }
            if !id.is_empty() {
                page.field(2, 12, "look", text!["ringfence inbox ", Safe::line(id)]);
            }
        }
        Outcome::Failed { class, message } => {
            page.item(2, text![class.as_str(), ": ", Safe::paragraph(message)]);
        }
        Outcome::Waiting { .. } | Outcome::NothingToDo { .. } => {
            page.item(2, outcome_line(outcome));
        }
    }
}

pub(super) fn decided(page: &mut Page, receipt: &BeatReceipt) {
    let Some(Checked::Move(mv)) = &receipt.decision else {
        return;
    };
    let what = text![&mv.executor, " does ", Safe::line(&mv.action)];
    let item = mv
        .item
        .as_ref()
        .map_or_else(Text::new, |item| text![" for ", item]);
    page.gap()
        .line(text![text!["decided"].ink(Ink::Strong), ": ", what, item]);
    if !mv.reason.is_empty() {
        page.item(2, Safe::line(&mv.reason));
    }
}

pub(super) fn changed(page: &mut Page, change: &ChangeSummary) {
    let files = change.files.len() + usize::try_from(change.files_more).unwrap_or(usize::MAX);
    page.gap().line(text![
        text!["changed"].ink(Ink::Strong),
        ": ",
        count(files, "file", "files")
    ]);
    let mut table = Table::new(2, &[("", 8), ("", 12), ("", 80)]);
    for file in change.files.iter().take(FILES_MAX) {
        let kind = match file.kind {
            ChangeKind::Added => "added",
            ChangeKind::Modified => "modified",
            ChangeKind::Deleted => "deleted",
        };
        table.row([
            kind.into(),
            text!["+", file.added, " -", file.removed],
            Text::from(&file.path),
        ]);
    }
    table.put(page);
    let shown = change.files.len().min(FILES_MAX);
    more(page, files.saturating_sub(shown), "files");
}

/// How much of a list is left out, if anything.
pub(super) fn more(page: &mut Page, number: usize, what: &'static str) {
    if number > 0 {
        page.item(
            2,
            text!["… ", number, " more ", what, ": see `--format json`"].ink(Ink::Faint),
        );
    }
}

pub(super) fn judged(page: &mut Page, receipt: &BeatReceipt) {
    if receipt.verdicts.is_empty() && receipt.scope.is_empty() {
        return;
    }
    page.gap().line(text!["judged"].ink(Ink::Strong));
    let mut table = Table::new(2, &[("", 7), ("", 20), ("", 80)]);
    let mut remarks: Vec<&[Finding]> = Vec::new();
    if !receipt.scope.is_empty() {
        let what = "what the host itself checks";
        table.row([Text::from("fail").ink(Ink::Bad), SCOPE.into(), what.into()]);
        remarks.push(&receipt.scope);
    }
    for result in &receipt.verdicts {
        let (word, said) = judgement(result);
        table.row([word, (&result.gate).into(), said]);
        remarks.push(
            result
                .answer
                .as_ref()
                .map_or(&[], |verdict| &verdict.findings),
        );
    }
    for (index, remarks) in remarks.into_iter().enumerate() {
        table.put_nth(index, page);
        findings(page, remarks);
    }
}

fn judgement(result: &GateResult) -> (Text, Text) {
    let (word, ink, said) = match &result.answer {
        Ok(verdict) => {
            let (word, ink) = match verdict.ruling {
                Ruling::Pass => ("pass", Ink::Good),
                Ruling::Fail => ("fail", Ink::Bad),
                Ruling::Abstain => ("abstain", Ink::Plain),
            };
            (word, ink, &verdict.summary)
        }
        Err(failure) => ("broken", Ink::Bad, failure),
    };
    (Text::from(word).ink(ink), Safe::line(said).into())
}

fn findings(page: &mut Page, findings: &[Finding]) {
    for finding in findings.iter().take(FINDINGS_MAX) {
        let (word, ink) = match finding.severity {
            Severity::Error => ("error", Ink::Bad),
            Severity::Warning => ("warning", Ink::Warn),
            Severity::Note => ("note", Ink::Plain),
        };
        let head = text![word, "[", Safe::line(&finding.rule), "]"].ink(ink);
        page.hanging(11, 13, text![head, " ", Safe::paragraph(&finding.message)]);
        for location in &finding.locations {
            page.hanging(13, 15, text!["at ", place(location)]);
        }
        if !finding.help.is_empty() {
            page.hanging(13, 15, text!["help: ", Safe::paragraph(&finding.help)]);
        }
    }
    more(
        page,
        findings.len().saturating_sub(FINDINGS_MAX),
        "findings",
    );
}

fn place(location: &Location) -> Text {
    let path = text![Safe::line(&location.path)];
    match (location.line, location.column) {
        (0, _) => path,
        (line, 0) => path.and(":").and(line),
        (line, column) => path.and(":").and(line).and(":").and(column),
    }
}

fn steps(page: &mut Page, receipt: &BeatReceipt) {
    if receipt.steps.is_empty() {
        return;
    }
    let total = text![": ", receipt.fuel, " fuel in all"].ink(Ink::Faint);
    page.gap()
        .line(text![text!["steps"].ink(Ink::Strong), total]);
    let mut table = Table::new(
        2,
        &[
            ("role", 8),
            ("step", 20),
            ("fuel", 16),
            ("memory", 9),
            ("", 80),
        ],
    );
    for step in &receipt.steps {
        let usage = step.usage.as_ref();
        table.row([
            step.role.into(),
            (&step.step).into(),
            usage.map_or_else(Text::new, |usage| fuel(usage.fuel)),
            usage.map_or_else(Text::new, |usage| usage.memory.used.into()),
            how(step),
        ]);
    }
    table.put(page);
}

fn how(step: &StepReceipt) -> Text {
    match &step.failure {
        Some(failure) => Text::from(failure.class.as_str()).ink(Ink::Bad),
        None if step.memo => "remembered".into(),
        None => Text::new(),
    }
}

/// What steps were refused, each with the line that allows it.
pub(super) fn denied<'a>(page: &mut Page, steps: impl Iterator<Item = &'a StepReceipt> + Clone) {
    let all: Vec<(&StepReceipt, &Denial)> = steps
        .clone()
        .flat_map(|step| step.denials.iter().map(move |denial| (step, denial)))
        .collect();
    let dropped: u64 = steps.map(|step| step.denials_more).sum();
    if all.is_empty() && dropped == 0 {
        return;
    }
    page.gap().line(text!["denied"].ink(Ink::Strong));
    for (step, denial) in all.iter().take(DENIALS_MAX) {
        let times = if denial.count > 1 {
            text![" (", denial.count, " times)"]
        } else {
            Text::new()
        };
        let what = text![
            denial_verb(denial.access),
            " ",
            Safe::line(&denial.path),
            times
        ];
        let why = Safe::line(&denial.rule.to_string());
        page.item(2, text![step.role, " ", &step.step, " ", what, ": ", why]);
        if let Some(line) = denial.grant_line() {
            let own = matches!(&denial.rule, Rule::NotAllowed { layer } if layer == "step");
            let place = if own {
                "to allow it, in the step's paths: "
            } else {
                "to allow it, in [paths]: "
            };
            page.copy(6, text![place, Safe::line(&line)]);
        }
    }
    let rest = all
        .len()
        .saturating_sub(DENIALS_MAX)
        .saturating_add(usize::try_from(dropped).unwrap_or(usize::MAX));
    more(page, rest, "denials");
}

pub(super) fn denial_verb(access: Access) -> &'static str {
    match access {
        Access::Traverse => "wanted to pass through",
        Access::Stat => "wanted to look at",
        Access::Read => "wanted to read",
        Access::Write => "wanted to write",
    }
}

/// What steps said: all of it where one failed, warnings and errors elsewhere.
fn logged(page: &mut Page, receipt: &BeatReceipt, logs: &[StepLog]) {
    let failed: BTreeMap<(&StepId, _), bool> = receipt
        .steps
        .iter()
        .map(|step| ((&step.step, step.role), step.failure.is_some()))
        .collect();
    let mut head = Some(text!["said"].ink(Ink::Strong));
    for log in logs {
        let all = failed.get(&(&log.step, log.role)).copied().unwrap_or(true);
        let lines: Vec<&LogLine> = log
            .lines
            .iter()
            .filter(|line| all || is_loud(line))
            .collect();
        for line in lines.iter().take(LOG_LINES_MAX) {
            if let Some(head) = head.take() {
                page.gap().line(head);
            }
            page.item(
                2,
                text![
                    log.role,
                    " ",
                    &log.step,
                    " ",
                    Safe::cut(&line.level, 8),
                    ": ",
                    Safe::line(&line.text)
                ],
            );
        }
        more(page, lines.len().saturating_sub(LOG_LINES_MAX), "lines");
    }
}

/// True for what is shown of a step that did not fail.
pub(super) fn is_loud(line: &LogLine) -> bool {
    matches!(line.level.as_str(), "warn" | "error")
}

pub(super) fn put_diff(page: &mut Page, diff: &str) {
    page.line(text!["diff"].ink(Ink::Strong));
    let mut lines = diff.lines();
    for line in lines.by_ref().take(DIFF_LINES_MAX) {
        let ink = match line.as_bytes().first() {
            Some(b'+') => Ink::Good,
            Some(b'-') => Ink::Bad,
            _ => Ink::Plain,
        };
        page.copy(2, text![Safe::line(line)].ink(ink));
    }
    more(page, lines.count(), "lines");
}

#[cfg(test)]
pub(crate) mod tests;
