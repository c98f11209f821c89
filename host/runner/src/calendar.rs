//! Reads a loop's calendar, in the repository or beside the operator's configuration.
//!
//! **Invariant:** a calendar that is named and cannot be read freezes the loop; what is read is a regular file of bounded
//! length inside the folder it is named from.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ringfence_core::guard::{CALENDAR_BYTES_MAX, Calendar, Freeze};
use ringfence_core::spec::CalendarRef;

use crate::state_dir::read_plain;

/// The freeze that holds at `now` for a loop of the project at `top` in `timezone`.
#[must_use]
pub fn freeze(
    calendar: Option<&CalendarRef>,
    top: &Path,
    config_dir: Option<&Path>,
    now: Timestamp,
    timezone: &TimeZone,
) -> Option<Freeze> {
    let calendar = calendar?;
    match read(calendar, top, config_dir) {
        Ok((read, own)) => read.freeze(now, own.as_ref().unwrap_or(timezone)),
        Err(why) => Some(Freeze::unreadable(&why, now)),
    }
}

/// Why a loop's calendar cannot be read, which freezes the loop.
#[must_use]
pub fn problem(
    calendar: Option<&CalendarRef>,
    top: &Path,
    config_dir: Option<&Path>,
) -> Option<String> {
    read(calendar?, top, config_dir).err()
}

/// The calendar, and its own time zone, if it has one.
fn read(
    calendar: &CalendarRef,
    top: &Path,
    config_dir: Option<&Path>,
) -> Result<(Calendar, Option<TimeZone>), String> {
    let in_it = |why: String| format!("{calendar}: {why}");
    let read = text(calendar, top, config_dir)
        .and_then(|text| Calendar::parse(&text).map_err(|error| error.to_string()))
        .map_err(in_it)?;
    let zone = read.timezone().map(TimeZone::get).transpose();
    let zone = zone.map_err(|error| in_it(error.to_string()))?;
    Ok((read, zone))
}

fn text(calendar: &CalendarRef, top: &Path, config_dir: Option<&Path>) -> Result<String, String> {
    let path = match calendar {
        CalendarRef::Project(path) => inside(top, path.as_str())?,
        CalendarRef::Config(name) => config_dir
            .ok_or("the operator has no configuration directory")?
            .join(name),
    };
    read_plain(&path, CALENDAR_BYTES_MAX).ok_or_else(|| {
        format!("there is no readable text file of at most {CALENDAR_BYTES_MAX} bytes")
    })
}

/// The path below `top`, which no link on the way leads out of.
fn inside(top: &Path, path: &str) -> Result<PathBuf, String> {
    let path = top.join(path);
    let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
    if real(&path)?.starts_with(real(top)?) {
        Ok(path)
    } else {
        Err("a link leads out of the project".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn frozen(calendar: &str, top: &Path, config_dir: Option<&Path>) -> Option<String> {
        let now = "2026-12-21T12:00:00Z".parse().unwrap();
        let calendar = calendar.parse().unwrap();
        let freeze = freeze(Some(&calendar), top, config_dir, now, &TimeZone::UTC)?;
        Some(format!("{} {}", freeze.until, freeze.why))
    }

    #[test]
    fn a_calendar_that_cannot_be_read_freezes() {
        let temp = tempfile::tempdir().unwrap();
        let (top, config) = (temp.path().join("top"), temp.path().join("config"));
        fs::create_dir_all(&top).unwrap();
        fs::create_dir_all(&config).unwrap();
        let check = |calendar: &str, expect: &str| {
            let found = frozen(calendar, &top, Some(&config)).unwrap();
            let said = problem(Some(&calendar.parse().unwrap()), &top, Some(&config)).unwrap();
            assert!(found.ends_with(&said), "{said}");
            let expect = format!(
                "2026-12-21T12:15:00Z frozen, since the calendar cannot be read: {calendar}: {expect}"
            );
            assert!(found.starts_with(&expect), "{found}");
        };
        check("c.toml", "No such file");
        check("config:c.toml", "there is no readable text file");
        fs::write(config.join("c.toml"), "[[freeze]]").unwrap();
        check("config:c.toml", "line 1: [[freeze]] has no `from`");
        std::os::unix::fs::symlink(config.join("c.toml"), top.join("out.toml")).unwrap();
        check("out.toml", "a link leads out of the project");
        fs::write(top.join("zone.toml"), "timezone = \"Mars/Olympus\"").unwrap();
        check("zone.toml", "failed to find time zone");
        fs::write(top.join("long.toml"), " ".repeat(70_000)).unwrap();
        check("long.toml", "there is no readable text file");
        fs::create_dir(top.join("dir.toml")).unwrap();
        check("dir.toml", "there is no readable text file");
        assert!(
            frozen("config:c.toml", &top, None)
                .unwrap()
                .ends_with("no configuration directory")
        );
    }

    #[test]
    fn a_calendar_in_either_place_counts() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(
            temp.path().join("c.toml"),
            "[[freeze]]\nfrom = \"2026-12-21\"\nuntil = \"2026-12-21\"",
        )
        .unwrap();
        fs::write(
            temp.path().join("over.toml"),
            "[[freeze]]\nfrom = \"2026-12-20\"\nuntil = \"2026-12-20\"",
        )
        .unwrap();
        let expect = Some("2026-12-22T00:00:00Z frozen by the calendar");
        assert_eq!(frozen("c.toml", temp.path(), None).as_deref(), expect);
        assert_eq!(
            frozen("config:c.toml", Path::new("/"), Some(temp.path())).as_deref(),
            expect
        );
        assert_eq!(frozen("over.toml", temp.path(), None), None);
        let read = "c.toml".parse().unwrap();
        assert_eq!(problem(Some(&read), temp.path(), None), None);
        assert_eq!(problem(None, temp.path(), None), None);
    }
}
