//! The five fields of cron, and the times they name.
//!
//! **Invariant:** what can be read names a time. Of a local time that comes twice the first counts, and one that is skipped
//! is made up for when the clocks have moved on; where minute or hour begins with `*`, what counts is that the clock on
//! the wall shows it. So a daily job runs each day once, and one of every quarter of an hour does so every quarter.

mod fields;

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp};
use serde::{Serialize, Serializer};

use self::fields::{DAY, HOUR, MINUTE, MONTH, WEEKDAY, field};

// Limit: the 29th of February falls on each day of the week within forty years, also across one that is no leap year.
const YEARS_MAX: i16 = 48;
// Limit: a zone that changes its offset daily for a year; every one changes it a few times.
const OFFSETS_MAX: usize = 400;

/// Times of day and days, as cron names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// One bit for each value.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
    /// True when a day has to fit both lists, as one of them begins with `*`; else one of them is enough.
    both_days: bool,
    /// True when minute or hour begins with `*`.
    repeats: bool,
}

/// A text that names no times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error("{text:?} has {count} fields, and cron has five: minute, hour, day, month, weekday")]
    Fields {
        /// The text.
        text: String,
        /// How many it has.
        count: usize,
    },
    /// A field that cannot be read.
    #[error("the {name} {text:?} {why}")]
    Field {
        /// Which one.
        name: &'static str,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A word with an `@` that is not known.
    #[error(
        "{0:?} is not known: write @hourly, @daily, @weekly, @monthly, @yearly, or five fields"
    )]
    Word(String),
    /// There is no such day.
    #[error("{0:?} names no day that ever comes")]
    Never(String),
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let text = text.trim();
        let spelled = match text.strip_prefix('@') {
            Some(word) => spelled_out(word).ok_or_else(|| CronError::Word(cut(text)))?,
            None => text,
        };
        let fields: Vec<&str> = spelled.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields {
                text: cut(text),
                count: fields.len(),
            });
        };
        let weekdays = field(weekday, &WEEKDAY)?;
        let cron = Self {
            text: text.to_owned(),
            minutes: field(minute, &MINUTE)?,
            hours: field(hour, &HOUR)?,
            days: field(day, &DAY)?,
            months: field(month, &MONTH)?,
            // Both 0 and 7 are Sunday.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            both_days: day.starts_with('*') || weekday.starts_with('*'),
            repeats: minute.starts_with('*') || hour.starts_with('*'),
        };
        match cron.day_from(Date::constant(2000, 1, 1)) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never(cut(text))),
        }
    }
}

impl Cron {
    /// The first of its times after `time`; none before the end of all dates.
    #[must_use]
    pub fn after(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.repeats {
            self.shown_after(time, zone)
        } else {
            self.named_after(time, zone)
        }
    }

    /// The next moment at which the clock on the wall shows one of its times: offset by offset, in each of which local
    /// time goes on evenly.
    fn shown_after(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (mut offset, mut from) = (zone.to_offset(time), next_minute(time)?);
        let mut changes = zone.following(time).take(OFFSETS_MAX);
        loop {
            let change = changes.next();
            let found = self
                .from(round_up(offset.to_datetime(from))?)
                .and_then(|local| offset.to_timestamp(local).ok());
            match (found, change) {
                (Some(found), Some(change)) if found >= change.timestamp() => {
                    (offset, from) = (change.offset(), change.timestamp());
                }
                (None, Some(change)) => (offset, from) = (change.offset(), change.timestamp()),
                (found, _) => return found,
            }
        }
    }

    /// The next of its times, each once.
    fn named_after(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut local = whole_minute(zone.to_datetime(time))?;
        loop {
            local = self.from(local)?;
            let found = moment(local, zone)?;
            if found > time {
                return Some(found);
            }
            local = local.checked_add(Span::new().minutes(1)).ok()?;
        }
    }

    /// The first of its local times from `local` on, a whole minute.
    fn from(&self, local: DateTime) -> Option<DateTime> {
        let first = self.day_from(local.date())?;
        let time = if first == local.date() {
            self.time_from(bits(local.hour()), bits(local.minute()))
        } else {
            self.time_from(0, 0)
        };
        let (day, (hour, minute)) = match time {
            Some(time) => (first, time),
            None => (
                self.day_from(first.tomorrow().ok()?)?,
                self.time_from(0, 0)?,
            ),
        };
        let part = |number: u32| i8::try_from(number).ok();
        Some(day.at(part(hour)?, part(minute)?, 0, 0))
    }

    /// The first time of day from this one on.
    fn time_from(&self, hour: u32, minute: u32) -> Option<(u32, u32)> {
        let lowest = |set: u64, from: u32| {
            let left = set.checked_shr(from)?.checked_shl(from)?;
            (left != 0).then(|| left.trailing_zeros())
        };
        let this_hour = lowest(self.minutes, minute).filter(|_| has(self.hours, hour));
        match this_hour {
            Some(minute) => Some((hour, minute)),
            None => Some((lowest(self.hours, hour + 1)?, lowest(self.minutes, 0)?)),
        }
    }

    /// The first of its days from `day` on.
    fn day_from(&self, mut day: Date) -> Option<Date> {
        let last = day.year().saturating_add(YEARS_MAX);
        while day.year() <= last {
            day = if !has(self.months, bits(day.month())) {
                day.last_of_month().tomorrow().ok()?
            } else if self.is_its_day(day) {
                return Some(day);
            } else {
                day.tomorrow().ok()?
            };
        }
        None
    }

    fn is_its_day(&self, day: Date) -> bool {
        let of_month = has(self.days, bits(day.day()));
        let of_week = has(self.weekdays, bits(day.weekday().to_sunday_zero_offset()));
        if self.both_days {
            of_month && of_week
        } else {
            of_month || of_week
        }
    }
}

/// When it is `local` in this zone: the first time, or when the clocks have passed over it.
fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = |offset: Offset| offset.to_timestamp(local).ok();
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Fold { before, .. } => at(before),
        AmbiguousOffset::Gap { after, .. } => {
            let change = zone.following(at(after)?).next()?;
            Some(change.timestamp())
        }
    }
}

fn next_minute(time: Timestamp) -> Option<Timestamp> {
    time.checked_add(Span::new().seconds(1)).ok()
}

/// The minute that has begun.
fn whole_minute(local: DateTime) -> Option<DateTime> {
    local.with().second(0).subsec_nanosecond(0).build().ok()
}

/// The minute that is to come, or this one when it has just begun.
fn round_up(local: DateTime) -> Option<DateTime> {
    let begun = whole_minute(local)?;
    if begun == local {
        Some(begun)
    } else {
        begun.checked_add(Span::new().minutes(1)).ok()
    }
}

fn has(set: u64, value: u32) -> bool {
    set.checked_shr(value).is_some_and(|rest| rest & 1 == 1)
}

fn bits(value: i8) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn spelled_out(word: &str) -> Option<&'static str> {
    match word {
        "hourly" => Some("0 * * * *"),
        "daily" | "midnight" => Some("0 0 * * *"),
        "weekly" => Some("0 0 * * 0"),
        "monthly" => Some("0 0 1 * *"),
        "yearly" | "annually" => Some("0 0 1 1 *"),
        _ => None,
    }
}

fn cut(text: &str) -> String {
    crate::text::one_line(text, 60)
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
