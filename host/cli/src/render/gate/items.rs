//! What a report remarks, one thing after the other, for the formats that know nothing but remarks at places.
//!
//! Owns which of them count, what stands for a gate that fails without a finding, and where something is shown that has no
//! place. The words for all of it are here, too.
//!
//! **Invariant:** a run that failed has at least one item that counts, and it is an error unless the rules fail on less.

use ringfence_core::failure::FailureClass;
use ringfence_core::gating::{Judged, Outcome, Remark, Report, Standing, Status};
use ringfence_core::relpath::RelPath;
use ringfence_core::verdict::{Location, Ruling, SCOPE, Severity};

use crate::render::safe::Safe;
use crate::render::text::{Ink, Text, text};

/// Who remarks that no gate passed a change where one must: the table of the gates file that asks for it.
pub(super) const VERDICT: &str = "verdict";
const UNJUDGED: &str = "no gate passed this change, and the rules ask for one that does";
/// Where something is shown that has no place, when not even the gates file is in the project.
const GATES_FILE: &str = "ringfence-gates.toml";

/// What to do about a gate that used up its fuel.
pub(crate) const MORE_FUEL: &str = "if that is what such a change takes, allow more in its [[gate]]: `limits = { fuel = \"20G\" }`; `ringfence gate fuel --profile` \
     shows where it goes";

/// One remark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    /// The gate, or who speaks for the host.
    pub(super) source: &'a str,
    /// What kind of remark.
    pub(super) kind: Kind<'a>,
    /// How bad.
    pub(super) severity: Severity,
    /// A code in kebab-case.
    pub(super) rule: &'a str,
    /// Foreign.
    pub(super) message: &'a str,
    /// Foreign; may be empty.
    pub(super) help: &'a str,
}

/// Where a remark comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A gate or the host found something.
    Found(&'a Remark),
    /// A gate refuses without a finding that would, or none vouches.
    Refused,
    /// A gate gave no verdict.
    Broken,
}

/// A place in the project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// From the top of the project.
    pub(super) path: RelPath,
    /// From 1; 0 means the whole file.
    pub(super) line: u32,
    /// From 1, in code points; 0 means the whole line.
    pub(super) column: u32,
}

/// Everything that was remarked, in the order of the file, the host first.
pub(super) fn all(report: &Report) -> Vec<Item<'_>> {
    let mut items: Vec<Item> = report
        .host
        .iter()
        .map(|remark| found(SCOPE, remark))
        .collect();
    if is_unjudged(report) {
        items.push(Item {
            source: VERDICT,
            kind: Kind::Refused,
            severity: Severity::Error,
            rule: "unjudged",
            message: UNJUDGED,
            help: "",
        });
    }
    for gate in &report.gates {
        items.extend(of_gate(report, gate));
    }
    items
}

/// What one gate remarked, or what stands for it.
pub(super) fn of_gate<'a>(report: &Report, gate: &'a Judged) -> Vec<Item<'a>> {
    let source = gate.gate.as_str();
    let own = |kind, rule, message| Item {
        source,
        kind,
        severity: Severity::Error,
        rule,
        message,
        help: "",
    };
    let mut items = Vec::new();
    if let Some(failure) = &gate.failure {
        let help = match failure.class {
            FailureClass::OutOfFuel => MORE_FUEL,
            _ => "",
        };
        items.push(Item {
            help,
            ..own(Kind::Broken, failure.class.as_str(), &failure.message)
        });
    } else if gate.standing == Standing::Broken {
        items.push(own(Kind::Broken, "broken", &gate.summary));
    } else if gate.standing == Standing::Failed
        && !gate.remarks.iter().any(|one| speaks(report, one))
    {
        items.push(own(Kind::Refused, "refused", &gate.summary));
    }
    items.extend(gate.remarks.iter().map(|remark| found(source, remark)));
    items
}

/// True when the change was refused because nobody vouched for it.
pub(super) fn is_unjudged(report: &Report) -> bool {
    report.outcome == Outcome::Failed
        && !report
            .gates
            .iter()
            .any(|gate| gate.standing == Standing::Failed)
        && !is_refused_by_host(report)
}

/// True when the host's own check refused the change.
pub(super) fn is_refused_by_host(report: &Report) -> bool {
    report.host.iter().any(|one| speaks(report, one))
}

/// True when this finding alone makes a run fail.
fn speaks(report: &Report, remark: &Remark) -> bool {
    let severity = remark.finding.severity;
    remark.status == Status::New
        && (severity == Severity::Error || severity >= report.rules.fail_on)
}

fn found<'a>(source: &'a str, remark: &'a Remark) -> Item<'a> {
    Item {
        source,
        kind: Kind::Found(remark),
        severity: remark.finding.severity,
        rule: &remark.finding.rule,
        message: &remark.finding.message,
        help: &remark.finding.help,
    }
}

impl<'a> Item<'a> {
    /// True unless it is known, allowed or accepted.
    pub(super) fn counts(&self) -> bool {
        self.remark()
            .is_none_or(|remark| matches!(remark.status, Status::New | Status::Noted))
    }

