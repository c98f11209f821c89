//! What a day may cost, and what it did.

use ringfence_core::estimate::{BudgetUse, Estimate, Measured, Spread, Unit};
use ringfence_core::ids::LoopId;
use ringfence_core::quantity::{Fuel, Millis, Money};

use super::amount::near;
use super::page::Page;
use super::safe::Safe;
use super::table::Table;
use super::text::{Ink, Text, text};

/// The estimate of a loop.
pub(crate) fn estimate(loop_id: &LoopId, found: &Estimate) -> Page {
    let mut page = Page::new();
    page.line(text![
        text!["loop "].ink(Ink::Strong),
        text![loop_id].ink(Ink::Strong)
    ]);
    page.field(2, 13, "runs", text![found.beats_per_day, " times a day"]);
    let planned = &found.planned;
    let cut = if planned.fuel_per_beat < planned.fuel_of_steps {
        text![
            ", what a beat may use; its steps may use ",
            planned.fuel_of_steps
        ]
    } else {
        text![", what its steps may use"]
    };
    page.field(
        2,
        13,
        "a beat",
        text!["at most ", planned.fuel_per_beat, cut],
    );
    if let Some(measured) = &found.measured {
        beats(measured, &mut page);
    }
    budgets(&found.budgets, &mut page);
    page.gap();
    binds("by the plan", found.binds_planned, &mut page);
    if found.measured.is_some() {
        binds("as measured", found.binds_measured, &mut page);
    }
    if !found.cautions.is_empty() {
        page.gap();
    }
    for caution in &found.cautions {
        page.hanging(
            0,
            2,
            text![text!["note"].ink(Ink::Warn), ": ", Safe::line(caution)],
        );
    }
    page
}

fn beats(measured: &Measured, page: &mut Page) {
    page.gap();
    page.line(text![
        text!["measured"].ink(Ink::Strong),
        ": ",
        measured.fuel.count,
        if measured.fuel.count == 1 {
            " beat"
        } else {
            " beats"
        },
        " from ",
        measured.first,
        " to ",
        measured.last
    ]);
    let mut table = Table::new(
        2,
        &[
            ("ended", 16),
            ("beats", 7),
            ("half below", 10),
            ("9 of 10 below", 13),
            ("most", 8),
        ],
    );
    for one in &measured.outcomes {
        table.row(row(Safe::line(&one.outcome).into(), &one.fuel));
    }
    table.row(row(text!["all"].ink(Ink::Strong), &measured.fuel));
    if let Some(day) = &measured.fuel_of_day {
        table.row(row(text!["a whole day"], day));
    }
    table.put(page);
    if let Some(tokens) = &measured.tokens {
        let figures = text![
            "half below ",
            tokens.median,
            ", 9 of 10 below ",
            tokens.p90,
            ", most ",
            tokens.max
        ];
        page.field(2, 13, "tokens", figures);
    }
    if let Some(money) = &measured.money {
        let amount = |amount: u64| Safe::line(&Money(amount).to_string());
        let figures = text![
            "half below ",
            amount(money.median),
            ", 9 of 10 below ",
            amount(money.p90),
            ", most ",
            amount(money.max)
        ];
        page.field(2, 13, "money", figures);
    }
}

fn row(name: Text, spread: &Spread) -> [Text; 5] {
    [
        name,
        spread.count.into(),
        Fuel(spread.median).into(),
        Fuel(spread.p90).into(),
        Fuel(spread.max).into(),
    ]
}

fn budgets(budgets: &[BudgetUse], page: &mut Page) {
    page.gap();
    let mut table = Table::new(
        0,
        &[
            ("a day's budget", 18),
            ("limit", 10),
            ("planned", 12),
            ("lasts", 8),
            ("measured", 10),
            ("lasts", 8),
        ],
    );
    for one in budgets {
        let amount = |amount: u64| match one.unit {
            Unit::Fuel => Text::from(Fuel(amount)),
            Unit::Money => Safe::line(&Money(amount).to_string()).into(),
            Unit::Beats | Unit::Proposals | Unit::Tokens => amount.into(),
        };
        let used = |used: u64| {
            if used > one.limit {
                amount(used).ink(Ink::Bad)
            } else if near(used, one.limit) {
                amount(used).ink(Ink::Warn)
            } else {
                amount(used)
            }
        };
        table.row([
            text![one.budget],
            amount(one.limit),
            used(one.planned),
            lasts(one.planned_lasts),
            one.measured.map_or("-".into(), used),
            one.measured
                .map_or(Text::new(), |_| lasts(one.measured_lasts)),
        ]);
    }
    table.put(page);
}

fn lasts(time: Option<Millis>) -> Text {
    match time {
        None => "all day".into(),
        Some(Millis(millis)) if millis < 7_200_000 => text![millis / 60_000, " min"],
        Some(Millis(millis)) => text![millis / 3_600_000, " h"],
    }
}

fn binds(how: &'static str, budget: Option<&'static str>, page: &mut Page) {
    let what = match budget {
        Some(budget) => {
            text!["`", budget, "` is used up first, before the day ends"].ink(Ink::Warn)
        }
        None => text!["every budget lasts the day"],
    };
    page.line(text![how, ": ", what]);
}
