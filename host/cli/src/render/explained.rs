//! One beat of the past, whole: what it was allowed, what it did, and which rule stopped it.
//!
//! **Invariant:** everything shown was read from the journal; nothing is judged anew, since the rules of that day counted.

use jiff::Timestamp;
use ringfence_core::journal::{BeatReceipt, Body, Entry, Outcome, Settle, WaitCause};

use super::amount::count;
use super::page::Page;
use super::receipt::{self, Whose};
use super::safe::Safe;
use super::text::{Ink, Text, text};

const AT: usize = 14;

/// The entries of one beat, oldest first.
pub(crate) fn beat(whose: Whose<'_>, entries: &[Entry]) -> Page {
    let mut page = Page::new();
    let mut others = Vec::new();
    for entry in entries {
        match &entry.body {
            Body::Beat(receipt) => page_of(&mut page, whose, entry, receipt),
            _ => others.push(entry.clone()),
        };
    }
    if !others.is_empty() {
        page.gap().line(text!["entries besides"].ink(Ink::Strong));
        page.append(super::journal::entries(&others));
    }
    page
}

fn page_of(page: &mut Page, whose: Whose<'_>, entry: &Entry, beat: &BeatReceipt) {
    receipt::headline(page, whose, beat, &beat.outcome, false);
    page.gap();
    page.field(0, AT, "entry", text![entry.seq, ", written at ", entry.at]);
    page.field(0, AT, "began", text![beat.started, took(beat, entry.at)]);
    page.field(0, AT, "run", Safe::line(&beat.run));
    page.field(0, AT, "worked on", worked_on(beat));
    page.field(0, AT, "set up as", set_up(beat));
    page.field(0, AT, "if accepted", if_accepted(beat.settle));
    page.field(0, AT, "decider", decider(beat));
    refused(page, beat);
    receipt::past(page, beat);
    attempt(page, beat);
}

fn took(beat: &BeatReceipt, ended: Timestamp) -> Text {
    let seconds = ended.duration_since(beat.started).as_secs();
    u64::try_from(seconds).map_or_else(
        |_| text![", before a clock stepped back"],
        |seconds| text![", took ", seconds, " s"],
    )
}

fn worked_on(beat: &BeatReceipt) -> Text {
    let tree = text!["tree ", Safe::cut(&beat.base.tree, 12)];
    match &beat.base.commit {
        Some(commit) => text!["commit ", Safe::cut(commit, 12), ", ", tree],
        None => tree,
    }
}

fn set_up(beat: &BeatReceipt) -> Text {
    text![
        &beat.setup,
        ", loop file ",
        &beat.loop_file,
        ", contract ",
        Safe::cut(&beat.contract, 20)
    ]
}

pub(crate) fn if_accepted(settle: Settle) -> &'static str {
    match settle {
        Settle::Shadow => "the change is recorded as a patch (L1)",
        Settle::Propose => "the change is proposed on a branch (L2)",
        Settle::Commit => "the change is committed to the target branch (L3)",
        Settle::Hold => "the change is laid aside until a person has answered",
    }
}

fn decider(beat: &BeatReceipt) -> Text {
    match (&beat.fingerprint, beat.attempted) {
        (_, true) => "was called".into(),
        (Some(world), false) => text!["was not called; the world was ", world],
        (None, false) => "was not called: not every sensor had answered".into(),
    }
}

/// The guard that let no decision be taken, with its figures.
fn refused(page: &mut Page, beat: &BeatReceipt) {
    let Outcome::Waiting { cause, until, why } = &beat.outcome else {
        return;
    };
    page.gap().line(text!["refused by"].ink(Ink::Strong));
    page.field(2, AT, "rule", rule(*cause));
    page.field(2, AT, "figures", Safe::paragraph(why));
    page.field(2, AT, "frees up", frees_up(*until));
}

/// The rule's name, and what it is for.
fn rule(cause: WaitCause) -> Text {
    let (name, what) = match cause {
        WaitCause::Backoff => ("backoff", "beats failed, and the next try is not due"),
        WaitCause::Budget => ("budget", "a budget of the day is used up"),
        WaitCause::NoProgress => (
            "no-progress",
            "moves came to nothing, so the next comes later",
        ),
        WaitCause::Paused => ("paused", "the operator or a rule lets the loop do nothing"),
        WaitCause::Retired => ("retired", "the loop is over"),
        WaitCause::Unmetered => ("unmetered", "the decider does not say what it costs"),
        WaitCause::Frozen => ("frozen", "the loop's calendar freezes it"),
    };
    text![text![name].ink(Ink::Warn), ": ", what]
}

