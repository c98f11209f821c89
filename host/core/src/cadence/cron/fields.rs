//! One field of cron: a list of values, ranges and steps.
//!
//! **Invariant:** a field that can be read names at least one value, and none outside of its range.

use super::{CronError, cut};

/// What a field may hold.
pub(super) struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Words for values, the first one for `min`.
    words: &'static [&'static str],
}

pub(super) const MINUTE: Field = numbers("minute", 0, 59);
pub(super) const HOUR: Field = numbers("hour", 0, 23);
pub(super) const DAY: Field = numbers("day", 1, 31);
pub(super) const MONTH: Field = Field {
    words: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
    ..numbers("month", 1, 12)
};
pub(super) const WEEKDAY: Field = Field {
    words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ..numbers("weekday", 0, 7)
};

const fn numbers(name: &'static str, min: u32, max: u32) -> Field {
    Field {
        name,
        min,
        max,
        words: &[],
    }
}

/// The values that `text` names, one bit for each.
pub(super) fn field(text: &str, field: &Field) -> Result<u64, CronError> {
    let mut set = 0;
    for part in text.split(',') {
        set |= field.part(part).map_err(|why| CronError::Field {
            name: field.name,
            text: cut(text),
            why,
        })?;
    }
    Ok(set)
}

impl Field {
    fn part(&self, part: &str) -> Result<u64, String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            // From there on, where there is a step.
            None => {
                let from = self.value(range)?;
                (from, step.map_or(from, |_| self.max))
            }
        };
        if from > to {
            return Err(format!("has a range that ends before it begins: {range}"));
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok((from..=to)
            .step_by(step)
            .fold(0, |set, value| set | 1 << value))
    }

    fn step(&self, text: &str) -> Result<u32, String> {
        let step = number(text).filter(|step| (1..=self.max).contains(step));
        step.ok_or_else(|| format!("has a step that is not from 1 to {}", self.max))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let lower = text.to_ascii_lowercase();
        let words = (self.min..).zip(self.words);
        let word = words
            .filter(|(_, word)| **word == lower)
            .map(|(value, _)| value)
            .next();
        word.or_else(|| number(text))
            .filter(|value| (self.min..=self.max).contains(value))
            .ok_or_else(|| {
                format!(
                    "has {:?} where a number from {} to {} is due",
                    cut(text),
                    self.min,
                    self.max
                )
            })
    }
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}
