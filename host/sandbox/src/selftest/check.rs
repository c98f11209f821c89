//! Carries out some attempts in one call, and holds what came of them to the rules.
//!
//! **Invariant:** the ground is looked at from the host before and after every call, and made anew whenever anything on it has
//! changed.

use std::collections::BTreeMap;

use ringfence_core::policy::{Access, Decision, Denial, PathPolicy, Rule};
use ringfence_core::relpath::RelPath;
use serde_json::{Value, json};

use super::SelftestError;
use super::attempt::{Attempt, Must, Row};
use super::deed::Effect;
use super::ground::{Feature, Ground, PLAIN, SECRET, may_change};
use super::plan::{Done, Others, Probe, op};
use super::rules::Judge;
use super::seen::{Seen, differing};

/// What one call does.
pub(super) struct Group {
    pub(super) prelude: Vec<Value>,
    pub(super) others: Option<(String, String)>,
    pub(super) attempts: Vec<Attempt>,
}

/// What came of a group.
pub(super) struct Outcome {
    /// How each row ended, by its index in the group.
    pub(super) ends: Vec<String>,
    /// Rows that broke a rule, and how.
    pub(super) wrong: BTreeMap<usize, String>,
    /// What is wrong with the call as a whole.
    pub(super) broken: Option<String>,
}

impl Group {
    /// All rows, in the order of the ends.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.attempts.iter().flat_map(|attempt| &attempt.rows)
    }

    fn is_quiet(&self) -> bool {
        let idle = self
            .attempts
            .iter()
            .all(|attempt| attempt.effect == Effect::None);
        idle && self.prelude.is_empty()
    }

    fn plan(&self, neighbour: Vec<Value>) -> Vec<Value> {
        let mut plan = self.prelude.clone();
        for attempt in &self.attempts {
            plan.extend(attempt.plan.iter().cloned());
            plan.extend(attempt.closes.iter().map(close));
        }
        plan.extend(neighbour);
        plan
    }

    /// Carries it out and looks at what came of it.
    pub(super) fn run(
        &self,
        probe: &Probe,
        policy: &PathPolicy,
        ground: &mut Ground,
    ) -> Result<Outcome, SelftestError> {
        let others = self.others.as_ref();
        let moved = others.map(|(from, to)| Others {
            from: ground.at(from),
            to: ground.at(to),
        });
        let neighbour = neighbourly(ground);
        let steps = neighbour.len();
        let done = probe.carry_out(ground, policy, moved, &self.plan(neighbour))?;
        let after = ground.look()?;
        let changed = differing(&ground.before, &after);
        let expected = |path: &&&str| self.may_change(path, &ground.before, &after);
        let wrong: Vec<&&str> = changed.iter().filter(|path| !expected(path)).collect();
        let mut outcome = self.judge(&done, steps, policy);
        if let Some(path) = wrong.first() {
            outcome.broken = Some(format!("changes {path}"));
        }
        if !changed.is_empty() {
            ground.renew()?;
        }
        Ok(outcome)
    }

    /// True when the group may leave `path` other than it was.
    fn may_change(
        &self,
        path: &str,
        before: &BTreeMap<String, Seen>,
        after: &BTreeMap<String, Seen>,
    ) -> bool {
        let Some((from, to)) = &self.others else {
            return !self.is_quiet() && may_change(path);
        };
        let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        let below = |top: &str| path.strip_prefix(top).filter(|rest| rest.starts_with('/'));
        if [from, to]
            .iter()
            .any(|top| path == *top || parent(top).as_deref() == Some(path))
        {
            return true;
        }
        match (below(from), below(to)) {
            (Some(rest), _) => {
                let moved = after.get(&format!("{to}{rest}"));
                !after.contains_key(path) && moved == before.get(path)
            }
            (_, Some(rest)) => after.get(path) == before.get(&format!("{from}{rest}")),
            _ => false,
        }
    }

    /// `steps` is how many of the last results are the neighbour's.
    fn judge(&self, done: &Done, steps: usize, policy: &PathPolicy) -> Outcome {
        let ends = self.ends(&done.results);
        let mut wrong = BTreeMap::new();
        let mut first = 0;
        for attempt in &self.attempts {
            for (index, row) in attempt.rows.iter().enumerate() {
                let end = |index: usize| ends.get(first + index).map_or("nothing", String::as_str);
                if let Some(why) = row.breaks(end(index), end) {
                    wrong.insert(first + index, why);
                }
            }
            first += attempt.rows.len();
        }
        let broken = leaks(done)
            .or_else(|| self.prelude_fails(done))
            .or_else(|| self.list_fails(&ends))
            .or_else(|| neighbour_suffers(done, steps))
            .or_else(|| {
                misreports(
                    &self.rows().collect::<Vec<_>>(),
                    &done.called.report.denials,
                    policy,
                )
            });
        Outcome {
            ends,
            wrong,
            broken,
        }
    }

    /// How each row ended.
    fn ends(&self, results: &[Result<Value, String>]) -> Vec<String> {
        let mut rest = results.iter().skip(self.prelude.len());
        let mut ends = Vec::new();
        for attempt in &self.attempts {
            let own: Vec<_> = rest.by_ref().take(attempt.plan.len()).collect();
            let failed = own.iter().find_map(|result| result.as_ref().err());
            let list = own
                .last()
                .and_then(|result| result.as_ref().ok())
                .and_then(Value::as_array);
            match (failed, list) {
                (None, Some(list)) if attempt.is_list => {
                    let texts = list
                        .iter()
                        .map(|end| end.as_str().unwrap_or("nothing").to_owned());
                    ends.extend(texts);
                }
                (failed, _) => ends.push(failed.map_or("ok", String::as_str).to_owned()),
            }
            rest.by_ref().take(attempt.closes.len()).for_each(drop);
        }
        ends
    }

    /// An operation that answers many rows must carry on to its end.
    fn list_fails(&self, ends: &[String]) -> Option<String> {
        (ends.len() != self.rows().count()).then(|| format!("the list ends with {:?}", ends.last()))
    }

    fn prelude_fails(&self, done: &Done) -> Option<String> {
        let mut prelude = done.results.iter().take(self.prelude.len());
        let failed = prelude.any(Result::is_err);
        failed.then(|| format!("what comes before fails: {:?}", done.results))
    }
}

