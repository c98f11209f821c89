//! A loop's history as one HTML page, to be kept, mailed or printed.
//!
//! Owns what stands on it and in which order; [`chart`] draws, `html` escapes.
//!
//! **Invariant:** the page loads nothing, runs nothing and links nowhere. Its only style sheet is allowed by a word that is
//! made of the page itself, which no text on it can know. Every table has a bound, and says what it leaves out.

mod chart;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ringfence_core::digest::Digest;
use ringfence_core::journal::{DayFigures, DrillResult, FindingFigures, History, LoopState};
use ringfence_core::verdict::Severity;

use self::chart::{Bucket, Chart, Part, buckets, date};
use super::amount::{ago, count};
use super::html::{Html, percent};
use super::journal::operator;
use super::receipt::{branch, outcome_line, outcome_word};
use super::safe::Safe;
use super::status::{self, Standing, amount_of};
use super::text::{Ink, Text, text};

// Limit: rows of each table; the journal has all of them.
const ROWS_MAX: usize = 100;

const STYLE: &str = include_str!("report/style.css");

/// What beats came to, as it is drawn: class, name, and the outcomes that it stands for.
const ENDS: [(&str, &str, &[&str]); 5] = [
    (
        "accepted",
        "accepted",
        &["committed", "proposed", "shadowed"],
    ),
    ("discarded", "discarded", &["discarded"]),
    ("escalated", "a person's", &["escalated"]),
    ("failed", "failed", &["failed"]),
    ("quiet", "nothing to do", &["nothing-to-do"]),
];
/// Outcomes of beats that did not get as far as deciding.
const NOT_DRAWN: [&str; 2] = ["skipped", "waiting"];

/// Everything that the page is made of.
pub(crate) struct Shown<'a> {
    /// Where the loop stands.
    pub(crate) standing: &'a Standing,
    /// What guards see.
    pub(crate) state: &'a LoopState,
    /// What people see.
    pub(crate) history: &'a History,
    /// Whose days are counted.
    pub(crate) timezone: &'a TimeZone,
}

/// The page.
pub(crate) fn page(shown: &Shown<'_>) -> String {
    let body = body(shown);
    let nonce = Digest::of(body.as_str().as_bytes()).hex();
    let nonce = || Text::from(Safe::line(&nonce));
    let policy = text![
        "default-src 'none'; style-src 'nonce-",
        nonce(),
        "'; base-uri 'none'; form-action 'none'"
    ];
    let mut html = Html::default();
    html.raw("<!DOCTYPE html>\n");
    html.open("html", &[("lang", "en".into())])
        .open("head", &[]);
    html.void("meta", &[("charset", "utf-8".into())]);
    let security = ("http-equiv", Text::from("Content-Security-Policy"));
    html.void("meta", &[security, ("content", policy)]);
    for (name, content) in [
        ("viewport", "width=device-width, initial-scale=1"),
        ("color-scheme", "light dark"),
        ("referrer", "no-referrer"),
    ] {
        html.void(
            "meta",
            &[("name", name.into()), ("content", content.into())],
        );
    }
    html.leaf("title", &[], text!["Loop ", &shown.standing.loop_id]);
    html.open("style", &[("nonce", nonce())]).raw(STYLE).close();
    html.close();
    html.append(body);
    html.finish()
}

fn body(shown: &Shown<'_>) -> Html {
    let found = shown.standing;
    let mut html = Html::default();
    html.open("body", &[]).open("header", &[]);
    html.leaf("h1", &[], text!["Loop ", &found.loop_id]);
    let at = text![
        " as it stood at ",
        found.now,
        "; days are those of ",
        Safe::line(&found.today.timezone)
    ];
    let place = text![
        Safe::line(&found.file),
        " in ",
        Safe::cut(&found.project, 4_096),
        at
    ];
    html.leaf("p", &[("class", "faint".into())], place).close();
    html.open("main", &[]);
    tiles(&mut html, found, shown.history);
    waiting(&mut html, found);
    spent_today(&mut html, found);
    let today = found.now.to_zoned(shown.timezone.clone()).date();
    let (buckets, width) = buckets(&shown.history.days, today);
    if !buckets.is_empty() {
        outcomes(&mut html, &buckets, width);
        fuel(&mut html, &buckets, width, found);
    }
    verdicts(&mut html, shown.history);
    findings(&mut html, shown.history);
    proposals(&mut html, found);
    tried(&mut html, found);
    steps(&mut html, shown.history);
    authority(&mut html, shown.history);
    drills(&mut html, shown);
    beats(&mut html, shown.history, found.now);
    journal(&mut html, found, shown.history);
    html.close();
    html.open("footer", &[]);
    let version = Safe::line(env!("CARGO_PKG_VERSION"));
    let made = text!["Made by ringfence ", version, " from the loop's journal."];
    html.leaf("p", &[], made);
    html
}

