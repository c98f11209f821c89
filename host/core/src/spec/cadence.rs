//! `[cadence]`: how often the loop beats.
//!
//! **Invariant:** every loop has a cadence, also one whose file says nothing, and none is faster than a second.

use super::rules::{CRON, EVERY, JITTER, TIMEZONE};
use crate::cadence::{Cadence, Rhythm};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::quantity::Millis;
use crate::toml_doc::{Key, Kind, Section, Table};

// Limit: some hundred beats a day, of which nearly all find nothing to do.
const EVERY_DEFAULT: Millis = Millis(15 * 60_000);
// Limit: what changes faster is no work of a loop; a beat itself takes a part of it.
const EVERY_MIN: Millis = Millis(1_000);

pub(super) static CADENCE: Table = Table {
    title: "[cadence]",
    later: &[],
    keys: &[
        Key::optional(
            "every",
            Kind::Amount(&EVERY),
            "how long after a beat began the next one is due; 15m unless `every` or `cron` is written",
        ),
        Key::optional(
            "cron",
            Kind::Text(&CRON),
            "when beats are due: minute, hour, day, month and weekday as in cron, or @hourly, @daily, @weekly, @monthly, @yearly",
        ),
        Key::optional(
            "timezone",
            Kind::Text(&TIMEZONE),
            "the time zone that `cron` speaks of, by its IANA name; that of [budget] unless written",
        ),
        Key::optional(
            "jitter",
            Kind::Amount(&JITTER),
            "how much later a beat is due at most, so that not all loops begin at once; nothing unless written",
        ),
    ],
};

/// The cadence of the loop whose days are those of `budget_zone`.
pub(super) fn cadence(root: &Section, budget_zone: &str, found: &mut Diagnostics) -> Cadence {
    let section = root.one("cadence");
    let amount = |key: &str| section.and_then(|section| section.amount(key)).map(Millis);
    let text = |key: &str| section.and_then(|section| section.text(key));
    let every = amount("every");
    let jitter = amount("jitter");
    if let Some(section) = section {
        check(section, every, jitter, found);
    }
    let cron = text("cron").and_then(|cron| cron.parse().ok());
    Cadence {
        rhythm: match cron {
            Some(cron) => Rhythm::Cron(cron),
            None => Rhythm::Every(every.unwrap_or(EVERY_DEFAULT)),
        },
        jitter,
        timezone: text("timezone").unwrap_or(budget_zone).to_owned(),
    }
}

fn check(
    section: &Section,
    every: Option<Millis>,
    jitter: Option<Millis>,
    found: &mut Diagnostics,
) {
    let mut problem = |key: &str, message: String, label: &str, help: &str| {
        let problem = Diagnostic::error("bad-cadence", section.span_of(key), message, label);
        found.push(problem.with_help(help));
    };
    if section.has("every") && section.has("cron") {
        let message = "`every` and `cron` both say when beats are due".to_owned();
        problem("cron", message, "one too many", "keep one of them");
    }
    if section.has("timezone") && section.has("every") && !section.has("cron") {
        let message = "`timezone` is what `cron` speaks of, and `every` knows none".to_owned();
        problem(
            "timezone",
            message,
            "says nothing",
            "remove it, or write `cron`",
        );
    }
    if every.is_some_and(|every| every < EVERY_MIN) {
        let message = format!("`every` is less than {EVERY_MIN}");
        problem("every", message, "too fast", "write \"1s\" or more");
    }
    if jitter > every && every.is_some() {
        let message = "`jitter` is more than `every`".to_owned();
        problem("jitter", message, "too much", "write less than `every`");
    }
}
