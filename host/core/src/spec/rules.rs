//! What the values of a loop file's keys look like.
//!
//! **Invariant:** each rule looks at one value; what two keys say together is judged in `build`.

use super::{CalendarRef, PluginRef, people};
use crate::cadence::Cron;
use crate::diagnostic::{did_you_mean, quote};
use crate::ids::{LoopId, StepId};
use crate::limits::LIMITS_MAX;
use crate::policy::{DenySource, builtin_denials};
use crate::quantity::{Bytes, Fuel, Millis, Money, QuantityError};
use crate::toml_doc::{Amount, Choice, Text, Whole};

// Limit: a beat each second of a day.
const BEATS_PER_DAY_MAX: u64 = 86_400;
// Limit: an item that failed a hundred times is for a person.
const ATTEMPTS_MAX: u64 = 100;
// Limit: a thousand days of one core, so that sums of days cannot overflow.
const FUEL_PER_DAY_MAX: u64 = LIMITS_MAX.fuel.0 * 1_000;
// Limit: what is rarer is a day of the calendar: cron.
const EVERY_MAX: Millis = Millis(31 * 86_400_000);
// Limit: enough to spread a thousand loops; more would be a cadence of its own.
const JITTER_MAX: Millis = Millis(3_600_000);
// Limit: whoever is told once a week is told of what has stopped long ago.
const DIGEST_MAX: Millis = Millis(7 * 86_400_000);
// Limit: what nobody spends on a loop by the day, so that sums of days cannot overflow.
const TOKENS_MAX: u64 = 1_000_000_000_000;
const MONEY_MAX: Money = Money(1_000_000_000_000);
// Limit: a month; what was true then need not be now.
const NOOP_HOLDS_MAX: Millis = Millis(30 * 86_400_000);
// Limit: beyond a thousand times slower a loop stands still.
const SLOWEST_MAX: u64 = 10_000;
// Limit: a path into an answer.
const POINTER_BYTES_MAX: usize = 200;
// Limit: one word that a sensor puts on an item.
const LABEL_BYTES_MAX: usize = 128;

pub(super) static LEVEL: Choice = Choice {
    values: &["L1", "L2", "L3"],
    later: &[],
};
pub(super) static BASE: Choice = Choice {
    values: &["head", "worktree"],
    later: &[],
};

const ID_PATTERN: Option<&str> = Some("^[a-z0-9][a-z0-9-]{0,63}$");

pub(super) static LOOP_ID: Text = Text {
    code: "bad-id",
    what: "a name",
    check: |text| LoopId::new(text).map(drop).map_err(|_| bad_id(text)),
    pattern: ID_PATTERN,
    example: "docs-links",
};
pub(super) static STEP_ID: Text = Text {
    code: "bad-id",
    what: "a name",
    check: |text| StepId::new(text).map(drop).map_err(|_| bad_id(text)),
    pattern: ID_PATTERN,
    example: "links",
};
pub(super) static PLUGIN: Text = Text {
    code: "bad-plugin",
    what: "a plugin",
    check: |text| {
        text.parse::<PluginRef>()
            .map(drop)
            .map_err(|error| error.to_string())
    },
    pattern: Some(r"^(std:[a-z0-9][a-z0-9-]{0,63}|\./.*\.wasm)$"),
    example: "std:md-links",
};
pub(super) static LIFT: Text = Text {
    code: "bad-lift",
    what: "a default denial",
    check: liftable,
    pattern: None,
    example: "**/.vscode/**",
};
pub(super) static LABEL: Text = Text {
    code: "bad-value",
    what: "a label",
    check: |text| {
        let fits =
            (1..=LABEL_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not a label of 1 to {LABEL_BYTES_MAX} bytes in one line",
                quote(text)
            ))
        }
    },
    pattern: None,
    example: "security",
};
pub(super) static TIMEZONE: Text = Text {
    code: "bad-timezone",
    what: "a time zone",
    check: |text| {
        // Its existence is for whoever has the time zone files; the shape keeps it from being a path out of them.
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
        };
        let fits = text.len() <= 64 && text.split('/').all(part);
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is not a time zone such as \"Europe/Berlin\"",
                quote(text)
            ))
        }
    },
    pattern: Some("^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$"),
    example: "Europe/Berlin",
};

pub(super) static TRIGGER: Text = Text {
    code: "bad-value",
    what: "a reason to ask people",
    check: |text| people::check_trigger(text),
    pattern: Some("^(ambiguity|repeated-failure|budget|gate-uncertainty)$"),
    example: "gate-uncertainty",
};
pub(super) static NOTIFY_TO: Text = Text {
    code: "bad-id",
    what: "a name",
    check: |text| StepId::new(text).map(drop).map_err(|_| bad_id(text)),
    pattern: ID_PATTERN,
    example: "team",
};
pub(super) static CALENDAR: Text = Text {
    code: "bad-calendar",
    what: "a calendar",
    check: |text| {
        text.parse::<CalendarRef>()
            .map(drop)
            .map_err(|error| error.to_string())
    },
    pattern: None,
    example: "calendar.toml",
};
pub(super) static DIGEST: Amount = Amount {
    what: "a duration",
    read: Some(|text| quantity(text.parse::<Millis>(), |time| time.0)),
    integers: false,
    max: DIGEST_MAX.0,
    show: |amount| Millis(amount).to_string(),
    pattern: Some("^[0-9_]+(d|h|m|s|ms)$"),
    example: "\"1d\"",
};

const FUEL_PATTERN: Option<&str> = Some("^[0-9_]+[TGMk]?$");

