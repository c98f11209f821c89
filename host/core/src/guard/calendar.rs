//! The times in which a loop is frozen, as a person wrote them into a calendar.
//!
//! ```toml
//! timezone = "Europe/Berlin"
//!
//! [[freeze]]
//! from = "2026-12-21"
//! until = "2027-01-03"
//! reason = "holidays"
//!
//! [[weekly]]
//! days = ["fri"]
//! from = "16:00"
//! until = "08:00"
//! reason = "nobody looks"
//! ```
//!
//! **Invariant:** a calendar is read whole or not at all; whoever cannot read one has to take the loop for frozen.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::diagnostic::{Diagnostics, line_column, quote};
use crate::text;
use crate::toml_doc::{Key, Kind, Section, Table, Text};

/// Longest calendar in bytes.
// Limit: it is read in every beat; years of holidays fit.
pub const CALENDAR_BYTES_MAX: u64 = 64 << 10;
// Limit: freezes that follow each other without a gap; past these, the loop looks again by itself.
const CHAINED_MAX: usize = 64;
// Limit: one line.
const REASON_CHARS_MAX: usize = 200;
// What is unreadable now may be mended soon.
const RETRY: SignedDuration = SignedDuration::from_mins(15);

/// That a loop is frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Until when.
    pub until: Timestamp,
    /// Why, in one line.
    pub why: String,
}

/// What is wrong with a calendar: the first problem, with its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CalendarError(String);

/// The times in which a loop is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    timezone: Option<String>,
    freezes: Vec<Span>,
    weekly: Vec<Weekly>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    from: Moment,
    until: Moment,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Weekly {
    days: Vec<Weekday>,
    from: Time,
    until: Time,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(Timestamp),
    Local(DateTime),
}

static CALENDAR: Table = Table {
    title: "the calendar",
    later: &[],
    keys: &[
        Key::optional(
            "timezone",
            Kind::Text(&TIMEZONE),
            "the time zone of times without one; the loop's unless written",
        ),
        Key::optional(
            "freeze",
            Kind::Many(&FREEZE),
            "a time in which the loop is frozen",
        ),
        Key::optional(
            "weekly",
            Kind::Many(&WEEKLY),
            "a time that comes back each week",
        ),
    ],
};
static FREEZE: Table = Table {
    title: "[[freeze]]",
    later: &[],
    keys: &[
        Key::required("from", Kind::Text(&FROM), "when it begins"),
        Key::required(
            "until",
            Kind::Text(&UNTIL),
            "when it ends; a day is frozen to its end",
        ),
        Key::optional("reason", Kind::Text(&REASON), "why, in one line"),
    ],
};
static WEEKLY: Table = Table {
    title: "[[weekly]]",
    later: &[],
    keys: &[
        Key::required("days", Kind::List(&DAY), "the days on which it begins"),
        Key::optional(
            "from",
            Kind::Text(&TIME),
            "when it begins; 00:00 unless written",
        ),
        Key::optional(
            "until",
            Kind::Text(&TIME),
            "when it ends, on the next day if that is not later; 00:00 unless written",
        ),
        Key::optional("reason", Kind::Text(&REASON), "why, in one line"),
    ],
};
static TIMEZONE: Text = Text {
    code: "bad-timezone",
    what: "a time zone",
    check: |text| {
        fits(
            !text.is_empty() && text.len() <= 64,
            text,
            "a time zone such as \"Europe/Berlin\"",
        )
    },
    pattern: None,
    example: "Europe/Berlin",
};
static FROM: Text = moment();
static UNTIL: Text = moment();
static TIME: Text = Text {
    code: "bad-value",
    what: "a time",
    check: |text| fits(time(text).is_some(), text, "a time such as \"16:00\""),
    pattern: None,
    example: "16:00",
};
static DAY: Text = Text {
    code: "bad-value",
    what: "a day",
    check: |text| {
        fits(
            weekday(text).is_some(),
            text,
            "one of mon, tue, wed, thu, fri, sat, sun",
        )
    },
    pattern: None,
    example: "sat",
};
static REASON: Text = Text {
    code: "bad-value",
    what: "a line",
    check: |text| fits(text.len() <= 4 * REASON_CHARS_MAX, text, "short"),
    pattern: None,
    example: "holidays",
};

const fn moment() -> Text {
    Text {
        code: "bad-value",
        what: "a day or a time",
        check: |text| {
            let example = "a day such as \"2026-12-21\" or a time such as \"2026-12-21T18:00\" or \"2026-12-21T18:00+01:00\"";
            fits(begin_of(text).is_some(), text, example)
        },
        pattern: None,
        example: "2026-12-21",
    }
}

fn fits(does: bool, text: &str, what: &str) -> Result<(), String> {
    if does {
        Ok(())
    } else {
        Err(format!("{} is not {what}", quote(text)))
    }
}

impl Calendar {
    /// Reads a calendar of at most [`CALENDAR_BYTES_MAX`].
    ///
    /// # Errors
    /// [`CalendarError`] with the first problem.
    pub fn parse(source: &str) -> Result<Self, CalendarError> {
        let mut found = Diagnostics::default();
        let root = crate::toml_doc::read(source, &CALENDAR, 0..0, &mut found);
        if let Some(first) = found.into_sorted().first() {
            let (line, _) = line_column(source, first.span.start);
            return Err(CalendarError(format!("line {line}: {}", first.message)));
        }
        let root = root.unwrap_or_default();
        let freezes = root
            .many("freeze")
            .iter()
            .map(span)
            .collect::<Result<_, _>>()?;
        let weekly = root
            .many("weekly")
            .iter()
            .map(weekly)
            .collect::<Option<_>>();
        Ok(Self {
            timezone: root.text("timezone").map(str::to_owned),
            freezes,
            weekly: weekly.ok_or_else(|| CalendarError("a [[weekly]] without days".to_owned()))?,
        })
    }

