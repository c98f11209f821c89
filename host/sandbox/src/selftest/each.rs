//! All rows, in groups that one call can carry out.
//!
//! What nobody may change shares a call, and so does what changes bytes and times only; what makes, moves or removes a name
//! has a call and ground of its own.
//!
//! **Invariant:** every cell of [`Kind`] × [`Zone`] × [`Thing`] and every deed of every [`Verb`] is visited, and what has no row is
//! left out with a reason.

use std::collections::BTreeSet;

use ringfence_core::policy::PathPolicy;

use super::attempt::Attempt;
use super::check::{Group, Outcome};
use super::deed::{Effect, deeds};
use super::ground::Ground;
use super::kinds::{Cell, cell};
use super::plan::Probe;
use super::report::Report;
use super::rules::Pair;
use super::spot::{Place, Spot};
use super::words::{Kind, Thing, Verb, Zone};
use super::{Escapes, Extent, Progress, SelftestError};

// Limit: a report keeps 256 different denials, and each attempt makes one.
const SHARED_MAX: usize = 240;

/// A run that is going on.
struct Run<'a> {
    escapes: Escapes<'a>,
    policy: &'a PathPolicy,
    probe: Probe,
    ground: Ground,
    report: Report,
}

/// What of the table is carried out.
pub(super) struct Scope<'a> {
    /// The ground's own, but for a control.
    pub(super) policy: &'a PathPolicy,
    /// Whether a path is tried.
    pub(super) path: fn(&Spot) -> bool,
    /// Whether pairs of paths are.
    pub(super) pairs: bool,
}