const fn fuel(max: u64) -> Amount {
    Amount {
        what: "an amount of fuel",
        read: Some(|text| quantity(text.parse::<Fuel>(), |fuel| fuel.0)),
        integers: true,
        max,
        show: |amount| Fuel(amount).to_string(),
        pattern: FUEL_PATTERN,
        example: "\"2G\"",
    }
}
pub(super) static STEP_FUEL: Amount = fuel(LIMITS_MAX.fuel.0);
pub(super) static BEAT_FUEL: Amount = fuel(LIMITS_MAX.fuel.0);
pub(super) static DAY_FUEL: Amount = fuel(FUEL_PER_DAY_MAX);
pub(super) static MEMORY: Amount = Amount {
    what: "a number of bytes",
    read: Some(|text| quantity(text.parse::<Bytes>(), |bytes| bytes.0)),
    integers: true,
    max: LIMITS_MAX.memory.0,
    show: |amount| Bytes(amount).to_string(),
    pattern: Some("^[0-9_]+(GiB|MiB|KiB|B)?$"),
    example: "\"64MiB\"",
};
pub(super) static CRON: Text = Text {
    code: "bad-cron",
    what: "a time of cron",
    check: |text| {
        text.parse::<Cron>()
            .map(drop)
            .map_err(|error| error.to_string())
    },
    pattern: None,
    example: "0 8 * * 1-5",
};
pub(super) static EVERY: Amount = time(EVERY_MAX.0, "\"15m\"");
pub(super) static JITTER: Amount = time(JITTER_MAX.0, "\"30s\"");
pub(super) static DEADLINE: Amount = time(LIMITS_MAX.deadline.0, "\"10s\"");

const fn time(max: u64, example: &'static str) -> Amount {
    Amount {
        what: "a duration",
        read: Some(|text| quantity(text.parse::<Millis>(), |time| time.0)),
        integers: false,
        max,
        show: |amount| Millis(amount).to_string(),
        pattern: Some("^[0-9_]+(d|h|m|s|ms)$"),
        example,
    }
}

const fn count(max: u64, example: &'static str) -> Amount {
    Amount {
        what: "a number above zero",
        read: None,
        integers: true,
        max,
        show: |amount| amount.to_string(),
        pattern: None,
        example,
    }
}
pub(super) static BEATS: Amount = count(BEATS_PER_DAY_MAX, "200");
pub(super) static PROPOSALS: Amount = count(BEATS_PER_DAY_MAX, "10");
pub(super) static TOKENS: Amount = count(TOKENS_MAX, "200_000");
pub(super) static MONEY: Amount = Amount {
    what: "an amount of money, as a text",
    read: Some(|text| quantity(text.parse::<Money>(), |money| money.0)),
    integers: false,
    max: MONEY_MAX.0,
    show: |amount| Money(amount).to_string(),
    pattern: Some(r"^[0-9]+(\.[0-9]{1,6})?$"),
    example: "\"5.00\"",
};
pub(super) static NOOP_HOLDS: Amount = time(NOOP_HOLDS_MAX.0, "\"6h\"");
pub(super) static NO_PROGRESS_AFTER: Whole = Whole {
    min: 0,
    max: SLOWEST_MAX,
    example: 3,
};
pub(super) static NO_PROGRESS_SLOWEST: Whole = Whole {
    min: 1,
    max: SLOWEST_MAX,
    example: 30,
};
pub(super) static COST: Choice = Choice {
    values: &["free"],
    later: &[],
};
pub(super) static COST_MODE: Choice = Choice {
    values: &["total", "sum"],
    later: &[],
};
pub(super) static POINTER: Text = Text {
    code: "bad-pointer",
    what: "a JSON Pointer",
    check: |text| {
        let escapes = text.split('~').skip(1);
        let fits = text.starts_with('/')
            && text.len() <= POINTER_BYTES_MAX
            && !text.chars().any(char::is_control)
            && escapes.into_iter().all(|rest| rest.starts_with(['0', '1']));
        if fits {
            Ok(())
        } else {
            Err(format!(
                "{} is no JSON Pointer such as \"/usage/total_tokens\"",
                quote(text)
            ))
        }
    },
    pattern: Some("^(/([^~]|~[01])*)+$"),
    example: "/usage/total_tokens",
};
pub(super) static ATTEMPTS: Amount = count(ATTEMPTS_MAX, "2");

fn quantity<T>(read: Result<T, QuantityError>, number: fn(T) -> u64) -> Result<u64, String> {
    read.map(number).map_err(|error| error.to_string())
}

fn bad_id(text: &str) -> String {
    format!(
        "{} is not a name of 1 to 64 lower-case letters, digits and dashes",
        quote(text)
    )
}

fn liftable(text: &str) -> Result<(), String> {
    let denials = builtin_denials();
    match denials
        .iter()
        .find(|denial| denial.pattern == text)
        .map(|denial| denial.source)
    {
        Some(DenySource::Default) => Ok(()),
        Some(_) => Err(format!(
            "{} is always denied and cannot be lifted",
            quote(text)
        )),
        None => {
            let defaults = denials
                .iter()
                .filter(|denial| denial.source == DenySource::Default);
            let names = defaults.map(|denial| denial.pattern.as_str());
            let guess = did_you_mean(text, names)
                .map(|guess| format!("; did you mean {guess:?}?"))
                .unwrap_or_default();
            Err(format!(
                "no default denial is spelled {}{guess}",
                quote(text)
            ))
        }
    }
}
