//! Rows of results, as text and as JSON.

use serde::Serialize;

use crate::rounds::Taken;

/// One comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub what: String,
    /// Who is compared with whom: the ratio is the first to the second.
    pub who: String,
    /// Of the middle round, by the clock.
    pub ratio: f64,
    /// Of the processor's time over all rounds.
    pub cpu_ratio: f64,
    /// What the ratio should be.
    pub goal: Goal,
    /// The middle turn of each side in microseconds.
    pub micros: (f64, f64),
}

/// Where a figure should be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// It is there to be compared with.
    None,
}

impl Row {
    /// How many times longer `dear` took than `cheap`.
    #[must_use]
    pub fn new(what: &str, dear: &Taken, cheap: &Taken, goal: Goal) -> Self {
        let (ratio, cpu_ratio) = cheap.ratio_of(dear);
        Self {
            what: what.to_owned(),
            who: format!("{} : {}", dear.name, cheap.name),
            ratio,
            cpu_ratio,
            goal,
            micros: (dear.median() / 1e3, cheap.median() / 1e3),
        }
    }

    /// A figure in microseconds by itself.
    #[must_use]
    pub fn micros(what: &str, taken: &Taken, goal: Goal) -> Self {
        let micros = taken.median() / 1e3;
        Self {
            what: what.to_owned(),
            who: format!("{}, µs", taken.name),
            ratio: micros,
            cpu_ratio: taken.cpu * 1e6 / taken.wall.len() as f64,
            goal,
            micros: (micros, 0.0),
        }
    }
}

impl Goal {
    fn words(self, is: f64) -> String {
        match self {
            Self::AtLeast(goal) if is >= goal => format!("≥ {goal} ✔"),
            Self::AtMost(goal) if is <= goal => format!("≤ {goal} ✔"),
            Self::AtLeast(goal) => format!("≥ {goal} ✘"),
            Self::AtMost(goal) => format!("≤ {goal} ✘"),
            Self::None => String::new(),
        }
    }
}

/// The rows as a Markdown table.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| work | compared | ratio | by CPU | goal | p50 µs |\n| --- | --- | ---: | ---: | --- | ---: |\n",
    );
    for row in rows {
        let micros = match row.micros {
            (one, 0.0) => format!("{one:.0}"),
            (dear, cheap) => format!("{dear:.0} : {cheap:.0}"),
        };
        let goal = row.goal.words(row.ratio);
        text.push_str(&format!(
            "| {} | {} | {:.2} | {:.2} | {goal} | {micros} |\n",
            row.what, row.who, row.ratio, row.cpu_ratio
        ));
    }
    text
}