fn close(handle: &&str) -> Value {
    op("drop", json!({ "on": handle }))
}

impl Row {
    /// How `end` breaks what must hold; `others` are the ends of the same attempt.
    fn breaks<'a>(&self, end: &str, others: impl Fn(usize) -> &'a str) -> Option<String> {
        if self.refused.is_some() {
            return (end != "not-permitted")
                .then(|| format!("must be refused and ends with {end}"));
        }
        let (plain, mended) = match end.strip_suffix('*') {
            Some(plain) => (plain, true),
            None => (end, false),
        };
        match self.must {
            Must::With(must) if end != must => Some(format!("must end with {must}, not {end}")),
            Must::Like(index) if end != others(index) => Some(format!(
                "ends with {end}, and without syncing with {}",
                others(index)
            )),
            Must::Mend(changes) if mended != (changes && plain == "ok") => Some(format!(
                "ends with {plain} and {} the file",
                if mended { "changes" } else { "keeps" }
            )),
            Must::Anyhow | Must::With(_) | Must::Like(_) | Must::Mend(_) => None,
        }
    }

    /// True when `denial` is what this row must be refused with.
    fn explains(&self, denial: &Denial) -> bool {
        let wanted = match denial.access {
            Access::Write => self.wants.contains(&Access::Write),
            Access::Read | Access::Stat | Access::Traverse => {
                let looks = self.wants.iter().any(|access| *access != Access::Write);
                looks || self.refused.is_some_and(Judge::refuses_any_look)
            }
        };
        wanted && self.refused.is_some_and(|judge| judge.is_behind(denial))
    }
}

fn leaks(done: &Done) -> Option<String> {
    let report = format!("{:?}", done.called);
    report.contains(SECRET).then(|| format!("leaks: {report}"))
}

