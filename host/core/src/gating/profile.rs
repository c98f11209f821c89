//! Where the fuel of a call went, by function.
//!
//! A call is made again with less and less fuel; each time it ends somewhere, and the functions that it was in are counted.
//! Since the same call takes the same way every time, so do these counts.
//!
//! **Invariant:** a profile depends on the call and on the number of points alone. What it says of one function is right to
//! the fuel between two points and no better.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::quantity::Fuel;

/// What stands before the name of a function whose fuel went to the host that it called.
pub const IN_HOST: &str = "(host) ";
/// How a function is called that has no name; its number in its component follows.
pub const UNNAMED: &str = "function ";
/// What stands for a function where there is none.
pub(super) const NO_FUNCTION: &str = "(no function)";
/// Longest name of a function in characters, without [`IN_HOST`].
// Limit: a line of a report; what is beyond tells no two functions apart.
pub const FUNCTION_CHARS_MAX: usize = 200;
/// How many points a call is looked at, unless told otherwise.
// Limit: the call is paid for half as often, which is a second or two for the longest.
pub const POINTS_DEFAULT: u32 = 64;
/// The most points.
// Limit: 64 times the default; what costs more than that is a job for a profiler.
pub const POINTS_MAX: u32 = 4_096;
/// The least fuel between two points.
// Limit: the engine stops a call up to that much early, so points that are closer say nothing more.
pub const APART_MIN: Fuel = Fuel(1 << 14);
/// The most functions that are kept of a profile.
// Limit: a page or two; the functions after them share less than a hundredth each.
pub(super) const FUNCTIONS_MAX: usize = 100;

/// One function's part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share {
    /// Its name: the component's own words, shortened and on one line.
    pub name: String,
    /// At how many points the call was in this very function.
    pub own: u32,
    /// At how many it was in this function or in one that it had called.
    pub all: u32,
}

/// Where the fuel of one call went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// How many points the call was looked at.
    pub points: u32,
    /// At most `FUNCTIONS_MAX`, those with the most of their own first.
    pub functions: Vec<Share>,
}

/// What a function takes more than it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// The function.
    pub name: String,
    /// By how much, of its own; right to the fuel between two points.
    pub by: Fuel,
}

impl Profile {
    /// The limits under which a call that uses `fuel` is looked at, ascending: at most `wanted`, evenly spaced and not
    /// closer than [`APART_MIN`]; none for a call that uses nothing.
    #[must_use]
    pub fn limits(fuel: Fuel, wanted: u32) -> Vec<Fuel> {
        let fit = fuel.0.div_ceil(APART_MIN.0);
        let points = u64::from(wanted.min(POINTS_MAX)).min(fit);
        let half = |n: u64| u128::from(fuel.0) * u128::from(2 * n + 1) / u128::from(2 * points);
        let whole = |fuel: u128| Fuel(u64::try_from(fuel).unwrap_or(u64::MAX).max(1));
        (0..points).map(|n| whole(half(n))).collect()
    }

    /// Counts stacks, one for each point; innermost function first.
    #[must_use]
    pub fn of(stacks: &[Vec<String>]) -> Self {
        let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for stack in stacks {
            let innermost = stack.first().map_or(NO_FUNCTION, String::as_str);
            counts.entry(innermost).or_default().0 += 1;
            let each: BTreeSet<&str> = stack.iter().map(String::as_str).collect();
            for name in each
                .into_iter()
                .chain(stack.is_empty().then_some(NO_FUNCTION))
            {
                counts.entry(name).or_default().1 += 1;
            }
        }
        let share = |(name, (own, all)): (&str, (u32, u32))| Share {
            name: name.to_owned(),
            own,
            all,
        };
        let mut functions: Vec<Share> = counts.into_iter().map(share).collect();
        functions.sort_by(|a, b| (b.own, b.all, &a.name).cmp(&(a.own, a.all, &b.name)));
        functions.truncate(FUNCTIONS_MAX);
        Self {
            points: u32::try_from(stacks.len()).unwrap_or(u32::MAX),
            functions,
        }
    }