/// A section with its heading; one that may be broken between pages is `long`.
fn section(html: &mut Html, long: bool, title: &'static str) {
    let class = if long { "long" } else { "short" };
    html.open("section", &[("class", class.into())]);
    html.leaf("h2", &[], title);
}

fn tiles(html: &mut Html, found: &Standing, history: &History) {
    section(html, false, "At a glance");
    html.open("dl", &[("class", "tiles".into())]);
    let mut tile = |wide: bool, name: &'static str, value: Text| {
        let class = if wide { "wide" } else { "narrow" };
        html.open("div", &[("class", class.into())]);
        html.leaf("dt", &[], name).leaf("dd", &[], value).close();
    };
    let waits = if found.waiting.is_empty() {
        Ink::Plain
    } else {
        Ink::Warn
    };
    tile(false, "for a person", text![found.waiting.len()].ink(waits));
    tile(false, "open proposals", text![found.proposals.len()]);
    tile(false, "beats so far", text![history.beats()]);
    let accepted = ENDS.first().map_or(0, |(_, _, kinds)| {
        kinds
            .iter()
            .filter_map(|kind| history.outcomes.get(kind))
            .sum()
    });
    tile(false, "of these accepted", text![accepted]);
    tile(false, "fuel so far", history.fuel.into());
    tile(true, "level", status::level(&found.level));
    tile(true, "mode", status::mode(&found.mode, found.now));
    tile(true, "next beat", status::next(&found.next, found.now));
    tile(true, "due", status::due(&found.due, found.now));
    tile(
        true,
        "drills",
        status::drills(found.drills.as_ref(), found.now),
    );
    html.close().close();
}

/// A column: its heading, and the class of its cells.
type Column = (&'static str, &'static str);

/// A table with at most [`ROWS_MAX`] rows; the others are counted.
fn table<R>(
    html: &mut Html,
    columns: &[Column],
    rows: impl ExactSizeIterator<Item = R>,
    cells: impl Fn(R) -> Vec<Text>,
) {
    let rest = rows.len().saturating_sub(ROWS_MAX);
    let scroll = [("class", "scroll".into()), ("tabindex", "0".into())];
    html.open("div", &scroll).open("table", &[]);
    html.open("thead", &[]).open("tr", &[]);
    for (heading, class) in columns {
        let class = ("class", Text::from(*class));
        html.leaf("th", &[("scope", "col".into()), class], *heading);
    }
    html.close().close().open("tbody", &[]);
    for row in rows.take(ROWS_MAX) {
        html.open("tr", &[]);
        for ((_, class), cell) in columns.iter().zip(cells(row)) {
            html.leaf("td", &[("class", (*class).into())], cell);
        }
        html.close();
    }
    html.close().close().close();
    if rest > 0 {
        let more = text!["… and ", rest, " more."];
        html.leaf("p", &[("class", "faint".into())], more);
    }
}

fn waiting(html: &mut Html, found: &Standing) {
    if found.waiting.is_empty() {
        return;
    }
    section(html, true, "Waiting for a person");
    let columns = [("what", "id"), ("since", "when"), ("why", "said")];
    table(html, &columns, found.waiting.iter(), |one| {
        let since = one.since.map_or_else(Text::new, Text::from);
        vec![
            Safe::line(&one.id).into(),
            since,
            Safe::line(&one.why).into(),
        ]
    });
    html.close();
}

