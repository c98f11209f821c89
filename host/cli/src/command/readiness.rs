//! Whether a loop is ready for its level, by what is proven: its history, its drills, its budgets, and how it has done.
//!
//! **Invariant:** a file that is there proves nothing. What counts is a journal that follows from entry to entry and was
//! written here, and what is in it.

use std::path::Path;

use ringfence_core::authority::{Rule, drills_valid};
use ringfence_core::guard::stopped_by_rule;
use ringfence_core::regulator::{Action, advise};
use ringfence_core::spec::Level;
use ringfence_core::text::count;
use ringfence_runner::calendar;
use ringfence_runner::journal_file::JOURNAL_BYTES_MAX;
use ringfence_runner::open_loop::{LockMode, OpenError, OpenLoop};
use ringfence_runner::people;

use super::trust::Known;
use super::{Context, Stop};
use crate::render::Safe;
use crate::render::doctor::{Check, State};
use crate::std_plugins::StdPlugins;

/// What the loop of `file` has proven; nothing where there is none, and none was named.
pub(super) fn checks(file: Option<&Path>, context: &Context<'_, '_>) -> Vec<Check> {
    let open = match context.open_quietly(file) {
        Ok(open) => open,
        Err(OpenError::NoLoopFile(_) | OpenError::Discover(_) | OpenError::Git(_))
            if file.is_none() =>
        {
            return Vec::new();
        }
        Err(error) => {
            let help = "`ringfence check` says what is wrong with it";
            return vec![unproven("loop", problem(&error), Some(help))];
        }
    };
    let id = open.spec.loop_id.to_string();
    let spec = match open.lock(&StdPlugins, LockMode::Require) {
        Ok(locked) => locked.spec,
        Err(error) => {
            let help = "`ringfence check` says more; `ringfence check --write-lock` pins plugins that are new";
            return vec![unproven(
                "loop",
                format!("{id}: {}", problem(&error)),
                Some(help),
            )];
        }
    };
    let mut checks: Vec<Check> = calendar(&open, context).into_iter().collect();
    checks.extend(notify(&open, context));
    checks.extend(size(&open));
    checks.extend(match Known::of(open, spec, context.clock.now()) {
        Ok(known) => proven(&id, &known),
        Err(stop) => vec![unproven("journal", said(&stop), None)],
    });
    checks
}

/// A calendar that keeps the loop from doing anything until somebody looks.
fn calendar(open: &OpenLoop, context: &Context<'_, '_>) -> Option<Check> {
    let (named, config_dir) = (open.spec.calendar.as_ref(), context.config_dir.as_deref());
    let problem = calendar::problem(named, open.project.top(), config_dir)?;
    let help = "mend it: the loop is frozen until it can be read";
    Some(unproven("calendar", problem, Some(help)))
}

/// A journal that will not be read much longer.
fn size(open: &OpenLoop) -> Option<Check> {
    let journal = super::loop_dir(open).ok()??.journal();
    size_of(std::fs::metadata(journal).ok()?.len())
}

fn size_of(bytes: u64) -> Option<Check> {
    // Half of it took so long that there is time left.
    (bytes >= JOURNAL_BYTES_MAX / 2).then(|| Check {
        name: "journal size",
        state: State::Weaker,
        found: format!(
            "{} of the {} MiB that are read",
            bytes >> 20,
            JOURNAL_BYTES_MAX >> 20
        ),
        help: Some(
            "then no beat runs any more: beat less often, or retire the loop in time and begin anew under another name",
        ),
    })
}

/// Messages that nobody would get.
fn notify(open: &OpenLoop, context: &Context<'_, '_>) -> Option<Check> {
    let to = &open.spec.notify.as_ref()?.to;
    Some(match people::command(context.config_dir.as_deref(), to) {
        Ok(command) => {
            let program = command.argv.first().cloned().unwrap_or_default();
            check(
                "notify",
                Path::new(&program).is_file(),
                format!("{to}: {program}"),
                "the program is not there: nobody is told anything",
            )
        }
        Err(error) => {
            let help = "until it says what the name stands for, nobody is told anything";
            unproven(
                "notify",
                Safe::error(&error).as_str().to_owned(),
                Some(help),
            )
        }
    })
}

/// A loop that does nothing until somebody resumes it.
fn mode(known: &Known) -> Option<Check> {
    let orders = &known.state.orders;
    let ordered = match (&orders.retired, orders.pause_at(known.now)) {
        (Some(order), _) => Some(("retired", order.at)),
        (None, Some(order)) => Some(("paused", order.at)),
        (None, None) => None,
    };
    let found = match (ordered, stopped_by_rule(&known.state, known.now)) {
        (Some((what, at)), _) => format!("{what} since {at:.0}"),
        (None, Some(hold)) => hold.why,
        (None, None) => return None,
    };
    let help =
        "`ringfence status` says what the next beat would meet, `ringfence resume` lets it go on";
    Some(unproven("mode", found, Some(help)))
}

