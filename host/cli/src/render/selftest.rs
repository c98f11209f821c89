//! The table of the escape suite.
//!
//! **Invariant:** every failure is shown; what is only counted is what held.

use ringfence_sandbox::selftest::{Count, Failure, Family, Report, Verb, Way};

use super::page::{Page, width};
use super::safe::Safe;
use super::text::{Ink, Text, text};

// The longest verb, and what is left of a line for each family of paths.
const VERB_COLUMNS: usize = 19;
const CELL_COLUMNS: usize = 5;
const SPACES: &str = "                    ";

/// How paths were walked, in words.
pub(crate) fn way(way: Way) -> &'static str {
    match way {
        Way::AtOnce => "paths walked by the kernel",
        Way::NameByName => "paths walked name by name",
    }
}

/// The results of both ways, and where they differ.
pub(crate) fn report(reports: &[Report], differences: &[Failure]) -> Page {
    let mut page = Page::new();
    if let Some(first) = reports.first() {
        table(&mut page, &first.counts, reports);
    }
    page.gap();
    for report in reports {
        let failed = report.failures.len() as u64;
        page.hanging(
            0,
            2,
            text![
                way(report.way),
                ": ",
                report.rows(),
                " rows, ",
                report.refused(),
                " to be refused, ",
                outcome(failed)
            ],
        );
    }
    let failures = reports
        .iter()
        .flat_map(|report| &report.failures)
        .chain(differences);
    for failure in failures {
        let failed = text!["failed"].ink(Ink::Bad);
        page.hanging(
            0,
            2,
            text![
                failed,
                ": ",
                Safe::paragraph(&failure.row),
                ": ",
                Safe::paragraph(&failure.why)
            ],
        );
    }
    if let Some(first) = reports.first() {
        left_out(&mut page, first);
    }
    page
}

fn outcome(failed: u64) -> Text {
    match failed {
        0 => text!["all hold"].ink(Ink::Good),
        failed => text![failed, " failures"].ink(Ink::Bad),
    }
}

fn table(page: &mut Page, counts: &[Count], reports: &[Report]) {
    let heads = Family::ALL.map(|family| right(text![family.name()].ink(Ink::Faint)));
    page.copy(0, left("").and(Text::join(heads, "")));
    for verb in Verb::ALL {
        let cells = Family::ALL.map(|family| {
            let of = |counts: &[Count]| {
                counts
                    .iter()
                    .find(|count| (count.verb, count.family) == (verb, family))
                    .cloned()
            };
            let failed = reports
                .iter()
                .filter_map(|report| of(&report.counts))
                .map(|count| count.failed)
                .sum();
            let rows = of(counts).map_or(0, |count| count.rows);
            right(cell(rows, failed))
        });
        page.copy(0, left(verb.name()).and(Text::join(cells, "")));
    }
    page.gap();
    let about =
        Family::ALL.map(|family| text![text![family.name()].ink(Ink::Strong), " ", family.about()]);
    page.hanging(0, 2, Text::join(about, "; "));
}

/// A number of rows, or of those that failed.
fn cell(rows: u64, failed: u64) -> Text {
    match (failed, rows) {
        (0, 0) => text!["-"].ink(Ink::Faint),
        (0, 1..1_000) => text![rows],
        (0, _) => text![rows / 1_000, "k"],
        (failed, _) => text!["!", failed].ink(Ink::Bad),
    }
}

fn left(name: &'static str) -> Text {
    let pad = VERB_COLUMNS.saturating_sub(name.len());
    text![name, SPACES.get(..pad).unwrap_or_default()]
}

fn right(text: Text) -> Text {
    let pad = CELL_COLUMNS.saturating_sub(width(&text));
    Text::from(SPACES.get(..pad).unwrap_or_default()).and(text)
}

fn left_out(page: &mut Page, report: &Report) {
    let (here, senseless): (Vec<_>, Vec<_>) = report.left_out.iter().partition(|row| row.here);
    for row in here {
        let left_out = text!["left out"].ink(Ink::Warn);
        page.hanging(
            0,
            2,
            text![
                left_out,
                ": ",
                Safe::paragraph(&row.what),
                ": ",
                Safe::paragraph(&row.why)
            ],
        );
    }
    page.hanging(
        0,
        2,
        text![
            senseless.len() as u64,
            " combinations make no sense; `--format json` has the reasons"
        ],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report_of(failures: Vec<Failure>) -> Report {
        let count = |verb, family| Count {
            verb,
            family,
            rows: 12_345,
            refused: 7,
            failed: 0,
        };
        let of = |verb| Family::ALL.map(move |family| count(verb, family));
        let mut counts: Vec<Count> = Verb::ALL.into_iter().flat_map(of).collect();
        counts[1].rows = 0;
        counts[2].rows = 999;
        counts[3].failed = failures.len() as u64;
        Report {
            way: Way::AtOnce,
            counts,
            failures,
            left_out: Vec::new(),
            ends: Default::default(),
        }
    }

    #[test]
    fn a_table_is_as_wide_as_a_page() {
        let text = report(&[report_of(Vec::new())], &[]).print(false);
        assert_eq!(
            text.lines().take(2).collect::<Vec<_>>(),
            [
                "                    name dots tail link hops made twin move held case like node",
                "read-via-stream      12k    -  999  12k  12k  12k  12k  12k  12k  12k  12k  12k",
            ]
        );
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.contains("all hold"));
    }

    #[test]
    fn every_failure_is_shown() {
        let failure = |row: &str| Failure {
            row: row.to_owned(),
            why: "leaks: \u{1b}[2J".to_owned(),
        };
        let text = report(
            &[report_of(vec![failure("read at a")])],
            &[failure("read at b")],
        )
        .print(false);
        assert!(text.contains("!1"), "{text}");
        assert!(text.contains("1 failures"), "{text}");
        assert!(
            text.contains("failed: read at a: leaks: ") && text.contains("failed: read at b: "),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }
}
