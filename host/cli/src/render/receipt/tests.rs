//! How a beat's report reads, hostile text and all.

use std::collections::BTreeSet;
use std::path::Path;

use ringfence_core::call::{Spent, Usage};
use ringfence_core::change::ChangeKind;
use ringfence_core::decision::Move;
use ringfence_core::digest::Digest;
use ringfence_core::failure::{Failure, FailureClass};
use ringfence_core::ids::{BeatNo, ItemId};
use ringfence_core::journal::{BaseRef, FileSummary, Settle, WaitCause};
use ringfence_core::manifest::Role;
use ringfence_core::policy::DenySource;
use ringfence_core::quantity::{Bytes, Fuel};
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::Verdict;

use super::*;
use crate::render::safe::is_treacherous;

pub(crate) const EVIL: &str = "\u{1b}[2J\r\n\u{202e}x";

fn id(text: &str) -> StepId {
    StepId::new(text).unwrap()
}

fn step(role: Role, name: &str) -> StepReceipt {
    let digest = Digest::of(b"x");
    let mut step = StepReceipt::new(id(name), role, digest, digest, digest);
    step.usage = Some(Usage {
        fuel: Spent {
            used: Fuel(1_200_000),
            limit: Fuel(10_000_000),
        },
        memory: Spent {
            used: Bytes(1 << 20),
            limit: Bytes(64 << 20),
        },
        bytes_read: Bytes(0),
        bytes_written: Bytes(0),
    });
    step
}

fn denial(path: &str, access: Access, rule: Rule) -> Denial {
    Denial {
        path: path.to_owned(),
        access,
        rule,
        count: 3,
    }
}

/// A beat in which everything says `said` wherever it can.
pub(crate) fn full(said: &str, outcome: Outcome) -> BeatReport {
    let text = || said.to_owned();
    let digest = Digest::of(b"x");
    let mut executor = step(Role::Executor, "fix").failed(Failure::new(FailureClass::Trap, said));
    executor.denials = vec![
        denial(
            "docs/a.md",
            Access::Write,
            Rule::NotAllowed {
                layer: "loop".to_owned(),
            },
        ),
        denial(
            "docs/b.md",
            Access::Write,
            Rule::NotAllowed {
                layer: "step".to_owned(),
            },
        ),
        denial(
            ".zed/x",
            Access::Read,
            Rule::Deny {
                pattern: "**/.zed/**".to_owned(),
                source: DenySource::Default,
            },
        ),
        denial(
            said,
            Access::Stat,
            Rule::Deny {
                pattern: text(),
                source: DenySource::Operator,
            },
        ),
        denial("x", Access::Traverse, Rule::NotAllowed { layer: text() }),
    ];
    executor.denials_more = 7;
    let finding = Finding {
        severity: Severity::Error,
        rule: "broken-link".to_owned(),
        message: text(),
        locations: vec![Location {
            path: text(),
            line: 3,
            column: 0,
        }],
        help: text(),
    };
    let verdict = Verdict {
        ruling: Ruling::Fail,
        findings: vec![finding.clone(); 21],
        summary: text(),
    };
    let file = |kind| FileSummary {
        path: RelPath::lexical("a.md").unwrap(),
        kind,
        added: 1,
        removed: 2,
    };
    let receipt = BeatReceipt {
        beat: BeatNo(7),
        commands: Vec::new(),
        run: text(),
        started: jiff::Timestamp::UNIX_EPOCH,
        settle: Settle::Propose,
        loop_file: digest,
        setup: digest,
        contract: text(),
        base: BaseRef::default(),
        fingerprint: None,
        signals: Vec::new(),
        eligible: None,
        steps: vec![step(Role::Sensor, "look").remembered(), executor],
        attempted: true,
        decision: Some(Checked::Move(Move {
            item: ItemId::new("item \u{202e}").ok(),
            executor: id("fix"),
            action: text(),
            input: serde_json::json!({}),
            reason: text(),
            next_in: None,
        })),
        summary: Some(text()),
        change: Some(ChangeSummary {
            digest,
            base_tree: text(),
            candidate_tree: text(),
            files: vec![file(ChangeKind::Added), file(ChangeKind::Deleted)],
            files_more: 40,
        }),
        scope: vec![finding],
        verdicts: vec![
            GateResult {
                gate: id("links"),
                answer: Ok(verdict),
            },
            GateResult {
                gate: id("a-longer-name"),
                answer: Err(text()),
            },
        ],
        outcome: outcome.clone(),
        failure: None,
        attempt: None,
        progress: None,
        fuel: Fuel(2_400_000),
        held: None,
        labelled: Vec::new(),
        notes: vec![text()],
        items_found: None,
        cost: None,
    };
    let line = |level: &str| LogLine {
        level: level.to_owned(),
        text: text(),
    };
    let logs = vec![
        StepLog {
            step: id("look"),
            role: Role::Sensor,
            lines: vec![line("info"), line("warn")],
            bytes_dropped: 0,
        },
        StepLog {
            step: id("fix"),
            role: Role::Executor,
            lines: vec![line("info"), line(said)],
            bytes_dropped: 0,
        },
    ];
    BeatReport {
        receipt,
        outcome,
        found: vec![SituationItem {
            id: "broken-link".to_owned(),
            sensor: "links".to_owned(),
            title: said.to_owned(),
            labels: Vec::new(),
            detail: serde_json::Value::Null,
            attempts: 0,
            eligible: false,
            why_not: Some(said.to_owned()),
        }],
        logs,
        diff: format!("+{said}"),
        recovered: vec![text()],
        next: ringfence_core::cadence::Next {
            at: jiff::Timestamp::UNIX_EPOCH,
            why: ringfence_core::cadence::Why::Cadence,
        },
        due: None,
        dry_run: true,
    }
}