fn spent_today(html: &mut Html, found: &Standing) {
    section(html, false, "Spent today");
    html.open(
        "div",
        &[("class", "scroll".into()), ("tabindex", "0".into())],
    );
    html.open("table", &[]).open("tbody", &[]);
    for budget in &found.budgets {
        let amount = |amount| amount_of(budget.budget, amount);
        html.open("tr", &[]);
        html.leaf("td", &[], budget.budget);
        html.open("td", &[]);
        bar(html, budget.used, budget.limit);
        html.close();
        let share = super::bar::percent(budget.used, budget.limit);
        html.leaf("td", &[("class", "n".into())], share);
        let figures = text![amount(budget.used), " of ", amount(budget.limit)];
        html.leaf("td", &[("class", "n".into())], figures);
        html.close();
    }
    html.close().close().close().close();
}

fn bar(html: &mut Html, used: u64, limit: u64) {
    let class = if used >= limit {
        "failed"
    } else if super::amount::near(used, limit) {
        "discarded"
    } else {
        "spent"
    };
    let whole = || Text::from("100%");
    html.open(
        "svg",
        &[("class", "bar".into()), ("aria-hidden", "true".into())],
    );
    let room = [
        ("class", "room".into()),
        ("width", whole()),
        ("height", whole()),
    ];
    html.void("rect", &room);
    let width = percent(used.min(limit), limit);
    html.void(
        "rect",
        &[
            ("class", class.into()),
            ("width", width),
            ("height", whole()),
        ],
    );
    html.close();
}

