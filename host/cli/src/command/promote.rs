//! `ringfence promote`: the evidence for one level more, and the order, if the rules allow it or were passed over by name.
//!
//! **Invariant:** a rule that does not hold refuses, unless it is passed over with a reason, which is on record then; some are
//! beyond that.

use std::collections::BTreeSet;

use ringfence_core::authority::{Check, Rule, above};
use ringfence_core::ids::LoopId;
use ringfence_core::journal::Act;
use ringfence_core::spec::Level;
use serde::Serialize;

use super::trust::{know, tell};
use super::{Context, Stop};
use crate::args::{LevelName, Promote};
use crate::exit::Exit;
use crate::render::authority::{self, Asked};
use crate::render::{Safe, text};

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(rename = "loop")]
    loop_id: &'a LoopId,
    from: Level,
    to: Level,
    promoted: bool,
    dry_run: bool,
    checks: &'a [Check],
    passed_over: Vec<Rule>,
}

/// Shows the evidence, and promotes.
pub(super) fn run(args: &Promote, context: &mut Context<'_, '_>) -> Result<Exit, Stop> {
    let wanted = args.overrides.as_deref().map(rules).transpose()?;
    let known = know(args.file.file.as_deref(), context)?;
    let from = known.reach.level;
    let to = match args.to {
        Some(to) => to.level(),
        None => above(from).unwrap_or(from),
    };
    if to <= from {
        return Err(
            Stop::new(Exit::Usage, text!["the loop is at ", from, " already"])
                .help("`ringfence demote` takes it back"),
        );
    }
    let checks = known.evidence(to);
    let over = |check: &&Check| {
        let meant =
            |wanted: &BTreeSet<&str>| wanted.is_empty() || wanted.contains(check.rule.name());
        !check.met && check.rule.may_be_passed_over() && wanted.as_ref().is_some_and(meant)
    };
    let passed_over: Vec<&Check> = checks.iter().filter(over).collect();
    let allowed = checks
        .iter()
        .all(|check| check.met || passed_over.iter().any(|over| over.rule == check.rule));
    if allowed && !args.dry_run {
        let overrides = passed_over.iter().map(|check| check.line()).collect();
        let reason = args.reason.as_deref().unwrap_or_default();
        let act = Act::Promote { to, overrides };
        tell(&known.open, context, act, reason, Some(&known.state))?;
    }
    let rules: Vec<Rule> = passed_over.iter().map(|check| check.rule).collect();
    if args.output.is_json() {
        context.print_json(&Json {
            version: 1,
            loop_id: &known.spec.loop_id,
            from,
            to,
            promoted: allowed && !args.dry_run,
            dry_run: args.dry_run,
            checks: &checks,
            passed_over: rules,
        })?;
    } else {
        context.console.print(&authority::promotion(&Asked {
            loop_id: &known.spec.loop_id,
            from,
            to,
            checks: &checks,
            passed_over: &rules,
            allowed,
            dry_run: args.dry_run,
        }));
    }
    Ok(if allowed { Exit::Done } else { Exit::Refused })
}

/// The names of rules that are to be passed over; none of them: all that may be.
fn rules(names: &[String]) -> Result<BTreeSet<&str>, Stop> {
    for name in names {
        match Rule::named(name) {
            Some(rule) if rule.may_be_passed_over() => {}
            Some(_) => {
                let what = text!["the rule ", Safe::line(name), " cannot be passed over"];
                return Err(Stop::new(Exit::Usage, what));
            }
            None => {
                return Err(Stop::new(
                    Exit::Usage,
                    text!["there is no rule ", Safe::line(name)],
                )
                .help("a loop file is named before --override; `ringfence promote --dry-run` shows the rules"));
            }
        }
    }
    Ok(names.iter().map(String::as_str).collect())
}

impl LevelName {
    /// The level of that name.
    pub(super) fn level(self) -> Level {
        match self {
            Self::L1 => Level::L1,
            Self::L2 => Level::L2,
            Self::L3 => Level::L3,
        }
    }
}
