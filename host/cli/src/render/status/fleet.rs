//! Many loops at a glance: a row each.
//!
//! **Invariant:** a loop that cannot be read is no reason to leave out the others.

use jiff::Timestamp;
use serde::Serialize;

use super::{Budgeted, Next, Standing};
use crate::render::amount::until;
use crate::render::bar::percent;
use crate::render::receipt::outcome_word;
use crate::render::table::Table;
use crate::render::{Ink, Page, Safe, Text, text};

/// What is known of one of many loops.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum OneOfMany {
    /// Where it stands.
    Known(Box<Standing>),
    /// Why nobody knows.
    Unknown {
        /// The loop file.
        file: String,
        /// Why.
        error: String,
    },
}

/// Many loops, a row each; whatever cannot be read stands below.
pub(crate) fn fleet(loops: &[OneOfMany], dir: &str) -> Page {
    let mut page = Page::new();
    let mut table = Table::new(
        0,
        &[
            ("loop", 20),
            ("level", 5),
            ("mode", 11),
            ("next", 12),
            ("last beat", 13),
            ("spent", 5),
            ("waits", 5),
            ("where", 80),
        ],
    );
    for one in loops {
        if let OneOfMany::Known(found) = one {
            table.row(row(found, dir));
        }
    }
    table.put(&mut page);
    for one in loops {
        if let OneOfMany::Unknown { file, error } = one {
            page.gap().hanging(
                0,
                2,
                text![
                    text!["error"].ink(Ink::Bad),
                    ": ",
                    Safe::line(below(file, dir)),
                    ": ",
                    Safe::paragraph(error)
                ],
            );
        }
    }
    if loops.is_empty() {
        page.line(text!["no loop file in ", Safe::line(dir), " or below it"]);
    }
    page
}

fn row(found: &Standing, dir: &str) -> [Text; 8] {
    let last = found.beats.first();
    let ink = if found.waiting.is_empty() {
        Ink::Plain
    } else {
        Ink::Warn
    };
    [
        (&found.loop_id).into(),
        found.level.now.into(),
        found.mode.mode.into(),
        shortly(found),
        last.map_or_else(|| "none".into(), |beat| outcome_word(&beat.outcome)),
        most_spent(&found.budgets),
        text![found.waiting.len()].ink(ink),
        Safe::line(below(&found.project, dir)).into(),
    ]
}

/// The budget that is nearest to its end.
fn most_spent(budgets: &[Budgeted]) -> Text {
    let most = budgets
        .iter()
        .max_by_key(|one| u128::from(one.used) * 1_000 / u128::from(one.limit.max(1)));
    most.map_or_else(Text::new, |one| percent(one.used, one.limit))
}

fn shortly(found: &Standing) -> Text {
    match found.next {
        Next::Free | Next::ShadowOnly { .. } if found.due.next.at == Timestamp::MAX => {
            "never".into()
        }
        Next::Free | Next::ShadowOnly { .. } => until(found.due.next.at, found.now),
        Next::Wait {
            until: Some(time), ..
        } => until(time, found.now).ink(Ink::Warn),
        Next::Wait { until: None, .. } => Text::from("never").ink(Ink::Warn),
        Next::Broken { .. } => Text::from("cannot begin").ink(Ink::Bad),
    }
}

/// The path from `dir`, where it lies below it.
fn below<'a>(path: &'a str, dir: &str) -> &'a str {
    let rest = path
        .strip_prefix(dir)
        .map(|rest| rest.trim_start_matches('/'));
    match rest {
        Some("") => ".",
        Some(rest) => rest,
        None => path,
    }
}