    /// The finding behind it.
    pub(super) fn remark(&self) -> Option<&'a Remark> {
        match self.kind {
            Kind::Found(remark) => Some(remark),
            Kind::Refused | Kind::Broken => None,
        }
    }

    /// Its places in the project.
    pub(super) fn places(&self) -> Vec<Place> {
        let locations = self
            .remark()
            .map_or(&[][..], |remark| &remark.finding.locations);
        locations.iter().filter_map(Place::of).collect()
    }

    /// Where it is shown by a program that shows nothing without a place, and its other places.
    pub(super) fn shown_at(&self, report: &Report) -> (Place, Vec<Place>) {
        let mut places = self.places();
        if places.is_empty() {
            (Place::of_gates(report), places)
        } else {
            (places.remove(0), places)
        }
    }

    /// `md-links/broken-link`.
    pub(super) fn code(&self) -> Text {
        text![Safe::line(self.source), "/", Safe::line(self.rule)]
    }

    /// What it says in one line, what to do and where else included.
    pub(super) fn said(&self, also: &[Place]) -> Text {
        let mut said = text![Safe::paragraph(self.message)];
        if !also.is_empty() {
            let places = Text::join(also.iter().map(Place::text), ", ");
            said = text![said, " (also at ", places, ")"];
        }
        if !self.help.is_empty() {
            said = text![said, "; help: ", Safe::paragraph(self.help)];
        }
        said
    }

    /// `error[broken-link]`, or `broken[trap]`.
    pub(super) fn head(&self) -> Text {
        let (word, ink) = match self.kind {
            Kind::Broken => ("broken", Ink::Bad),
            Kind::Found(_) | Kind::Refused => severity(self.severity),
        };
        text![word, "[", Safe::line(self.rule), "]"].ink(ink)
    }

    /// One line with everything: `error[broken-link] a.md:3: no such file (known)`.
    pub(super) fn line(&self) -> Text {
        let places = self.places();
        let (at, also) = match places.split_first() {
            Some((first, also)) => (text![" ", first.text()], also),
            None => (Text::new(), &[][..]),
        };
        text![self.head(), at, ": ", self.said(also), self.excuse()]
    }

    /// Why it does not count, in brackets; nothing where it does.
    fn excuse(&self) -> Text {
        match self.remark().map(|remark| &remark.status) {
            None | Some(Status::New | Status::Noted) => Text::new(),
            Some(Status::Known) => " (known)".into(),
            Some(Status::Allowed { reason }) => text![" (allowed: ", Safe::line(reason), ")"],
            Some(Status::Accepted) => " (accepted)".into(),
        }
    }
}

impl Place {
    /// The place of a finding; none where that is no path of a project.
    pub(super) fn of(location: &Location) -> Option<Self> {
        let path = RelPath::lexical(&location.path).ok()?;
        (!path.is_root()).then_some(Self {
            path,
            line: location.line,
            column: if location.line == 0 {
                0
            } else {
                location.column
            },
        })
    }

    /// The file that names the gates, for what has no place.
    fn of_gates(report: &Report) -> Self {
        let path = RelPath::lexical(&report.file)
            .ok()
            .filter(|path| !path.is_root());
        Self {
            path: path
                .or_else(|| RelPath::lexical(GATES_FILE).ok())
                .unwrap_or(RelPath::ROOT),
            line: 0,
            column: 0,
        }
    }

    /// `docs/a.md:3:5`.
    pub(super) fn text(&self) -> Text {
        let path = Text::from(&self.path);
        match (self.line, self.column) {
            (0, _) => path,
            (line, 0) => text![path, ":", line],
            (line, column) => text![path, ":", line, ":", column],
        }
    }
}

/// The word for how bad something is.
pub(super) fn severity(severity: Severity) -> (&'static str, Ink) {
    match severity {
        Severity::Error => ("error", Ink::Bad),
        Severity::Warning => ("warning", Ink::Warn),
        Severity::Note => ("note", Ink::Plain),
    }
}

/// The word for where a gate stands.
pub(super) fn standing(standing: Standing) -> (&'static str, Ink) {
    match standing {
        Standing::Passed => ("passed", Ink::Good),
        Standing::Excused => ("excused", Ink::Warn),
        Standing::Abstained => ("abstained", Ink::Plain),
        Standing::Failed => ("failed", Ink::Bad),
        Standing::Broken => ("broken", Ink::Bad),
    }
}

/// The word for what became of a change.
pub(super) fn outcome(outcome: Outcome) -> (&'static str, Ink) {
    match outcome {
        Outcome::Passed => ("passed", Ink::Good),
        Outcome::Unjudged => ("unjudged", Ink::Warn),
        Outcome::Failed => ("failed", Ink::Bad),
        Outcome::Broken => ("broken", Ink::Bad),
    }
}

/// What a gate said of itself: its own line, or why there is none; and what it fails by, where it let the change pass.
pub(super) fn summary(gate: &Judged) -> Text {
    let said = match &gate.failure {
        Some(failure) => text![failure.class.as_str(), ": ", Safe::line(&failure.message)],
        None => Safe::line(&gate.summary).into(),
    };
    match fails_by(gate) {
        Some(rule) => text![said, "; fails by ", Safe::line(rule)],
        None => said,
    }
}

/// The rule of the worst finding that counts, where a gate that let the change pass fails by it.
pub(super) fn fails_by(gate: &Judged) -> Option<&str> {
    let let_pass = matches!(gate.ruling, Some(Ruling::Pass | Ruling::Abstain));
    (let_pass && gate.standing == Standing::Failed).then_some(())?;
    let counting = gate.remarks.iter().filter(|one| one.status == Status::New);
    let worst = counting.max_by_key(|one| one.finding.severity)?;
    Some(&worst.finding.rule)
}

/// The text of a [`Text`], for formats that have no colours.
pub(super) fn plain(text: &Text) -> String {
    text.spans().map(|(_, part)| part).collect()
}