fn page(report: &BeatReport) -> String {
    super::report(
        Whose {
            loop_id: &LoopId::new("docs").unwrap(),
            state: Path::new(".git/ringfence-state"),
        },
        report,
    )
    .print(false)
}

#[test]
fn everything_that_can_go_wrong() {
    let outcome = Outcome::Discarded {
        reasons: vec!["links: broken-link ×21".to_owned()],
    };
    let mut report = full("said so", outcome);
    if let Ok(verdict) = &mut report.receipt.verdicts[0].answer {
        verdict.findings.truncate(1);
    }
    insta::assert_snapshot!(page(&report), @r#"
    note: said so

    docs beat 7: discarded (dry run: nothing is kept)
      links: broken-link ×21

    found: 1 item, 0 open to be worked on
      said so (not now)

    decided: fix does said so for item \u{202e}
      said so

    changed: 42 files
      added    +1 -2  a.md
      deleted  +1 -2  a.md
      … 40 more files: see `--format json`

    judged
      fail    scope          what the host itself checks
               error[broken-link] said so
                 at said so:3
                 help: said so
      fail    links          said so
               error[broken-link] said so
                 at said so:3
                 help: said so
      broken  a-longer-name  said so

    steps: 2.40M fuel in all
      role      step  fuel            memory
      sensor    look  1.20M of 10.0M  1.00 MiB  remembered
      executor  fix   1.20M of 10.0M  1.00 MiB  trap

    denied
      executor fix wanted to write docs/a.md (3 times): not in the loop's list
          to allow it, in [paths]: write = ["docs/a.md"]
      executor fix wanted to write docs/b.md (3 times): not in the step's list
          to allow it, in the step's paths: write = ["docs/b.md"]
      executor fix wanted to read .zed/x (3 times): denied by default: "**/.zed/**"
          to allow it, in [paths]: lift = ["**/.zed/**"]
      executor fix wanted to look at said so (3 times): deny = "said so"
      executor fix wanted to pass through x (3 times): not in the said so's list
          to allow it, in [paths]: read = ["x"]
      … 7 more denials: see `--format json`

    said
      sensor look warn: said so
      executor fix info: said so
      executor fix said so: said so

    notes
      said so

    diff
      +said so
    "#);
}

#[test]
fn nothing_that_a_component_says_reaches_the_terminal_as_it_is() {
    let list = || vec![EVIL.to_owned()];
    let text = || EVIL.to_owned();
    let until = jiff::Timestamp::UNIX_EPOCH;
    for outcome in [
        Outcome::Skipped,
        Outcome::Waiting {
            cause: WaitCause::Backoff,
            until,
            why: text(),
        },
        Outcome::NothingToDo { reason: text() },
        Outcome::Proposed {
            reference: text(),
            commit: text(),
        },
        Outcome::Proposed {
            reference: text(),
            commit: String::new(),
        },
        Outcome::Committed {
            reference: text(),
            commit: text(),
            previous: text(),
        },
        Outcome::Shadowed { patch: text() },
        Outcome::Discarded { reasons: list() },
        Outcome::Escalated {
            why: list(),
            id: String::new(),
        },
        Outcome::Failed {
            class: FailureClass::Trap,
            message: text(),
        },
    ] {
        for dry_run in [false, true] {
            let report = BeatReport {
                dry_run,
                ..full(EVIL, outcome.clone())
            };
            let page = page(&report);
            let found: BTreeSet<char> = page.chars().filter(|c| is_treacherous(*c)).collect();
            assert_eq!(found, BTreeSet::from(['\n']), "{page}");
        }
    }
}

#[test]
fn endless_words_do_not_make_an_endless_page() {
    let report = full(&"w".repeat(1 << 16), Outcome::Skipped);
    let page = page(&report);
    assert!(page.len() < 200_000, "{} bytes", page.len());
}