/// Carries out what is in `scope`.
pub(super) fn run(
    escapes: Escapes<'_>,
    scope: &Scope<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Report, SelftestError> {
    let mut run = Run {
        escapes,
        policy: scope.policy,
        probe: Probe::new(escapes.sandbox, escapes.way)?,
        ground: Ground::new(escapes.dir)?,
        report: Report::new(escapes.way),
    };
    if escapes.extent == Extent::Usual {
        run.report.leave_out(
            "pairs of paths of two kinds, neither of them plain, that may both be written"
                .to_owned(),
            "how each behaves with a plain path, and with its own kind, is tried",
        );
        run.report.leave_out(
            "open-at with flags about syncing, but at plain paths".to_owned(),
            "they are about when bytes reach the disk, and change nothing there",
        );
    }
    let mut spots = run.spots();
    spots.retain(scope.path);
    for (done, spot) in spots.iter().enumerate() {
        watch(Progress {
            done,
            of: spots.len(),
        });
        run.singles(spot)?;
        if scope.pairs {
            run.pairs(spot, &spots)?;
        }
    }
    Ok(run.report)
}

impl Run<'_> {
    /// Every path of the table that this ground can have.
    fn spots(&mut self) -> Vec<Spot> {
        let mut spots = Vec::new();
        for (what, cell) in all_cells(&self.ground) {
            match cell {
                Ok(found) => spots.extend(found),
                Err(why) => self.report.leave_out(what, why),
            }
        }
        let (can, cannot): (Vec<_>, Vec<_>) = spots.into_iter().partition(|spot| {
            !spot
                .needs
                .iter()
                .any(|need| self.ground.lacks.contains_key(need))
        });
        for spot in cannot {
            let lacks = spot
                .needs
                .iter()
                .find_map(|need| Some((need, self.ground.lacks.get(need)?)));
            if let Some((feature, error)) = lacks {
                self.report
                    .leave_out_here(spot.name, format!("no {} here: {error}", feature.name()));
            }
        }
        can
    }

    /// All verbs at one path.
    fn singles(&mut self, spot: &Spot) -> Result<(), SelftestError> {
        let sync = spot.kind == Kind::Plain || self.escapes.extent == Extent::Full;
        let mut attempts = vec![Attempt::each(spot, sync)];
        for verb in Verb::ALL {
            for deed in deeds(verb) {
                match deed.misfit(spot) {
                    Some(why) => self
                        .report
                        .leave_out(format!("{} at {}", deed.name(), spot.name), why),
                    None => attempts.push(Attempt::of(&deed, spot)),
                }
            }
        }
        self.grouped(spot, attempts)
    }

    /// All pairs with `spot` at their beginning; and at their end, when something must come before it.
    fn pairs(&mut self, spot: &Spot, spots: &[Spot]) -> Result<(), SelftestError> {
        let chosen = representatives(spots);
        let is_chosen = |spot: &Spot| chosen.contains(spot.name.as_str());
        let full = self.escapes.extent == Extent::Full;
        let is_wanted = |from: &Spot, to: &Spot| {
            full || (is_chosen(from) && is_chosen(to)) || from.is_first() || to.is_last()
        };
        let mut attempts = Vec::new();
        for other in spots {
            if let Some(why) = spot.disturbs(other) {
                if is_wanted(spot, other) {
                    self.report
                        .leave_out(format!("{} and {}", spot.name, other.name), why);
                }
                continue;
            }
            let there = is_wanted(spot, other).then_some((spot, other));
            let back = (!spot.is_quiet() && is_wanted(other, spot)).then_some((other, spot));
            for (from, to) in [there, back].into_iter().flatten() {
                let both = [Pair::Rename, Pair::Link].map(|pair| Attempt::pair(pair, from, to));
                let is_like =
                    from.kind == Kind::Plain || to.kind == Kind::Plain || from.kind == to.kind;
                attempts.extend(
                    both.into_iter()
                        .filter(|one| full || is_like || one.effect == Effect::None),
                );
            }
        }
        self.grouped(spot, attempts)
    }

    /// Carries out `attempts` after what comes before `spot`.
    fn grouped(&mut self, spot: &Spot, attempts: Vec<Attempt>) -> Result<(), SelftestError> {
        let group = |attempts| Group {
            prelude: spot.prelude.clone(),
            others: spot.others.clone(),
            attempts,
        };
        let (mut idle, mut content) = (Vec::new(), Vec::new());
        for attempt in attempts {
            match attempt.effect {
                Effect::None => idle.push(attempt),
                Effect::Content => content.push(attempt),
                Effect::Names => self.carry_out(group(vec![attempt]))?,
            }
        }
        for mut shared in [idle, content] {
            while !shared.is_empty() {
                let rest = shared.split_off(shared.len().min(SHARED_MAX));
                self.carry_out(group(shared))?;
                shared = rest;
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, group: Group) -> Result<(), SelftestError> {
        let outcome = group.run(&self.probe, self.policy, &mut self.ground)?;
        if outcome.broken.is_some() && outcome.wrong.is_empty() && group.attempts.len() > 1 {
            return self.one_by_one(group, outcome);
        }
        self.report.add(&group, &outcome);
        Ok(())
    }

    /// Something among them went wrong: which one shows when each is alone.
    fn one_by_one(&mut self, group: Group, together: Outcome) -> Result<(), SelftestError> {
        let mut broken = false;
        for attempt in group.attempts {
            let alone = Group {
                prelude: group.prelude.clone(),
                others: group.others.clone(),
                attempts: vec![attempt],
            };
            let outcome = alone.run(&self.probe, self.policy, &mut self.ground)?;
            broken |= outcome.broken.is_some() || !outcome.wrong.is_empty();
            self.report.add(&alone, &outcome);
        }
        if let (false, Some(why)) = (broken, together.broken) {
            self.report.fail("several rows in one call", why);
        }
        Ok(())
    }
}

/// Every cell of the table with its name.
pub(super) fn all_cells(ground: &Ground) -> impl Iterator<Item = (String, Cell)> {
    let things = |kind, zone| Thing::ALL.map(move |thing| (kind, Place { zone, thing }));
    let zones = move |kind| {
        Zone::ALL
            .into_iter()
            .flat_map(move |zone| things(kind, zone))
    };
    Kind::ALL.into_iter().flat_map(zones).map(|(kind, place)| {
        let what = format!(
            "{} {} {}",
            kind.name(),
            place.zone.name(),
            place.thing.name()
        );
        (what, cell(kind, place, ground))
    })
}

/// The names of the spots that stand for all of their kind and judge in pairs; of plain ones, all.
fn representatives(spots: &[Spot]) -> BTreeSet<&str> {
    let mut seen: Vec<(Kind, super::rules::Judge)> = Vec::new();
    let mut chosen = BTreeSet::new();
    for spot in spots {
        let key = (spot.kind, spot.end.judge);
        let is_new = !seen.contains(&key);
        if is_new || spot.kind == Kind::Plain {
            seen.push(key);
            chosen.insert(spot.name.as_str());
        }
    }
    chosen
}