/// When a wait ends.
pub(crate) fn frees_up(until: Timestamp) -> Text {
    if until == Timestamp::MAX {
        "when somebody resumes it".into()
    } else {
        until.into()
    }
}

/// What became of the item's attempt, and what failed.
fn attempt(page: &mut Page, beat: &BeatReceipt) {
    if let Some(failure) = &beat.failure {
        page.gap().line(text!["failed"].ink(Ink::Strong));
        let said = text![
            failure.class.as_str(),
            ": ",
            Safe::paragraph(&failure.message)
        ];
        page.item(2, said);
    }
    if let Some(attempt) = &beat.attempt {
        let person = if attempt.person_needed {
            " (a person is needed)"
        } else {
            ""
        };
        page.gap().line(text!["counts against"].ink(Ink::Strong));
        let said = text![
            &attempt.item,
            person,
            ": ",
            Safe::paragraph(&attempt.reason)
        ];
        page.item(2, said);
    }
    let progress = match beat.progress {
        Some(true) => "yes",
        Some(false) => "no",
        None => "the beat says nothing about that",
    };
    page.gap().field(0, AT, "progress", progress);
    let signals = count(beat.signals.len(), "sensor", "sensors");
    page.field(0, AT, "saw", text![signals, " answer"]);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ringfence_core::ids::LoopId;

    use super::*;
    use crate::render::receipt::tests::{EVIL, full};
    use crate::render::safe::is_treacherous;

    fn entry(said: &str, outcome: Outcome) -> Entry {
        let receipt = full(said, outcome).receipt;
        Entry {
            seq: 3,
            at: "1970-01-01T00:00:07Z".parse().unwrap(),
            body: Body::Beat(Box::new(receipt)),
        }
    }

    fn page(entry: Entry) -> String {
        let whose = Whose {
            loop_id: &LoopId::new("docs").unwrap(),
            state: Path::new(".ringfence"),
        };
        beat(whose, &[entry]).print(false)
    }

    fn shown(said: &str, outcome: Outcome) -> String {
        page(entry(said, outcome))
    }

    #[test]
    fn a_beat_that_was_refused() {
        let mut refused = entry(
            "said",
            Outcome::Waiting {
                cause: WaitCause::Budget,
                until: "1970-01-02T00:00:00Z".parse().unwrap(),
                why: "beats_per_day: 9 of 9 used".to_owned(),
            },
        );
        let Body::Beat(receipt) = &mut refused.body else {
            unreachable!()
        };
        receipt.steps.clear();
        receipt.verdicts.clear();
        receipt.scope.clear();
        receipt.change = None;
        receipt.decision = None;
        receipt.summary = None;
        receipt.attempted = false;
        insta::assert_snapshot!(page(refused), @r"
        docs beat 7: waiting
          until 1970-01-02T00:00:00Z: beats_per_day: 9 of 9 used

        entry         3, written at 1970-01-01T00:00:07Z
        began         1970-01-01T00:00:00Z, took 7 s
        run           said
        worked on     tree
        set up as     3ae7d805f678, loop file 3ae7d805f678, contract said
        if accepted   the change is proposed on a branch (L2)
        decider       was not called: not every sensor had answered

        refused by
          rule        budget: a budget of the day is used up
          figures     beats_per_day: 9 of 9 used
          frees up    1970-01-02T00:00:00Z

        notes
          said

        progress      the beat says nothing about that
        saw           0 sensors answer
        ");
    }

    #[test]
    fn a_beat_whole() {
        let reasons = vec!["said".to_owned()];
        let shown = shown("said", Outcome::Discarded { reasons });
        let heads: Vec<&str> = shown
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(' '))
            .collect();
        insta::assert_snapshot!(heads.join("\n"), @r"
        docs beat 7: discarded
        entry         3, written at 1970-01-01T00:00:07Z
        began         1970-01-01T00:00:00Z, took 7 s
        run           said
        worked on     tree
        set up as     3ae7d805f678, loop file 3ae7d805f678, contract said
        if accepted   the change is proposed on a branch (L2)
        decider       was called
        decided: fix does said for item \u{202e}
        changed: 42 files
        judged
        steps: 2.40M fuel in all
        denied
        the executor said
        notes
        progress      the beat says nothing about that
        saw           0 sensors answer
        ");
    }

    #[test]
    fn hostile_text_is_visible() {
        let printed = shown(
            EVIL,
            Outcome::Discarded {
                reasons: vec![EVIL.to_owned()],
            },
        );
        assert!(!printed.chars().any(|c| c != '\n' && is_treacherous(c)));
    }
}