fn of(figures: &DayFigures, kinds: &[&str]) -> u64 {
    let counts = kinds.iter().filter_map(|kind| figures.outcomes.get(kind));
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

fn outcomes(html: &mut Html, buckets: &[Bucket], width: i64) {
    section(html, false, "How beats ended");
    let bars = buckets.iter().map(|bucket| {
        let counts = ENDS.map(|(class, name, kinds)| (class, name, of(&bucket.figures, kinds)));
        let parts = counts.map(|(class, _, amount)| Part { class, amount });
        let said = counts.iter().filter(|(.., amount)| *amount > 0);
        let said = Text::join(
            said.map(|(_, name, amount)| text![*amount, " ", *name]),
            ", ",
        );
        (
            bucket.from,
            parts.into(),
            text![date(bucket.from), ": ", said],
        )
    });
    let chart = Chart {
        title: "Beats that decided, by how they ended, over time".into(),
        width,
        bars: bars.collect(),
        limit: None,
        label: |amount| amount.into(),
    };
    html.open("figure", &[]);
    let caption = text!["Beats that got as far as deciding; ", chart.unit(), "."];
    html.leaf("figcaption", &[], caption);
    chart.draw(html);
    html.open("ul", &[("class", "keys".into())]);
    for (class, name, _) in ENDS {
        html.open("li", &[]);
        html.open("svg", &[("aria-hidden", "true".into())]);
        let whole = || Text::from("100%");
        html.void(
            "rect",
            &[
                ("class", class.into()),
                ("width", whole()),
                ("height", whole()),
            ],
        );
        html.close().text(name).close();
    }
    html.close().close();
    figures(html, buckets);
    html.close();
}

/// The figures that the charts are drawn from; days on which nothing happened are left out.
fn figures(html: &mut Html, buckets: &[Bucket]) {
    html.open("details", &[]);
    html.leaf("summary", &[], "The same in figures");
    let mut columns: Vec<Column> = vec![("from", "when")];
    columns.extend(ENDS.map(|(_, name, _)| (name, "n")));
    columns.extend(NOT_DRAWN.map(|kind| (kind, "n")));
    columns.push(("fuel", "n"));
    let rows: Vec<&Bucket> = buckets
        .iter()
        .filter(|bucket| !bucket.figures.outcomes.is_empty())
        .collect();
    table(html, &columns, rows.into_iter(), |bucket| {
        let mut cells = vec![date(bucket.from)];
        cells.extend(ENDS.map(|(_, _, kinds)| of(&bucket.figures, kinds).into()));
        cells.extend(NOT_DRAWN.map(|kind| of(&bucket.figures, &[kind]).into()));
        cells.push(bucket.figures.fuel.into());
        cells
    });
    html.close();
}

fn fuel(html: &mut Html, buckets: &[Bucket], width: i64, found: &Standing) {
    section(html, false, "Fuel");
    let bars = buckets.iter().map(|bucket| {
        let amount = bucket.figures.fuel.0;
        let part = Part {
            class: "spent",
            amount,
        };
        let said = text![date(bucket.from), ": ", bucket.figures.fuel];
        (bucket.from, vec![part], said)
    });
    let limit = found.today.fuel_max;
    let chart = Chart {
        title: "Fuel used over time".into(),
        width,
        bars: bars.collect(),
        limit: Some(limit.0.saturating_mul(width.unsigned_abs())),
        label: chart::fuel,
    };
    html.open("figure", &[]);
    let caption = text![
        "Fuel of all beats (10G is about a second of a core); ",
        chart.unit(),
        ". The limit is ",
        limit,
        " a day: a dashed line, where it is near enough to be drawn."
    ];
    html.leaf("figcaption", &[], caption);
    chart.draw(html);
    html.close().close();
}

fn verdicts(html: &mut Html, history: &History) {
    if history.gates.is_empty() {
        return;
    }
    section(html, true, "What gates said");
    let columns = [
        ("gate", "id"),
        ("pass", "n"),
        ("fail", "n"),
        ("abstain", "n"),
        ("no verdict", "n"),
        ("last asked in beat", "n"),
    ];
    table(html, &columns, history.gates.iter(), |(gate, one)| {
        vec![
            gate.into(),
            one.pass.into(),
            marked(one.fail, Ink::Warn),
            one.abstain.into(),
            marked(one.broken, Ink::Bad),
            one.last.map_or_else(Text::new, Text::from),
        ]
    });
    html.close();
}

/// A number that stands out unless it is 0.
fn marked(number: u64, ink: Ink) -> Text {
    let ink = if number == 0 { Ink::Plain } else { ink };
    text![number].ink(ink)
}

fn findings(html: &mut Html, history: &History) {
    if history.findings.is_empty() {
        return;
    }
    section(html, true, "Findings");
    let mut rows: Vec<(&(String, String), &FindingFigures)> = history.findings.iter().collect();
    rows.sort_by_key(|(_, one)| std::cmp::Reverse((one.times, one.last)));
    let columns = [
        ("gate", "id"),
        ("rule", "id"),
        ("at worst", "when"),
        ("times", "n"),
        ("last in beat", "n"),
        ("what it said then", "said"),
    ];
    table(html, &columns, rows.into_iter(), |((gate, rule), one)| {
        let (word, ink) = match one.severity {
            Severity::Error => ("error", Ink::Bad),
            Severity::Warning => ("warning", Ink::Warn),
            Severity::Note => ("note", Ink::Plain),
        };
        vec![
            Safe::line(gate).into(),
            Safe::line(rule).into(),
            Text::from(word).ink(ink),
            one.times.into(),
            one.last.into(),
            Safe::line(&one.message).into(),
        ]
    });
    if history.findings_more > 0 {
        let more = text!["And ", history.findings_more, " of other rules."];
        html.leaf("p", &[("class", "faint".into())], more);
    }
    html.close();
}

fn proposals(html: &mut Html, found: &Standing) {
    if found.proposals.is_empty() {
        return;
    }
    section(html, true, "Open proposals");
    let columns = [("beat", "n"), ("branch or patch", "id"), ("for", "said")];
    table(html, &columns, found.proposals.iter().rev(), |one| {
        let item = one.item.as_deref();
        vec![
            one.beat.into(),
            Safe::line(branch(&one.reference)).into(),
            item.map_or_else(Text::new, |item| Safe::line(item).into()),
        ]
    });
    html.close();
}

fn tried(html: &mut Html, found: &Standing) {
    if found.items.is_empty() {
        return;
    }
    section(html, true, "Tried in vain");
    let columns = [("item", "id"), ("attempts", "n"), ("why", "said")];
    table(html, &columns, found.items.iter(), |one| {
        let why = one.reason.as_deref().unwrap_or_default();
        let why = match &one.escalated {
            Some(person) => text![
                text!["a person's now: ", Safe::line(person)].ink(Ink::Warn),
                ". Last reason: ",
                Safe::line(why)
            ],
            None => Safe::line(why).into(),
        };
        vec![
            Safe::line(&one.item).into(),
            text![one.attempts, " of ", one.attempts_max],
            why,
        ]
    });
    html.close();
}

fn steps(html: &mut Html, history: &History) {
    if history.steps.is_empty() {
        return;
    }
    section(html, true, "Steps");
    let columns = [
        ("role", "when"),
        ("step", "id"),
        ("calls", "n"),
        ("remembered", "n"),
        ("no answer", "n"),
        ("fuel", "n"),
    ];
    table(
        html,
        &columns,
        history.steps.iter(),
        |((role, step), one)| {
            vec![
                (*role).into(),
                step.into(),
                one.calls.into(),
                one.remembered.into(),
                marked(one.failed, Ink::Bad),
                one.fuel.into(),
            ]
        },
    );
    let denied = text![
        count(history.denials, "access was", "accesses were"),
        " refused."
    ];
    html.leaf("p", &[("class", "faint".into())], denied).close();
}

/// What operators ordered, and how accepted changes went in turn.
fn authority(html: &mut Html, history: &History) {
    if history.acts.is_empty() && history.settles.is_empty() {
        return;
    }
    section(html, true, "Level and mode over time");
    let acts = history.acts.iter().map(|one| (one.at, operator(&one.act)));
    let settles = history.settles.iter().map(|one| {
        let what = super::explained::if_accepted(one.settle);
        (
            one.at,
            text!["from beat ", one.beat, " on, if accepted, ", what],
        )
    });
    let mut rows: Vec<(Timestamp, Text)> = acts.chain(settles).collect();
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let columns = [("when", "when"), ("what", "said")];
    table(html, &columns, rows.into_iter(), |(at, what)| {
        vec![at.into(), what]
    });
    if history.acts_more > 0 {
        let more = text!["And ", history.acts_more, " acts before these."];
        html.leaf("p", &[("class", "faint".into())], more);
    }
    html.close();
}

fn drills(html: &mut Html, shown: &Shown<'_>) {
    let Some(drilled) = &shown.state.drilled else {
        return;
    };
    section(html, true, "Drills");
    let summary = status::drills(shown.standing.drills.as_ref(), shown.standing.now);
    html.leaf("p", &[], summary);
    let columns = [
        ("drill", "id"),
        ("what it tries", "when"),
        ("how it went", "when"),
        ("what was seen", "said"),
    ];
    table(
        html,
        &columns,
        drilled.run.results.iter(),
        |one: &DrillResult| {
            let tries = if one.fault {
                "a fault that must be caught"
            } else {
                "a clean case that must pass"
            };
            let went = if one.passed {
                text!["as it must"].ink(Ink::Good)
            } else {
                text!["wrong"].ink(Ink::Bad)
            };
            vec![
                Safe::line(&one.name).into(),
                tries.into(),
                went,
                Safe::line(&one.seen).into(),
            ]
        },
    );
    html.close();
}

fn beats(html: &mut Html, history: &History, now: Timestamp) {
    section(html, true, "Last beats");
    if history.recent.is_empty() {
        html.leaf("p", &[], "No beat has run yet.").close();
        return;
    }
    let columns = [
        ("beat", "n"),
        ("ended at", "when"),
        ("", "when"),
        ("fuel", "n"),
        ("how it ended", "said"),
    ];
    table(html, &columns, history.recent.iter().rev(), |one| {
        let how = text![outcome_word(&one.outcome), ": ", outcome_line(&one.outcome)];
        vec![
            one.beat.into(),
            one.at.into(),
            ago(one.at, now),
            one.fuel.into(),
            how,
        ]
    });
    let before = history.beats().saturating_sub(history.recent.len() as u64);
    if before > 0 {
        let more = text!["And ", before, " before these: `ringfence journal show`."];
        html.leaf("p", &[("class", "faint".into())], more);
    }
    html.close();
}

fn journal(html: &mut Html, found: &Standing, history: &History) {
    section(html, false, "Journal");
    let kinds = history.entries.iter();
    let kinds = Text::join(kinds.map(|(kind, number)| text![*number, " ", *kind]), ", ");
    let entries = count(found.journal.entries, "entry", "entries");
    html.leaf("p", &[], text![entries, ": ", kinds]);
    if let Some(head) = &found.journal.head {
        html.open("p", &[]).text("The last one is ");
        html.leaf("code", &[], Safe::line(head)).text(".").close();
    }
    html.close();
}

#[cfg(test)]
mod tests;