    /// About how much fuel `points` of this profile stand for, of a call that used `fuel`.
    #[must_use]
    pub fn part(&self, fuel: Fuel, points: u32) -> Fuel {
        let part = u128::from(fuel.0) * u128::from(points) / u128::from(self.points.max(1));
        Fuel(u64::try_from(part).unwrap_or(u64::MAX))
    }

    /// The functions that take more of their own than in `old`, most first; `fuel` and `old_fuel` are what the calls used. Where
    /// the two are not of the `same_component`, functions without a name are left out: their numbers say nothing.
    #[must_use]
    pub fn grown(
        &self,
        fuel: Fuel,
        old: &Self,
        old_fuel: Fuel,
        same_component: bool,
    ) -> Vec<Grown> {
        let told = |name: &str| {
            let name = name.strip_prefix(IN_HOST).unwrap_or(name);
            same_component || !name.starts_with(UNNAMED)
        };
        let before = |name: &str| {
            let share = old.functions.iter().find(|share| share.name == name);
            share.map_or(Fuel(0), |share| old.part(old_fuel, share.own))
        };
        let mut grown: Vec<Grown> = self
            .functions
            .iter()
            .filter(|share| told(&share.name))
            .map(|share| Grown {
                name: share.name.clone(),
                by: self.part(fuel, share.own).minus(before(&share.name)),
            })
            .filter(|grown| grown.by.0 > 0)
            .collect();
        grown.sort_by(|a, b| (b.by, &a.name).cmp(&(a.by, &b.name)));
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacks(lines: &[&str]) -> Vec<Vec<String>> {
        let stack = |line: &&str| line.split_whitespace().map(str::to_owned).collect();
        lines.iter().map(stack).collect()
    }

    fn counts(profile: &Profile) -> Vec<(&str, u32, u32)> {
        let functions = profile.functions.iter();
        functions
            .map(|share| (share.name.as_str(), share.own, share.all))
            .collect()
    }

    #[test]
    fn points_are_even_and_not_too_close() {
        let limits = |fuel, wanted| Profile::limits(Fuel(fuel), wanted);
        assert_eq!(
            limits(400_000, 4),
            [50_000, 150_000, 250_000, 350_000].map(Fuel)
        );
        assert_eq!(limits(0, 64), []);
        assert_eq!(limits(1, 64), [Fuel(1)]);
        assert_eq!(limits(APART_MIN.0 * 3, 64).len(), 3);
        assert_eq!(limits(u64::MAX, u32::MAX).len(), POINTS_MAX as usize);
        assert_eq!(limits(1 << 40, 0), []);
    }

    #[test]
    fn a_function_counts_once_for_each_point() {
        let profile = Profile::of(&stacks(&["f main", "f f main", "g f main", ""]));
        assert_eq!(profile.points, 4);
        let expect = [
            ("f", 2, 3),
            ("(no function)", 1, 1),
            ("g", 1, 1),
            ("main", 0, 3),
        ];
        assert_eq!(counts(&profile), expect);
        assert_eq!(profile.part(Fuel(400), 3), Fuel(300));
        assert_eq!(Profile::of(&[]).part(Fuel(400), 3), Fuel(1_200));
    }

    #[test]
    fn what_grew_is_named_most_first() {
        let old = Profile::of(&stacks(&["f", "f", "g", "h"]));
        let new = Profile::of(&stacks(&["f", "g", "g", "h", "new", "new"]));
        let grown = new.grown(Fuel(600), &old, Fuel(400), true);
        let grown: Vec<_> = grown
            .iter()
            .map(|one| (one.name.as_str(), one.by.0))
            .collect();
        assert_eq!(grown, [("new", 200), ("g", 100)]);
    }

    #[test]
    fn numbers_of_another_component_name_nothing() {
        let old = Profile::of(&stacks(&["f"]));
        let new = Profile::of(&[
            vec!["function 7".to_owned()],
            vec!["(host) function 8".to_owned()],
        ]);
        assert_eq!(new.grown(Fuel(2), &old, Fuel(1), true).len(), 2);
        assert_eq!(new.grown(Fuel(2), &old, Fuel(1), false), []);
    }

    #[test]
    fn functions_are_bounded() {
        let many: Vec<Vec<String>> = (0..500).map(|n| vec![format!("f{n}")]).collect();
        assert_eq!(Profile::of(&many).functions.len(), FUNCTIONS_MAX);
    }
}