fn proven(id: &str, known: &Known) -> Vec<Check> {
    let level = known.reach.level;
    let mut found = format!(
        "{id}, at {level}, and the loop file allows {}",
        known.spec.level
    );
    if let Some(why) = &known.reach.lapsed {
        found += &format!("; ordered to {}, but {why}", known.reach.ordered);
    }
    let lapsed = known.reach.lapsed.is_some();
    let mut checks = vec![
        check(
            "loop",
            !lapsed,
            found,
            "`ringfence drill` tries its guards anew",
        ),
        journal(known),
        drills(known),
        budgets(known),
        history(known),
    ];
    checks.extend(mode(known));
    if known.reach.ordered == Level::L3 {
        checks.extend(commits(known));
    }
    checks
}

fn journal(known: &Known) -> Check {
    let number = known.entries.len();
    if !known.own_history {
        let entries = count(number, "entry, which was", "entries, which were");
        let found = format!("{entries} copied or shipped here");
        return unproven(
            "journal",
            found,
            Some("what happens from the next beat on counts"),
        );
    }
    let found = match number {
        0 => "no beat has run here".to_owned(),
        _ => {
            let entries = count(number, "entry", "entries");
            format!("{entries}, each follows from the one before")
        }
    };
    check(
        "journal",
        number > 0,
        found,
        "a loop that never ran has shown nothing: `ringfence beat`",
    )
}

fn drills(known: &Known) -> Check {
    match drills_valid(&known.state, known.bound.as_ref(), known.now) {
        Ok(until) => check(
            "drills",
            true,
            format!("all passed, good until {until:.0}"),
            "",
        ),
        Err(problem) => unproven(
            "drills",
            problem.to_string(),
            Some("`ringfence drill` tries every guard, and takes a minute"),
        ),
    }
}

fn budgets(known: &Known) -> Check {
    let left = &known.open.spec.unwritten_budgets;
    if left.is_empty() {
        return check("budgets", true, "in force, all written out".to_owned(), "");
    }
    Check {
        name: "budgets",
        state: if known.reach.ordered == Level::L3 {
            State::Unproven
        } else {
            State::Weaker
        },
        found: format!("in force, left to their defaults: {}", left.join(", ")),
        help: Some("write them into [budget]: what a loop may cost is somebody's decision"),
    }
}

fn history(known: &Known) -> Check {
    let (health, rescues) = (known.record.health(), known.record.rescue_times());
    let advice = advise(known.entered(), &health, &rescues, known.now, true);
    let well = health.iter().filter(|one| one.e2e_ok).count();
    let found = format!(
        "{well} of {} cycles went well; {}: {}",
        health.len(),
        advice.action.as_str(),
        advice.why.join(", ")
    );
    let good = well > 0 && !matches!(advice.action, Action::Demote | Action::Pause);
    check("history", good, found, "`ringfence health` says more")
}

/// What a loop that commits needs besides, as far as it is not so.
fn commits(known: &Known) -> Vec<Check> {
    let checks = known.evidence(Level::L3).into_iter();
    let unmet = checks.filter(|check| !check.met && check.rule != Rule::OneLevel);
    unmet
        .map(|check| {
            let found = format!("{}; needed: {}", check.seen, check.needed);
            unproven(check.rule.name(), found, None)
        })
        .collect()
}

fn check(name: &'static str, ok: bool, found: String, help: &'static str) -> Check {
    if ok {
        Check {
            name,
            state: State::Ok,
            found,
            help: None,
        }
    } else {
        unproven(name, found, Some(help))
    }
}

fn unproven(name: &'static str, found: String, help: Option<&'static str>) -> Check {
    Check {
        name,
        state: State::Unproven,
        found,
        help,
    }
}

fn problem(error: &OpenError) -> String {
    Safe::error(error).as_str().to_owned()
}

/// What a command that stopped had to say, in one line.
fn said(stop: &Stop) -> String {
    let text = stop.page.print(false);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_journal_is_told_of_in_time() {
        assert!(size_of(JOURNAL_BYTES_MAX / 2 - 1).is_none());
        let check = size_of(JOURNAL_BYTES_MAX / 2).unwrap();
        assert_eq!(check.found, "256 of the 512 MiB that are read");
    }
}