/// What an ordinary program does beside it all, which must always succeed.
fn neighbourly(ground: &Ground) -> Vec<Value> {
    let open = |path: &str, flags: &[&str], descriptor: &[&str]| {
        let keys = json!({ "path": path, "flags": flags, "descriptor": descriptor, "as": "n" });
        op("open", keys)
    };
    let on = |verb: &str| op(verb, json!({ "on": "n", "length": 99, "text": PLAIN }));
    let two = |verb: &str, old: &str, new: &str| op(verb, json!({ "path": old, "new_path": new }));
    let at = |verb: &str, path: &str| op(verb, json!({ "path": path }));
    let mut plan = vec![
        open("yard/n.md", &[], &["read", "write"]),
        on("write"),
        on("read"),
        open("yard/new", &["create", "exclusive"], &["write"]),
        on("write"),
        two("rename-at", "yard/new", "yard/newer"),
        at("create-directory-at", "yard/dir"),
        two("rename-at", "yard/dir", "yard/dir2"),
        at("remove-directory-at", "yard/dir2"),
        at("stat-at", "src/file.md"),
    ];
    if !ground.lacks.contains_key(&Feature::HardLinks) {
        plan.push(two("link-at", "yard/newer", "yard/second"));
        plan.push(at("unlink-file-at", "yard/second"));
    }
    if !ground.lacks.contains_key(&Feature::SymbolicLinks) {
        plan.push(two("symlink-at", "n.md", "yard/link"));
        plan.push(at("unlink-file-at", "yard/link"));
    }
    plan.push(at("unlink-file-at", "yard/newer"));
    plan.push(op(
        "open",
        json!({ "path": "yard", "descriptor": ["read"], "as": "n" }),
    ));
    plan.push(on("list"));
    plan
}

fn neighbour_suffers(done: &Done, steps: usize) -> Option<String> {
    let first = done.results.len().saturating_sub(steps);
    let own: Vec<_> = done.results.iter().skip(first).collect();
    let holds = own.iter().all(|result| result.is_ok());
    let read = own.get(2) == Some(&&Ok(json!([PLAIN, false])));
    let listed = own.last() == Some(&&Ok(json!([["n.md", "regular-file"]])));
    (!(holds && read && listed)).then(|| format!("an ordinary neighbour suffers: {own:?}"))
}

/// There are as many denials as rows that must be refused, each by the rule of its judge and for what the row wanted.
fn misreports(rows: &[&Row], denials: &[Denial], policy: &PathPolicy) -> Option<String> {
    let refused: Vec<&&Row> = rows.iter().filter(|row| row.refused.is_some()).collect();
    let count: u64 = denials.iter().map(|denial| denial.count).sum();
    if count != refused.len() as u64 {
        return Some(format!(
            "{} must be refused, and {count} are reported: {denials:?}",
            refused.len()
        ));
    }
    let odd = denials.iter().find(|denial| {
        !refused.iter().any(|row| row.explains(denial)) || !says_what_to_grant(denial, policy)
    });
    odd.map(|denial| format!("reports {denial:?}"))
}

/// The path of a denial, asked of the policy once more, is refused by the same rule, and the report says how to allow it
/// where that is the operator's to do.
fn says_what_to_grant(denial: &Denial, policy: &PathPolicy) -> bool {
    let list = if denial.access == Access::Write {
        "write"
    } else {
        "read"
    };
    let path = &denial.path;
    let (known, line) = match &denial.rule {
        Rule::NotAllowed { .. } => (
            true,
            Some(format!("{list} = [{}]", toml::Value::from(path.as_str()))),
        ),
        Rule::Deny { .. } => (true, None),
        Rule::Shape { .. } | Rule::Special { .. } | Rule::HardLink { .. } => (false, None),
    };
    let rule = denial.rule.clone();
    let again = RelPath::lexical(&format!("./{path}"))
        .is_ok_and(|path| policy.decide(&path, denial.access) == Decision::Denied { rule });
    !path.is_empty() && (again || !known) && denial.grant_line() == line
}
