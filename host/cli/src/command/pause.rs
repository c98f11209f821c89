//! `ringfence pause`, `resume` and `retire`: whether a loop goes on.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use ringfence_core::ids::LoopId;
use ringfence_core::journal::Act;
use ringfence_core::quantity::Millis;
use serde::Serialize;

use super::operator::{self, Told};
use super::{Context, Stop};
use crate::args::{Output, Pause, Resume, Retire};
use crate::exit::Exit;
use crate::render::{Ink, Page, Safe, Text, text};

/// What was written, for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    act: &'a Act,
}

/// Pauses a loop.
pub(super) fn pause(args: &Pause, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let told = operator::find(&args.which, context)?;
    let now = context.clock.now();
    let until = args
        .until
        .as_deref()
        .map(|text| read_until(text, now, &told.timezone))
        .transpose()?;
    let line = match until {
        Some(until) => text!["paused until ", until],
        None => text!["paused until it is resumed"],
    };
    let act = Act::Pause { until };
    done(
        &told,
        context,
        (&args.output, line),
        act,
        args.reason.as_deref(),
    )
}

/// Lets a loop go on.
pub(super) fn resume(args: &Resume, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let told = operator::find(&args.which, context)?;
    done(
        &told,
        context,
        (&args.output, text!["resumed"]),
        Act::Resume,
        args.reason.as_deref(),
    )
}

/// Ends a loop.
pub(super) fn retire(args: &Retire, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let told = operator::find(&args.which, context)?;
    let line = text!["retired; `ringfence resume` would bring it back"];
    done(
        &told,
        context,
        (&args.output, line),
        Act::Retire,
        Some(&args.reason),
    )
}

fn done(
    told: &Told,
    context: &mut Context<'_, '_>,
    (output, line): (&Output, Text),
    act: Act,
    reason: Option<&str>,
) -> Result<Exit, Stop> {
    let state = operator::say(told, context, reason.unwrap_or_default(), |_| {
        Ok(act.clone())
    })?;
    let line = match act {
        Act::Pause { .. } if state.orders.retired.is_some() => {
            text!["retired, and stays so until it is resumed"]
        }
        _ => line,
    };
    if output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id: &told.loop_id,
            act: &act,
        })?;
    } else {
        let mut page = Page::new();
        page.line(text![
            text!["loop ", &told.loop_id].ink(Ink::Strong),
            ": ",
            line
        ]);
        context.console.print(&page);
    }
    if let Some(open) = &told.open {
        operator::tell(open, &told.dir, context);
    }
    Ok(Exit::Done)
}

/// A time, a day or a span, ahead of `now`.
fn read_until(text: &str, now: Timestamp, timezone: &TimeZone) -> Result<Timestamp, Stop> {
    let wrong = |why: Text| {
        Stop::new(Exit::Usage, text![Safe::line(text), " is ", why]).help(
            "write a span such as 3d, a day such as 2026-12-24, or a time such as 2026-12-24T18:00",
        )
    };
    let local = |at: DateTime| at.to_zoned(timezone.clone()).ok().map(|at| at.timestamp());
    let span = text.parse::<Millis>().ok().and_then(|span| {
        let length = SignedDuration::from_millis(i64::try_from(span.0).ok()?);
        // Nobody means it to the nanosecond, and people read it.
        now.checked_add(length).ok()?.round(Unit::Second).ok()
    });
    let day = || text.parse::<Date>().ok().filter(|_| text.len() == 10);
    let until = span
        .or_else(|| text.parse().ok())
        .or_else(|| local(day()?.at(0, 0, 0, 0)))
        .or_else(|| local(text.parse().ok().filter(|_| !text.contains('['))?))
        .ok_or_else(|| wrong("no time".into()))?;
    if until > now {
        Ok(until)
    } else {
        Err(wrong("no time ahead".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans() {
        let timezone = TimeZone::get("Europe/Berlin").unwrap();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        for (text, expect) in [
            ("90m", Some("2026-11-21T13:30:00Z")),
            ("3d", Some("2026-11-24T12:00:00Z")),
            ("2026-12-24", Some("2026-12-23T23:00:00Z")),
            ("2026-12-24T18:00", Some("2026-12-24T17:00:00Z")),
            ("2026-12-24 18:00", Some("2026-12-24T17:00:00Z")),
            ("2026-12-24T18:00Z", Some("2026-12-24T18:00:00Z")),
            ("2026-12-24T18:00[Asia/Tokyo]", None),
            ("2026-11-21", None),
            ("0s", None),
            ("-1d", None),
            ("99999999999999d", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let read = read_until(text, now, &timezone)
                .ok()
                .map(|at| at.to_string());
            assert_eq!(read.as_deref(), expect, "{text}");
        }
    }
}
