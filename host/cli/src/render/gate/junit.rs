//! The report as JUnit XML: one suite, a test case for each gate and one for what the host checks itself.
//!
//! **Invariant:** a gate that abstained is skipped, one without a verdict is an error; the numbers are those of the cases.

use ringfence_core::gating::{Judged, Report, Standing};
use ringfence_core::verdict::SCOPE;

use super::items::{self, Item, VERDICT};
use super::said::said;
use super::text::{cost, ran_line};
use crate::render::safe::Safe;
use crate::render::text::{Text, text};
use crate::render::xml::Xml;

// Limit: a program that shows test cases shows a page of each; JSON has all of it.
const LINES_MAX: usize = 100;
// Limit: the same, for a line of a program.
const LINE_CHARS_MAX: usize = 300;

/// One test case.
struct Case<'a> {
    name: &'a str,
    ms: u64,
    end: End,
    /// What is said where it did not pass.
    message: Text,
    /// A word for the kind of failure.
    kind: Text,
    items: Vec<Item<'a>>,
    notes: Vec<Text>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    Error,
    Skipped,
}

/// The document.
pub(super) fn write(report: &Report) -> String {
    let cases = cases(report);
    let number = |end: End| Text::from(cases.iter().filter(|case| case.end == end).count());
    let ms = cases
        .iter()
        .fold(0_u64, |sum, case| sum.saturating_add(case.ms));
    let totals = || {
        [
            ("tests", Text::from(cases.len())),
            ("failures", number(End::Failed)),
            ("errors", number(End::Error)),
            ("time", seconds(ms)),
        ]
    };
    let mut suites = vec![("name", Text::from("ringfence"))];
    suites.extend(totals());
    let mut suite = vec![("name", Text::from("ringfence gate"))];
    suite.extend(totals());
    suite.push(("skipped", number(End::Skipped)));
    let mut xml = Xml::new();
    xml.open("testsuites", &suites).open("testsuite", &suite);
    properties(&mut xml, report);
    for case in &cases {
        case.write(&mut xml);
    }
    if !report.commands.is_empty() {
        xml.leaf("system-out", &[], programs(report));
    }
    xml.finish()
}

fn properties(xml: &mut Xml, report: &Report) {
    xml.open("properties", &[]);
    let mut property = |name: Text, value: Text| {
        xml.empty("property", &[("name", name), ("value", value)]);
    };
    property("outcome".into(), items::outcome(report.outcome).0.into());
    for (name, tree) in [("base", &report.base), ("head", &report.head)] {
        property(name.into(), Safe::line(&tree.name).into());
        property(text![name, ".tree"], Safe::line(&tree.tree).into());
    }
    for gate in &report.gates {
        if let Some(usage) = &gate.receipt.usage {
            property(text!["fuel.", &gate.gate], usage.fuel.used.0.into());
        }
    }
    xml.close();
}

fn cases(report: &Report) -> Vec<Case<'_>> {
    let items = items::all(report);
    let of = |source: &str| {
        items
            .iter()
            .filter(|item| item.source == source)
            .copied()
            .collect::<Vec<_>>()
    };
    let mut cases = vec![of_host(SCOPE, report, of(SCOPE))];
    if items::is_unjudged(report) {
        cases.push(of_host(VERDICT, report, of(VERDICT)));
    }
    cases.extend(
        report
            .gates
            .iter()
            .map(|gate| of_gate(gate, of(gate.gate.as_str()))),
    );
    cases
}

fn of_host<'a>(name: &'a str, report: &Report, items: Vec<Item<'a>>) -> Case<'a> {
    let refuses = |item: &&Item| item.counts() && item.severity >= report.rules.fail_on;
    let first = items.iter().find(refuses);
    Case {
        name,
        ms: 0,
        end: if first.is_some() {
            End::Failed
        } else {
            End::Passed
        },
        message: first.map_or_else(Text::new, |item| Safe::line(item.message).into()),
        kind: first.map_or_else(Text::new, |item| Safe::line(item.rule).into()),
        items,
        notes: Vec::new(),
    }
}

fn of_gate<'a>(gate: &'a Judged, items: Vec<Item<'a>>) -> Case<'a> {
    let end = match gate.standing {
        Standing::Passed | Standing::Excused => End::Passed,
        Standing::Abstained => End::Skipped,
        Standing::Failed => End::Failed,
        Standing::Broken => End::Error,
    };
    let kind = match &gate.failure {
        Some(failure) => failure.class.as_str(),
        None => items::standing(gate.standing).0,
    };
    let said = text![items::standing(gate.standing).0, ": ", items::summary(gate)];
    Case {
        name: gate.gate.as_str(),
        ms: gate.ms,
        end,
        message: items::summary(gate),
        kind: kind.into(),
        items,
        notes: vec![text![said, " (", cost(gate), ")"]],
    }
}

impl Case<'_> {
    fn write(&self, xml: &mut Xml) {
        let attributes = [
            ("name", Safe::line(self.name).into()),
            ("classname", "ringfence.gate".into()),
            ("time", seconds(self.ms)),
        ];
        xml.open("testcase", &attributes);
        let counting = |counts: bool| {
            self.items
                .iter()
                .filter(move |item| item.counts() == counts)
        };
        let failed = matches!(self.end, End::Failed | End::Error);
        let why = || {
            [
                ("type", self.kind.clone()),
                ("message", self.message.clone()),
            ]
        };
        match self.end {
            End::Passed => {}
            End::Skipped => {
                xml.empty("skipped", &[("message", self.message.clone())]);
            }
            End::Failed => {
                xml.leaf("failure", &why(), lines(counting(true)));
            }
            End::Error => {
                xml.leaf("error", &why(), lines(counting(true)));
            }
        }
        let mut out = self.notes.clone();
        if !failed {
            out.extend(lines(counting(true)));
        }
        out.extend(lines(counting(false)));
        if !out.is_empty() {
            xml.leaf("system-out", &[], out);
        }
        xml.close();
    }
}

/// How each program ended, and what those said last that did not end well.
fn programs(report: &Report) -> Vec<Text> {
    let mut lines = Vec::new();
    for command in &report.commands {
        lines.push(ran_line(command));
        for said in said(report, command, LINE_CHARS_MAX) {
            lines.push(text![said.title, ":"]);
            lines.extend(said.lines.into_iter().map(|line| text!["| ", line]));
        }
    }
    lines
}

/// A line for each item, and one for how many are left out.
fn lines<'a>(items: impl Iterator<Item = &'a Item<'a>>) -> Vec<Text> {
    let items: Vec<&Item> = items.collect();
    let mut lines: Vec<Text> = items
        .iter()
        .take(LINES_MAX)
        .map(|item| item.line())
        .collect();
    if items.len() > LINES_MAX {
        lines.push(text!["… ", items.len() - LINES_MAX, " more findings"]);
    }
    lines
}

fn seconds(ms: u64) -> Text {
    // Thousandths of a second with three digits, whatever they are.
    Safe::line(&format!("{}.{:03}", ms / 1_000, ms % 1_000)).into()
}