    /// The time zone that it names.
    #[must_use]
    pub fn timezone(&self) -> Option<&str> {
        self.timezone.as_deref()
    }

    /// The freeze that holds at `now`, with those that follow it at once; times without a zone are of `timezone`.
    #[must_use]
    pub fn freeze(&self, now: Timestamp, timezone: &TimeZone) -> Option<Freeze> {
        let mut freeze = self.freeze_at(now, timezone)?;
        for _ in 0..CHAINED_MAX {
            match self.freeze_at(freeze.until, timezone) {
                Some(next) if next.until > freeze.until => freeze.until = next.until,
                _ => break,
            }
        }
        Some(freeze)
    }

    fn freeze_at(&self, now: Timestamp, timezone: &TimeZone) -> Option<Freeze> {
        let spans = self.freezes.iter().filter_map(|span| {
            let (from, until) = (span.from.of(timezone)?, span.until.of(timezone)?);
            Some((from, until, &span.reason))
        });
        let weekly = self.weekly.iter().flat_map(|weekly| {
            let windows = weekly.windows(now, timezone);
            windows.map(move |(from, until)| (from, until, &weekly.reason))
        });
        let holding = spans
            .chain(weekly)
            .filter(|(from, until, _)| *from <= now && now < *until);
        let (_, until, reason) = holding.max_by_key(|(_, until, _)| *until)?;
        let why = match reason.as_str() {
            "" => "frozen by the calendar".to_owned(),
            reason => format!("frozen by the calendar: {reason}"),
        };
        Some(Freeze { until, why })
    }
}

impl Freeze {
    /// What follows from a calendar that cannot be read: the loop is frozen, and looks again before long.
    #[must_use]
    pub fn unreadable(why: &str, now: Timestamp) -> Self {
        Self {
            until: now.checked_add(RETRY).unwrap_or(Timestamp::MAX),
            why: format!(
                "frozen, since the calendar cannot be read: {}",
                text::one_line(why, REASON_CHARS_MAX)
            ),
        }
    }
}

impl Moment {
    fn of(self, timezone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Local(at) => Some(at.to_zoned(timezone.clone()).ok()?.timestamp()),
        }
    }
}

impl Weekly {
    /// The windows that could hold at `now`: those that begin today and yesterday.
    fn windows(
        &self,
        now: Timestamp,
        timezone: &TimeZone,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = now.to_zoned(timezone.clone()).date();
        let days = [Some(today), today.yesterday().ok()].into_iter().flatten();
        let begins = days.filter(|day| self.days.contains(&day.weekday()));
        begins
            .filter_map(|day| {
                let ends = if self.until > self.from {
                    day
                } else {
                    day.tomorrow().ok()?
                };
                let from = Moment::Local(day.to_datetime(self.from)).of(timezone)?;
                Some((
                    from,
                    Moment::Local(ends.to_datetime(self.until)).of(timezone)?,
                ))
            })
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn span(section: &Section) -> Result<Span, CalendarError> {
    let text = |key: &str| section.text(key).unwrap_or_default();
    let (from, until) = (text("from"), text("until"));
    let ends = match day_of(until) {
        Some(day) => day
            .tomorrow()
            .ok()
            .map(|next| Moment::Local(next.to_datetime(Time::midnight()))),
        None => begin_of(until),
    };
    let (Some(begins), Some(ends)) = (begin_of(from), ends) else {
        return Err(CalendarError("a [[freeze]] without its times".to_owned()));
    };
    if let (Some(begins), Some(ends)) = (begins.of(&TimeZone::UTC), ends.of(&TimeZone::UTC))
        // A day apart, two zones may put them in another order.
        && begins.saturating_sub(SignedDuration::from_hours(26)).is_ok_and(|begins| begins >= ends)
    {
        return Err(CalendarError(format!(
            "a [[freeze]] from {from} that ends before, at {until}"
        )));
    }
    Ok(Span {
        from: begins,
        until: ends,
        reason: text::one_line(text("reason"), REASON_CHARS_MAX),
    })
}

fn weekly(section: &Section) -> Option<Weekly> {
    let at = |key: &str| section.text(key).map_or(Some(Time::midnight()), time);
    let days: Vec<Weekday> = section
        .list("days")?
        .iter()
        .filter_map(|day| weekday(day))
        .collect();
    (!days.is_empty()).then_some(())?;
    Some(Weekly {
        days,
        from: at("from")?,
        until: at("until")?,
        reason: text::one_line(section.text("reason").unwrap_or_default(), REASON_CHARS_MAX),
    })
}

/// The moment that a day or time begins at.
fn begin_of(text: &str) -> Option<Moment> {
    if let Some(day) = day_of(text) {
        return Some(Moment::Local(day.to_datetime(Time::midnight())));
    }
    // A zone's name would be read and not kept to.
    (!text.contains('[')).then_some(())?;
    let at = text.parse::<Timestamp>().ok().map(Moment::At);
    at.or_else(|| text.parse::<DateTime>().ok().map(Moment::Local))
}

fn day_of(text: &str) -> Option<Date> {
    (text.len() == "2026-12-21".len()).then(|| text.parse().ok())?
}

fn time(text: &str) -> Option<Time> {
    (text.len() == "16:00".len()).then(|| text.parse().ok())?
}

fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    DAYS.into_iter()
        .find(|(name, _)| *name == text)
        .map(|(_, day)| day)
}

#[cfg(test)]
mod tests;
